//! What a terminal and a ticket show: every sample as committed snapshots, hostile words in every place, any text at any width.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod hostile;
mod markdown;
mod pipe;
#[cfg(unix)]
mod pty;
mod screen;
mod snapshots;
