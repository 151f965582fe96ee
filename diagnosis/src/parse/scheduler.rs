//! The scheduler's verdicts: why a pod fits no node.
//!
//! Source: pkg/scheduler/framework/types.go (`FitError.Error`) and the reasons of pkg/scheduler/framework/plugins,
//! 1.28 to 1.36; older wordings are read too, because they stand in many a report. What is not known is kept as
//! [`Reason::Other`].

/// What the scheduler said of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchedulerVerdict {
    /// How many nodes it knew; `None` where it did not count them.
    pub nodes: Option<u32>,
    /// Why they do not do, in the order of the message.
    pub parts: Vec<Part>,
    /// What it said of removing other pods.
    pub preemption: Preemption,
    /// The message was cut at 1024 bytes.
    pub truncated: bool,
    /// The scheduler is of 1.34 or later: it speaks of device claims in every verdict. Since 1.31 `No preemption
    /// victims found` means that the node could hold the pod if it were empty.
    pub modern: bool,
}

/// A reason and how many nodes it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many nodes; `None` where the pod was rejected before any node was looked at.
    pub nodes: Option<u32>,
    /// The reason.
    pub reason: Reason,
}

/// What the scheduler said of removing other pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preemption {
    /// Nodes on which removing pods would change nothing.
    pub not_helpful: u32,
    /// Nodes on which there is no pod of lower priority whose removal would suffice.
    pub no_victims: u32,
    /// The pod may preempt none (`preemptionPolicy: Never`).
    pub never: bool,
}

/// A reason of one of the scheduler's plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The cluster has no node.
    NoNodes,
    /// The node is cordoned.
    Unschedulable,
    /// The node is not ready (wording of old schedulers).
    NotReady,
    /// The pod names another node.
    NodeName,
    /// A taint that the pod does not tolerate, named (up to 1.34).
    Taint {
        /// Its key.
        key: String,
        /// Its value, often empty.
        value: String,
    },
    /// Taints that the pod does not tolerate, not named (1.34 and later, and the kubelet).
    Taints,
    /// nodeSelector or required node affinity.
    NodeAffinity,
    /// A host port is taken.
    HostPorts,
    /// The node holds as many pods as it may.
    TooManyPods,
    /// The node lacks a resource.
    Insufficient(String),
    /// A claim that only one pod may use, or a disk that is in use.
    VolumeInUse,
    /// The node has as many volumes attached as it may.
    VolumeCount,
    /// The node lacks the driver of a volume.
    DriverMissing(String),
    /// Claims that bind at once are not bound yet.
    UnboundClaims,
    /// A claim does not exist.
    ClaimMissing(String),
    /// A claim is being deleted.
    ClaimDeleting(String),
    /// A claim is bound to a volume that does not exist; the claim's name where it is told.
    ClaimLost(String),
    /// The claim of an ephemeral volume is not made yet.
    ClaimAwaited(String),
    /// A bound volume can be reached from other nodes only.
    VolumeNodeAffinity,
    /// A bound volume lives in another zone.
    VolumeZone,
    /// No volume is there that the claim could bind.
    NoVolumeToBind,
    /// The storage behind the node is full.
    NoStorageLeft,
    /// Topology spread; true where the node lacks the label.
    TopologySpread {
        /// The node lacks the topology key.
        label_missing: bool,
    },
    /// Required pod affinity.
    PodAffinity,
    /// Required pod anti-affinity of this pod.
    PodAntiAffinity,
    /// Required anti-affinity of a pod that runs there.
    ExistingAntiAffinity,
    /// Device claims (dynamic resource allocation), in the scheduler's words.
    DeviceClaims(String),
    /// Plugins that left the node out before it was looked at.
    Plugins(Vec<String>),
    /// Scheduling gates.
    Gates(Vec<String>),
    /// A pod group that is not whole yet, in the scheduler's words.
    PodGroup(String),
    /// A plugin failed, which says nothing about the nodes.
    PluginError {
        /// The plugin.
        plugin: String,
        /// Its error.
        error: String,
    },
    /// Anything else: other schedulers, plugins of one's own.
    Other(String),
}

