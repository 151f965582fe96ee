//! The words of a line that a person typed or pasted.

/// A word and where it stands in the cleaned line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word without the quotation marks and punctuation around it.
    pub text: String,
    /// Where it begins in [`Line::clean`], in bytes.
    pub start: usize,
}

/// A line, cleaned of what chats and phones put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// One line without control, bidirectional and zero-width characters.
    pub clean: String,
    /// Its words. Mentions of people and of the bot are left out.
    pub words: Vec<Word>,
}

impl Line {
    /// Cleans a line and divides it: any kind of space divides; quotation marks of all kinds, back-ticks and a question
    /// mark at the end are no part of a word; a dash that a phone made of two hyphens is two hyphens again.
    pub fn new(line: &str) -> Self {
        let clean = kubewhy_text::printable(line).into_owned();
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in clean.char_indices().chain([(clean.len(), ' ')]) {
            match (start, c.is_whitespace()) {
                (None, false) => start = Some(at),
                (Some(from), true) => {
                    start = None;
                    words.extend(clean.get(from..at).and_then(|raw| word(raw, from)));
                }
                _ => {}
            }
        }
        Self { clean, words }
    }

    /// What stands from a word on, as it was typed, without quotation marks around it.
    pub fn from_word(&self, word: &Word) -> &str {
        self.clean.get(word.start..).unwrap_or_default().trim().trim_matches(is_quotation_mark)
    }
}

fn word(raw: &str, start: usize) -> Option<Word> {
    let inner = raw
        .trim_matches(is_quotation_mark)
        .trim_end_matches(['?', '!', ',', ';', '.', ':', '？', '！', '，', '。', '…'])
        .trim_matches(is_quotation_mark)
        .trim_start_matches('(')
        .trim_end_matches(')');
    let is_mention = inner.starts_with('@') || inner.starts_with("<@");
    if inner.is_empty() || is_mention {
        return None;
    }
    let text = match inner.strip_prefix(['—', '–']) {
        Some(rest) => format!("--{rest}"),
        None => inner.to_owned(),
    };
    Some(Word { text, start })
}

fn is_quotation_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | '´'
            | '“'
            | '”'
            | '„'
            | '‟'
            | '‘'
            | '’'
            | '‚'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '＂'
            | '＇'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        Line::new(line).words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn what_chats_and_phones_put_into_a_line_is_taken_out() {
        for line in [
            "why pod cart",
            "  why\u{a0}pod\u{3000}cart  ",
            "`why pod cart`",
            "```why pod cart```",
            "why pod “cart”?",
            "why 'pod' \"cart\" ?",
            "why pod ca\u{200b}rt\u{feff}",
            "why pod\tcart\n",
            "<@U012AB> why pod cart",
            "@kubewhy why pod cart!",
            "why pod `cart`?",
        ] {
            assert_eq!(words(line), ["why", "pod", "cart"], "{line:?}");
        }
        assert_eq!(words("why x —namespace shop"), ["why", "x", "--namespace", "shop"]);
    }

    #[test]
    fn what_follows_a_word_keeps_its_own_words() {
        let line = Line::new("silence for 2h because \"it's known, see @ada\"");
        let reason = line.words.iter().position(|word| word.text == "because").expect("because") + 1;
        assert_eq!(line.from_word(&line.words[reason]), "it's known, see @ada");
    }
}
