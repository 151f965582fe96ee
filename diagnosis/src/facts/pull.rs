//! Facts of the stage image.
