//! Text with provenance.
//!
//! Every sentence that kubewhy shows is a [`Text`]: a list of [`Span`]s that say where their words come from. Renderers
//! decide how a span looks on their platform; what came from a cluster stays marked as [`Span::Untrusted`] until a renderer
//! escapes it, so nothing from a cluster can ping, link or format.
//!
//! Invariants: this crate does no I/O and knows no platform; [`Text::plain`] and [`Text::markdown`] never let a control,
//! bidirectional or zero-width character through.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use unicode_width::UnicodeWidthChar as _;

/// A piece of a [`Text`] and where its words come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// Our own words.
    Own(Cow<'static, str>),
    /// The name of an object, key, container or node: shown whole, so that it can be copied.
    Name(String),
    /// Words of the cluster, an application or a person: shown as a quotation, never interpreted.
    Untrusted(String),
    /// A command, field or value to be read literally.
    Code(String),
    /// A point in time.
    Time(Timestamp),
}

/// A sentence or title, made of [`Span`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Vec<Span>);

/// Builds a [`Text`] from spans; string literals become our own words.
///
/// ```
/// use kubewhy_text::{name, quoted, text};
/// let t = text!["Secret ", name("shop/cart-db"), " has no key ", quoted("password")];
/// assert_eq!(t.plain(), "Secret shop/cart-db has no key \"password\"");
/// ```
#[macro_export]
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        #[allow(clippy::allow_attributes, unused_mut, reason = "only an empty text pushes nothing")]
        let mut text = $crate::Text::default();
        $(text.push($part);)*
        text
    }};
}

/// A name that is shown whole.
pub fn name(name: impl Into<String>) -> Span {
    Span::Name(name.into())
}

/// Words of somebody else, shown in quotation marks.
pub fn quoted(words: impl Into<String>) -> Span {
    Span::Untrusted(words.into())
}

/// A command, field or value to be read literally.
pub fn code(code: impl Into<String>) -> Span {
    Span::Code(code.into())
}

/// Our own words made at run time (numbers, joined lists of our own terms); never words of a cluster.
pub fn own(words: impl Into<String>) -> Span {
    Span::Own(Cow::Owned(words.into()))
}

impl From<&'static str> for Text {
    fn from(words: &'static str) -> Self {
        Self(vec![Span::from(words)])
    }
}

impl From<&'static str> for Span {
    fn from(words: &'static str) -> Self {
        Self::Own(Cow::Borrowed(words))
    }
}

/// What can be put into a [`Text`]: a span, a literal, a number or another text.
pub trait IntoSpans {
    /// Appends itself.
    fn append_to(self, text: &mut Text);
}

impl IntoSpans for Span {
    fn append_to(self, text: &mut Text) {
        text.0.push(self);
    }
}

impl IntoSpans for &'static str {
    fn append_to(self, text: &mut Text) {
        text.0.push(Span::from(self));
    }
}

impl IntoSpans for Text {
    fn append_to(self, text: &mut Text) {
        text.0.extend(self.0);
    }
}

impl IntoSpans for Option<Text> {
    fn append_to(self, text: &mut Text) {
        text.0.extend(self.unwrap_or_default().0);
    }
}

impl IntoSpans for Timestamp {
    fn append_to(self, text: &mut Text) {
        text.0.push(Span::Time(self));
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl IntoSpans for $number {
            fn append_to(self, text: &mut Text) {
                text.0.push(Span::Own(Cow::Owned(self.to_string())));
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i32, i64);

impl Text {
    /// Appends a span, a literal, a number or another text.
    pub fn push(&mut self, part: impl IntoSpans) {
        part.append_to(self);
    }

    /// Joins names as a list: `a, b and c`; beyond `most` the rest is counted: `a, b and 3 more`.
    pub fn names<S: Into<String>>(names: impl IntoIterator<Item = S>, most: usize) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        let rest = names.len().saturating_sub(most);
        names.truncate(most);
        let mut text = Self::default();
        let last = names.len().saturating_sub(1);
        for (index, one) in names.into_iter().enumerate() {
            if index > 0 {
                text.push(if index == last && rest == 0 { " and " } else { ", " });
            }
            text.push(name(one));
        }
        if rest > 0 {
            text.push(" and ");
            text.push(rest);
            text.push(" more");
        }
        text
    }

    /// The same without spaces of ours at its end.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        if let Some(Span::Own(words)) = self.0.last_mut() {
            *words = Cow::Owned(words.trim_end().to_owned());
        }
        self
    }

    /// Its spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Its spans, in order, to change their words.
    pub fn spans_mut(&mut self) -> impl Iterator<Item = &mut Span> {
        self.0.iter_mut()
    }

    /// Tells whether it has no words at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Plain text: control, bidirectional and zero-width characters are dropped, untrusted words stand in quotation marks.
    pub fn plain(&self) -> String {
        let mut out = String::new();
        for span in &self.0 {
            match span {
                Span::Own(words) => out.push_str(words),
                Span::Name(words) | Span::Code(words) => out.push_str(&printable(words)),
                Span::Untrusted(words) => {
                    // Words that hold quotation marks themselves stand in the other kind.
                    let (open, close) = if words.contains('"') { ('\u{201c}', '\u{201d}') } else { ('"', '"') };
                    out.push(open);
                    out.push_str(&printable(words));
                    out.push(close);
                }
                Span::Time(time) => write_time(&mut out, *time),
            }
        }
        out
    }

