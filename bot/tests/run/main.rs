//! The bot as people meet it: the binary `kubewhy run`, beside a Slack, a Discord and a cluster on loopback.

#![expect(clippy::panic, reason = "a test fails by a panic")]

mod bot;
mod budget;
mod cluster;
mod crowd;
mod discord;
mod questions;
mod slack;
