//! Facts of the stage exit.
