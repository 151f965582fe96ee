//! What crosses crates is tested here; see `tests/tests`. Recordings of real clusters are in `tests/recordings`.
