//! kubewhy in Discord: gateway, application commands, components.
//!
//! What arrives is taken by [`intake`] from serenity's gateway ([`gateway`]), what goes out goes through [`api`]; [`answer`]
//! finds the way back to a question, whose words are a [`way`]. How a message looks is [`render`], what is registered with
//! Discord [`registration`].
#![warn(missing_docs)]

mod answer;
mod api;
mod check;
mod commands;
mod discord;
mod gateway;
mod identity;
mod intake;
pub mod limits;
mod outgoing;
mod places;
mod posting;
pub mod registration;
pub mod render;
mod settings;
mod way;

pub use self::discord::Discord;
pub use self::settings::{DiscordError, Settings};
