//! kubewhy in Slack: Socket Mode, Block Kit.
//!
//! Entry point: [`Slack`], a [`kubewhy_chat::ChatPlatform`]. What is shown is made by [`render`]; the app that Slack needs is
//! described by [`manifest()`].
//!
//! The calls go out through slack-morphism, whose models are used for what is sent. What comes in is read by structs of our
//! own, since the payloads hold other apps' messages, which its models refuse (a number in a message's metadata loses the
//! whole click). Its Socket Mode listener is not used: it stops reading while a delivery is stored, opens connections without
//! a pause when told to reconnect, tells nobody that a token was revoked, and drops acknowledgements on its way out.
//!
//! Invariants: a delivery is stored before it is acknowledged, and nothing else happens before; every call has a timeout and
//! every task an owner; no error and no log line holds a token, a `response_url`, or words of a message.
#![warn(missing_docs)]

mod answer;
mod api;
mod check;
mod edit;
mod errands;
mod file;
mod identity;
mod intake;
pub mod limits;
mod line;
mod link;
pub mod manifest;
mod pace;
mod payload;
mod platform;
mod post;
pub mod render;
mod respond;
mod settings;
mod socket;
mod way;

pub use manifest::manifest;
pub use platform::Slack;
pub use settings::{Settings, SlackError};
