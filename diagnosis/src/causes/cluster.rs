//! Causes of the stage "cluster".

pub(crate) mod apiserver_overloaded;
pub(crate) mod apiserver_unreachable;
pub(crate) mod apiservice_unavailable;
pub(crate) mod clock_skew;
pub(crate) mod controller_manager_down;
pub(crate) mod dns_apiserver_unreachable;
pub(crate) mod dns_config_wrong;
pub(crate) mod dns_failing;
pub(crate) mod etcd_unhealthy;
pub(crate) mod kube_proxy_conntrack_missing;
pub(crate) mod kube_proxy_down;
pub(crate) mod metrics_server_failing;
pub(crate) mod metrics_server_missing;
pub(crate) mod network_partition;
pub(crate) mod scheduler_down;
pub(crate) mod static_pod_failing;
pub(crate) mod too_many_watched_configmaps;
