//! What a rule says: a cause seen on an object, with its evidence and its fixes.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use kubewhy_text::Text;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::causes::Code;
use crate::event::Event;
use crate::kind::Kind;

/// The stage of a pod's life, or of the cluster around it, that a cause belongs to; in the order in which they block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumString, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the catalogue")]
pub enum Stage {
    Admission,
    Scheduling,
    Image,
    Config,
    Volume,
    Start,
    Init,
    Probe,
    Exit,
    Memory,
    Terminating,
    Workload,
    Storage,
    Node,
    Cluster,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// It works, and something is worth a look.
    Warning,
    /// Known, and no trouble yet: too early to say, or by design.
    Info,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The API says so.
    Certain,
    /// Inferred from several facts.
    Likely,
    /// A reading of heuristics.
    Possible,
}

/// How much a fix can hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Nothing that works stops working.
    Safe,
    /// Something restarts or moves, or a protection is weakened.
    Disruptive,
    /// Data can be lost.
    DataLossPossible,
}

/// A kind of repair that config can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say what is done")]
pub enum Action {
    DeletePod,
    ForceDeletePod,
    EvictPod,
    RemoveFinalizers,
    Restart,
    Undo,
    Scale,
    DeleteFailedPods,
    Cordon,
    Uncordon,
    TaintOutOfService,
    DeleteNode,
    DeleteJob,
    Suspend,
    Resume,
    DeleteVolumeAttachment,
    DebugCopy,
}

/// An object, a part of one, or what stands for one (`Registry/ghcr.io`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectRef {
    /// Its kind, or `Registry`, `Cluster`, `Peer`.
    pub kind: Cow<'static, str>,
    /// Its namespace, if it lives in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// A container of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// A part of it: a key, a resource, a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ObjectRef {
    /// An object of that kind.
    pub fn new(kind: Kind, namespace: Option<&str>, name: &str) -> Self {
        Self {
            kind: Cow::Borrowed(kind.name()),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            container: None,
            detail: None,
        }
    }

    /// An object of a kind that no rule reads, named as the cluster names it.
    pub fn foreign(kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self { kind: Cow::Owned(kind.to_owned()), ..Self::new(Kind::Pod, namespace, name) }
    }

    /// What has no object: a registry, a host outside, the cluster as a whole.
    pub fn virtual_(kind: &'static str, name: &str) -> Self {
        Self { kind: Cow::Borrowed(kind), ..Self::new(Kind::Pod, None, name) }
    }

    /// The same with a part of it: a key, a resource, a port.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with a container of it.
    #[must_use]
    pub fn with_container(mut self, container: impl Into<String>) -> Self {
        self.container = Some(container.into());
        self
    }

    /// `namespace/name`, or the name alone.
    pub fn path(&self) -> String {
        self.namespace.as_ref().map_or_else(|| self.name.clone(), |ns| format!("{ns}/{}", self.name))
    }

    /// Tells whether it is the same object, whatever part of it.
    pub fn is_same_object(&self, other: &Self) -> bool {
        self.kind == other.kind && self.namespace == other.namespace && self.name == other.name
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.path())
    }
}

/// A fact that a finding rests on, with the place where it can be checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Evidence {
    /// Where it stands: `Pod shop/cart .status.containerStatuses[app].state.waiting`, `Event FailedMount on Pod shop/cart`,
    /// `log of container app (previous) of Pod shop/cart, line 12`.
    pub source: String,
    /// What stands there, in the cluster's own words.
    #[serde(serialize_with = "printable")]
    pub text: String,
    /// When it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

fn printable<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&kubewhy_text::printable(text))
}

impl Evidence {
    /// A field of an object: `.status.phase` and the like, with its value.
    pub fn field(object: &ObjectRef, path: &str, text: impl Into<String>) -> Self {
        Self { source: format!("{object} {path}"), text: text.into(), at: None }
    }

    /// An event and its message.
    pub fn event(event: &Event) -> Self {
        let involved = &event.involved;
        let namespace = (!involved.namespace.is_empty()).then_some(involved.namespace.as_str());
        let object = ObjectRef::foreign(&involved.kind, namespace, &involved.name);
        let times = if event.count > 1 { format!(" (seen {} times)", event.count) } else { String::new() };
        Self {
            source: format!("Event {} on {object}{times}", event.reason),
            text: event.message.clone(),
            at: event.last,
        }
    }

    /// The same with a time.
    #[must_use]
    pub fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }
}

/// A step that ends the trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to do, in one line.
    pub title: Text,
    /// Commands ready to paste, names filled in and quoted for a shell.
    pub commands: Vec<String>,
    /// A patch of the asked-for object, if one ends it.
    pub patch: Option<Patch>,
    /// The repair that kubewhy itself could do.
    pub remedy: Option<Action>,
    /// How much it can hurt.
    pub safety: Safety,
}

/// A patch of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// `strategic`, `merge` or `json`, as `kubectl patch --type` takes it.
    #[serde(rename = "type")]
    pub type_: &'static str,
    /// The patch.
    pub body: serde_json::Value,
}

impl Fix {
    /// A step that hurts nothing.
    pub fn safe(title: Text) -> Self {
        Self { title, commands: Vec::new(), patch: None, remedy: None, safety: Safety::Safe }
    }

