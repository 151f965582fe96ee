//! Buttons and menus. What cannot stand behind one (an address that is none, a command that is too long) is told in words.

use kubewhy_chat::{Button, Choice, Press, Style};
use kubewhy_text::{Text, is_hostile};
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionsBlock, SlackBlockButtonElement, SlackBlockButtonStyle, SlackBlockChoiceItem,
    SlackBlockPlainText, SlackBlockPlainTextOnly, SlackBlockStaticSelectElement,
};
use url::Url;

use super::inline::{self, Look};
use super::piece::{Piece, Pieces};
use super::words;
use crate::limits;

/// The heaviest row of buttons or menu.
const ROW: usize = limits::BLOCK - 500;

impl Pieces {
    pub(super) fn buttons(&mut self, buttons: &[Button]) {
        let mut row = Row::default();
        let mut told = Vec::new();
        for button in buttons {
            let index = self.place();
            let shown = element(&button.label, &button.press, index);
            let Some(element) = shown else {
                told.push((&button.label, &button.press));
                continue;
            };
            row.add(self, styled(element, button.style).into());
        }
        row.close(self);
        for (label, press) in told {
            self.told(label, press);
        }
    }

    pub(super) fn choice(&mut self, choice: &Choice) {
        let from = self.done.len();
        let prompt = self.elements(&choice.prompt, Look::Plain);
        self.section(prompt);
        for piece in self.done.iter_mut().skip(from) {
            (piece.pressed, piece.introduces) = (true, true);
        }
        let mut row = Row::default();
        let mut menu: Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>> = Vec::new();
        let (mut first, mut used) = (0, 0);
        let mut told = Vec::new();
        for (label, press) in &choice.options {
            let index = self.place();
            if let Press::Link(_) = press {
                // A menu cannot open a page; a button can.
                match element(label, press, index) {
                    Some(button) => row.add(self, button.into()),
                    None => told.push((label, press)),
                }
                continue;
            }
            let Some(value) = value(press, index) else {
                told.push((label, press));
                continue;
            };
            let option = SlackBlockChoiceItem::new(plain(words::label(label, limits::OPTION)), value);
            let weight = limits::weight(&option) + 1;
            if menu.len() == limits::OPTIONS || used + weight > ROW {
                self.menu(first, std::mem::take(&mut menu));
                used = 0;
            }
            if menu.is_empty() {
                first = index;
            }
            used += weight;
            menu.push(option);
        }
        self.menu(first, menu);
        row.close(self);
        for (label, press) in told {
            self.told(label, press);
        }
    }

    fn menu(&mut self, index: usize, options: Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>>) {
        if options.is_empty() {
            return;
        }
        let menu = SlackBlockStaticSelectElement::new()
            .with_action_id(action(index).into())
            .with_placeholder(plain("Choose one".to_owned()))
            .with_options(options);
        self.pressed(vec![menu.into()]);
    }

    fn pressed(&mut self, elements: Vec<SlackActionBlockElement>) {
        self.done.push(Piece { pressed: true, ..Piece::new(SlackActionsBlock::new(elements)) });
    }

    /// The place of a button in its message.
    fn place(&mut self) -> usize {
        let place = self.next_press;
        self.next_press += 1;
        place
    }

    /// A button that cannot be one, in words.
    fn told(&mut self, label: &Text, press: &Press) {
        let mut elements = self.elements(label, Look::Strong);
        let (lead, words) = match press {
            Press::Command(line) => (": type ", line.as_str()),
            Press::Link(address) => (": the page is ", address.as_str()),
            // What is kept for us says nothing to anybody else.
            Press::Token(_) => (" (cannot be pressed here)", ""),
        };
        elements.push(inline::own(lead, Look::Plain));
        let (kept, rest) = words::shown(words, limits::WORDS);
        if !kept.trim().is_empty() {
            elements.push(inline::code(kept, Look::Plain));
        }
        if rest > 0 {
            self.cut = true;
            elements.push(inline::own(format!(" … ({rest} more characters)"), Look::Plain));
        }
        self.section(elements);
    }
}

/// Buttons beside each other.
#[derive(Default)]
struct Row {
    open: Vec<SlackActionBlockElement>,
    used: usize,
}

impl Row {
    fn add(&mut self, pieces: &mut Pieces, element: SlackActionBlockElement) {
        let weight = limits::weight(&element) + 1;
        if self.open.len() == limits::ACTIONS || self.used + weight > ROW {
            self.close(pieces);
        }
        self.used += weight;
        self.open.push(element);
    }

    fn close(&mut self, pieces: &mut Pieces) {
        self.used = 0;
        if !self.open.is_empty() {
            pieces.pressed(std::mem::take(&mut self.open));
        }
    }
}

fn element(label: &Text, press: &Press, index: usize) -> Option<SlackBlockButtonElement> {
    let button =
        SlackBlockButtonElement::new(plain(words::label(label, limits::BUTTON))).with_action_id(action(index).into());
    match press {
        Press::Link(address) => Some(button.with_url(page(address)?)),
        Press::Command(_) | Press::Token(_) => Some(button.with_value(value(press, index)?)),
    }
}

fn styled(button: SlackBlockButtonElement, style: Style) -> SlackBlockButtonElement {
    match style {
        Style::Normal => button,
        Style::Primary => button.with_style(SlackBlockButtonStyle::Primary),
        Style::Danger => button.with_style(SlackBlockButtonStyle::Danger),
    }
}

/// The address of a page that a person can be sent to.
fn page(address: &str) -> Option<Url> {
    if address.chars().any(|c| is_hostile(c) || c.is_whitespace()) || limits::length(address) > limits::URL {
        return None;
    }
    let page = Url::parse(address).ok()?;
    let fits = limits::string(page.as_str()) <= limits::URL;
    (matches!(page.scheme(), "http" | "https") && fits).then_some(page)
}

/// What is carried behind a button and comes back as it was sent: nothing that Slack could drop on the way.
fn value(press: &Press, index: usize) -> Option<String> {
    press.encode(index).filter(|value| !value.chars().any(is_hostile))
}

fn action(index: usize) -> String {
    format!("kubewhy-{index}")
}

/// Words in which Slack interprets nothing.
pub(super) fn plain(words: String) -> SlackBlockPlainTextOnly {
    SlackBlockPlainText::new(words).with_emoji(false).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_opened() {
        assert!(page("https://runbooks.example.com/x?a=1&b=2#c").is_some());
        for address in
            ["javascript:alert(1)", "file:///etc/passwd", "no address", "https://e\u{202e}x", "https://e x", ""]
        {
            assert_eq!(page(address), None, "{address:?}");
        }
        assert_eq!(
            page(&format!("https://example.com/{}", "é".repeat(1_000))),
            None,
            "it grows when it is written out"
        );
    }
}
