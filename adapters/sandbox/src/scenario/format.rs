//! The format of scenario files.

use std::fmt;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::json::Map;
use super::time::{Span, Time};

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Why a scenario file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is larger than any scenario.
    #[error("\"{file}\" is larger than {MAX_BYTES} bytes")]
    TooLarge {
        /// The file.
        file: String,
    },
    /// It is no YAML.
    #[error("\"{file}\" is no YAML: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, and what was expected there.
        reason: String,
    },
    /// A key is unknown, missing or has a value of another type.
    #[error("\"{file}\", at {path}: {reason}")]
    Field {
        /// The file.
        file: String,
        /// The path of the key, such as `workloads[0].pods[1].node`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What sort of failure a scenario shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ScenarioKind {
    Admission,
    Scheduling,
    Image,
    Dependency,
    Creation,
    Network,
    Init,
    Hooks,
    Readiness,
    Liveness,
    Exit,
    Memory,
    Eviction,
    NodeLost,
    Terminating,
    Workload,
    Healthy,
    Cluster,
}

/// As files spell it: `node-lost`.
impl fmt::Display for ScenarioKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admission => "admission",
            Self::Scheduling => "scheduling",
            Self::Image => "image",
            Self::Dependency => "dependency",
            Self::Creation => "creation",
            Self::Network => "network",
            Self::Init => "init",
            Self::Hooks => "hooks",
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
            Self::Exit => "exit",
            Self::Memory => "memory",
            Self::Eviction => "eviction",
            Self::NodeLost => "node-lost",
            Self::Terminating => "terminating",
            Self::Workload => "workload",
            Self::Healthy => "healthy",
            Self::Cluster => "cluster",
        })
    }
}

/// A question that a person may ask about a scenario, and the answer that it must get.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What is asked about: `pod cart -n shop`.
    pub why: String,
    /// The code of the answer, or `healthy`.
    pub code: String,
    /// What has to occur in the answer.
    #[serde(default)]
    pub names: Vec<String>,
    /// How long after the scenario's begin it is so; at once by default.
    #[serde(default)]
    after: Span,
}

impl Ask {
    /// How long after the scenario's begin it is so.
    pub fn after(&self) -> std::time::Duration {
        self.after.0.try_into().unwrap_or_default()
    }
}

/// One failure story.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) text: ScenarioText,
}

impl Scenario {
    /// Reads a scenario; `name` is the file's name without its ending.
    ///
    /// # Errors
    /// Where the text is no YAML, or a key is unknown, missing or has a value that it cannot have.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let file = name.to_owned();
        if text.len() > MAX_BYTES {
            return Err(ScenarioError::TooLarge { file });
        }
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: Value = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| ScenarioError::Syntax { file: file.clone(), reason: error.to_string() })?;
        let text = serde_path_to_error::deserialize(value).map_err(|error| ScenarioError::Field {
            file,
            path: error.path().to_string(),
            reason: error.inner().to_string(),
        })?;
        Ok(Self { name: name.to_owned(), text })
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it shows, in one line.
    pub fn title(&self) -> &str {
        &self.text.title
    }

    /// The sort of failure.
    pub fn kind(&self) -> ScenarioKind {
        self.text.kind
    }

    /// What may be asked, and the answers.
    pub fn asks(&self) -> &[Ask] {
        &self.text.asks
    }

    /// The known cases that it covers: `S0 exit 0 unexpected`.
    pub fn seeds(&self) -> &[String] {
        &self.text.seeds
    }

    /// The namespace of what names none.
    pub fn namespace(&self) -> &str {
        &self.text.namespace
    }

    /// How long after the start of everything it begins.
    pub fn begins(&self) -> std::time::Duration {
        self.text.begins.0.try_into().unwrap_or_default()
    }
}

