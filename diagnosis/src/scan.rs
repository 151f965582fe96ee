//! Everything that is broken, one report per root: which objects are worth a question, and which reports say the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressServiceBackend};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::ask::{Answer, Ask, Filter, Selector};
use crate::case::Workload;
use crate::explain;
use crate::finding::ObjectRef;
use crate::kind::{Kind, Object};
use crate::pods;
use crate::redact::redact;
use crate::report::{RankedFinding, Report, Status, Target};
use crate::scope;
use crate::snapshot::Snapshot;
use crate::triage::{PodDigest, Triage, triage};

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
const TEMPLATES: [Kind; 6] =
    [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];

/// How long an object may be on its way before a scan asks about it.
const YOUNG: SignedDuration = SignedDuration::from_secs(60);

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
    let root = lead.root();
    let of_template = Kind::from_name(&root.kind).is_some_and(|kind| kind == Kind::Pod || TEMPLATES.contains(&kind));
    if of_template { format!("{} {root:?}", lead.finding.code) } else { format!("{root:?}") }
}

/// The objects that are worth a question: the top controllers of failing pods, workloads that lack pods, claims that are
/// not bound, objects that do not go away. Also what could not be read.
pub fn suspects(answers: &[(Kind, Answer)], namespace: Option<&str>, now: Timestamp) -> (Vec<Target>, Vec<String>) {
    let mut unread = Vec::new();
    let mut objects: Vec<Object> = Vec::new();
    for (kind, answer) in answers {
        match answer {
            Answer::List { items, complete } => {
                objects.extend(items.iter().cloned());
                if !complete {
                    unread.push(format!("not all {} could be read", kind.plural()));
                }
            }
            Answer::Forbidden(why) | Answer::Failed(why) => {
                unread
                    .push(kubewhy_text::printable(&format!("{} could not be read: {why}", kind.plural())).into_owned());
            }
            Answer::NotCovered | Answer::Object(_) | Answer::Log(_) | Answer::Absent => {}
        }
    }
    let by_name: BTreeMap<(Kind, Option<&str>, &str), &Object> =
        objects.iter().map(|object| ((object.kind(), object.namespace(), object.name()), object)).collect();
    let around = Around::new(&objects);
    let mut found: BTreeSet<(Kind, Option<String>, String)> = BTreeSet::new();
    for object in objects.iter().filter(|object| is_suspect(object, now) || around.is_suspect(object, now)) {
        let top = top_controller(object, &by_name);
        found.insert((top.kind(), top.namespace().map(str::to_owned), top.name().to_owned()));
    }
    if namespace.is_none() {
        // Its control plane and its add-ons.
        found.insert((Kind::Cluster, None, "cluster".to_owned()));
    }
    let in_scope = |kind: Kind, ns: Option<&str>, name: &str| match namespace {
        Some(wanted) => ns == Some(wanted) || (kind == Kind::Namespace && name == wanted),
        None => true,
    };
    let targets = found
        .into_iter()
        .filter(|(kind, ns, name)| in_scope(*kind, ns.as_deref(), name))
        .map(|(kind, namespace, name)| Target { cluster: String::new(), context: None, kind, namespace, name })
        .collect();
    (targets, unread)
}

fn is_suspect(object: &Object, now: Timestamp) -> bool {
    let age = |time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time| now.duration_since(time.0);
    let old = object.meta().creation_timestamp.as_ref().is_none_or(|created| age(created) > YOUNG);
    let lingers = object.meta().deletion_timestamp.as_ref().is_some_and(|deleted| age(deleted) > YOUNG);
    match object {
        Object::Pod(pod) => {
            let finished_for_its_owner = pods::phase(pod) == "Failed" && pod.metadata.owner_references.is_some();
            let verdict = triage(&PodDigest::from(&**pod), now);
            matches!(verdict, Triage::Suspect | Triage::Worn) && !finished_for_its_owner
        }
        Object::PersistentVolumeClaim(claim) => {
            let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
            lingers || (old && phase != Some("Bound"))
        }
        Object::ReplicaSet(set) => lingers || (old && lacks(&Workload::ReplicaSet(Arc::clone(set)))),
        Object::Deployment(it) => lingers || (old && lacks(&Workload::Deployment(Arc::clone(it)))),
        Object::StatefulSet(it) => lingers || (old && lacks(&Workload::StatefulSet(Arc::clone(it)))),
        Object::DaemonSet(it) => lingers || (old && lacks(&Workload::DaemonSet(Arc::clone(it)))),
        Object::Job(job) => {
            let failed = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
            lingers || failed.into_iter().any(|condition| condition.type_ == "Failed" && condition.status == "True")
        }
        Object::CronJob(_) | Object::Namespace(_) | Object::Ingress(_) => lingers,
        Object::Node(node) => lingers || (old && is_troubled(node)),
        Object::Service(service) => {
            let balanced = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer");
            let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let address = status.is_some_and(|status| status.ingress.iter().flatten().next().is_some());
            lingers || (old && balanced && !address)
        }
        Object::HorizontalPodAutoscaler(it) => {
            let conditions = it.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let stuck = |type_: &str, status: &str| {
                matches!((type_, status), ("AbleToScale" | "ScalingActive", "False") | ("ScalingLimited", "True"))
            };
            lingers || (old && conditions.into_iter().any(|it| stuck(&it.type_, &it.status)))
        }
        Object::PersistentVolume(volume) => {
            let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
            let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
            lingers || phase == Some("Failed") || (old && phase == Some("Released") && policy == Some("Delete"))
        }
        Object::APIService(it) => {
            let conditions = it.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let down = conditions.into_iter().any(|it| it.type_ == "Available" && it.status == "False");
            lingers || (old && down)
        }
        _ => false,
    }
}