impl SchedulerVerdict {
    /// Reads a message of condition `PodScheduled` or of an event `FailedScheduling`; `None` where it says nothing.
    pub fn parse(message: &str) -> Option<Self> {
        let text = without_repetition(message.trim());
        let (text, truncated) = text.strip_suffix(" ...").map_or((text, false), |text| (text, true));
        if text.is_empty() || text.starts_with("skip schedule deleting pod") {
            return None;
        }
        let header = [" nodes are available:", " nodes are unavailable:"].iter().find_map(|mark| text.split_once(mark));
        let Some((before, rest)) = header else {
            let part = Part { nodes: None, reason: reason(text.trim_end_matches('.')) };
            let nodes = (part.reason == Reason::NoNodes).then_some(0);
            return Some(Self { nodes, parts: vec![part], truncated, ..Self::default() });
        };
        let nodes = before.rsplit_once('/').and_then(|(_, total)| total.trim().parse().ok());
        let (body, preemption) = rest.split_once("preemption: ").unwrap_or((rest, ""));
        let mut parts = split(without_tail(body));
        if parts.is_empty() && nodes == Some(0) {
            parts.push(Part { nodes: None, reason: Reason::NoNodes });
        }
        let modern = ["no new claims to deallocate", "still not schedulable"].iter().any(|tail| body.contains(tail));
        Some(Self { nodes, parts, preemption: preempting(preemption), truncated, modern })
    }

    /// Reads what the cluster autoscaler says of the nodes that it might add: `pod didn't trigger scale-up: ...`, in the
    /// scheduler's words and its own. The counts are of node groups.
    pub fn parse_scale_up(message: &str) -> Option<Self> {
        let rest = without_repetition(message.trim()).split_once("didn't trigger scale-up")?.1;
        let reasons = rest.strip_prefix(" (it wouldn't fit if a new node is added)").unwrap_or(rest);
        let parts = split(without_tail(reasons.trim_start_matches([':', ' '])));
        (!parts.is_empty()).then(|| Self { parts, ..Self::default() })
    }

    /// How many nodes have a reason that passes; those without a count count as none.
    pub fn count(&self, passes: impl Fn(&Reason) -> bool) -> u32 {
        self.parts.iter().filter(|part| passes(&part.reason)).filter_map(|part| part.nodes).fold(0, u32::saturating_add)
    }

    /// Tells whether a reason passes.
    pub fn says(&self, passes: impl Fn(&Reason) -> bool) -> bool {
        self.parts.iter().any(|part| passes(&part.reason))
    }

    /// The resources that nodes lack, as the message names them; `pods` where they hold as many pods as they may.
    pub fn lacking(&self) -> Vec<&str> {
        let lacking = self.parts.iter().filter_map(|part| match &part.reason {
            Reason::Insufficient(resource) => Some(resource.as_str()),
            Reason::TooManyPods => Some("pods"),
            _ => None,
        });
        lacking.collect()
    }
}

/// Drops ` (repeated 3 times)`.
fn without_repetition(text: &str) -> &str {
    let cut = text.rsplit_once(" (repeated ").filter(|(_, rest)| rest.ends_with(" times)"));
    cut.map_or(text, |(text, _)| text.trim_end())
}

/// Drops what the claim plugin appends to the reasons (1.34): `. no new claims to deallocate,`, `. not found`.
fn without_tail(body: &str) -> &str {
    let mut body = body.trim().trim_end_matches([',', ' ']);
    for tail in ["no new claims to deallocate", "still not schedulable", "not found"] {
        if let Some(rest) = body.strip_suffix(tail).map(str::trim_end).filter(|rest| rest.ends_with('.')) {
            body = rest;
        }
    }
    body.trim_end_matches(['.', ' '])
}

