//! What a terminal and a ticket show: every sample as committed snapshots, hostile words in every place, any text at any width.

mod hostile;
mod markdown;
mod pipe;
#[cfg(unix)]
mod pty;
mod screen;
mod snapshots;
