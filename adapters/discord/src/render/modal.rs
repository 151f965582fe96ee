//! Forms.

use kubewhy_chat::{Field, Form};
use serenity::builder::{CreateActionRow, CreateInputText, CreateModal};
use serenity::model::application::InputTextStyle;

use super::blocks;
use super::line::head;
use super::plain::label;
use crate::limits;

/// The id of the line in which a form says what must be known before it is filled in. Discord's forms have no other place for
/// words; what comes back in it is no answer.
pub const NOTE_FIELD: &str = "kubewhy-note";

/// From this on an answer has room on several lines.
const ONE_LINE: usize = 300;

/// Renders a form. Its [`Form::token`] is not part of it: it belongs into `custom_id`, which comes back with the answers. What
/// stands on the button that sends it is Discord's choice.
pub fn modal(form: &Form, custom_id: &str) -> CreateModal {
    let (title, is_whole) = label(&form.title, limits::FORM_TITLE);
    let mut rows: Vec<CreateActionRow> = form.fields.iter().take(limits::FORM_FIELDS).map(field).collect();
    let mut note = if is_whole { String::new() } else { format!("{}\n", form.title.plain()) };
    // An input knows no markup.
    note.push_str(&blocks::plain_rows(&form.blocks).join("\n"));
    if (rows.is_empty() || !note.trim().is_empty()) && rows.len() < limits::FORM_FIELDS {
        rows.insert(0, note_field(note.trim()));
    }
    CreateModal::new(custom_id, title).components(rows)
}

fn field(field: &Field) -> CreateActionRow {
    let most = field.most.clamp(1, limits::FORM_VALUE);
    let style = if most > ONE_LINE { InputTextStyle::Paragraph } else { InputTextStyle::Short };
    let (asked, _) = label(&field.label, limits::FORM_LABEL);
    let mut input = CreateInputText::new(style, asked, field.id.clone())
        .required(true)
        .max_length(u16::try_from(most).unwrap_or(u16::MAX));
    if !field.placeholder.is_empty() {
        let (example, _) = label(&field.placeholder, limits::FORM_PLACEHOLDER);
        input = input.placeholder(example);
    }
    CreateActionRow::InputText(input)
}

fn note_field(note: &str) -> CreateActionRow {
    let (kept, rest) = head(note, limits::FORM_VALUE - 1);
    let value = if rest.is_empty() { kept.to_owned() } else { format!("{kept}…") };
    let input = CreateInputText::new(InputTextStyle::Paragraph, "Read this first (nothing to fill in)", NOTE_FIELD)
        .required(false);
    CreateActionRow::InputText(if value.is_empty() { input } else { input.value(value) })
}
