//! The adapter against a Discord on loopback.

mod asking;
mod checking;
mod gateway;
mod posting;
mod pressing;
mod registering;
mod secrets;
mod stage;
mod weather;
