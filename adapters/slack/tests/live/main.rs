//! The live half of the adapter against a Slack on loopback.

mod answers;
mod deliveries;
mod faults;
mod forms;
mod people;
mod posts;
mod scene;
mod sockets;
