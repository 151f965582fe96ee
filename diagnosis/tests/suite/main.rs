//! The tests of the engine, one binary. `cargo test -p kubewhy-diagnosis --test suite fixtures` runs those of a module;
//! `ONLY=part` runs the fixtures and recordings whose path contains `part`, `SHOW=1` prints whole answers.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read fixtures, print what they counted, and fail by a panic"
)]

/// Says what was counted, also where the test passes and its output is kept back.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use tell;

mod catalogue;
mod engine;
mod fixtures;
mod hostile;
mod mixed;
mod precision;
mod reads;
mod recordings;
mod redact;
mod scene;
mod seed;
