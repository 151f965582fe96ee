//! The one place where escape sequences are made: a fixed set of colours and weights, and the hyperlink.

use kubewhy_chat::Tone;

/// What a piece of a line is, which decides how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Plain,
    /// Headlines, headings, the next step.
    Strong,
    /// Small print.
    Faint,
    /// Commands and fields.
    Code,
    /// The number of a button.
    Number,
    /// The label of a button that can hurt.
    Danger,
    /// The mark and word of a headline.
    Tone(Tone),
}

impl Role {
    /// The parameters of the SGR sequence; colour repeats what mark and word say.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Tone(Tone::Plain) => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Code => Some("36"),
            Self::Number => Some("1;36"),
            Self::Danger => Some("31"),
            Self::Tone(Tone::Failing) => Some("1;31"),
            Self::Tone(Tone::Degraded | Tone::Pending | Tone::Refused) => Some("1;33"),
            Self::Tone(Tone::Healthy) => Some("1;32"),
            Self::Tone(Tone::Unknown) => Some("1;35"),
        }
    }

    /// Appends words that have been cleaned, with their colour if there is one.
    pub(crate) fn paint(self, out: &mut String, words: &str, colour: bool) {
        match self.code().filter(|_| colour && !words.is_empty()) {
            Some(code) => {
                out.push_str("\u{1b}[");
                out.push_str(code);
                out.push('m');
                out.push_str(words);
                out.push_str("\u{1b}[0m");
            }
            None => out.push_str(words),
        }
    }
}

/// An address that may stand in a hyperlink or beside a label: `http` or `https`, without anything that could end the sequence
/// or pass for a number of a button; a proper address has those percent-encoded.
pub(crate) fn linkable(address: &str) -> bool {
    let web = address.starts_with("https://") || address.starts_with("http://");
    web && address.len() <= 1_000
        && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"[]<>\"`\\".contains(&byte))
}

/// Opens a hyperlink; `address` is [`linkable`].
pub(crate) fn open_link(out: &mut String, address: &str) {
    out.push_str("\u{1b}]8;;");
    out.push_str(address);
    out.push_str("\u{1b}\\");
}

/// Closes a hyperlink.
pub(crate) fn close_link(out: &mut String) {
    out.push_str("\u{1b}]8;;\u{1b}\\");
}
