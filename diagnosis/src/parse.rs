//! Reads messages of kubelet, scheduler, runtimes and programs.

pub mod log;
