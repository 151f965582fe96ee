//! Causes of the stage "cluster".

pub(crate) mod dns_config_wrong;
pub(crate) mod dns_failing;