    /// One line of `CommonMark`: names, code and untrusted words are code spans, in which nothing is interpreted.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for span in &self.0 {
            match span {
                Span::Own(words) => write_escaped(&mut out, words),
                Span::Name(words) | Span::Code(words) | Span::Untrusted(words) => {
                    // The back-ticks of two code spans beside each other would count as one run.
                    if out.ends_with('`') {
                        out.push(' ');
                    }
                    out.push_str(&code_span(words));
                }
                Span::Time(time) => write_time(&mut out, *time),
            }
        }
        out
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain())
    }
}

fn write_time(out: &mut String, time: Timestamp) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{}", time.strftime("%Y-%m-%d %H:%M:%S UTC"));
}

/// Appends words of ours to a line of Markdown, in which none of them is a sign.
fn write_escaped(out: &mut String, words: &str) {
    let words = if out.is_empty() { words.trim_start() } else { words };
    if out.is_empty() {
        let digits = words.chars().take_while(char::is_ascii_digit).count();
        let after = words.chars().nth(digits);
        if digits == 0 && after.is_some_and(|first| matches!(first, '>' | '+' | '-' | '=' | '|')) {
            out.push('\\');
        } else if digits > 0 && after.is_some_and(|after| matches!(after, '.' | ')')) {
            out.extend(words.chars().take(digits));
            out.push('\\');
            return write_escaped_inside(out, words.chars().skip(digits));
        }
    }
    write_escaped_inside(out, words.chars());
}

fn write_escaped_inside(out: &mut String, words: impl Iterator<Item = char>) {
    for c in words {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '&' | '~' | '#') {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
}

/// A code span whose fence is longer than any run of back-ticks inside.
pub fn code_span(words: &str) -> String {
    let words = printable(words);
    if words.is_empty() {
        return "` `".to_owned();
    }
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{words}{pad}{fence}")
}

/// The most combining marks that one letter may carry; more than any script needs is a flood that covers other lines.
const MOST_MARKS: usize = 4;

/// One line without control, bidirectional or zero-width characters: line breaks and tabs become spaces, the rest is dropped.
/// Combining marks stay with their letter, up to four; without a letter before them they are dropped.
pub fn printable(words: &str) -> Cow<'_, str> {
    if words.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(words);
    }
    let mut out = String::with_capacity(words.len());
    let mut marks = MOST_MARKS;
    for c in words.chars() {
        match c {
            '\n' | '\r' | '\t' => {
                marks = MOST_MARKS;
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if is_hostile(c) => {}
            c if c.width() == Some(0) => {
                marks += 1;
                if marks <= MOST_MARKS {
                    out.push(c);
                }
            }
            c => {
                marks = 0;
                out.push(c);
            }
        }
    }
    Cow::Owned(out)
}

/// Tells whether a character steers a terminal, a chat or the reading direction, or takes room without being seen.
///
/// Control characters and `Default_Ignorable_Code_Point` of Unicode (of which it knows the blocks), and the characters of
/// format (`Cf`) that draw nothing by themselves.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{061C}' | '\u{06DD}' | '\u{070F}' | '\u{0890}'..='\u{0891}'
            | '\u{08E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_words_cannot_steer_a_terminal() {
        let hostile = text!["log: ", quoted("a\u{1b}[31mred\u{202e}evil\u{200b}\nnext")];
        assert_eq!(hostile.plain(), "log: \"a[31mredevil next\"");
    }

    #[test]
    fn a_flood_of_combining_marks_is_cut_and_real_letters_are_kept() {
        let flood = format!("a{}b", "\u{0301}".repeat(500));
        assert_eq!(printable(&flood), format!("a{}b", "\u{0301}".repeat(4)));
        assert_eq!(printable("\u{0301}x"), "x", "a mark without a letter would stand on our own words");
        for real in ["é", "นี่", "क्षि", "한국어", "日本"] {
            assert_eq!(printable(real), real);
        }
    }

    #[test]
    fn letters_that_take_room_unseen_are_dropped() {
        assert_eq!(printable("a\u{3164}\u{115f}\u{180e}\u{e0041}\u{fe0f}\u{034f}b"), "ab");
    }

    #[test]
    fn a_quotation_inside_a_quotation_stays_readable() {
        assert_eq!(text![quoted("unknown directive \"x\"")].plain(), "\u{201c}unknown directive \"x\"\u{201d}");
    }

    #[test]
    fn a_code_span_cannot_be_closed_from_inside() {
        assert_eq!(code_span("a ``b` c"), "```a ``b` c```");
        assert_eq!(code_span("`x"), "`` `x ``");
        assert_eq!(code_span("\u{1b}"), "` `", "two back-ticks would open a span");
        assert_eq!(text![name("a"), quoted("``")].markdown(), "`a` ``` `` ```");
    }

    #[test]
    fn words_of_ours_are_no_signs_in_markdown() {
        assert_eq!(text!["1. *a* <b> [c]"].markdown(), "1\\. \\*a\\* \\<b> \\[c\\]");
        assert_eq!(text!["- a -> b"].markdown(), "\\- a -> b");
    }

    #[test]
    fn a_list_of_names_reads_like_a_sentence() {
        assert_eq!(Text::names(["a"], 3).plain(), "a");
        assert_eq!(Text::names(["a", "b", "c"], 3).plain(), "a, b and c");
        assert_eq!(Text::names(["a", "b", "c", "d"], 2).plain(), "a, b and 2 more");
    }
}
