//! The engine of kubewhy: evidence in, report out.
//!
//! Entry points: [`Inquiry`] asks about one target step by step; [`Snapshot`] holds evidence in memory and answers;
//! [`triage`] says which pods are worth a look; [`causes::Code`] is the catalogue.
//!
//! Invariants: no I/O, no clock of its own (`now` is an argument); the same evidence gives the same report, byte for byte;
//! absent, forbidden and failed are different answers, and only absent is evidence; no input makes it panic; no report
//! leaves with a secret in it ([`redact`]).
#![warn(missing_docs)]

pub mod ask;
pub mod case;
pub mod causes;
mod changes;
pub mod event;
mod facts;
pub mod finding;
mod findings;
mod foreign;
pub mod health;
mod inquiry;
pub mod kind;
pub mod metrics;
mod nearest;
pub mod parse;
pub mod pods;
pub mod reader;
pub mod reads;
pub mod redact;
mod report;
pub mod scan;
mod scope;
pub mod secret;
mod snapshot;
mod triage;
pub mod untyped;
pub mod vocabulary;

pub use inquiry::{Inquiry, MAX_ASKS, MAX_ROUNDS, Step, examine};
pub use report::{Change, RankedFinding, Report, Status, Target, TargetError};
pub use snapshot::Snapshot;
pub use triage::{GONE_WITHIN, PodDigest, Triage, triage};

/// Answers a question from a snapshot.
pub fn explain(snapshot: &Snapshot, target: Target, now: jiff::Timestamp) -> Report {
    let mut inquiry = Inquiry::new(target, now).noting(snapshot.caveats());
    let mut answers = Vec::new();
    loop {
        match inquiry.step(answers) {
            Step::Needs(asks) => {
                answers = asks
                    .into_iter()
                    .map(|ask| {
                        let answer = snapshot.answer(&ask);
                        (ask, answer)
                    })
                    .collect();
            }
            Step::Done(report) => return *report,
        }
    }
}
