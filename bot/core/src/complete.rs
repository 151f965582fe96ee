//! What may be typed next, for a console.

use kubewhy_diagnosis::causes::Code;
use kubewhy_diagnosis::kind::Kind;

use crate::commands::{ALL, Spec};
use crate::remedy;
use crate::resolve::kind_of;

/// The most completions that are offered.
const MOST: usize = 200;

/// The words that may stand where the cursor is, whole: they replace what stands from [`word_start`] to the cursor. `names`
/// gives the names of a kind in a namespace; it is asked only for what can be meant.
pub fn complete(line: &str, cursor: usize, names: &dyn Fn(Kind, Option<&str>) -> Vec<String>) -> Vec<String> {
    let start = word_start(line, cursor);
    let (Some(before), Some(begun)) = (line.get(..start), line.get(start..cursor)) else { return Vec::new() };
    let words: Vec<&str> = before.split_whitespace().collect();
    let after = line.get(cursor..).unwrap_or_default();
    let mut offers = offers(&words, begun, after, names);
    let begun = begun.to_ascii_lowercase();
    offers.retain(|offer| offer.to_ascii_lowercase().starts_with(&begun));
    let mut seen = std::collections::BTreeSet::new();
    offers.retain(|offer| seen.insert(offer.clone()));
    offers.truncate(MOST);
    offers
}

/// Where the word begins in which the cursor stands, in bytes.
pub fn word_start(line: &str, cursor: usize) -> usize {
    let before = line.get(..cursor).unwrap_or_default();
    before.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
}

fn offers(words: &[&str], begun: &str, after: &str, names: &dyn Fn(Kind, Option<&str>) -> Vec<String>) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match words.last().copied() {
        Some("-n" | "--namespace" | "in") => return names(Kind::Namespace, None),
        Some("--action" | "--plan") => {
            return remedy::ALL.iter().map(|action| <&str>::from(*action).to_owned()).collect();
        }
        Some("on" | "--context" | "for" | "container" | "-c" | "last" | "because") => return Vec::new(),
        _ => {}
    }
    let namespace = namespace(words, after);
    let said_why = words.first().is_some_and(|word| ["why", "/why"].contains(word));
    let rest = words.get(usize::from(said_why)..).unwrap_or_default();
    let spec = rest.first().and_then(|word| Spec::of_word(word));
    let arguments = rest.get(usize::from(spec.is_some())..).unwrap_or_default();
    match spec.map(|spec| spec.word) {
        Some("help") => return ALL.iter().map(|spec| spec.word.to_owned()).collect(),
        Some("catalogue") => return Code::all().map(|code| code.as_str().to_owned()).collect(),
        Some("scan" | "incidents") => return own(&["in", "-n", "everywhere"]),
        Some("more" | "quit" | "ack") => return Vec::new(),
        _ => {}
    }
    if let Some((kind, _)) = begun.split_once('/') {
        let Some(known) = kind_of(kind) else { return Vec::new() };
        return names(known, namespace).into_iter().map(|name| format!("{kind}/{name}")).collect();
    }
    match arguments {
        // The object: a kind, or a name of what is asked about most.
        [] => {
            let mut offers = Vec::new();
            if spec.is_none() {
                offers.extend(commands(said_why));
            }
            offers.extend(Kind::ALL.iter().map(|kind| kind.kubectl_name()));
            offers.extend(Kind::ALL.iter().flat_map(|kind| kind.short_names().iter().map(|short| (*short).to_owned())));
            if !begun.is_empty() && !begun.starts_with('-') {
                offers.extend(names(Kind::Deployment, namespace));
                offers.extend(names(Kind::Pod, namespace));
            }
            offers
        }
        [.., kind] if kind_of(kind).is_some() && arguments.len() == 1 => {
            kind_of(kind).map(|kind| names(kind, namespace)).unwrap_or_default()
        }
        _ => {
            let mut offers = own(&["-n", "in", "on"]);
            match spec.map(|spec| spec.word) {
                Some("logs") => offers.extend(own(&["previous", "container", "last"])),
                Some("fix") => offers.extend(own(&["--action"])),
                Some("silence") => offers.extend(own(&["for", "because"])),
                Some("precheck") => offers.extend(own(&["image=", "replicas="])),
                _ => {}
            }
            offers
        }
    }
}

/// The commands; `why` itself where it was not said yet.
fn commands(said_why: bool) -> Vec<String> {
    let all = ALL.iter().map(|spec| spec.word).filter(|word| *word != "explain");
    let why = (!said_why).then_some("why");
    why.into_iter().chain(all).map(str::to_owned).collect()
}

/// The namespace that is named anywhere in the line.
fn namespace<'a>(words: &[&'a str], after: &'a str) -> Option<&'a str> {
    let all: Vec<&str> = words.iter().copied().chain(after.split_whitespace()).collect();
    all.windows(2).find_map(|pair| match pair {
        ["-n" | "--namespace" | "in", namespace] => Some(*namespace),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(kind: Kind, namespace: Option<&str>) -> Vec<String> {
        let names: &[&str] = match (kind, namespace) {
            (Kind::Namespace, _) => &["shop", "search", "default"],
            (Kind::Pod, None | Some("shop")) => &["cart-7c9-x", "mailer-0"],
            (Kind::Deployment, None | Some("shop")) => &["cart", "worker"],
            _ => &[],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn at_end(line: &str) -> Vec<String> {
        complete(line, line.len(), &names)
    }

    #[test]
    fn kinds_names_namespaces_and_commands_are_offered_where_they_fit() {
        assert_eq!(at_end("wh"), ["why"]);
        assert_eq!(at_end("why dep"), ["deployment", "deploy"]);
        assert_eq!(at_end("why pod ca"), ["cart-7c9-x"]);
        assert_eq!(at_end("why pod/ma"), ["pod/mailer-0"]);
        assert_eq!(at_end("why car"), ["cart", "cart-7c9-x"]);
        assert_eq!(at_end("why pod cart-7c9-x -n s"), ["shop", "search"]);
        assert_eq!(at_end("lo"), ["logs"]);
        assert_eq!(at_end("logs pod cart-7c9-x pr"), ["previous"]);
        assert_eq!(at_end("catalogue secret-key"), ["secret-key-missing"]);
        assert_eq!(at_end("fix pod x --action undo"), ["undo"]);
        assert_eq!(at_end("help lo"), ["logs"]);
        assert!(at_end("why pod x -n nowhere pod y").is_empty());
        assert!(at_end("silence x because w").is_empty());
    }

    #[test]
    fn a_namespace_behind_the_cursor_counts() {
        let line = "why pod  -n other";
        assert!(complete(line, 8, &names).is_empty());
        assert_eq!(complete("why pod  -n shop", 8, &names), ["cart-7c9-x", "mailer-0"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_line_and_no_cursor_makes_it_panic(line in ".{0,40}", cursor in 0_usize..60) {
            let offers = complete(&line, cursor, &names);
            prop_assert!(offers.len() <= MOST);
        }
    }
}
