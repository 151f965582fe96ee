//! A Discord for tests: REST and gateway on loopback.
#![warn(missing_docs)]