/// Writes a struct that has the verbs of a part besides its own keys. `flatten` would let unknown keys through.
macro_rules! with_verbs {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
            /// Plain objects, put over what is there.
            #[serde(default)]
            pub(crate) objects: Vec<Map>,
            /// Workloads with their pods.
            #[serde(default)]
            pub(crate) workloads: Vec<Workload>,
            /// What goes away: `Pod/cart-*`.
            #[serde(default)]
            pub(crate) remove: Vec<String>,
            /// Events on anything.
            #[serde(default)]
            pub(crate) events: Vec<EventText>,
            /// Logs of containers.
            #[serde(default)]
            pub(crate) logs: Vec<LogText>,
        }

        impl $name {
            /// Its verbs.
            pub(crate) fn part(&self) -> Part<'_> {
                Part {
                    objects: &self.objects,
                    workloads: &self.workloads,
                    remove: &self.remove,
                    events: &self.events,
                    logs: &self.logs,
                }
            }
        }
    };
}

/// What is applied at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) objects: &'a [Map],
    pub(crate) workloads: &'a [Workload],
    pub(crate) remove: &'a [String],
    pub(crate) events: &'a [EventText],
    pub(crate) logs: &'a [LogText],
}

with_verbs! {
    /// A whole file.
    ScenarioText {
        title: String,
        kind: ScenarioKind,
        #[serde(default)]
        asks: Vec<Ask>,
        #[serde(default)]
        seeds: Vec<String>,
        #[serde(default = "default_namespace")]
        namespace: String,
        #[serde(default)]
        begins: Span,
        #[serde(default)]
        steps: Vec<Step>,
        #[serde(default)]
        reactions: Vec<Reaction>,
    }
}

with_verbs! {
    /// What happens later.
    Step {
        after: Span,
        #[serde(default)]
        every: Option<Span>,
    }
}

with_verbs! {
    /// What controllers and kubelets do when somebody did something.
    Reaction {
        when: Trigger,
        #[serde(default)]
        after: Span,
        /// Whether the owner makes a new pod in place of the one that is gone.
        #[serde(default)]
        recreate: bool,
    }
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// When a reaction fires. Exactly one of `deleting`, `exists`, `absent`, `gone`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, try_from = "RawTrigger")]
pub(crate) struct Trigger {
    pub(crate) on: On,
    pub(crate) target: Pattern,
    /// A namespace, `*`, or the scenario's.
    pub(crate) namespace: Option<String>,
    /// A field that has to be there.
    pub(crate) has: Option<String>,
    /// Only of pods on a node that is Ready, or that have no node.
    pub(crate) on_ready_node: bool,
}

/// What a reaction waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum On {
    /// Somebody asked for the object's deletion.
    #[default]
    Deleting,
    /// The object is there (and has a field).
    Exists,
    /// No such object is there.
    Absent,
    /// A pod that a workload wants is gone.
    Gone,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawTrigger {
    deleting: Option<Pattern>,
    exists: Option<Pattern>,
    absent: Option<Pattern>,
    gone: Option<Pattern>,
    namespace: Option<String>,
    has: Option<String>,
    on_ready_node: bool,
}

impl TryFrom<RawTrigger> for Trigger {
    type Error = &'static str;

    fn try_from(raw: RawTrigger) -> Result<Self, Self::Error> {
        let RawTrigger { deleting, exists, absent, gone, namespace, has, on_ready_node } = raw;
        let mut found = [(On::Deleting, deleting), (On::Exists, exists), (On::Absent, absent), (On::Gone, gone)]
            .into_iter()
            .filter_map(|(on, pattern)| Some((on, pattern?)));
        match (found.next(), found.next()) {
            (Some((on, target)), None) => Ok(Self { on, target, namespace, has, on_ready_node }),
            _ => Err("exactly one of deleting, exists, absent, gone is needed"),
        }
    }
}

/// `Kind/name`, where the name may have `*` in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("\"{text}\" is not of the form Kind/name"))
    }
}

impl Pattern {
    /// Reads `Kind/name`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        let named = !kind.is_empty() && !name.is_empty();
        named.then(|| Self { kind: kind.to_owned(), name: name.to_owned() })
    }

    /// Tells whether a name fits.
    pub(crate) fn fits(&self, name: &str) -> bool {
        fits(&self.name, name)
    }
}

/// Tells whether a name fits a pattern in which `*` stands for anything.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    for word in middle.split('*') {
        let Some((_, after)) = name.split_once(word) else {
            return false;
        };
        name = after;
    }
    name.ends_with(last)
}

