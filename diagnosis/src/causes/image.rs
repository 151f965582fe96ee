//! Causes of the stage "image".

pub(crate) mod image_corrupt;
pub(crate) mod image_disk_full;
pub(crate) mod image_inspect_failed;
pub(crate) mod image_never_pull;
pub(crate) mod image_not_found;
pub(crate) mod image_platform_mismatch;
pub(crate) mod image_pull_secret_invalid;
pub(crate) mod image_pull_secret_missing;
pub(crate) mod image_pull_slow;
pub(crate) mod image_signature_rejected;
pub(crate) mod image_unauthorized;
pub(crate) mod invalid_image_name;
pub(crate) mod registry_rate_limited;
pub(crate) mod registry_tls_error;
pub(crate) mod registry_unreachable;
