//! The real kubectl against the sandbox. Where there is no kubectl, every test says so and passes.

mod cluster;
mod read;
mod samples;
mod write;
