//! kubewhy in Discord: gateway, application commands, components.
#![warn(missing_docs)]
