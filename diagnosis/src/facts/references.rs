//! Facts of the stage config.
