//! The bot as people meet it: the binary `kubewhy run`, beside a Slack, a Discord and a cluster on loopback.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by a panic")]
#![expect(clippy::print_stdout, reason = "what a thousand questions cost is worth a line")]

mod bot;
mod budget;
mod cluster;
mod crowd;
mod discord;
mod foreign;
mod questions;
mod slack;
