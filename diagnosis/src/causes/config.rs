//! Causes of the stage "config".

mod absent;
pub(crate) mod configmap_key_missing;
pub(crate) mod configmap_missing;
pub(crate) mod invalid_container_config;
pub(crate) mod run_as_non_root_violation;
pub(crate) mod secret_key_missing;
pub(crate) mod secret_missing;
