//! Facts of the stage scheduling.
