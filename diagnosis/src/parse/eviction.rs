//! Evictions and rejections by the kubelet: a failed pod's `status.reason` and `status.message`.
//!
//! Source: `pkg/kubelet/eviction/helpers.go`, `pkg/kubelet/lifecycle/{predicate,handlers}.go`, `pkg/kubelet/kubelet.go` rejectPod,
//! pkg/kubelet/nodeshutdown, `pkg/kubelet/active_deadline.go`.

use k8s_openapi::api::core::v1::Pod;

use crate::pods;

/// What a node ran low on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Memory.
    Memory,
    /// Bytes or inodes of a disk.
    Disk,
    /// Process ids.
    Pids,
}

/// What one container, or the whole pod, used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The container; the pod's name where the kubelet speaks of the pod as a whole.
    pub who: String,
    /// What it used.
    pub used: String,
    /// What it had requested.
    pub request: String,
}

/// Why a kubelet ended or refused a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Evicted while it ran: its node ran low.
    NodeLow {
        /// On what.
        pressure: Pressure,
        /// The resource in the kubelet's word: `memory`, `ephemeral-storage`, `inodes`, `pids`.
        resource: String,
        /// Below which amount the kubelet evicts.
        threshold: Option<String>,
        /// What was left.
        available: Option<String>,
        /// Who used more than requested.
        users: Vec<Use>,
    },
    /// Evicted while it ran: over its own limit of storage.
    OverLimit {
        /// Whose limit.
        whose: Limit,
        /// The limit.
        limit: String,
    },
    /// Refused: its node is under pressure.
    UnderPressure {
        /// The node's conditions, such as `DiskPressure`.
        conditions: Vec<String>,
    },
    /// `activeDeadlineSeconds` is over.
    Deadline,
    /// Its node was shutting down.
    Shutdown {
        /// It came too late and was refused.
        refused: bool,
    },
    /// Refused: its node has less than it asks for.
    OutOf {
        /// The resource.
        resource: String,
        /// Requested, used and capacity, where the message tells.
        numbers: Option<[String; 3]>,
    },
    /// Refused: a sysctl or an `AppArmor` profile.
    SecurityRefused {
        /// The sysctl.
        sysctl: Option<String>,
        /// The kubelet's words.
        words: String,
    },
    /// Removed for a critical pod.
    Preempted,
    /// Refused for another reason.
    Refused {
        /// The reason in one word.
        reason: String,
        /// The kubelet's words.
        words: String,
    },
}

/// Whose limit of local storage was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The sum of the containers' limits.
    Pod,
    /// One container's.
    Container(String),
    /// One volume's `sizeLimit`.
    Volume(String),
}

/// Why the kubelet ended or refused a pod; `None` where it did not.
pub fn of(pod: &Pod) -> Option<Status> {
    let status = pods::status(pod)?;
    let reason = status.reason.as_deref().unwrap_or_default();
    let message = status.message.as_deref().unwrap_or_default();
    if let Some(status) = read(reason, message) {
        return Some(status);
    }
    // The condition outlives what others write into the status.
    let condition = pods::condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True")?;
    let told = condition.reason.as_deref() == Some("TerminationByKubelet");
    let message = condition.message.as_deref().filter(|_| told)?;
    if message.contains("node shutdown") {
        return Some(Status::Shutdown { refused: false });
    }
    read("Evicted", message)
}

