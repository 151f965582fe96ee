//! What a terminal and a ticket show: every sample as committed snapshots, hostile words in every place, any text at any width.

mod snapshots;
