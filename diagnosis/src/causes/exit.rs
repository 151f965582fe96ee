//! Causes of the stage "exit".

pub(crate) mod app_config_error;
pub(crate) mod app_disk_full;
pub(crate) mod app_error;
pub(crate) mod app_panic;
pub(crate) mod app_permission_denied;
pub(crate) mod dependency_auth_failed;
pub(crate) mod dependency_overloaded;
pub(crate) mod dependency_unreachable;
pub(crate) mod killed_by_signal;
pub(crate) mod port_in_use;
pub(crate) mod process_completed;
pub(crate) mod shell_misuse;
pub(crate) mod terminated_externally;
pub(crate) mod tls_certificate_invalid;
