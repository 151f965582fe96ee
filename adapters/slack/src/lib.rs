//! kubewhy in Slack: Socket Mode, Block Kit.
#![warn(missing_docs)]

pub mod limits;
pub mod manifest;
pub mod render;
