//! Slack's markup of what a person wrote, back into what the person typed.

/// What the person typed: entities and links undone. `<http://a.b|a.b>` was typed as `a.b`, and `&lt;` as `<`.
pub(crate) fn plain(marked: &str) -> String {
    let mut plain = String::with_capacity(marked.len());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('<') {
        unescape(before, &mut plain);
        let Some((inside, behind)) = after.split_once('>') else {
            plain.push('<');
            rest = after;
            continue;
        };
        unescape(&shown(inside), &mut plain);
        rest = behind;
    }
    unescape(rest, &mut plain);
    plain
}

/// What stands behind the mention of `user`, or before it where nothing stands behind.
pub(crate) fn without_mention(marked: &str, user: Option<&str>) -> String {
    let Some((before, after)) = mention(marked, user) else {
        return plain(marked).trim().to_owned();
    };
    let asked = if after.trim().is_empty() { before } else { after };
    plain(asked).trim().to_owned()
}

/// Whether `user` is mentioned.
pub(crate) fn mentions(marked: &str, user: &str) -> bool {
    mention(marked, Some(user)).is_some()
}

/// The words before and behind the mention of `user`; where we do not know yet who we are, of the first person.
fn mention<'m>(marked: &'m str, user: Option<&str>) -> Option<(&'m str, &'m str)> {
    let Some(user) = user else {
        let (before, opened) = marked.split_once("<@")?;
        return Some((before, opened.split_once('>')?.1));
    };
    let bare = marked.split_once(&format!("<@{user}>"));
    let named = || {
        marked.split_once(&format!("<@{user}|")).and_then(|(before, opened)| Some((before, opened.split_once('>')?.1)))
    };
    bare.or_else(named)
}

/// What is shown for `<inside>`.
fn shown(inside: &str) -> String {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.is_empty());
    match target.chars().next() {
        Some(sign @ ('@' | '#')) => match label {
            Some(label) => format!("{sign}{}", label.trim_start_matches(sign)),
            None => target.to_owned(),
        },
        Some('!') => label.unwrap_or(target).to_owned(),
        _ => label.unwrap_or_else(|| target.strip_prefix("mailto:").unwrap_or(target)).to_owned(),
    }
}

fn unescape(marked: &str, plain: &mut String) {
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = [("lt;", '<'), ("gt;", '>'), ("amp;", '&')]
            .into_iter()
            .find_map(|(entity, sign)| Some((after.strip_prefix(entity)?, sign)));
        let (behind, sign) = entity.unwrap_or((after, '&'));
        plain.push(sign);
        rest = behind;
    }
    plain.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::{plain, without_mention};

    #[test]
    fn what_was_typed_comes_back() {
        for (marked, typed) in [
            ("pod cart", "pod cart"),
            ("&lt;none&gt; &amp;amp; &x &", "<none> &amp; &x &"),
            ("ingress <http://shop.example.com|shop.example.com>", "ingress shop.example.com"),
            ("<https://a.b/c>", "https://a.b/c"),
            ("<mailto:a@b.c|a@b.c> <mailto:a@b.c>", "a@b.c a@b.c"),
            ("<#C1|general> <#C1> <@U1> <@U1|ada>", "#general #C1 @U1 @ada"),
            ("<!here> <!subteam^S1|@sre>", "!here @sre"),
            ("a < b <", "a < b <"),
            ("<>", ""),
        ] {
            assert_eq!(plain(marked), typed, "{marked}");
        }
    }

    #[test]
    fn the_question_stands_behind_the_mention() {
        assert_eq!(without_mention("<@U0> pod cart", Some("U0")), "pod cart");
        assert_eq!(without_mention("hey <@U0|kubewhy> why pod cart", Some("U0")), "why pod cart");
        assert_eq!(without_mention("pod cart <@U0>", Some("U0")), "pod cart");
        assert_eq!(without_mention("<@U0> pod cart", None), "pod cart");
        assert_eq!(without_mention("<@U0>", Some("U0")), "");
        assert_eq!(without_mention("pod cart", Some("U0")), "pod cart");
        assert_eq!(without_mention("<@U0", Some("U0")), "<@U0");
        assert_eq!(without_mention("<@U01> <@U0> pod cart", Some("U0")), "pod cart");
    }
}
