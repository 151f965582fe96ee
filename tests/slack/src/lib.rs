//! A Slack for tests: Web API and Socket Mode on loopback, with state, real limits, and faults on demand.
//!
//! A [`World`] says what the workspace holds; [`SlackServer::start`] starts it, and the app under test is given
//! [`Slack::api_url`] and the tokens of the world. [`Slack::person`] acts as people do; what they could not do in Slack is
//! [`Impossible`]. What the app did is read back ([`Slack::calls`], [`Slack::messages`], [`Slack::acks`], ...), and
//! [`Slack::wait_for`] waits for it. Faults are planned with counts ([`Slack::fail_calls`], [`Slack::fail_envelopes`],
//! [`Slack::drop_connections`], ...), and [`Slack::advance`] lets time pass.
//!
//! ```
//! use std::time::Duration;
//!
//! use kubewhy_slack_server::{CallFault, Impossible, SlackServer, World};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let slack = SlackServer::start(World::default()).await?;
//! let api_url = slack.api_url(); // the app under test is pointed at it
//! assert!(api_url.starts_with("http://127.0.0.1:"));
//!
//! let anna = slack.person("U0ANNA");
//! let question = anna.says("C0INCIDENTS", "<@U0KUBEWHY> why pod web")?;
//! assert_eq!(slack.thread("C0INCIDENTS", &question).len(), 1);
//! assert!(matches!(
//!     anna.slash_in_thread("C0INCIDENTS", &question, "/why", "pod web"),
//!     Err(Impossible::CommandInThread(_))
//! ));
//!
//! slack.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 2 }, 1);
//! let waited = slack.wait_for_message("C0INCIDENTS", "CrashLoopBackOff", Duration::from_millis(10)).await;
//! assert!(waited.is_err(), "no app answers here");
//! # Ok(())
//! # }
//! ```
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
pub use server::{Slack, SlackServer};
pub use state::socket::EnvelopeKind;
pub use world::{App, Channel, ChannelKind, Patience, Shortcut, Team, User, UserGroup, UserKind, World};
