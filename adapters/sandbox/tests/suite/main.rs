//! The embedded API from outside: requests in, answers out.

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
mod subresources;
mod watches;
mod writes;
