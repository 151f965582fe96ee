//! Facts of the stage admission.
