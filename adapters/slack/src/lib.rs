//! kubewhy in Slack: Socket Mode, Block Kit.
#![warn(missing_docs)]
