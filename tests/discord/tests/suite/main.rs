//! The Discord for tests, tested as a bot and as people would use it.

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
