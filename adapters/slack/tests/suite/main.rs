//! What Slack is sent: every sample as committed, hostile words in every place, any words within the limits.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod any;
mod forms;
mod hostile;
mod rules;
mod shape;
