//! Causes of the stage "volume".

pub(crate) mod csi_driver_missing;
pub(crate) mod invalid_mount_path;
pub(crate) mod no_default_storage_class;
pub(crate) mod pv_reclaim_failed;
pub(crate) mod pvc_lost;
pub(crate) mod pvc_missing;
pub(crate) mod pvc_no_matching_volume;
pub(crate) mod pvc_provisioning_failed;
pub(crate) mod pvc_resize_failed;
pub(crate) mod pvc_waiting_for_consumer;
pub(crate) mod storage_class_missing;
pub(crate) mod volume_attach_failed;
pub(crate) mod volume_mount_failed;
pub(crate) mod volume_mount_timeout;
pub(crate) mod volume_multi_attach;
pub(crate) mod volume_read_only;
