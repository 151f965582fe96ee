//! Conditions and events that others than Kubernetes put on a node: which of them tell of a problem.
//!
//! Source: node-problem-detector config/*.json and config/plugin; the conditions of GKE, AKS, EKS, Gardener and k3s as their
//! documentation names them.

/// A condition that is known to tell of a problem when it is True.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its type.
    pub condition: &'static str,
    /// Whether the node is broken by it, or only worth a look.
    pub breaks: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// What a condition says of its node.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing bad, or what another rule speaks of.
    Fine,
    /// A problem that is known.
    Known(&'static Problem),
    /// Its name says well, and it is False.
    NotWell,
    /// Nobody knows it, and it is True.
    Unknown,
}

/// Conditions that Kubernetes itself sets: other rules speak of them.
const OWN: [&str; 7] =
    ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "OutOfDisk", "ConfigOK"];

/// Conditions of others that are good or neutral when True; their False may be as good.
const NEUTRAL: [&str; 9] = [
    // k3s and RKE2: the node votes in etcd; an agent or a learner does not.
    "EtcdIsVoter",
    "SufficientIPs",
    "KubeletConfigOk",
    "SysctlChanged",
    "InternalConfigured",
    "TalosVersion",
    "NodeUpgrade",
    "MaintenanceMode",
    "UpdateAvailable",
];

macro_rules! problems {
    ($($condition:literal $breaks:literal $meaning:literal;)*) => {
        &[$(Problem { condition: $condition, breaks: $breaks, meaning: $meaning }),*]
    };
}

static PROBLEMS: &[Problem] = problems! {
    "KernelDeadlock" true "The kernel reports tasks that hang for minutes: processes there cannot go on, nor be killed.";
    "ReadonlyFilesystem" true "The kernel has made a file system read-only after errors: nothing can be written to it any more.";
    "XfsShutdown" true "XFS has shut a file system down after an error: it can neither be read nor written.";
    "CperHardwareErrorFatal" true "The firmware reports a fatal error of the hardware.";
    "CorruptDockerOverlay2" true "The image store of Docker is damaged: images cannot be used or pulled.";
    "FrequentKubeletRestart" true "The kubelet was started five times within 20 minutes: it crashes or is killed again and again.";
    "FrequentDockerRestart" true "Docker was started five times within 20 minutes: it crashes or is killed again and again.";
    "FrequentContainerdRestart" true "containerd was started five times within 20 minutes: it crashes or is killed again and again.";
    "FrequentUnregisterNetDevice" true "The kernel cannot let go of network devices of pods that are gone; pods hang at their start or end.";
    "KubeletUnhealthy" true "The kubelet does not answer its health check.";
    "ContainerRuntimeUnhealthy" true "The container runtime does not answer its health check.";
    "KubeletProblem" true "The kubelet does not answer its health check.";
    "ContainerRuntimeProblem" true "The container runtime does not answer its health check.";
    "FilesystemCorruptionProblem" true "The image store of the container runtime is damaged.";
    "NTPProblem" false "The service that sets the clock does not run: the clock drifts, and certificates and leases fail in time.";
    "ClusterNetworkProblem" true "The node does not reach other nodes or the API server as it should.";
    "HostNetworkProblem" true "The node does not reach the network outside as it should.";
    "NodeWithoutRoute" true "The machine has no route to the network.";
    "GPUProblem" true "A GPU of the machine is broken or its driver has failed.";
    "GpuXidError" true "A GPU driver reports a fault of a GPU (XID).";
    "XIDHardwareError" true "A GPU driver reports a fault of a GPU (XID).";
    "VMEventScheduled" false "The cloud has announced an event for the machine: a freeze, reboot or move.";
    "FreezeScheduled" false "The cloud has announced that it will pause the machine.";
    "RebootScheduled" false "The cloud has announced that it will restart the machine.";
    "RedeployScheduled" false "The cloud has announced that it will move the machine to other hardware.";
    "PreemptScheduled" false "The cloud has announced that it takes the machine back.";
    "TerminateScheduled" false "The cloud has announced that it will delete the machine.";
};

/// Node events that tell of a problem which may pass.
pub const EVENTS: [&str; 12] = [
    "KernelOops",
    "TaskHung",
    "UnregisterNetDevice",
    "MemoryReadError",
    "CperHardwareErrorCorrected",
    "CperHardwareErrorFatal",
    "CorruptDockerImage",
    "DockerContainerStartupFailure",
    "ConntrackFull",
    "DNSUnreachable",
    "IPTablesVersionsMismatch",
    "KernelDeadlock",
];

/// What a condition says.
pub fn judge(condition: &str, status: &str, reason: &str) -> Judgement {
    // Conditions of operators carry the domain of their owner: `example.com/DiskReady`.
    let plain = condition.rsplit('/').next().unwrap_or(condition);
    if OWN.contains(&condition) || NEUTRAL.contains(&plain) {
        return Judgement::Fine;
    }
    let known = PROBLEMS.iter().find(|problem| problem.condition == plain);
    match (known, status) {
        (Some(problem), "True") => Judgement::Known(problem),
        (None, "True") if is_good(plain) || is_good_reason(reason) => Judgement::Fine,
        (None, "True") => Judgement::Unknown,
        (None, "False") if says_ready(plain) => Judgement::NotWell,
        _ => Judgement::Fine,
    }
}

