//! kubewhy in Discord: gateway, application commands, components.
#![warn(missing_docs)]

pub mod limits;
pub mod registration;
pub mod render;