/// Reads a failed pod's reason and message; `None` where they are no kubelet's.
pub fn read(reason: &str, message: &str) -> Option<Status> {
    let words = message
        .strip_prefix("Pod was rejected: ")
        .or_else(|| message.strip_prefix("Pod ").filter(|it| it.starts_with("The node")))
        .unwrap_or(message)
        .trim();
    if words.contains("node shutdown") || matches!(reason, "NodeShutdown" | "Shutdown") {
        return Some(Status::Shutdown { refused: reason == "NodeShutdown" });
    }
    match reason {
        "" | "NodeLost" => None,
        "Evicted" => evicted(words),
        "DeadlineExceeded" => Some(Status::Deadline),
        "Preempting" => Some(Status::Preempted),
        "SysctlForbidden" => {
            let sysctl = words.split_once("sysctl: \"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
            Some(Status::SecurityRefused { sysctl, words: words.to_owned() })
        }
        "AppArmor" => Some(Status::SecurityRefused { sysctl: None, words: words.to_owned() }),
        reason if reason.starts_with("OutOf") => {
            let resource = reason.strip_prefix("OutOf").unwrap_or_default().to_owned();
            Some(Status::OutOf { resource, numbers: numbers(words) })
        }
        reason => {
            refusals().contains(&reason).then(|| Status::Refused { reason: reason.to_owned(), words: words.to_owned() })
        }
    }
}

fn refusals() -> &'static [&'static str] {
    &[
        "NodeAffinity",
        "NodePorts",
        "NodeName",
        "NodeSelectorMismatching",
        "MatchNodeSelector",
        "TaintToleration",
        "PodToleratesNodeTaints",
        "HostName",
        "PodFitsHostPorts",
        "UnexpectedAdmissionError",
        "TopologyAffinityError",
        "SMTAlignmentError",
        "PodOSSelectorNodeLabelDoesNotMatch",
        "PodOSNotSupported",
        "InvalidNodeInfo",
        "InitContainerRestartPolicyForbidden",
        "SupplementalGroupsPolicyNotSupported",
        "PodLevelResourcesNotSupported",
        "PodFeatureUnsupported",
        "EmptyPodSharedPoolError",
        "VolumeAttachmentLimitExceeded",
        "UnknownReason",
        "UnexpectedPredicateFailureType",
    ]
}

fn evicted(words: &str) -> Option<Status> {
    if let Some((_, rest)) = words.split_once("The node had condition: [") {
        let inside = rest.split(']').next().unwrap_or_default();
        let conditions = inside.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        return Some(Status::UnderPressure { conditions });
    }
    if let Some((_, rest)) = words.split_once("node was low on resource: ") {
        let resource = rest.split(['.', ' ']).next().unwrap_or_default();
        let resource = resource.trim_matches(['[', ']', '.']).to_owned();
        let pressure = match resource.as_str() {
            "memory" => Pressure::Memory,
            "pids" | "pid" => Pressure::Pids,
            _ => Pressure::Disk,
        };
        let value = |opening: &str| {
            let (_, rest) = words.split_once(opening)?;
            rest.split([',', ' ']).next().map(|word| word.trim_end_matches('.').to_owned())
        };
        let (threshold, available) = (value("Threshold quantity: "), value("available: "));
        return Some(Status::NodeLow { pressure, resource, threshold, available, users: users(words) });
    }
    over_limit(words)
}

/// `Container main was using 310820Ki, request is 10Mi, has larger consumption of memory.`
fn users(words: &str) -> Vec<Use> {
    let mut users = Vec::new();
    for part in words.split(". ") {
        let Some((who, rest)) = part.split_once(" was using ") else { continue };
        let Some((used, rest)) = rest.split_once(", ") else { continue };
        let older = rest.strip_prefix("which exceeds its request of ");
        let Some(request) = rest.strip_prefix("request is ").or(older) else { continue };
        let request = request.split(',').next().unwrap_or_default().trim_end_matches('.');
        let who = who.rsplit(' ').next().unwrap_or(who);
        users.push(Use { who: who.to_owned(), used: used.to_owned(), request: request.to_owned() });
    }
    users
}

fn over_limit(words: &str) -> Option<Status> {
    let quoted = |rest: &str| rest.split('"').nth(1).map(str::to_owned);
    if let Some((_, rest)) = words.split_once("usage exceeds the total limit of containers ") {
        let limit = rest.split(['.', ' ']).next().unwrap_or_default().to_owned();
        return Some(Status::OverLimit { whose: Limit::Pod, limit });
    }
    if let Some((before, rest)) = words.split_once(" exceeded its local ephemeral storage limit ") {
        let container = before.rsplit(' ').next().unwrap_or(before).to_owned();
        return Some(Status::OverLimit { whose: Limit::Container(container), limit: quoted(rest)? });
    }
    let (before, rest) = words.split_once(" exceeds the limit ")?;
    let volume = before.split('"').nth(1)?.to_owned();
    Some(Status::OverLimit { whose: Limit::Volume(volume), limit: quoted(rest)? })
}

