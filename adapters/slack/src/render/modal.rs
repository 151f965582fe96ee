//! A form as a modal.

use kubewhy_chat::{Field, Form};
use kubewhy_text::Text;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockPlainTextInputElement, SlackInputBlock, SlackModalView, SlackView,
};

use super::inline::Look;
use super::piece::{Pieces, Surface};
use super::press::plain;
use super::words;
use crate::limits;

/// The longest answer that is given on one line.
const ONE_LINE: usize = 150;

/// Renders a form as a modal. Each field is a block whose `block_id` and whose element's `action_id` are the field's id.
pub(super) fn view(form: &Form, private_metadata: &str) -> SlackView {
    let mut pieces = Pieces::new(Surface::Modal);
    let title = words::label(&form.title, limits::VIEW_TITLE);
    if limits::length(&words::plain(&form.title)) > limits::VIEW_TITLE {
        let whole = pieces.elements(&form.title, Look::Strong);
        pieces.section(whole);
    }
    pieces.blocks(&form.blocks);
    let mut cut = pieces.cut;
    let mut blocks: Vec<SlackBlock> = Vec::new();
    let mut room = limits::MESSAGE;
    for piece in pieces.take() {
        if piece.weight > room || blocks.len() + form.fields.len() + 2 > limits::VIEW_BLOCKS {
            cut = true;
            break;
        }
        room -= piece.weight;
        blocks.push(piece.block);
    }
    if cut {
        pieces.context(&Text::from("Some of it is too long to be shown here."));
        blocks.extend(pieces.take().into_iter().map(|note| note.block));
    }
    blocks.extend(form.fields.iter().map(field));
    let modal = SlackModalView::new(plain(title), blocks)
        .with_callback_id("form".into())
        .with_private_metadata(private_metadata.to_owned())
        .with_submit(plain(words::label(&form.submit, limits::VIEW_TITLE)))
        .with_close(plain("Cancel".to_owned()));
    SlackView::Modal(modal)
}

fn field(field: &Field) -> SlackBlock {
    let most = field.most.clamp(1, limits::ANSWER);
    let mut input = SlackBlockPlainTextInputElement::new()
        .with_action_id(field.id.clone().into())
        .with_multiline(most > ONE_LINE)
        .with_max_length(u64::try_from(most).unwrap_or(u64::MAX));
    if !field.placeholder.is_empty() {
        input = input.with_placeholder(plain(words::label(&field.placeholder, limits::PLACEHOLDER)));
    }
    SlackInputBlock::new(plain(words::label(&field.label, limits::LABEL)), input.into())
        .with_block_id(field.id.clone().into())
        .into()
}
