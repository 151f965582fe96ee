//! A Slack for tests: Web API and Socket Mode on loopback.
#![warn(missing_docs)]