/// Splits at commas, except inside a taint's braces: values of taints and errors of plugins hold commas too.
fn split(body: &str) -> Vec<Part> {
    let mut pieces: Vec<(Option<u32>, String)> = Vec::new();
    for piece in body.split(", ") {
        let counted = piece.split_once(' ').and_then(|(count, rest)| {
            let starts = rest.chars().next().is_some_and(char::is_alphabetic);
            count.parse::<u32>().ok().filter(|_| starts).map(|count| (count, rest))
        });
        let open = pieces.last().is_some_and(|(_, text)| text.matches('{').count() > text.matches('}').count());
        match (counted, pieces.last_mut()) {
            (Some((count, rest)), _) if !open => pieces.push((Some(count), rest.to_owned())),
            (_, Some((_, last))) => {
                last.push_str(", ");
                last.push_str(piece);
            }
            (_, None) if !piece.trim().is_empty() => pieces.push((None, piece.to_owned())),
            (_, None) => {}
        }
    }
    pieces.into_iter().map(|(nodes, text)| Part { nodes, reason: reason(text.trim()) }).collect()
}

fn preempting(text: &str) -> Preemption {
    let mut found = Preemption { never: text.contains("preemptionPolicy=Never"), ..Preemption::default() };
    let rest = text.split_once("nodes are available: ").map_or(text, |(_, rest)| rest);
    for piece in rest.split(", ") {
        let Some((count, what)) = piece.split_once(' ') else { continue };
        let Ok(count) = count.parse::<u32>() else { continue };
        if what.starts_with("Preemption is not helpful") {
            found.not_helpful = found.not_helpful.saturating_add(count);
        } else if what.starts_with("No preemption victims found") || what.starts_with("Insufficient") {
            found.no_victims = found.no_victims.saturating_add(count);
        }
    }
    found
}

/// The text between two marks.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}

fn reason(text: &str) -> Reason {
    claim_reason(text).or_else(|| node_reason(text)).or_else(|| device_reason(text)).unwrap_or_else(|| other(text))
}

/// Reasons of the volume plugins.
fn claim_reason(text: &str) -> Option<Reason> {
    let claim = || between(text, "persistentvolumeclaim \"", "\"").unwrap_or_default().to_owned();
    Some(match text {
        _ if text.contains("unbound immediate PersistentVolumeClaims")
            || text.contains("unbound PersistentVolumeClaims") =>
        {
            Reason::UnboundClaims
        }
        _ if text.starts_with("waiting for ephemeral volume controller") => Reason::ClaimAwaited(claim()),
        _ if text.contains("bound to non-existent p") => Reason::ClaimLost(claim()),
        _ if text.starts_with("persistentvolumeclaim \"") && text.ends_with("is being deleted") => {
            Reason::ClaimDeleting(claim())
        }
        _ if text.starts_with("persistentvolumeclaim \"") && text.ends_with("not found") => {
            Reason::ClaimMissing(claim())
        }
        _ if text.contains("volume node affinity conflict")
            || text.contains("didn't match PersistentVolume's node affinity") =>
        {
            Reason::VolumeNodeAffinity
        }
        _ if text.contains("no available volume zone") => Reason::VolumeZone,
        _ if text.contains("didn't find available persistent volumes to bind") => Reason::NoVolumeToBind,
        _ if text.contains("did not have enough free storage") => Reason::NoStorageLeft,
        _ if text.contains("exceed max volume count") => Reason::VolumeCount,
        _ if text.contains("no available disk") || text.contains("ReadWriteOncePod") => Reason::VolumeInUse,
        _ => {
            let driver = text.strip_suffix(" CSI driver is not installed on the node")?;
            Reason::DriverMissing(driver.to_owned())
        }
    })
}