/// An event as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventText {
    #[serde(default)]
    pub(crate) on: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) type_: EventType,
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) count: Option<u32>,
    #[serde(default)]
    pub(crate) first: Option<Time>,
    #[serde(default)]
    pub(crate) last: Option<Time>,
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) host: Option<String>,
    #[serde(default)]
    pub(crate) container: Option<String>,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    /// Of an object that is no more: the uid it had.
    #[serde(default)]
    pub(crate) uid: Option<String>,
}

/// How an event is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum EventType {
    Normal,
    #[default]
    Warning,
}

/// A log as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogText {
    pub(crate) pod: String,
    pub(crate) container: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default)]
    pub(crate) previous: bool,
    pub(crate) text: String,
}

/// What controls pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    Pod,
}

impl WorkloadKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Pod => "Pod",
        }
    }

    pub(crate) const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
            Self::Pod => "v1",
        }
    }
}

/// A workload as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workload {
    pub(crate) kind: WorkloadKind,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default)]
    pub(crate) replicas: Option<u32>,
    #[serde(default)]
    pub(crate) created: Option<Time>,
    #[serde(default)]
    pub(crate) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Of the pods, besides the labels.
    #[serde(default)]
    pub(crate) pod_annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) revision: Option<Revision>,
    pub(crate) pod: Map,
    #[serde(default)]
    pub(crate) pods: Option<Vec<PodEntry>>,
    #[serde(default)]
    pub(crate) spec: Map,
    #[serde(default)]
    pub(crate) metadata: Map,
    #[serde(default)]
    pub(crate) status: Map,
    #[serde(default)]
    pub(crate) conditions: Vec<Map>,
    #[serde(default)]
    pub(crate) events: Vec<EventText>,
}

/// The revision of a workload's template, and the one before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revision {
    pub(crate) number: u32,
    pub(crate) at: Time,
    #[serde(default)]
    pub(crate) before: Map,
}

/// Which revision a pod is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PodRevision {
    #[default]
    Current,
    Before,
}

/// A pod as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PodEntry {
    pub(crate) name: Option<String>,
    pub(crate) count: Option<u32>,
    pub(crate) revision: PodRevision,
    pub(crate) node: Option<String>,
    pub(crate) created: Option<Time>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) containers: BTreeMap<String, ContainerEntry>,
    pub(crate) conditions: Vec<Map>,
    pub(crate) events: Vec<EventText>,
    pub(crate) logs: BTreeMap<String, String>,
    pub(crate) deleting: Option<Deleting>,
    pub(crate) metadata: Map,
    pub(crate) spec: Map,
    pub(crate) status: Map,
}

/// A container's state as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContainerEntry {
    pub(crate) waiting: Option<Waiting>,
    pub(crate) running: Option<Running>,
    pub(crate) terminated: Option<End>,
    pub(crate) restarts: u32,
    pub(crate) last: Option<End>,
    pub(crate) ready: Option<bool>,
    pub(crate) started: Option<bool>,
    #[serde(rename = "imageID")]
    pub(crate) image_id: Option<String>,
    pub(crate) image: Option<String>,
}

/// Why a container waits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// Since when a container runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Running {
    #[serde(alias = "startedAt")]
    pub(crate) started: Option<Time>,
}

/// How a container ended.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    #[serde(rename = "exitCode")]
    pub(crate) exit_code: i64,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) signal: Option<i64>,
    #[serde(default, alias = "startedAt")]
    pub(crate) started: Option<Time>,
    #[serde(default, alias = "finishedAt")]
    pub(crate) finished: Option<Time>,
}

/// A deletion that is under way.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deleting {
    pub(crate) at: Time,
    #[serde(default = "default_grace")]
    pub(crate) grace: u32,
    #[serde(default)]
    pub(crate) finalizers: Vec<String>,
}

fn default_grace() -> u32 {
    30
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("cart", "cart", true),
            ("cart", "cart-1", false),
            ("cart-*", "cart-1", true),
            ("*", "", true),
            ("*-1", "cart-1", true),
            ("c*t-*", "cart-1", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
