//! The answer about one target.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kubewhy_text::Text;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

use crate::finding::{Finding, ObjectRef, Severity};
use crate::kind::Kind;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The cluster's name, for the reader.
    pub cluster: String,
    /// The kubeconfig context that a person named; commands carry it.
    pub context: Option<String>,
    /// The kind of the object.
    pub kind: Kind,
    /// Its namespace; `None` for cluster-wide kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Target {
    /// It as a reference.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.kind, self.namespace.as_deref(), &self.name)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut target = serializer.serialize_struct("Target", 4)?;
        target.serialize_field("cluster", &self.cluster)?;
        target.serialize_field("kind", self.kind.name())?;
        if let Some(namespace) = &self.namespace {
            target.serialize_field("namespace", namespace)?;
        }
        target.serialize_field("name", &self.name)?;
        target.end()
    }
}

/// How the target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A finding of severity error.
    Failing,
    /// Only warnings: it works, and something is worth a look.
    Degraded,
    /// Too early to say.
    Pending,
    /// It could not be read, or what was read does not tell.
    Unknown,
    /// Nothing is wrong.
    Healthy,
}

/// A finding in its place in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedFinding {
    /// What the rule said, its root filled in.
    pub finding: Finding,
    /// From the asked object's top owner to the root, root last.
    pub chain: Vec<ObjectRef>,
    /// The index of the finding that it follows from.
    pub caused_by: Option<usize>,
}

impl RankedFinding {
    /// What a person has to act on.
    pub fn root(&self) -> &ObjectRef {
        self.finding.root.as_ref().unwrap_or(&self.finding.object)
    }
}

impl Serialize for RankedFinding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { finding, chain, caused_by } = self;
        let mut out = serializer.serialize_struct("Finding", 14)?;
        out.serialize_field("code", &finding.code)?;
        out.serialize_field("stage", &finding.code.cause().stage)?;
        out.serialize_field("severity", &finding.severity)?;
        out.serialize_field("confidence", &finding.confidence)?;
        out.serialize_field("object", &finding.object)?;
        out.serialize_field("root", self.root())?;
        out.serialize_field("title", &finding.title.plain())?;
        out.serialize_field("explanation", &finding.explanation.plain())?;
        out.serialize_field("chain", chain)?;
        out.serialize_field("evidence", &finding.evidence)?;
        out.serialize_field("fixes", &finding.fixes)?;
        out.serialize_field("caused_by", caused_by)?;
        out.serialize_field("affected", &finding.affected)?;
        out.serialize_field("since", &finding.since)?;
        out.end()
    }
}

/// Something that changed shortly before the trouble began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// On what.
    pub object: ObjectRef,
    /// What, in one line: `image v1.4.2 -> v1.4.3`.
    pub what: Text,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_struct("Change", 3)?;
        change.serialize_field("at", &self.at)?;
        change.serialize_field("object", &self.object)?;
        change.serialize_field("what", &self.what.plain())?;
        change.end()
    }
}

/// Why there is no report about the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetError {
    /// `not-found`, `forbidden`, `failed`, `not-in-dump`.
    pub code: &'static str,
    /// What went wrong.
    pub message: String,
    /// What a person may have meant: the nearest names.
    pub next: Vec<String>,
}

/// The answer about one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was asked about.
    pub target: Target,
    /// The clock of the answer.
    pub now: Timestamp,
    /// How it is.
    pub status: Status,
    /// One line: the title of the first finding, or how the target is.
    pub summary: Text,
    /// What was found, the root cause first.
    pub findings: Vec<RankedFinding>,
    /// What changed shortly before the first failure, newest first.
    pub changed: Vec<Change>,
    /// What could not be read, and what limits the answer.
    pub caveats: Vec<String>,
    /// The kinds that were looked at.
    pub checked: BTreeSet<&'static str>,
    /// Pods of the target that fail, and all of them, where it is a workload.
    pub pods: Option<(usize, usize)>,
    /// How many reads the answer took.
    pub requests: usize,
    /// How long the answer took in milliseconds; filled in by the caller, who has a clock.
    pub elapsed_ms: u64,
    /// Why there is no answer, if there is none.
    pub error: Option<TargetError>,
}

impl Report {
    /// The root cause, if one was found.
    pub fn lead(&self) -> Option<&RankedFinding> {
        self.findings.first()
    }

    /// Tells whether a finding of severity error is among them.
    pub fn is_failing(&self) -> bool {
        self.findings.iter().any(|ranked| ranked.finding.severity == Severity::Error)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            target,
            now: _,
            status,
            summary,
            findings,
            changed,
            caveats,
            checked,
            pods,
            requests,
            elapsed_ms,
            error,
        } = self;
        let mut out = serializer.serialize_struct("Report", 11)?;
        out.serialize_field("target", target)?;
        out.serialize_field("status", status)?;
        out.serialize_field("summary", &summary.plain())?;
        if let Some(error) = error {
            out.serialize_field("error", error)?;
        }
        out.serialize_field("findings", findings)?;
        out.serialize_field("changed", changed)?;
        out.serialize_field("caveats", caveats)?;
        out.serialize_field("checked", checked)?;
        if let Some((failing, all)) = pods {
            out.serialize_field("pods", &serde_json::json!({"failing": failing, "all": all}))?;
        }
        out.serialize_field("requests", requests)?;
        out.serialize_field("elapsed_ms", elapsed_ms)?;
        out.end()
    }
}
