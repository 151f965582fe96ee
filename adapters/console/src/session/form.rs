//! A form, filled in line by line.

use std::collections::BTreeMap;
use std::io;

use kubewhy_chat::{Block, Field, Form, Message, Tone};
use kubewhy_text::{Text, text};

use super::Session;

impl Session {
    /// Shows a form and asks for its fields one after the other. Nothing comes back where the person leaves it: by an empty
    /// line on a terminal, by the end of the input anywhere; then nothing may be done.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub fn fill(&mut self, form: &Form) -> io::Result<Option<BTreeMap<String, String>>> {
        let printer = self.printer();
        let mut shown = Message::new(Tone::Plain, form.title.clone());
        shown.blocks.clone_from(&form.blocks);
        shown.blocks.push(Block::Context(text!["What is typed now fills this in; an empty line leaves it."]));
        printer.answer(&shown)?;
        let mut values = BTreeMap::new();
        for field in &form.fields {
            let Some(value) = self.value(field)? else {
                printer.answer(&Message::new(Tone::Refused, text!["the form was left"]).with(nothing_done()))?;
                return Ok(None);
            };
            values.insert(field.id.clone(), value);
        }
        Ok(Some(values))
    }

    fn value(&mut self, field: &Field) -> io::Result<Option<String>> {
        let printer = self.printer();
        let mut question = Message::new(Tone::Plain, field.label.clone());
        if !field.placeholder.is_empty() {
            question = question.with(Block::Context(text!["for example ", field.placeholder.clone()]));
        }
        printer.answer(&question)?;
        loop {
            // What is typed here is a value, whatever command or number it looks like.
            let Some(line) = self.next_words()? else { return Ok(None) };
            let value = line.trim();
            if value.is_empty() {
                return Ok(None);
            }
            if value.chars().count() <= field.most {
                return Ok(Some(value.to_owned()));
            }
            let limit = Message::new(Tone::Refused, text!["that is longer than ", field.most, " characters"]);
            printer.answer(&limit.with(Block::Paragraph(Text::from("It was not taken. Type it again."))))?;
        }
    }
}

fn nothing_done() -> Block {
    Block::Paragraph(Text::from("Nothing was done."))
}