/// Reasons of the plugins that look at nodes and other pods.
fn node_reason(text: &str) -> Option<Reason> {
    if let Some(resource) = text.strip_prefix("Insufficient ") {
        let resource = resource.split([' ', ',']).next().unwrap_or(resource);
        return Some(match resource {
            "pods" => Reason::TooManyPods,
            _ if resource.starts_with("attachable-volumes-") => Reason::VolumeCount,
            _ => Reason::Insufficient(resource.to_owned()),
        });
    }
    let taint =
        text.strip_prefix("node(s) had untolerated taint {").or_else(|| text.strip_prefix("node(s) had taint {"));
    if let Some(taint) = taint {
        let taint = taint.rsplit_once('}').map_or(taint, |(taint, _)| taint);
        let (key, value) = taint.split_once(':').unwrap_or((taint, ""));
        return Some(Reason::Taint { key: key.trim().to_owned(), value: value.trim().to_owned() });
    }
    if let Some(plugins) = text.split_once("didn't satisfy plugin").map(|(_, plugins)| plugins) {
        let plugins = plugins.trim_start_matches("(s)").trim_end_matches("simultaneously");
        let names = plugins.split([' ', '[', ']', ',']).filter(|name| !name.is_empty());
        return Some(Reason::Plugins(names.map(str::to_owned).collect()));
    }
    let spread = text.contains("pod topology spread constraints");
    Some(match text {
        _ if text.starts_with("no nodes available to schedule pods") => Reason::NoNodes,
        "Too many pods" => Reason::TooManyPods,
        _ if text.contains("were unschedulable") => Reason::Unschedulable,
        _ if text.contains("had unknown conditions") || text.contains("were not ready") => Reason::NotReady,
        _ if text.contains("untolerated taint") || text.contains("had taints that the pod didn't tolerate") => {
            Reason::Taints
        }
        _ if text.contains("didn't match the requested node name")
            || text.contains("didn't match the requested hostname") =>
        {
            Reason::NodeName
        }
        _ if text.contains("didn't have free ports") => Reason::HostPorts,
        _ if spread => Reason::TopologySpread { label_missing: text.contains("missing required label") },
        _ if text.contains("existing pods anti-affinity") => Reason::ExistingAntiAffinity,
        _ if text.contains("pod anti-affinity rules") => Reason::PodAntiAffinity,
        // Before 1.22 affinity and anti-affinity had one text; anti-affinity is the one that pods meet.
        _ if text.contains("pod affinity/anti-affinity") => Reason::PodAntiAffinity,
        _ if text.contains("didn't match pod affinity rules") => Reason::PodAffinity,
        _ if text.contains("node affinity") || text.contains("match node selector") => Reason::NodeAffinity,
        "pod affinity terms conflict" => Reason::NodeAffinity,
        _ => return None,
    })
}

/// Reasons of dynamic resource allocation, gates and pod groups.
fn device_reason(text: &str) -> Option<Reason> {
    if let Some(gates) = text.strip_prefix("waiting for scheduling gates: ") {
        let gates = gates.split(['[', ']', ' ', ',']).filter(|gate| !gate.is_empty());
        return Some(Reason::Gates(gates.map(str::to_owned).collect()));
    }
    let claims = text.contains("resourceclaim")
        || text.contains("resource claim")
        || text.contains("cannot allocate all claims")
        || text.contains("device class")
        || text.contains("allocate devices")
        || text.starts_with("device binding")
        || text.contains("node-allocatable DRA");
    if claims && !text.starts_with("running ") {
        return Some(Reason::DeviceClaims(text.to_owned()));
    }
    if text.contains("pod group") || text.contains("from a gang") {
        return Some(Reason::PodGroup(text.to_owned()));
    }
    None
}

