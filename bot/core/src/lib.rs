//! The bot's decisions without its effects: what a line means, which object is meant, how a report reads as a message.
#![warn(missing_docs)]
