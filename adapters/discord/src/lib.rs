//! kubewhy in Discord: gateway, application commands, components.
//!
//! What arrives is taken by `intake` from serenity's client, which `gateway` looks after; what goes out goes through `api`;
//! `answer` finds the way back to a question, which a `way` keeps. How a message looks is [`render`], what is registered with
//! Discord [`registration`].
//!
//! Entry points: [`Discord`], made from [`Settings`].
//!
//! Invariants: an interaction is stored by the inbox before it is acknowledged; every message is made by `outgoing`, so that
//! none calls anybody unasked; no token is logged by this crate, and [`SECRETIVE_TARGETS`] names the targets that would.
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

/// The log targets that carry tokens: serenity's spans hold interactions and calls whole, from level info on, and a warning of
/// its quotes what it could not read; the others hold headers and frames at level trace. They have to be switched off, or kept
/// at level error.
pub const SECRETIVE_TARGETS: [&str; 7] =
    ["serenity", "reqwest", "hyper", "hyper_util", "h2", "tungstenite", "tokio_tungstenite"];
