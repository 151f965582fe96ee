//! What survives a restart: deliveries, threads, buttons, waits.
#![warn(missing_docs)]