/// `Node didn't have enough resource: cpu, requested: 500, used: 1800, capacity: 2000`
fn numbers(words: &str) -> Option<[String; 3]> {
    let value = |opening: &str| {
        let (_, rest) = words.split_once(opening)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    };
    Some([value("requested: ")?, value("used: ")?, value("capacity: ")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evictions_are_read_with_their_numbers() {
        let text = "The node was low on resource: memory. Threshold quantity: 21223Mi, available: 21285860Ki. Container main was using 310820Ki, request is 10Mi, has larger consumption of memory. ";
        let wanted = Status::NodeLow {
            pressure: Pressure::Memory,
            resource: "memory".to_owned(),
            threshold: Some("21223Mi".to_owned()),
            available: Some("21285860Ki".to_owned()),
            users: vec![Use { who: "main".to_owned(), used: "310820Ki".to_owned(), request: "10Mi".to_owned() }],
        };
        assert_eq!(read("Evicted", text), Some(wanted));
        let old = "The node was low on resource: ephemeral-storage. Container app was using 12Gi, which exceeds its request of 0. ";
        let Some(Status::NodeLow { pressure: Pressure::Disk, users, .. }) = read("Evicted", old) else {
            panic!("{old}")
        };
        assert_eq!(users.first().map(|it| it.request.as_str()), Some("0"));
    }

    #[test]
    fn limits_pressure_and_refusals_are_told_apart() {
        let limit = |whose, limit: &str| Some(Status::OverLimit { whose, limit: limit.to_owned() });
        let rows = [
            (
                "Evicted",
                "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ",
                limit(Limit::Pod, "20Mi"),
            ),
            (
                "Evicted",
                "Container app exceeded its local ephemeral storage limit \"1Gi\". ",
                limit(Limit::Container("app".to_owned()), "1Gi"),
            ),
            (
                "Evicted",
                "Usage of EmptyDir volume \"cache\" exceeds the limit \"500Mi\". ",
                limit(Limit::Volume("cache".to_owned()), "500Mi"),
            ),
            (
                "Evicted",
                "Pod was rejected: The node had condition: [DiskPressure]. ",
                Some(Status::UnderPressure { conditions: vec!["DiskPressure".to_owned()] }),
            ),
            (
                "Evicted",
                "Pod The node had condition: [MemoryPressure]. ",
                Some(Status::UnderPressure { conditions: vec!["MemoryPressure".to_owned()] }),
            ),
            (
                "DeadlineExceeded",
                "Pod was active on the node longer than the specified deadline",
                Some(Status::Deadline),
            ),
            (
                "Terminated",
                "Pod was terminated in response to imminent node shutdown.",
                Some(Status::Shutdown { refused: false }),
            ),
            (
                "NodeShutdown",
                "Pod was rejected: Pod was rejected as the node is shutting down.",
                Some(Status::Shutdown { refused: true }),
            ),
            (
                "OutOfcpu",
                "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 1800, capacity: 2000",
                Some(Status::OutOf {
                    resource: "cpu".to_owned(),
                    numbers: Some(["500".to_owned(), "1800".to_owned(), "2000".to_owned()]),
                }),
            ),
            (
                "SysctlForbidden",
                "Pod was rejected: forbidden sysctl: \"net.core.somaxconn\" not allowlisted",
                Some(Status::SecurityRefused {
                    sysctl: Some("net.core.somaxconn".to_owned()),
                    words: "forbidden sysctl: \"net.core.somaxconn\" not allowlisted".to_owned(),
                }),
            ),
            ("NodeLost", "Node n which was running pod p is unresponsive", None),
            ("SomethingOfAnOperator", "whatever", None),
            ("", "", None),
        ];
        for (reason, message, wanted) in rows {
            assert_eq!(read(reason, message), wanted, "{reason}: {message}");
        }
    }
}
