//! A Slack for tests: Web API and Socket Mode on loopback.
#![warn(missing_docs)]

mod api;
mod blocks;
mod call;
mod control;
mod faults;
mod limits;
mod people;
mod reading;
mod server;
mod socket;
mod state;
mod wire;
mod world;

pub use call::Call;
pub use faults::{CallFault, Effect, EnvelopeFault};
pub use people::{Impossible, Person, Sent};
pub use reading::{Ack, Delivered, Seen, SeenView, TimedOut, Warning};
pub use server::SlackServer;
pub use state::socket::EnvelopeKind;
pub use world::{App, Channel, ChannelKind, Patience, Shortcut, Team, User, UserGroup, UserKind, World};
