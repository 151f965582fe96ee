//! Lines of Discord's markup: our own words escaped, all foreign words in code spans.

use jiff::Timestamp;
use kubewhy_text::{Span, Text, printable};

use super::whole::Whole;
use crate::limits;

/// The most that is shown of foreign words in one place, in UTF-16 code units; the file has the rest.
const MOST_FOREIGN: usize = 900;
/// The longest row in UTF-16 code units: a longer line becomes several.
const LONGEST_ROW: usize = 1_800;

/// What stands in a line and is not divided.
enum Atom {
    /// A word of ours with the space behind it.
    Own { word: String, is_bold: bool },
    /// Foreign words, cut to [`MOST_FOREIGN`], not yet cleaned.
    Code(String),
    /// A point in time, in the reader's zone.
    Time { time: Timestamp, is_brief: bool },
}

/// How a line begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    /// Its sign: `- `, `### `.
    pub(super) sign: &'static str,
    /// What stands before where it goes on in another row.
    pub(super) on: &'static str,
}

/// A line without a sign.
pub(super) const BARE: Begin = Begin { sign: "", on: "" };

/// The rows of a line: one, or several where it is long.
pub(super) fn rows<'m>(begin: Begin, parts: &[Part<'m>], whole: &mut Whole<'m>) -> Vec<String> {
    let mut writer = Writer { begin, rows: Vec::new(), row: begin.sign.to_owned(), is_fresh: true };
    for part in parts {
        for atom in part.atoms(whole) {
            writer.push(&atom);
        }
    }
    writer.finish()
}

