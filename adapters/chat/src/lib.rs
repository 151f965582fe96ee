//! The port to chats: the one message model, and what people send.
//!
//! An answer becomes a [`Message`] once; each adapter renders that model into the form of its platform, within its limits.
//! What a person types or clicks arrives as a [`Request`], in a [`Delivery`] that an [`Inbox`] takes; answers go out through a
//! [`ChatPlatform`].
//!
//! Entry points: [`Message`], [`Request`], [`samples::all`] (messages that every renderer is tested with).
//!
//! Invariants: no type of a platform is named here; every sentence is a [`kubewhy_text::Text`], so that words of a cluster
//! stay marked until a renderer has escaped them.
#![warn(missing_docs)]

pub mod message;
pub mod platform;
pub mod request;
pub mod samples;

pub use message::{Block, Button, Choice, Fact, Field, Form, Image, Message, Press, Quote, Style, Table, Tone};
pub use platform::{
    Acceptance, Address, ChatError, ChatPlatform, Check, CheckFinding, Delivery, Identity, Inbox, Link, Memory, Part,
    Post, Posted, Standing, Typed,
};
pub use request::{Input, Person, Place, Reply, Request, Visibility};
