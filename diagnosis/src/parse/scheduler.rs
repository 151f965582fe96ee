//! The scheduler's verdicts.
