//! The Discord for tests, tested as a bot and as people would use it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by a panic")]

mod bot;
mod calls;
mod commands;
mod control;
mod faults;
mod interactions;
mod limits;
mod messages;
mod people;
mod sockets;
mod threads;
