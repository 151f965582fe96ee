//! Buttons and menus. What none of them can say is said in words.

use kubewhy_chat::{Button, Choice, Press, Style};
use kubewhy_text::{Text, is_hostile};
use serenity::all::ButtonStyle;
use serenity::builder::{
    CreateActionRow, CreateButton, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};
use url::Url;

use super::line::Part;
use super::pages::Row;
use super::plain::label;
use crate::limits;

/// Words of a line.
pub(super) type Line<'m> = Vec<Part<'m>>;

/// Counts presses through a message: its place makes each unique there.
#[derive(Default)]
pub(super) struct Components {
    next: usize,
    menus: usize,
}

/// What a press can be on Discord.
enum Behind {
    /// It comes back to us in these words.
    Id(String),
    /// It opens a page.
    Address(String),
}

impl Components {
    /// Rows of buttons, and what of them has to be said in words: labels that are longer than a button, presses that it cannot
    /// carry.
    pub(super) fn buttons<'m>(&mut self, buttons: &'m [Button]) -> (Vec<Row>, Vec<Line<'m>>) {
        let mut made = Vec::new();
        let mut lines = Vec::new();
        for button in buttons {
            made.extend(self.button(&button.label, &button.press, button.style, &mut lines));
        }
        (rows_of_buttons(&made), lines)
    }

    fn button<'m>(
        &mut self,
        text: &'m Text,
        press: &'m Press,
        style: Style,
        lines: &mut Vec<Line<'m>>,
    ) -> Option<(CreateButton, String)> {
        let behind = self.behind(press);
        let (words, is_all) = label(text, limits::BUTTON_LABEL);
        if behind.is_none() || !is_all {
            lines.push(in_words(text, press));
        }
        let button = match behind? {
            Behind::Id(id) => CreateButton::new(id).style(style_of(style)),
            Behind::Address(address) => CreateButton::new_link(address),
        };
        Some((button.label(words.clone()), spoken(&words, press)))
    }

    /// Menus of up to 25 entries each, and what has to be said in words. Entries that open a page are buttons, since a menu
    /// opens none.
    pub(super) fn choice<'m>(&mut self, choice: &'m Choice) -> (Vec<Row>, Vec<Line<'m>>) {
        let mut options = Vec::new();
        let mut pages = Vec::new();
        let mut lines = Vec::new();
        for (text, press) in &choice.options {
            if matches!(press, Press::Link(_)) {
                pages.extend(self.button(text, press, Style::Normal, &mut lines));
                continue;
            }
            let (words, is_all) = label(text, limits::OPTION_LABEL);
            let value = self.behind(press).map(|behind| match behind {
                Behind::Id(id) | Behind::Address(id) => id,
            });
            if value.is_none() || !is_all {
                lines.push(in_words(text, press));
            }
            options
                .extend(value.map(|value| (CreateSelectMenuOption::new(words.clone(), value), spoken(&words, press))));
        }
        let (placeholder, _) = label(&choice.prompt, limits::PLACEHOLDER);
        let mut rows: Vec<Row> =
            options.chunks(limits::OPTIONS).map(|options| self.menu(options, &placeholder)).collect();
        rows.extend(rows_of_buttons(&pages));
        (rows, lines)
    }

    fn menu(&mut self, options: &[(CreateSelectMenuOption, String)], placeholder: &str) -> Row {
        let (options, words): (Vec<_>, Vec<_>) = options.iter().cloned().unzip();
        // What is chosen stands in its value; a menu's own id only has to be no button's.
        let id = format!("menu-{}", self.menus);
        self.menus += 1;
        let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options }).placeholder(placeholder);
        Row::Components(CreateActionRow::SelectMenu(menu), words.join("\n"))
    }

    fn behind(&mut self, press: &Press) -> Option<Behind> {
        let index = self.next;
        self.next += 1;
        if let Press::Link(address) = press {
            return linkable(address).map(Behind::Address);
        }
        press.encode(index).filter(|id| is_carried(id)).map(Behind::Id)
    }
}

/// Whether Discord hands it back as it was sent.
fn is_carried(id: &str) -> bool {
    limits::length(id) <= limits::CUSTOM_ID && id.trim() == id && !id.chars().any(is_hostile)
}

/// The address in the form in which Discord takes it, where it is a page of the web that holds no words that could be anything
/// else.
fn linkable(address: &str) -> Option<String> {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"[]<>\"`\\^{}|".contains(&byte));
    let url = Url::parse(address).ok().filter(|_| is_plain && address.len() <= limits::BUTTON_URL)?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.host_str().is_some_and(|host| host.contains('.'));
    let has_login = !url.username().is_empty() || url.password().is_some();
    let address = String::from(url);
    (is_web && !has_login && address.len() <= limits::BUTTON_URL).then_some(address)
}

fn rows_of_buttons(buttons: &[(CreateButton, String)]) -> Vec<Row> {
    let rows = buttons.chunks(limits::BUTTONS_IN_A_ROW).map(|row| {
        let (buttons, words): (Vec<_>, Vec<_>) = row.iter().cloned().unzip();
        Row::Components(CreateActionRow::Buttons(buttons), words.join("\n"))
    });
    rows.collect()
}

fn style_of(style: Style) -> ButtonStyle {
    match style {
        Style::Normal => ButtonStyle::Secondary,
        Style::Primary => ButtonStyle::Primary,
        Style::Danger => ButtonStyle::Danger,
    }
}

/// What a button or an entry is, in markup.
fn in_words<'m>(text: &'m Text, press: &'m Press) -> Line<'m> {
    match press {
        Press::Command(words) | Press::Link(words) => vec![Part::Text(text), Part::Own(": "), Part::Code(words)],
        Press::Token(_) => vec![Part::Text(text)],
    }
}

/// The same in plain words.
fn spoken(label: &str, press: &Press) -> String {
    match press {
        Press::Command(words) | Press::Link(words) => format!("{label}: {words}"),
        Press::Token(_) => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_web_are_linked() {
        for (address, linked) in [
            ("https://runbooks.example.com/x?a=1&b=2#c", true),
            ("http://example.com", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("discord://-/channels/1", false),
            ("https://user:password@example.com", false),
            ("https://", false),
            ("https://localhost/x", false),
            ("https://example.com/a b", false),
            ("https://example.com/<script>", false),
            ("https://example.com/\u{202e}", false),
        ] {
            assert_eq!(linkable(address).is_some(), linked, "{address}");
        }
        assert_eq!(linkable(&format!("https://example.com/{}", "x".repeat(600))), None);
    }

    #[test]
    fn what_a_button_cannot_carry_is_said_in_words() {
        let buttons = [
            Button::command("Why", "why pod cart"),
            Button::command("Long", "x".repeat(120)),
            Button { label: "Bad".into(), press: Press::Link("javascript:x".to_owned()), style: Style::Normal },
        ];
        let (rows, lines) = Components::default().buttons(&buttons);
        assert_eq!((rows.len(), lines.len()), (1, 2));
    }

    #[test]
    fn a_long_menu_becomes_several() {
        let options = (0..60).map(|n| (Text::from("x"), Press::Token(format!("t{n}")))).collect();
        let (rows, _) = Components::default().choice(&Choice { prompt: "Which?".into(), options });
        assert_eq!(rows.len(), 3);
    }
}
