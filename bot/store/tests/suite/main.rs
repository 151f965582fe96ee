//! What every store does, whatever database is below it; then what SQLite does with its file.

mod concurrency;
mod conformance;
mod given;
mod model;
mod sqlite;
