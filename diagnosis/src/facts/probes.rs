//! Facts of the stage probe.
