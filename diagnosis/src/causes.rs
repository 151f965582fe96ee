//! The registry of causes: one file each, listed here and nowhere else.
//!
//! The catalogue page, `kubewhy catalogue` and every list of codes are made from it. A variant without a cause does not
//! compile; a test fails for a cause that lacks a part of its documentation or its fixtures.

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

use crate::case::{Case, Verdict};
use crate::finding::Stage;

pub(crate) mod admission;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod exit;
pub(crate) mod image;
pub(crate) mod init;
pub(crate) mod memory;
pub(crate) mod probe;
pub(crate) mod scheduling;
pub(crate) mod start;
pub(crate) mod terminating;
pub(crate) mod volume;
pub(crate) mod workload;

/// What the catalogue knows of a cause.
#[derive(Debug)]
pub struct Cause {
    /// Its stable code.
    pub code: Code,
    /// The stage it belongs to.
    pub stage: Stage,
    /// The release that brought it.
    pub since: &'static str,
    /// Its documentation in Markdown: what it means, signals, look-alikes, fixes, source.
    pub doc: &'static str,
    /// Looks for it in a case.
    pub detect: fn(&Case<'_>) -> Verdict,
}

/// Turns the documentation, the stage and the rule of a file into its `CAUSE`.
macro_rules! cause {
    ($(#[doc = $line:literal])+ $code:ident, stage $stage:ident, since $since:literal, $detect:ident) => {
        pub(crate) static CAUSE: $crate::causes::Cause = $crate::causes::Cause {
            code: $crate::causes::Code::$code,
            stage: $crate::finding::Stage::$stage,
            since: $since,
            doc: concat!($($line, "\n"),+),
            detect: $detect,
        };
    };
}
pub(crate) use cause;

/// The stable name of a cause: public interface, never renamed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumString, IntoStaticStr, strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each cause's own file documents it")]
pub enum Code {
    QuotaExceeded,
    QuotaRequiresRequests,
    LimitRangeViolated,
    PodSecurityViolation,
    AdmissionWebhookDenied,
    AdmissionPolicyDenied,
    AdmissionWebhookUnavailable,
    ServiceAccountMissing,
    PriorityClassMissing,
    RuntimeClassMissing,
    InvalidPodSpec,
    SpecFieldIgnored,
    ApiVersionRemoved,
    RbacForbidden,
    RequestExceedsLargestNode,
    ClusterFragmented,
    ClusterOutOfCapacity,
    ExtendedResourceMissing,
    NodeSelectorMismatch,
    NodeAffinityMismatch,
    PodAffinityUnsatisfied,
    PodAntiAffinityConflict,
    TopologySpreadUnsatisfied,
    UntoleratedTaint,
    NodesCordoned,
    NoReadyNodes,
    HostPortConflict,
    VolumeNodeAffinityConflict,
    VolumeAttachLimit,
    SchedulingGated,
    BoundToMissingNode,
    SchedulerNotRunning,
    Preempted,
    ResourceClaimFailed,
    AutoscalerBlocked,
    InvalidImageName,
    ImageNotFound,
    ImageUnauthorized,
    ImagePullSecretMissing,
    ImagePullSecretInvalid,
    RegistryUnreachable,
    RegistryTlsError,
    RegistryRateLimited,
    ImagePlatformMismatch,
    ImagePullSlow,
    ImageNeverPull,
    ImageInspectFailed,
    ImageCorrupt,
    ImageSignatureRejected,
    ImageDiskFull,
    ConfigmapMissing,
    ConfigmapKeyMissing,
    SecretMissing,
    SecretKeyMissing,
    RunAsNonRootViolation,
    InvalidContainerConfig,
    PvcMissing,
    StorageClassMissing,
    NoDefaultStorageClass,
    PvcProvisioningFailed,
    PvcNoMatchingVolume,
    PvcLost,
    PvcWaitingForConsumer,
    VolumeMultiAttach,
    VolumeAttachFailed,
    VolumeMountFailed,
    VolumeMountTimeout,
    CsiDriverMissing,
    VolumeReadOnly,
    InvalidMountPath,
    PvcResizeFailed,
    PvReclaimFailed,
    CniNotReady,
    CniConfigMissing,
    CniIpExhausted,
    SandboxCreateFailed,
    RuntimeHandlerMissing,
    ContainerNameConflict,
    RuntimeUnavailable,
    NodeDiskIoError,
    CommandNotFound,
    CommandNotExecutable,
    NoCommand,
    ExecFormatError,
    WorkingDirMissing,
    ContainerStartFailed,
    SecurityProfileMissing,
    InitContainerFailed,
    InitContainerStuck,
    PostStartHookFailed,
    PreStopHookFailed,
    ReadinessProbeFailing,
    LivenessProbeKilling,
    StartupProbeKilling,
    ProbeMisconfigured,
    ReadinessGateUnmet,
    AppPanic,
    AppConfigError,
    DependencyUnreachable,
    DependencyAuthFailed,
    DependencyOverloaded,
    TlsCertificateInvalid,
    PortInUse,
    AppPermissionDenied,
    AppDiskFull,
    ProcessCompleted,
    ShellMisuse,
    KilledBySignal,
    TerminatedExternally,
    AppError,
    OomLimit,
    OomNode,
    OomChildProcess,
    PodResizePending,
    JvmHeapOverLimit,
    HeapExhausted,
    HugepagesUnavailable,
    EvictedMemory,
    EvictedDisk,
    EvictedPids,
    EvictedEphemeralLimit,
    EvictedByTaint,
    EvictedByDrain,
    NodeShutdown,
    NodeLost,
    RejectedByKubelet,
    DeadlineExceeded,
    TerminatingFinalizer,
    TerminatingNodeLost,
    TerminatingIgnoresSigterm,
    TerminatingPrestopHook,
    TerminatingVolumeBusy,
    TerminatingRuntimeHung,
    TerminatingNetworkTeardown,
    TerminatingUnobserved,
    PvcInUse,
    NamespaceTerminating,
    RolloutStalled,
    RolloutPaused,
    StatefulsetBlocked,
    JobFailed,
    JobDeadlineExceeded,
    CronjobNotRunning,
    ScaledToZero,
    DnsFailing,
    DnsConfigWrong,
}

impl Code {
    /// Its entry of the catalogue.
    #[expect(clippy::too_many_lines, reason = "one line for each cause")]
    pub fn cause(self) -> &'static Cause {
        match self {
            Self::QuotaExceeded => &admission::quota_exceeded::CAUSE,
            Self::QuotaRequiresRequests => &admission::quota_requires_requests::CAUSE,
            Self::LimitRangeViolated => &admission::limit_range_violated::CAUSE,
            Self::PodSecurityViolation => &admission::pod_security_violation::CAUSE,
            Self::AdmissionWebhookDenied => &admission::admission_webhook_denied::CAUSE,
            Self::AdmissionPolicyDenied => &admission::admission_policy_denied::CAUSE,
            Self::AdmissionWebhookUnavailable => &admission::admission_webhook_unavailable::CAUSE,
            Self::ServiceAccountMissing => &admission::service_account_missing::CAUSE,
            Self::PriorityClassMissing => &admission::priority_class_missing::CAUSE,
            Self::RuntimeClassMissing => &admission::runtime_class_missing::CAUSE,
            Self::InvalidPodSpec => &admission::invalid_pod_spec::CAUSE,
            Self::SpecFieldIgnored => &admission::spec_field_ignored::CAUSE,
            Self::ApiVersionRemoved => &admission::api_version_removed::CAUSE,
            Self::RbacForbidden => &admission::rbac_forbidden::CAUSE,
            Self::RequestExceedsLargestNode => &scheduling::request_exceeds_largest_node::CAUSE,
            Self::ClusterFragmented => &scheduling::cluster_fragmented::CAUSE,
            Self::ClusterOutOfCapacity => &scheduling::cluster_out_of_capacity::CAUSE,
            Self::ExtendedResourceMissing => &scheduling::extended_resource_missing::CAUSE,
            Self::NodeSelectorMismatch => &scheduling::node_selector_mismatch::CAUSE,
            Self::NodeAffinityMismatch => &scheduling::node_affinity_mismatch::CAUSE,
            Self::PodAffinityUnsatisfied => &scheduling::pod_affinity_unsatisfied::CAUSE,
            Self::PodAntiAffinityConflict => &scheduling::pod_anti_affinity_conflict::CAUSE,
            Self::TopologySpreadUnsatisfied => &scheduling::topology_spread_unsatisfied::CAUSE,
            Self::UntoleratedTaint => &scheduling::untolerated_taint::CAUSE,
            Self::NodesCordoned => &scheduling::nodes_cordoned::CAUSE,
            Self::NoReadyNodes => &scheduling::no_ready_nodes::CAUSE,
            Self::HostPortConflict => &scheduling::host_port_conflict::CAUSE,
            Self::VolumeNodeAffinityConflict => &scheduling::volume_node_affinity_conflict::CAUSE,
            Self::VolumeAttachLimit => &scheduling::volume_attach_limit::CAUSE,
            Self::SchedulingGated => &scheduling::scheduling_gated::CAUSE,
            Self::BoundToMissingNode => &scheduling::bound_to_missing_node::CAUSE,
            Self::SchedulerNotRunning => &scheduling::scheduler_not_running::CAUSE,
            Self::Preempted => &scheduling::preempted::CAUSE,
            Self::ResourceClaimFailed => &scheduling::resource_claim_failed::CAUSE,
            Self::AutoscalerBlocked => &scheduling::autoscaler_blocked::CAUSE,
            Self::InvalidImageName => &image::invalid_image_name::CAUSE,
            Self::ImageNotFound => &image::image_not_found::CAUSE,
            Self::ImageUnauthorized => &image::image_unauthorized::CAUSE,
            Self::ImagePullSecretMissing => &image::image_pull_secret_missing::CAUSE,
            Self::ImagePullSecretInvalid => &image::image_pull_secret_invalid::CAUSE,
            Self::RegistryUnreachable => &image::registry_unreachable::CAUSE,
            Self::RegistryTlsError => &image::registry_tls_error::CAUSE,
            Self::RegistryRateLimited => &image::registry_rate_limited::CAUSE,
            Self::ImagePlatformMismatch => &image::image_platform_mismatch::CAUSE,
            Self::ImagePullSlow => &image::image_pull_slow::CAUSE,
            Self::ImageNeverPull => &image::image_never_pull::CAUSE,
            Self::ImageInspectFailed => &image::image_inspect_failed::CAUSE,
            Self::ImageCorrupt => &image::image_corrupt::CAUSE,
            Self::ImageSignatureRejected => &image::image_signature_rejected::CAUSE,
            Self::ImageDiskFull => &image::image_disk_full::CAUSE,
            Self::ConfigmapMissing => &config::configmap_missing::CAUSE,
            Self::ConfigmapKeyMissing => &config::configmap_key_missing::CAUSE,
            Self::SecretMissing => &config::secret_missing::CAUSE,
            Self::SecretKeyMissing => &config::secret_key_missing::CAUSE,
            Self::RunAsNonRootViolation => &config::run_as_non_root_violation::CAUSE,
            Self::InvalidContainerConfig => &config::invalid_container_config::CAUSE,
            Self::PvcMissing => &volume::pvc_missing::CAUSE,
            Self::StorageClassMissing => &volume::storage_class_missing::CAUSE,
            Self::NoDefaultStorageClass => &volume::no_default_storage_class::CAUSE,
            Self::PvcProvisioningFailed => &volume::pvc_provisioning_failed::CAUSE,
            Self::PvcNoMatchingVolume => &volume::pvc_no_matching_volume::CAUSE,
            Self::PvcLost => &volume::pvc_lost::CAUSE,
            Self::PvcWaitingForConsumer => &volume::pvc_waiting_for_consumer::CAUSE,
            Self::VolumeMultiAttach => &volume::volume_multi_attach::CAUSE,
            Self::VolumeAttachFailed => &volume::volume_attach_failed::CAUSE,
            Self::VolumeMountFailed => &volume::volume_mount_failed::CAUSE,
            Self::VolumeMountTimeout => &volume::volume_mount_timeout::CAUSE,
            Self::CsiDriverMissing => &volume::csi_driver_missing::CAUSE,
            Self::VolumeReadOnly => &volume::volume_read_only::CAUSE,
            Self::InvalidMountPath => &volume::invalid_mount_path::CAUSE,
            Self::PvcResizeFailed => &volume::pvc_resize_failed::CAUSE,
            Self::PvReclaimFailed => &volume::pv_reclaim_failed::CAUSE,
            Self::CniNotReady => &start::cni_not_ready::CAUSE,
            Self::CniConfigMissing => &start::cni_config_missing::CAUSE,
            Self::CniIpExhausted => &start::cni_ip_exhausted::CAUSE,
            Self::SandboxCreateFailed => &start::sandbox_create_failed::CAUSE,
            Self::RuntimeHandlerMissing => &start::runtime_handler_missing::CAUSE,
            Self::ContainerNameConflict => &start::container_name_conflict::CAUSE,
            Self::RuntimeUnavailable => &start::runtime_unavailable::CAUSE,
            Self::NodeDiskIoError => &start::node_disk_io_error::CAUSE,
            Self::CommandNotFound => &start::command_not_found::CAUSE,
            Self::CommandNotExecutable => &start::command_not_executable::CAUSE,
            Self::NoCommand => &start::no_command::CAUSE,
            Self::ExecFormatError => &start::exec_format_error::CAUSE,
            Self::WorkingDirMissing => &start::working_dir_missing::CAUSE,
            Self::ContainerStartFailed => &start::container_start_failed::CAUSE,
            Self::SecurityProfileMissing => &start::security_profile_missing::CAUSE,
            Self::InitContainerFailed => &init::init_container_failed::CAUSE,
            Self::InitContainerStuck => &init::init_container_stuck::CAUSE,
            Self::PostStartHookFailed => &init::post_start_hook_failed::CAUSE,
            Self::PreStopHookFailed => &init::pre_stop_hook_failed::CAUSE,
            Self::ReadinessProbeFailing => &probe::readiness_probe_failing::CAUSE,
            Self::LivenessProbeKilling => &probe::liveness_probe_killing::CAUSE,
            Self::StartupProbeKilling => &probe::startup_probe_killing::CAUSE,
            Self::ProbeMisconfigured => &probe::probe_misconfigured::CAUSE,
            Self::ReadinessGateUnmet => &probe::readiness_gate_unmet::CAUSE,
            Self::AppPanic => &exit::app_panic::CAUSE,
            Self::AppConfigError => &exit::app_config_error::CAUSE,
            Self::DependencyUnreachable => &exit::dependency_unreachable::CAUSE,
            Self::DependencyAuthFailed => &exit::dependency_auth_failed::CAUSE,
            Self::DependencyOverloaded => &exit::dependency_overloaded::CAUSE,
            Self::TlsCertificateInvalid => &exit::tls_certificate_invalid::CAUSE,
            Self::PortInUse => &exit::port_in_use::CAUSE,
            Self::AppPermissionDenied => &exit::app_permission_denied::CAUSE,
            Self::AppDiskFull => &exit::app_disk_full::CAUSE,
            Self::ProcessCompleted => &exit::process_completed::CAUSE,
            Self::ShellMisuse => &exit::shell_misuse::CAUSE,
            Self::KilledBySignal => &exit::killed_by_signal::CAUSE,
            Self::TerminatedExternally => &exit::terminated_externally::CAUSE,
            Self::AppError => &exit::app_error::CAUSE,
            Self::OomLimit => &memory::oom_limit::CAUSE,
            Self::OomNode => &memory::oom_node::CAUSE,
            Self::OomChildProcess => &memory::oom_child_process::CAUSE,
            Self::PodResizePending => &memory::pod_resize_pending::CAUSE,
            Self::JvmHeapOverLimit => &memory::jvm_heap_over_limit::CAUSE,
            Self::HeapExhausted => &memory::heap_exhausted::CAUSE,
            Self::HugepagesUnavailable => &memory::hugepages_unavailable::CAUSE,
            Self::EvictedMemory => &memory::evicted_memory::CAUSE,
            Self::EvictedDisk => &memory::evicted_disk::CAUSE,
            Self::EvictedPids => &memory::evicted_pids::CAUSE,
            Self::EvictedEphemeralLimit => &memory::evicted_ephemeral_limit::CAUSE,
            Self::EvictedByTaint => &memory::evicted_by_taint::CAUSE,
            Self::EvictedByDrain => &memory::evicted_by_drain::CAUSE,
            Self::NodeShutdown => &memory::node_shutdown::CAUSE,
            Self::NodeLost => &memory::node_lost::CAUSE,
            Self::RejectedByKubelet => &memory::rejected_by_kubelet::CAUSE,
            Self::DeadlineExceeded => &memory::deadline_exceeded::CAUSE,
            Self::TerminatingFinalizer => &terminating::terminating_finalizer::CAUSE,
            Self::TerminatingNodeLost => &terminating::terminating_node_lost::CAUSE,
            Self::TerminatingIgnoresSigterm => &terminating::terminating_ignores_sigterm::CAUSE,
            Self::TerminatingPrestopHook => &terminating::terminating_prestop_hook::CAUSE,
            Self::TerminatingVolumeBusy => &terminating::terminating_volume_busy::CAUSE,
            Self::TerminatingRuntimeHung => &terminating::terminating_runtime_hung::CAUSE,
            Self::TerminatingNetworkTeardown => &terminating::terminating_network_teardown::CAUSE,
            Self::TerminatingUnobserved => &terminating::terminating_unobserved::CAUSE,
            Self::PvcInUse => &terminating::pvc_in_use::CAUSE,
            Self::NamespaceTerminating => &terminating::namespace_terminating::CAUSE,
            Self::RolloutStalled => &workload::rollout_stalled::CAUSE,
            Self::RolloutPaused => &workload::rollout_paused::CAUSE,
            Self::StatefulsetBlocked => &workload::statefulset_blocked::CAUSE,
            Self::JobFailed => &workload::job_failed::CAUSE,
            Self::JobDeadlineExceeded => &workload::job_deadline_exceeded::CAUSE,
            Self::CronjobNotRunning => &workload::cronjob_not_running::CAUSE,
            Self::ScaledToZero => &workload::scaled_to_zero::CAUSE,
            Self::DnsFailing => &cluster::dns_failing::CAUSE,
            Self::DnsConfigWrong => &cluster::dns_config_wrong::CAUSE,
        }
    }

    /// The code as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// All codes in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Cause {
    /// The first paragraph of "What it means", on one line.
    pub fn meaning(&self) -> String {
        let body = self.doc.split_once("## What it means\n").map_or(self.doc, |(_, body)| body);
        let lines = body.lines().map(str::trim).take_while(|line| !line.starts_with("## ") && !line.is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }
}
