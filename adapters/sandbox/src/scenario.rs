//! Scenarios: what the controllers and kubelets of a cluster would write, as YAML with a clock.
//!
//! Entry points: [`Scenario::parse`] reads a file, [`Player`] plays scenarios into a [`Sandbox`](crate::Sandbox).
//!
//! Invariants: the same scenario and the same start give the same objects, names and uids; a player has no clock and no
//! thread of its own; a file that is wrong is refused with the path of its key and never played in part.

mod event;
mod format;
mod identity;
mod json;
mod node;
mod player;
mod pod;
mod time;
mod workload;

pub use format::{Ask, Scenario, ScenarioError, ScenarioKind};
pub use player::{PlayError, Player};
