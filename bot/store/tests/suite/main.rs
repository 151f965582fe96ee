//! What every store does, whatever database is below it; then what SQLite does with its file.
#![expect(clippy::indexing_slicing, reason = "a test fails where an element lacks")]

mod concurrency;
mod conformance;
mod given;
mod model;
mod sqlite;
