//! Exit codes and signals.
