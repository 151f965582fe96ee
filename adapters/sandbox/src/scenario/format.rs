//! The format of scenario files.

use std::fmt;

mod trigger;
mod workload;

use serde::Deserialize;
use serde_json::Value;

use super::json::Map;
use super::time::{Span, Time};
pub(crate) use trigger::{On, Pattern, Trigger, fits};
pub(crate) use workload::{ContainerEntry, End, PodEntry, PodRevision, Workload, WorkloadKind};

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

    /// Tells whether nothing happens in it after its begin.
    pub fn stands_still(&self) -> bool {
        self.text.steps.is_empty()
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
