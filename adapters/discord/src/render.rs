//! A message and a form as Discord shows them. Pure: no clock, no network; the same message gives the same form.

use kubewhy_chat::{Form, Message, Tone};
use serenity::builder::{CreateActionRow, CreateEmbed, CreateInputText, CreateModal};
use serenity::model::application::InputTextStyle;

use crate::limits;

/// A message of Discord.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    /// Words above the embeds; empty where the embeds say all.
    pub content: String,
    /// What is shown, in its colour.
    pub embeds: Vec<CreateEmbed>,
    /// Buttons and menus.
    pub components: Vec<CreateActionRow>,
    /// What is attached: an embed refers to its picture as `attachment://NAME`, so that they are sent together.
    pub files: Vec<File>,
}

/// A file that is attached to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name with its ending: ASCII letters, digits, `-`, `.` and `_`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A message in Discord's form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendering {
    /// What is read first.
    pub first: Screen,
    /// What stands one tap below it, in order.
    pub thread: Vec<Screen>,
    /// How the thread is called: 1 to 100 characters, plain and harmless.
    pub thread_name: String,
}

/// Renders a message.
pub fn render(message: &Message) -> Rendering {
    let mut title = message.headline.plain();
    if let Some((mark, word)) = message.tone.mark_and_word().filter(|_| message.tone != Tone::Plain) {
        title = format!("{mark} {word}: {title}");
    }
    let title: String = title.chars().take(limits::TITLE / 2).collect();
    let embeds = vec![CreateEmbed::new().title(title.clone()).description("…")];
    let thread_name = title.chars().take(limits::THREAD_NAME / 2).chain(title.is_empty().then_some('-')).collect();
    Rendering { first: Screen { embeds, ..Screen::default() }, thread: Vec::new(), thread_name }
}

/// Renders a form. Its [`Form::token`] is not part of it: it belongs into `custom_id`, which comes back with the answers.
pub fn modal(form: &Form, custom_id: &str) -> CreateModal {
    let rows = form.fields.iter().take(limits::FORM_FIELDS).map(|field| {
        let label: String = field.label.plain().chars().take(limits::FORM_LABEL / 2).collect();
        CreateActionRow::InputText(CreateInputText::new(InputTextStyle::Short, label, field.id.clone()))
    });
    CreateModal::new(custom_id, form.title.plain()).components(rows.collect())
}