/// A node whose conditions are not those of a well one: Ready is True, and the others that Kubernetes sets are False.
fn is_troubled(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut conditions = conditions.into_iter();
    conditions.any(|it| match it.type_.as_str() {
        "Ready" => it.status != "True",
        "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable" => it.status == "True",
        // A problem detector's, where True is trouble; the node's own rules know which.
        _ => it.status == "True",
    })
}

/// What can be told of an object only beside others: nobody ready behind a Service, no Service behind an Ingress.
struct Around<'o> {
    pods: BTreeMap<&'o str, Vec<&'o Pod>>,
    services: BTreeMap<(&'o str, &'o str), &'o Service>,
}

impl<'o> Around<'o> {
    fn new(objects: &'o [Object]) -> Self {
        let mut around = Self { pods: BTreeMap::new(), services: BTreeMap::new() };
        for object in objects {
            let namespace = object.namespace().unwrap_or_default();
            match object {
                Object::Pod(pod) => around.pods.entry(namespace).or_default().push(pod),
                Object::Service(service) => {
                    around.services.insert((namespace, object.name()), service);
                }
                _ => {}
            }
        }
        around
    }

    fn is_suspect(&self, object: &Object, now: Timestamp) -> bool {
        let created = object.meta().creation_timestamp.as_ref().map(|time| time.0);
        let old = created.is_none_or(|created| now.duration_since(created) > YOUNG);
        let namespace = object.namespace().unwrap_or_default();
        match object {
            Object::Service(service) => old && self.is_deserted(namespace, service),
            Object::Ingress(ingress) => old && backends(ingress).any(|backend| self.lacks(namespace, backend)),
            _ => false,
        }
    }

    /// Nobody is ready behind the Service's selector.
    fn is_deserted(&self, namespace: &str, service: &Service) -> bool {
        let Some(spec) = service.spec.as_ref().filter(|spec| spec.type_.as_deref() != Some("ExternalName")) else {
            return false;
        };
        let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else { return false };
        let selector = Selector::labels(selector);
        let pods = self.pods.get(namespace).into_iter().flatten();
        let mut behind = pods.filter(|pod| selector.matches(pod.metadata.labels.as_ref()));
        spec.publish_not_ready_addresses != Some(true) && !behind.any(|pod| pods::is_true(pod, "Ready"))
    }

    /// There is no such Service, or it has no such port.
    fn lacks(&self, namespace: &str, backend: &IngressServiceBackend) -> bool {
        let Some(service) = self.services.get(&(namespace, backend.name.as_str())) else { return true };
        let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
        let Some(wanted) = &backend.port else { return false };
        ports.into_iter().all(|port| {
            wanted.number.is_some_and(|number| number != port.port)
                || wanted.name.as_ref().is_some_and(|wanted| Some(wanted) != port.name.as_ref())
        })
    }
}

/// The Services that an Ingress leads to.
fn backends(ingress: &Ingress) -> impl Iterator<Item = &IngressServiceBackend> {
    let spec = ingress.spec.as_ref();
    let rules = spec.into_iter().flat_map(|spec| spec.rules.iter().flatten());
    let paths = rules.flat_map(|rule| rule.http.iter().flat_map(|http| &http.paths)).map(|path| &path.backend);
    let default = spec.and_then(|spec| spec.default_backend.as_ref());
    paths.chain(default).filter_map(|backend| backend.service.as_ref())
}

fn lacks(workload: &Workload) -> bool {
    scope::replicas(workload).is_some_and(|(desired, ready)| ready < desired)
}

/// The top controller among the listed objects; a `CronJob`'s failed `Job` is asked about itself.
fn top_controller<'o>(object: &'o Object, by_name: &BTreeMap<(Kind, Option<&str>, &str), &'o Object>) -> &'o Object {
    let mut top = object;
    for _ in 0..4 {
        let owner = top.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
        let Some(next) = owner
            .and_then(|owner| Kind::from_name(&owner.kind).map(|kind| (kind, owner)))
            .filter(|(kind, _)| *kind != Kind::CronJob && *kind != Kind::Node)
            .and_then(|(kind, owner)| by_name.get(&(kind, top.namespace(), owner.name.as_str())))
        else {
            break;
        };
        top = next;
    }
    top
}
