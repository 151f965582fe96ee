//! Causes of the stage "init".

pub(crate) mod init_container_failed;
pub(crate) mod init_container_stuck;
pub(crate) mod post_start_hook_failed;
pub(crate) mod pre_stop_hook_failed;
