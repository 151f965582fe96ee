//! The embedded API from outside: requests in, answers out.
#![expect(clippy::indexing_slicing, reason = "a test fails well where an answer lacks a field")]

mod access;
mod api;
mod client;
mod deletion;
mod eviction;
mod faults;
mod hostile;
mod journal;
mod lists;
mod logs;
mod namespaces;
mod reads;
mod scenario;
mod serving;
mod speed;
mod subresources;
mod watches;
mod writes;