fn says_ready(condition: &str) -> bool {
    ["Ready", "Healthy"].iter().any(|end| condition.ends_with(end)) && !is_negative(condition)
}

fn is_negative(condition: &str) -> bool {
    ["Not", "Un", "No"]
        .iter()
        .any(|start| condition.strip_prefix(start).is_some_and(|rest| rest.starts_with(char::is_uppercase)))
        || condition.contains("NotReady")
        || condition.contains("Unhealthy")
}

/// Names by which True is good.
fn is_good(condition: &str) -> bool {
    const ENDS: [&str; 21] = [
        "Ready",
        "Healthy",
        "OK",
        "Ok",
        "Available",
        "Initialized",
        "Enabled",
        "Configured",
        "Synced",
        "Valid",
        "Succeeded",
        "Complete",
        "Completed",
        "Registered",
        "Running",
        "Connected",
        "Supported",
        "Installed",
        "Updated",
        "UpToDate",
        "Schedulable",
    ];
    let good = ENDS.iter().any(|end| condition.ends_with(end))
        || ["Sufficient", "Has", "Is", "Can"].iter().any(|start| condition.starts_with(start));
    let bad = is_negative(condition)
        || [
            "Unavailable",
            "Insufficient",
            "Unsupported",
            "Invalid",
            "Disabled",
            "Disconnected",
            "Incomplete",
            "Misconfigured",
        ]
        .iter()
        .any(|word| condition.contains(word))
        || (condition.contains("Unscheduled") || condition.contains("Unconfigured"));
    good && !bad
}

/// Reasons by which a condition tells that all is well, whatever its name.
fn is_good_reason(reason: &str) -> bool {
    ["IsHealthy", "IsReady", "IsUp", "NoProblem", "AsExpected"].iter().any(|word| reason.ends_with(word))
        || reason.starts_with("No") && reason.chars().nth(2).is_some_and(char::is_uppercase)
}

/// The command that shows more of it on the node.
pub fn look(about: &str) -> Option<&'static str> {
    Some(match about {
        "ReadonlyFilesystem" | "XfsShutdown" | "FilesystemCorruptionProblem" | "CorruptDockerOverlay2" => {
            "dmesg -T | grep -iE 'ext4|xfs|i/o error|read-only' | tail -n 50; grep ' ro[ ,]' /proc/mounts"
        }
        "KubeletUnhealthy" | "KubeletProblem" | "FrequentKubeletRestart" => {
            "systemctl status kubelet; journalctl -u kubelet --since '30 min ago' --no-pager | tail -n 100"
        }
        "ContainerRuntimeUnhealthy"
        | "ContainerRuntimeProblem"
        | "FrequentContainerdRestart"
        | "FrequentDockerRestart" => {
            "systemctl status containerd crio docker; journalctl -u containerd -u crio -u docker --since '30 min ago' --no-pager | tail -n 100"
        }
        "NTPProblem" => "timedatectl; chronyc tracking",
        "ConntrackFull" => "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
        "KernelDeadlock" | "TaskHung" | "KernelOops" => {
            "dmesg -T | grep -iE 'blocked for more than|hung|oops|bug:' | tail -n 50"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Judgement, judge};

    #[test]
    fn conditions_are_told_apart() {
        for (condition, status, reason, bad) in [
            ("Ready", "False", "KubeletNotReady", ""),
            ("NetworkUnavailable", "True", "NoRouteCreated", ""),
            ("KernelDeadlock", "True", "DockerHung", "known"),
            ("KernelDeadlock", "False", "KernelHasNoDeadlock", ""),
            ("ReadonlyFilesystem", "True", "FilesystemIsReadOnly", "known"),
            ("BadDisk", "True", "DiskBad", "unknown"),
            ("BadDisk", "False", "DiskFine", ""),
            ("EtcdIsVoter", "True", "MemberNotLearner", ""),
            ("EtcdIsVoter", "False", "MemberIsLearner", ""),
            ("SufficientIPs", "True", "", ""),
            ("NetworkingReady", "True", "NetworkingIsReady", ""),
            ("NetworkingReady", "False", "NetworkingNotReady", "not well"),
            ("KubeletNotReady", "True", "", "unknown"),
            ("ContainerRuntimeUnhealthy", "True", "ContainerdUnhealthy", "known"),
            ("example.com/DiskHealthy", "False", "SmartFailed", "not well"),
            ("example.com/DiskHealthy", "True", "SmartPassed", ""),
            ("NoSpareDisk", "True", "", "unknown"),
            ("HugePagesUnavailable", "True", "", "unknown"),
        ] {
            let judged = match judge(condition, status, reason) {
                Judgement::Fine => "",
                Judgement::Known(_) => "known",
                Judgement::NotWell => "not well",
                Judgement::Unknown => "unknown",
            };
            assert_eq!(judged, bad, "{condition} {status}");
        }
    }
}
