//! What a probe got.
