//! A Discord for tests: REST and gateway on loopback, with state, Discord's limits, and faults on demand.
//!
//! A [`DiscordServer`] starts with a [`World`] of an application, people, guilds and channels. A bot talks to it as
//! to Discord, at [`DiscordServer::api_url`]; tests act as people ([`DiscordServer::slash`],
//! [`DiscordServer::press`] and their like), read back what people would see ([`DiscordServer::read`],
//! [`DiscordServer::wait_for`]), and break things ([`DiscordServer::fault`], [`DiscordServer::gateway_fault`]).
//!
//! ```
//! use std::time::Duration;
//!
//! use kubewhy_discord_server::{DiscordServer, Fault, What, World, world};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = DiscordServer::start(World::default()).await?;
//! // A bot would be started here with `server.api_url()` and `server.token()`.
//! server.fault(Fault::next("POST", "/callback", What::Lag { ms: 200 }));
//! let asked = server.say(world::ALICE, world::OPS, "is anybody here?")?;
//! let seen = server.wait_for(Duration::from_secs(1), |view| view.message(asked)).await?;
//! assert_eq!(seen.content, "is anybody here?");
//! // Commands are checked as by Discord's client: this one is not registered.
//! assert!(server.slash(world::ALICE, world::OPS, "why", &[]).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Invariants: nothing of kubewhy is used here; a call takes effect whole or not at all; an event is put into every
//! session's log before anybody waiting is woken; time is real time plus [`DiscordServer::advance`]. Not here: voice,
//! presence, webhooks that are not interactions, moderation, user installs, HTTP interactions.
#![warn(missing_docs)]
#![recursion_limit = "256"]

mod command;
mod control;
mod draft;
mod error;
mod fault;
mod gateway;
mod id;
mod limits;
mod people;
pub mod permission;
mod reading;
mod rest;
mod server;
mod state;
mod validate;
mod wire;
pub mod world;

pub use fault::{Fault, GatewayFault, What};
pub use gateway::Happened;
pub use id::Id;
pub use people::Unable;
pub use reading::{Call, SeenButton, SeenFile, SeenInteraction, SeenMessage, SeenSelect, View};
pub use server::{DiscordServer, Ongoing, TimedOut};
pub use world::World;
