//! Words of a cluster or a person on their way to the screen: made harmless, and cut where they have no end.

use kubewhy_text::{Span, Text, printable};

/// The most characters that are shown of foreign words in one place.
const MOST_CHARACTERS: usize = 1_000;
/// The most lines that are shown of a log or manifest; what is cut is cut out of the middle.
const MOST_LINES: usize = 1_000;
/// The most characters of a command; a part of a command is worse than none.
const MOST_COMMAND: usize = 2_000;
/// How wide a tab is.
const TAB: &str = "    ";

/// Cleans and cuts, and remembers whether it ever cut.
#[derive(Debug, Default)]
pub(crate) struct Cut(bool);

impl Cut {
    /// Whether anything was cut so far.
    pub(crate) fn happened(&self) -> bool {
        self.0
    }

    /// A text whose foreign words are one line each, harmless and not too long; what was cut is counted behind them.
    pub(crate) fn text(&mut self, text: &Text) -> Text {
        self.text_within(text, MOST_CHARACTERS)
    }

    /// The same with another bound.
    pub(crate) fn text_within(&mut self, text: &Text, most: usize) -> Text {
        let mut short = Text::default();
        for span in text.spans() {
            let (words, rest) = match span {
                Span::Name(words) | Span::Untrusted(words) | Span::Code(words) => self.words(words, most),
                Span::Own(_) | Span::Time(_) => {
                    short.push(span.clone());
                    continue;
                }
            };
            short.push(match span {
                Span::Name(_) => Span::Name(words),
                Span::Untrusted(_) => Span::Untrusted(words),
                _ => Span::Code(words),
            });
            if rest > 0 {
                short.push(note(rest));
            }
        }
        short
    }

    /// One line: the words that are shown, and how many characters are not.
    fn words(&mut self, words: &str, most: usize) -> (String, usize) {
        let (kept, rest) = head(words, most);
        self.0 |= rest > 0;
        (clean(kept), rest)
    }

    /// Several lines, each harmless and not too long; many lines lose their middle.
    pub(crate) fn lines(&mut self, words: &str) -> Vec<String> {
        let all = words.strip_suffix('\n').unwrap_or(words).split('\n').count();
        let lines = words.strip_suffix('\n').unwrap_or(words).split('\n');
        if all <= MOST_LINES {
            return lines.map(|line| self.line(line)).collect();
        }
        self.0 = true;
        let half = MOST_LINES / 2;
        let mut shown: Vec<String> = lines.clone().take(half).map(|line| self.line(line)).collect();
        shown.push(format!("… ({} more lines)", all - 2 * half));
        shown.extend(lines.skip(all - half).map(|line| self.line(line)));
        shown
    }

    fn line(&mut self, line: &str) -> String {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (kept, rest) = head(line, MOST_CHARACTERS);
        let mut shown = clean(&kept.replace('\t', TAB));
        if rest > 0 {
            self.0 = true;
            shown = format!("{shown} … ({rest} more characters)");
        }
        shown
    }

    /// A command, or how long it is when it is too long to be shown whole.
    pub(crate) fn command(&mut self, command: &str) -> Result<String, usize> {
        let (kept, rest) = head(command, MOST_COMMAND);
        if rest > 0 {
            self.0 = true;
            return Err(MOST_COMMAND + rest);
        }
        Ok(clean(kept))
    }
}

fn note(rest: usize) -> Text {
    let mut note = Text::from(" … (");
    note.push(rest);
    note.push(" more characters)");
    note
}

/// The first characters, and how many follow.
fn head(words: &str, most: usize) -> (&str, usize) {
    match words.char_indices().nth(most) {
        Some((end, _)) => {
            let (kept, rest) = words.split_at(end);
            (kept, rest.chars().count())
        }
        None => (words, 0),
    }
}

/// One harmless line in which only the ASCII space parts words: exotic spaces would hide where a line can be broken.
fn clean(words: &str) -> String {
    printable(words).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use kubewhy_text::{quoted, text};

    use super::*;

    #[test]
    fn long_words_are_cut_and_counted() {
        let mut cut = Cut::default();
        let short = cut.text_within(&text!["log ", quoted("abcdef")], 4).plain();
        assert_eq!(short, "log \"abcd\" … (2 more characters)");
        assert!(cut.happened());
    }

    #[test]
    fn a_long_log_loses_its_middle() {
        let mut cut = Cut::default();
        let log = (0..2_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let lines = cut.lines(&log);
        assert_eq!(lines.len(), 1_001);
        assert_eq!(lines.first().map(String::as_str), Some("line 0"));
        assert_eq!(lines.get(500).map(String::as_str), Some("… (1000 more lines)"));
        assert_eq!(lines.last().map(String::as_str), Some("line 1999"));
    }

    #[test]
    fn a_command_is_whole_or_not_there() {
        assert_eq!(Cut::default().command("kubectl get pod"), Ok("kubectl get pod".to_owned()));
        assert_eq!(Cut::default().command(&"x".repeat(2_001)), Err(2_001));
    }
}
