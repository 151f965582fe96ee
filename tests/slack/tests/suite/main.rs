//! The Slack for tests, tested as an app would use it.

mod app;
mod blocks;
mod calls;
mod control;
mod faults;
mod files;
mod limits;
mod messages;
mod people;
mod sockets;
mod views;
