//! The adapter against a Discord on loopback.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]
#![expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough over lifetimes")]

mod asking;
mod checking;
mod gateway;
mod posting;
mod pressing;
mod registering;
mod secrets;
mod stage;
mod weather;
