//! Facts of the stage volume.
