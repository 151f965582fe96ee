//! The bot's decisions without its effects: what a line means, which object is meant, how a report reads as a message.
//!
//! Entry points: [`commands::parse`] turns a line into a [`commands::Command`]; [`mentioned`](mention::mentioned) finds the
//! objects that somebody's message names; [`resolve::resolve`] finds the object that is meant among names;
//! [`answer`] turns reports and everything else that is said into a [`kubewhy_chat::Message`]; [`complete::complete`]
//! offers what may be typed next.
//!
//! Invariants: no I/O and no clock; no platform is known here; no line that anybody types makes it panic; words of a
//! cluster or a chat are never our own words ([`kubewhy_text::Span`]).
#![warn(missing_docs)]

pub mod access;
pub mod answer;
pub mod commands;
pub mod complete;
pub mod line;
pub mod mention;
pub mod nearest;
pub mod remedy;
pub mod resolve;
mod user_error;

pub use user_error::UserError;