    /// A step that restarts or moves something, or weakens a protection.
    pub fn disruptive(title: Text) -> Self {
        Self { safety: Safety::Disruptive, ..Self::safe(title) }
    }

    /// A step that can lose data.
    pub fn risking_data(title: Text) -> Self {
        Self { safety: Safety::DataLossPossible, ..Self::safe(title) }
    }

    /// The same with a command (build it with [`crate::case::Case::kubectl`], which quotes).
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// The same with several commands, in order.
    #[must_use]
    pub fn commands(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.commands.extend(commands);
        self
    }

    /// The same with a repair that kubewhy could do.
    #[must_use]
    pub fn remedy(mut self, action: Action) -> Self {
        self.remedy = Some(action);
        self
    }
}

impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { title, commands, patch, remedy, safety } = self;
        let mut fix = serializer.serialize_struct("Fix", 5)?;
        fix.serialize_field("title", &title.plain())?;
        fix.serialize_field("commands", commands)?;
        fix.serialize_field("patch", patch)?;
        fix.serialize_field("remedy", remedy)?;
        fix.serialize_field("safety", safety)?;
        fix.end()
    }
}

/// What a finding follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// Nothing: it is a root.
    Nothing,
    /// The first root of the report, whatever it is; it leads only where there is none.
    Lead,
    /// The finding of that code, where there is one.
    Cause(Code),
}

/// An object in which the cause of a finding may lie, and what becomes of the cause that is found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beneath {
    /// The cause found there is the root: it leads, and the finding follows from it.
    Leads(ObjectRef),
    /// The finding stays the root; the cause found there explains it.
    Explains(ObjectRef),
}

impl Beneath {
    /// The object.
    pub const fn object(&self) -> &ObjectRef {
        match self {
            Self::Leads(object) | Self::Explains(object) => object,
        }
    }
}

/// A cause seen on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The object on which it was seen, with its container.
    pub object: ObjectRef,
    /// What a person has to act on; `None` = the template: the engine fills in the top controller and the container.
    pub root: Option<ObjectRef>,
    /// Objects between the pod and the root, nearest first.
    pub via: Vec<ObjectRef>,
    /// One line that names the very object and key.
    pub title: Text,
    /// Two to four sentences that a tired person understands.
    pub explanation: Text,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, in order.
    pub fixes: Vec<Fix>,
    /// What it follows from.
    pub follows: Follows,
    /// Objects in which its own cause may lie: the engine asks about them as a person would.
    pub beneath: Vec<Beneath>,
    /// The cause of another object that explains this one, and its root: whoever tells of both tells of one thing.
    pub reason: Option<(Code, ObjectRef)>,
    /// How many pods show it.
    pub affected: usize,
    /// When the trouble began, where it can be told.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// Sets the one line that names the very object and key.
    #[must_use]
    pub fn title(mut self, title: Text) -> Self {
        self.title = title;
        self
    }

    /// Sets the two to four sentences of explanation.
    #[must_use]
    pub fn explain(mut self, explanation: Text) -> Self {
        self.explanation = explanation.trimmed();
        self
    }

    /// Adds a sentence to the explanation.
    #[must_use]
    pub fn also(mut self, sentence: impl Into<Option<Text>>) -> Self {
        if let Some(sentence) = sentence.into().filter(|sentence| !sentence.is_empty()) {
            if !self.explanation.is_empty() {
                self.explanation.push(" ");
            }
            self.explanation.push(sentence);
        }
        self
    }

    /// Adds a fact it rests on.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<Option<Evidence>>) -> Self {
        self.evidence.extend(evidence.into());
        self
    }

    /// Adds a step that ends it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fixes.extend(fix.into());
        self
    }

    /// Names the container of the object.
    #[must_use]
    pub fn container(mut self, container: &str) -> Self {
        self.object.container = Some(container.to_owned());
        self
    }

    /// Names what a person has to act on, where it is not the template of the pod.
    #[must_use]
    pub fn root(mut self, root: ObjectRef) -> Self {
        self.root = Some(root);
        self
    }

    /// Names an object between the pod and the root.
    #[must_use]
    pub fn via(mut self, via: ObjectRef) -> Self {
        self.via.push(via);
        self
    }

    /// Says how sure it is; without it, certain.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Says how bad it is; without it, an error.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says that it follows from the first root of the report and leads only where there is none.
    #[must_use]
    pub fn follows_lead(mut self) -> Self {
        self.follows = Follows::Lead;
        self
    }

    /// Says that it follows from another finding, where that one is there too.
    #[must_use]
    pub fn follows(mut self, code: Code) -> Self {
        self.follows = Follows::Cause(code);
        self
    }

    /// Names an object in which the cause of this one may lie; what is wrong there leads, and this follows from it.
    #[must_use]
    pub fn caused_in(mut self, object: ObjectRef) -> Self {
        self.beneath.push(Beneath::Leads(object));
        self
    }

    /// Names an object whose trouble explains this one, which stays the root.
    #[must_use]
    pub fn explained_by(mut self, object: ObjectRef) -> Self {
        self.beneath.push(Beneath::Explains(object));
        self
    }

    /// Says when the trouble began.
    #[must_use]
    pub fn since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }
}
