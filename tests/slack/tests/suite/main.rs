//! The Slack for tests, tested as an app would use it.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test fails by a panic, and `json!` makes values"
)]

mod app;
mod blocks;
mod calls;
mod control;
mod faults;
mod files;
mod limits;
mod messages;
mod morphism;
mod people;
mod sockets;
mod views;