/// `running PreFilter plugin "X": error`, `running "X" filter plugin for pod "p": error`, `binding rejected: error`.
fn other(text: &str) -> Reason {
    let plugin = text.strip_prefix("running ").filter(|rest| rest.contains("plugin"));
    if let Some(plugin) = plugin.and_then(|rest| between(rest, "\"", "\"")) {
        let error = text.split_once("\": ").map_or("", |(_, error)| error);
        return Reason::PluginError { plugin: plugin.to_owned(), error: error.to_owned() };
    }
    if let Some(error) = text.strip_prefix("binding rejected: ") {
        return match other(error) {
            Reason::Other(error) => Reason::PluginError { plugin: "DefaultBinder".to_owned(), error },
            inner => inner,
        };
    }
    Reason::Other(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(message: &str) -> Vec<(Option<u32>, Reason)> {
        let verdict = SchedulerVerdict::parse(message).expect("a verdict");
        verdict.parts.into_iter().map(|part| (part.nodes, part.reason)).collect()
    }

    fn insufficient(resource: &str) -> Reason {
        Reason::Insufficient(resource.to_owned())
    }

    fn taint(key: &str, value: &str) -> Reason {
        Reason::Taint { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn counted_reasons_are_read_whatever_the_tail() {
        for tail in [
            "",
            ".",
            ". preemption: 0/12 nodes are available: 12 No preemption victims found for incoming pod.",
            ". no new claims to deallocate, preemption: 0/12 nodes are available: 12 Preemption is not helpful \
            for scheduling.",
            ". not found",
        ] {
            let message = format!(
                "0/12 nodes are available: 10 Insufficient cpu, 2 Insufficient nvidia.com/gpu, 3 Too many pods{tail}"
            );
            assert_eq!(
                parts(&message),
                [
                    (Some(10), insufficient("cpu")),
                    (Some(2), insufficient("nvidia.com/gpu")),
                    (Some(3), Reason::TooManyPods)
                ],
                "{tail}"
            );
        }
    }

    #[test]
    fn taints_of_every_version_are_read() {
        let message = "0/5 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod \
                       didn't tolerate, 2 node(s) had untolerated taint {dedicated: a, 1 b}, 2 node(s) had untolerated taint(s).";
        assert_eq!(
            parts(message),
            [
                (Some(1), taint("node-role.kubernetes.io/master", "")),
                (Some(2), taint("dedicated", "a, 1 b")),
                (Some(2), Reason::Taints)
            ]
        );
    }

    #[test]
    fn rejections_before_the_filters_have_no_count() {
        let whole = |text: &str| {
            parts(&format!(
                "0/3 nodes are available: {text}. preemption: 0/3 nodes are available: 3 Preemption is not \
                helpful for scheduling."
            ))
        };
        assert_eq!(whole("pod has unbound immediate PersistentVolumeClaims"), [(None, Reason::UnboundClaims)]);
        assert_eq!(
            whole("persistentvolumeclaim \"data\" not found"),
            [(None, Reason::ClaimMissing("data".to_owned()))]
        );
        let deleting = Reason::ClaimDeleting("data".to_owned());
        assert_eq!(whole("persistentvolumeclaim \"data\" is being deleted"), [(None, deleting)]);
        let lost = "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"pv-1\"";
        assert_eq!(whole(lost), [(None, Reason::ClaimLost("data".to_owned()))]);
        assert_eq!(parts("no nodes available to schedule pods"), [(None, Reason::NoNodes)]);
        assert_eq!(
            parts("pod has unbound immediate PersistentVolumeClaims (repeated 3 times)"),
            [(None, Reason::UnboundClaims)]
        );
    }

    #[test]
    fn every_reason_of_the_plugins_is_known() {
        let table = [
            ("node(s) were unschedulable", Reason::Unschedulable),
            ("node(s) didn't match Pod's node affinity/selector", Reason::NodeAffinity),
            ("node(s) didn't match scheduler-enforced node affinity", Reason::NodeAffinity),
            ("node(s) didn't match node selector", Reason::NodeAffinity),
            ("node(s) didn't have free ports for the requested pod ports", Reason::HostPorts),
            ("node(s) exceed max volume count", Reason::VolumeCount),
            ("node(s) had volume node affinity conflict", Reason::VolumeNodeAffinity),
            ("node(s) didn't match PersistentVolume's node affinity", Reason::VolumeNodeAffinity),
            ("node(s) had no available volume zone", Reason::VolumeZone),
            ("node(s) didn't find available persistent volumes to bind", Reason::NoVolumeToBind),
            ("node(s) did not have enough free storage", Reason::NoStorageLeft),
            ("node(s) didn't match pod topology spread constraints", Reason::TopologySpread { label_missing: false }),
            (
                "node(s) didn't match pod topology spread constraints (missing required label)",
                Reason::TopologySpread { label_missing: true },
            ),
            ("node(s) didn't match pod affinity rules", Reason::PodAffinity),
            ("node(s) didn't match pod anti-affinity rules", Reason::PodAntiAffinity),
            ("node(s) didn't satisfy existing pods anti-affinity rules", Reason::ExistingAntiAffinity),
            ("node(s) didn't satisfy plugin(s) [NodeAffinity]", Reason::Plugins(vec!["NodeAffinity".to_owned()])),
            (
                "ebs.csi.aws.com CSI driver is not installed on the node",
                Reason::DriverMissing("ebs.csi.aws.com".to_owned()),
            ),
            ("cannot allocate all claims", Reason::DeviceClaims("cannot allocate all claims".to_owned())),
        ];
        for (text, reason) in table {
            let message =
                format!("0/2 nodes are available: 2 {text}. preemption: not eligible due to preemptionPolicy=Never.");
            assert_eq!(parts(&message), [(Some(2), reason)], "{text}");
        }
    }

    #[test]
    fn plugin_errors_and_strangers_are_kept() {
        let failed = Reason::PluginError {
            plugin: "VolumeBinding".to_owned(),
            error: "binding volumes: context deadline exceeded".to_owned(),
        };
        let message = "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
        assert_eq!(parts(message), [(None, failed)]);
        assert_eq!(parts("0/4 nodes are unavailable: 4 Insufficient cpu."), [(Some(4), insufficient("cpu"))]);
        let gang = "3/3 tasks in gang unschedulable: pod group is not ready, 3 Pending, 3 minAvailable";
        assert_eq!(parts(gang), [(None, Reason::PodGroup(gang.to_owned()))]);
        let cut = SchedulerVerdict::parse("0/9 nodes are available: 1 Insufficient cpu, 8 node(s) had untol ...");
        assert!(cut.is_some_and(|verdict| verdict.truncated && verdict.count(|r| *r == insufficient("cpu")) == 1));
    }

    #[test]
    fn a_scheduler_that_speaks_of_device_claims_is_modern() {
        let old = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No \
        preemption victims found for incoming pod.";
        let new = old.replace(". preemption", ". no new claims to deallocate, preemption");
        let read = |text: &str| SchedulerVerdict::parse(text).expect("a verdict");
        assert!(!read(old).modern && read(&new).modern);
        assert_eq!((read(old).preemption, read(&new).parts), (read(&new).preemption, read(old).parts));
    }

    #[test]
    fn what_the_autoscaler_says_of_new_nodes_is_read() {
        let read = |text: &str| SchedulerVerdict::parse_scale_up(text).map(|verdict| verdict.parts);
        let gpu = Part { nodes: Some(6), reason: insufficient("nvidia.com/gpu") };
        let whole =
            "pod didn't trigger scale-up (it wouldn't fit if a new node is added): 6 Insufficient nvidia.com/gpu";
        assert_eq!(read(whole), Some(vec![gpu.clone()]));
        let mixed = "pod didn't trigger scale-up: 6 Insufficient nvidia.com/gpu, 3 max node group size reached";
        let limit = Part { nodes: Some(3), reason: Reason::Other("max node group size reached".to_owned()) };
        assert_eq!(read(mixed), Some(vec![gpu, limit]));
        assert_eq!(read("pod didn't trigger scale-up: "), None);
        assert_eq!(read("pod triggered scale-up: [{pool 1->2 (max: 3)}]"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(0/[0-9]{1,3} nodes are available: )?([0-9]{1,9} )?[ \
        -~é{}\\[\\],.]{0,80}( preemption: .{0,40})?") {
            let _ = SchedulerVerdict::parse(&text);
            let _ = SchedulerVerdict::parse_scale_up(&format!("pod didn't trigger scale-up: {text}"));
        }
    }
}
