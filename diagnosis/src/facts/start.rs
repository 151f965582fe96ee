//! Facts of the stage start.
