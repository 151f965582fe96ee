//! Steps in order and points in none.

use kubewhy_text::Text;
use slack_morphism::prelude::{SlackRichTextList, SlackRichTextListElement, SlackRichTextListStyle};

use super::inline::{self, Look};
use super::piece::{Pieces, WRAPPING};
use crate::limits;

impl Pieces {
    pub(super) fn list(&mut self, style: &SlackRichTextListStyle, items: &[Text]) {
        let mut open = Vec::new();
        let (mut used, mut before) = (0, 0);
        for (index, item) in items.iter().enumerate() {
            let elements = self.elements(item, Look::Plain);
            let mut groups = inline::groups(elements, limits::BLOCK / 2).into_iter();
            let mut item = groups.next().unwrap_or_else(|| vec![inline::own("(nothing)", Look::Plain)]);
            if groups.next().is_some() {
                self.cut = true;
                item.push(inline::own(" … (it goes on)", Look::Plain));
            }
            let item = inline::section(item);
            let weight = limits::weight(&item) + WRAPPING / 4;
            if used + weight > limits::BLOCK - WRAPPING && !open.is_empty() {
                self.list_block(style, std::mem::take(&mut open), before);
                (used, before) = (0, index);
            }
            used += weight;
            open.push(item.into());
        }
        self.list_block(style, open, before);
    }

    /// Items of a list, of which `before` stand in earlier blocks.
    fn list_block(&mut self, style: &SlackRichTextListStyle, items: Vec<SlackRichTextListElement>, before: usize) {
        if items.is_empty() {
            return;
        }
        let mut list = SlackRichTextList::new(style.clone(), items);
        if before > 0 && *style == SlackRichTextListStyle::Ordered {
            list = list.with_offset(u64::try_from(before).unwrap_or(0));
        }
        self.rich(vec![list.into()]);
    }
}
