//! Causes of the stage "start".

pub(crate) mod cni_config_missing;
pub(crate) mod cni_ip_exhausted;
pub(crate) mod cni_not_ready;
pub(crate) mod command_not_executable;
pub(crate) mod command_not_found;
pub(crate) mod container_name_conflict;
pub(crate) mod container_start_failed;
pub(crate) mod exec_format_error;
pub(crate) mod no_command;
pub(crate) mod node_disk_io_error;
pub(crate) mod runtime_handler_missing;
pub(crate) mod runtime_unavailable;
pub(crate) mod sandbox_create_failed;
pub(crate) mod security_profile_missing;
pub(crate) mod working_dir_missing;