/// A piece of a line.
#[derive(Clone, Copy)]
pub(super) enum Part<'m> {
    /// Our own words.
    Own(&'static str),
    /// A text.
    Text(&'m Text),
    /// A text in which our own words are bold.
    Bold(&'m Text),
    /// A text in which points in time are brief: without how long ago they were.
    Brief(&'m Text),
    /// Words to be read literally.
    Code(&'m str),
    /// A point in time.
    Time(Timestamp),
}

impl<'m> Part<'m> {
    fn atoms(self, whole: &mut Whole<'m>) -> Vec<Atom> {
        match self {
            Self::Own(words) => own(words, false),
            Self::Code(words) => foreign(words, whole),
            Self::Time(time) => vec![Atom::Time { time, is_brief: false }],
            Self::Text(text) | Self::Bold(text) | Self::Brief(text) => {
                text.spans().iter().flat_map(|span| self.of_span(span, whole)).collect()
            }
        }
    }

    fn of_span(self, span: &'m Span, whole: &mut Whole<'m>) -> Vec<Atom> {
        match span {
            Span::Own(words) => own(words, matches!(self, Self::Bold(_))),
            Span::Name(words) | Span::Code(words) | Span::Untrusted(words) => foreign(words, whole),
            Span::Time(time) => vec![Atom::Time { time: *time, is_brief: matches!(self, Self::Brief(_)) }],
        }
    }
}

fn own(words: &str, is_bold: bool) -> Vec<Atom> {
    let clean = printable(words);
    clean
        .split_inclusive(' ')
        .flat_map(|word| pieces(word, MOST_FOREIGN))
        .map(|word| Atom::Own { word: word.to_owned(), is_bold })
        .collect()
}

fn foreign<'m>(words: &'m str, whole: &mut Whole<'m>) -> Vec<Atom> {
    let (kept, rest) = head(words, MOST_FOREIGN);
    let mut atoms = vec![Atom::Code(kept.to_owned())];
    if !rest.is_empty() {
        let note = format!(" … ({} more characters in {})", rest.chars().count(), whole.keep(words));
        atoms.extend(own(&note, false));
    }
    atoms
}

struct Writer {
    begin: Begin,
    rows: Vec<String>,
    row: String,
    /// Whether nothing but the sign stands in the row.
    is_fresh: bool,
}

impl Writer {
    fn push(&mut self, atom: &Atom) {
        let mut next = self.markup(atom);
        if !self.is_fresh && limits::length(&self.row) + limits::length(&next) > LONGEST_ROW {
            let full = std::mem::replace(&mut self.row, self.begin.on.to_owned());
            self.rows.push(full.trim_end().to_owned());
            self.is_fresh = true;
            next = self.markup(atom);
        }
        if next.is_empty() {
            return;
        }
        self.row.push_str(&next);
        self.is_fresh = false;
    }

    fn markup(&self, atom: &Atom) -> String {
        match atom {
            Atom::Own { word, is_bold } => {
                let word = if self.is_fresh { word.trim_start() } else { word };
                let escaped = if self.is_fresh { escape_start(word) } else { escape(word) };
                if *is_bold { bold(&escaped) } else { escaped }
            }
            Atom::Code(words) => {
                // The back-ticks of two code spans beside each other would count as one run.
                let gap = if self.row.ends_with('`') { " " } else { "" };
                format!("{gap}{}", code_span(words))
            }
            Atom::Time { time, is_brief } => {
                let second = time.as_second();
                // The age tells the day, and a whole date takes two lines of a phone.
                if *is_brief { format!("<t:{second}:f>") } else { format!("<t:{second}:t> (<t:{second}:R>)") }
            }
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.is_fresh {
            self.rows.push(self.row.trim_end().to_owned());
        }
        // Bold words beside each other are one run.
        self.rows.iter().map(|row| row.replace("** **", " ")).collect()
    }
}

/// Words of ours in bold, the spaces around them outside of it. Only ours: a sign inside foreign words would end it.
fn bold(escaped: &str) -> String {
    let inner = escaped.trim();
    if inner.is_empty() {
        return escaped.to_owned();
    }
    let end = if escaped.ends_with(' ') { " " } else { "" };
    format!("**{inner}**{end}")
}

/// A code span, in which Discord interprets nothing. Back-ticks of the words become a letter that looks like one: with longer
/// fences, clients differ.
pub(super) fn code_span(words: &str) -> String {
    let clean: String = printable(words)
        .chars()
        .map(|c| {
            if c == '`' {
                'ˋ'
            } else if c.is_whitespace() {
                ' '
            } else {
                c
            }
        })
        .collect();
    if clean.is_empty() { "` `".to_owned() } else { format!("`{clean}`") }
}

/// Words of ours without a sign among them.
pub(super) fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for (at, c) in words.char_indices() {
        if matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '[' | '<') {
            out.push('\\');
        }
        let rest = words.get(at + c.len_utf8()..).unwrap_or_default();
        let calls_all = c == '@' && ["everyone", "here"].iter().any(|all| rest.starts_with(all));
        out.push(if calls_all { '＠' } else { c });
    }
    out
}

/// The same at the start of a line, where more is a sign.
pub(super) fn escape_start(words: &str) -> String {
    let digits = words.chars().take_while(char::is_ascii_digit).count();
    let (number, after) = words.split_at(digits);
    match after.chars().next() {
        Some('.' | ')') if digits > 0 => format!("{number}\\{}", escape(after)),
        Some('#' | '>' | '-' | '+') if digits == 0 => format!("\\{}", escape(after)),
        _ => escape(words),
    }
}

/// The first characters that have room in so many UTF-16 code units, and what follows them.
pub(super) fn head(words: &str, most: usize) -> (&str, &str) {
    let mut used = 0;
    let end = words.char_indices().find(|(_, c)| {
        used += c.len_utf16();
        used > most
    });
    words.split_at(end.map_or(words.len(), |(at, _)| at))
}

/// Words in pieces of at most so many UTF-16 code units.
fn pieces(mut words: &str, most: usize) -> Vec<&str> {
    let mut all = Vec::new();
    while !words.is_empty() {
        let (piece, rest) = head(words, most.max(2));
        all.push(piece);
        words = rest;
    }
    all
}

#[cfg(test)]
mod tests {
    use kubewhy_text::{code, name, quoted, text};

    use super::*;

    fn line(text: &Text) -> String {
        rows(BARE, &[Part::Text(text)], &mut Whole::default()).join("⏎")
    }

    #[test]
    fn words_of_ours_are_no_signs() {
        assert_eq!(
            line(&text!["*a* _b_ `c` [d](e) <t:1> ||f|| ~~g~~"]),
            r"\*a\* \_b\_ \`c\` \[d](e) \<t:1> \|\|f\|\| \~\~g\~\~"
        );
        assert_eq!(line(&text!["1. a"]), r"1\. a");
        assert_eq!(line(&text!["-# small"]), r"\-# small");
        assert_eq!(line(&text!["# a > b"]), r"\# a > b");
        assert_eq!(line(&text!["call @everyone"]), "call ＠everyone");
    }

    #[test]
    fn foreign_words_stand_in_code_that_they_cannot_close() {
        assert_eq!(line(&text!["Pod ", name("a`b")]), "Pod `aˋb`");
        assert_eq!(line(&text![name("a"), code(""), quoted("x\n> y")]), "`a` ` ` `x > y`");
    }

    #[test]
    fn only_words_of_ours_are_bold() {
        let name = text!["the image ", name("**x**"), " of"];
        assert_eq!(rows(BARE, &[Part::Bold(&name)], &mut Whole::default()), ["**the image** `**x**` **of**"]);
    }

    #[test]
    fn a_long_line_goes_on_in_further_rows_between_words() {
        let long = text![kubewhy_text::own("word ".repeat(1_000)), name("x".repeat(700))];
        let mut whole = Whole::default();
        let rows = rows(Begin { sign: "- ", on: "  " }, &[Part::Text(&long)], &mut whole);
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| limits::length(row) <= LONGEST_ROW && !row.contains("wor ")));
        assert!(rows[0].starts_with("- word") && rows[1].starts_with("  word"), "{}", rows[1]);
    }
}
