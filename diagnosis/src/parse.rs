//! Parsers, one module for each family of messages. Each returns a type and never fails loudly: what it does not know it
//! keeps or leaves to others.

pub mod api_server;
pub mod eviction;
pub mod exit_code;
pub mod image;
pub mod killed_child;
pub mod log;
pub mod mount;
pub mod node_condition;
pub mod node_problem;
pub mod probe;
pub mod pull;
pub mod quantity;
pub mod reference;
pub mod refusal;
pub mod sandbox;
pub mod schedule;
pub mod scheduler;
pub mod start;
pub mod wait;
