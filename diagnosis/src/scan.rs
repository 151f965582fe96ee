//! Everything that is broken, one report per root: which objects are worth a question, and which reports say the same.

mod suspects;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::ask::{Ask, Filter};
use crate::explain;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::redact::redact;
use crate::report::{RankedFinding, Report, Status};
use crate::snapshot::Snapshot;

pub use suspects::suspects;

/// The kinds that a scan lists.
pub const KINDS: [Kind; 15] = [
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::PersistentVolumeClaim,
    Kind::Namespace,
    Kind::Service,
    Kind::Ingress,
    Kind::HorizontalPodAutoscaler,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::APIService,
];

/// The kinds whose template or own state may be a root several times over.
pub(crate) const TEMPLATES: [Kind; 6] =
    [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];

/// One root in trouble.
#[derive(Clone, Debug)]
pub struct Root {
    /// The report of the object that shows it best.
    pub report: Report,
    /// All objects that it breaks.
    pub affects: Vec<ObjectRef>,
}

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut root = serializer.serialize_struct("Root", 2)?;
        root.serialize_field("affects", &self.affects)?;
        root.serialize_field("report", &self.report)?;
        root.end()
    }
}

/// What a scan found.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The roots in trouble, those that break most first.
    pub roots: Vec<Root>,
    /// What could not be read.
    pub unread: Vec<String>,
}

impl Serialize for Scan {
    /// `{"reports": [...]}`: the reports themselves, each with `affects`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reports: Result<Vec<serde_json::Value>, _> = self
            .roots
            .iter()
            .map(|root| {
                let mut report = serde_json::to_value(&root.report)?;
                if let Some(fields) = report.as_object_mut() {
                    fields.insert("affects".to_owned(), serde_json::to_value(&root.affects)?);
                }
                Ok::<_, serde_json::Error>(report)
            })
            .collect();
        let mut scan = serializer.serialize_struct("Scan", 2)?;
        scan.serialize_field("reports", &reports.map_err(serde::ser::Error::custom)?)?;
        scan.serialize_field("caveats", &self.unread)?;
        scan.end()
    }
}

impl Scan {
    /// Joins reports that name the same root for the same cause. Reports in which nothing is wrong are left out. The reports
    /// are redacted already; what could not be read is redacted here.
    pub fn new(reports: Vec<Report>, mut unread: Vec<String>) -> Self {
        let mut roots: BTreeMap<String, Root> = BTreeMap::new();
        for report in reports {
            let target = report.target.reference();
            let told = matches!(report.status, Status::Failing | Status::Degraded);
            let key = match report.lead().filter(|_| told) {
                Some(lead) => root_key(lead),
                None if report.status == Status::Unknown && report.error.is_none() => format!("unknown {target}"),
                None => continue,
            };
            let root = roots.entry(key).or_insert_with(|| Root { report: report.clone(), affects: Vec::new() });
            root.affects.push(target);
            // The report that was drawn from most pods shows the root best.
            let weight = |report: &Report| report.pods.map_or(0, |(failing, _)| failing);
            if weight(&report) > weight(&root.report) {
                root.report = report;
            }
        }
        let mut roots: Vec<Root> = roots.into_values().collect();
        for root in &mut roots {
            root.affects.sort_by_key(|object| (rank(&object.kind), object.clone()));
            root.affects.dedup();
        }
        roots.sort_by_cached_key(|root| {
            let (failing, all) = root.report.pods.unwrap_or_default();
            let target = &root.report.target;
            // Of two that fail alike, the one that nothing is left of.
            let left = all.saturating_sub(failing);
            let rank = rank(target.kind.name());
            (root.report.status, Reverse(root.affects.len()), rank, Reverse(failing), left, target.clone())
        });
        for unread in &mut unread {
            *unread = redact(unread).into_owned();
        }
        Self { roots, unread }
    }
}

/// What a scan lists: of one namespace what lives there and itself, else the cluster-wide kinds as well.
pub fn asks(namespace: Option<&str>) -> Vec<(Kind, Ask)> {
    let listed = |kind: &Kind| namespace.is_none() || kind.is_namespaced() || *kind == Kind::Namespace;
    let ask = |kind: Kind| {
        let namespace = namespace.filter(|_| kind.is_namespaced()).map(str::to_owned);
        (kind, Ask::List { kind, namespace, filter: Filter::All })
    };
    KINDS.into_iter().filter(listed).map(ask).collect()
}

/// Looks for everything that is broken in a snapshot, in one namespace or in all.
pub fn scan(snapshot: &Snapshot, namespace: Option<&str>, now: Timestamp) -> Scan {
    let answers: Vec<_> = asks(namespace).into_iter().map(|(kind, ask)| (kind, snapshot.answer(&ask))).collect();
    let (suspects, unread) = suspects(&answers, namespace, now);
    Scan::new(suspects.into_iter().map(|target| explain(snapshot, target, now)).collect(), unread)
}

/// What a person looks at first: what serves, then what runs once, then single pods and the rest.
fn rank(kind: &str) -> usize {
    match Kind::from_name(kind) {
        Some(Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet) => 0,
        Some(Kind::CronJob | Kind::Job) => 1,
        Some(Kind::Pod) => 2,
        _ => 3,
    }
}

/// What makes two reports speak of one root: the same shared object (one dead node breaks pods, volumes and evictions under
/// several codes), or the same cause of the same template.
fn root_key(lead: &RankedFinding) -> String {
    let (code, root) = match &lead.finding.reason {
        Some((code, root)) => (*code, root),
        None => (lead.finding.code, lead.root()),
    };
    let of_template = Kind::from_name(&root.kind).is_some_and(|kind| kind == Kind::Pod || TEMPLATES.contains(&kind));
    if of_template { format!("{code} {root:?}") } else { format!("{root:?}") }
}
