//! Facts of the stage terminating.
