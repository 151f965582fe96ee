//! The tests of the engine, one binary. `cargo test -p kubewhy-diagnosis --test suite fixtures` runs those of a module;
//! `ONLY=part` runs the fixtures and recordings whose path contains `part`, `SHOW=1` prints whole answers.

mod catalogue;
mod engine;
mod fixtures;
mod hostile;
mod recordings;
mod scene;
