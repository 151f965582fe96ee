//! Messages that every renderer is tested with: one of each shape that is ever sent, and hostile ones.

use kubewhy_text::{name, text};

use crate::message::{Message, Tone};

/// All samples by name.
pub fn all() -> Vec<(&'static str, Message)> {
    vec![("healthy", Message::new(Tone::Healthy, text!["Pod ", name("shop/cart"), " is healthy"]))]
}
