//! Which of the listed objects are worth a question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressServiceBackend};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::ask::{Answer, Selector};
use crate::case::Workload;
use crate::facts::node_state;
use crate::kind::{Kind, Object};
use crate::parse::schedule::Schedule;
use crate::pods;
use crate::report::Target;
use crate::scope;
use crate::triage::{PodDigest, Triage, triage};

/// How long an object may be on its way before a scan asks about it.
const YOUNG: SignedDuration = SignedDuration::from_secs(60);

/// How late the start of a `CronJob` may be before a scan asks about it.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);

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
        if around.is_history(object) {
            continue;
        }
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
        Object::Job(job) => lingers || ended(job, "Failed"),
        Object::CronJob(it) => lingers || (old && is_overdue(it, now)),
        Object::Namespace(_) | Object::Ingress(_) => lingers,
        Object::Node(node) => lingers || (old && node_state::ailment(node).is_some()),
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

/// A start was due a while ago, or none ever is. In another time zone the times differ; its rules know better.
fn is_overdue(cron: &CronJob, now: Timestamp) -> bool {
    let Some(spec) = cron.spec.as_ref().filter(|spec| spec.suspend != Some(true)) else { return false };
    let Some(schedule) = Schedule::parse(&spec.schedule) else { return false };
    let last = cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
    let from = last.or(cron.metadata.creation_timestamp.as_ref()).map(|time| time.0);
    let next = from.and_then(|from| schedule.next(from, &TimeZone::UTC));
    schedule.is_never() || next.is_some_and(|next| now.duration_since(next) > OVERDUE)
}

/// What can be told of an object only beside others: nobody ready behind a Service, no Service behind an Ingress.
struct Around<'o> {
    pods: BTreeMap<&'o str, Vec<&'o Pod>>,
    /// The labels of pods that nobody wants at the moment.
    idle: BTreeMap<&'o str, Vec<&'o BTreeMap<String, String>>>,
    services: BTreeMap<(&'o str, &'o str), &'o Service>,
    /// When the last run of a `CronJob` that ended well began, by namespace and name of the `CronJob`.
    went_well: BTreeMap<(&'o str, &'o str), Option<Timestamp>>,
}

impl<'o> Around<'o> {
    fn new(objects: &'o [Object]) -> Self {
        let mut around = Self {
            pods: BTreeMap::new(),
            idle: BTreeMap::new(),
            services: BTreeMap::new(),
            went_well: BTreeMap::new(),
        };
        for object in objects {
            let namespace = object.namespace().unwrap_or_default();
            match object {
                Object::Pod(pod) => around.pods.entry(namespace).or_default().push(pod),
                Object::Deployment(it) if it.spec.as_ref().is_some_and(|spec| spec.replicas == Some(0)) => {
                    around
                        .idle
                        .entry(namespace)
                        .or_default()
                        .extend(labels(it.spec.as_ref().map(|spec| &spec.template)));
                }
                Object::StatefulSet(it) if it.spec.as_ref().is_some_and(|spec| spec.replicas == Some(0)) => {
                    around
                        .idle
                        .entry(namespace)
                        .or_default()
                        .extend(labels(it.spec.as_ref().map(|spec| &spec.template)));
                }
                Object::Service(service) => {
                    around.services.insert((namespace, object.name()), service);
                }
                Object::Job(job) if ended(job, "Complete") => {
                    if let Some(cron) = cron_job_of(object) {
                        let last = around.went_well.entry((namespace, cron)).or_default();
                        *last = (*last).max(created(object));
                    }
                }
                _ => {}
            }
        }
        around
    }

    fn is_suspect(&self, object: &Object, now: Timestamp) -> bool {
        let old = created(object).is_none_or(|created| now.duration_since(created) > YOUNG);
        let namespace = object.namespace().unwrap_or_default();
        match object {
            Object::Service(service) => old && self.is_deserted(namespace, service),
            Object::Ingress(ingress) => old && backends(ingress).any(|backend| self.lacks(namespace, backend)),
            _ => false,
        }
    }

    /// A failed run of a `CronJob` after which another one ended well.
    fn is_history(&self, object: &Object) -> bool {
        let key = cron_job_of(object).map(|cron| (object.namespace().unwrap_or_default(), cron));
        let later = key.and_then(|key| self.went_well.get(&key).copied().flatten());
        later.is_some_and(|later| created(object).is_some_and(|began| began < later))
    }

    /// Nobody is ready behind the Service's selector, or its port has another name there.
    fn is_deserted(&self, namespace: &str, service: &Service) -> bool {
        let Some(spec) = service.spec.as_ref().filter(|spec| spec.type_.as_deref() != Some("ExternalName")) else {
            return false;
        };
        let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else { return false };
        let selector = Selector::labels(selector);
        let pods = self.pods.get(namespace).into_iter().flatten();
        let behind: Vec<_> = pods.filter(|pod| selector.matches(pod.metadata.labels.as_ref())).collect();
        // A port that it names and none of the pods has leads nowhere, however ready they are.
        let named = spec.ports.iter().flatten().filter_map(|port| match &port.target_port {
            Some(IntOrString::String(wanted)) => Some(wanted),
            _ => None,
        });
        let nowhere = |wanted: &String| !behind.is_empty() && !behind.iter().any(|pod| declares(pod, wanted));
        if named.into_iter().any(nowhere) {
            return true;
        }
        // Who scaled the pods behind it to zero knows that nobody answers; who needs them says so.
        let idle = self.idle.get(namespace).into_iter().flatten().any(|labels| selector.matches(Some(labels)));
        spec.publish_not_ready_addresses != Some(true) && !idle && !behind.iter().any(|pod| pods::is_true(pod, "Ready"))
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

/// Tells whether a container of the pod names a port so; those that are init containers may stay beside it.
fn declares(pod: &Pod, wanted: &str) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.any(|it| it.ports.iter().flatten().any(|port| port.name.as_deref() == Some(wanted)))
}

/// Tells whether a job has ended in that way.
fn ended(job: &Job, how: &str) -> bool {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.type_ == how && condition.status == "True")
}

fn created(object: &Object) -> Option<Timestamp> {
    object.meta().creation_timestamp.as_ref().map(|time| time.0)
}

/// The `CronJob` whose run a job is.
fn cron_job_of(object: &Object) -> Option<&str> {
    let mut owners = object.meta().owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true) && owner.kind == Kind::CronJob.name());
    owner.map(|owner| owner.name.as_str()).filter(|_| object.kind() == Kind::Job)
}

fn labels(template: Option<&PodTemplateSpec>) -> Option<&BTreeMap<String, String>> {
    template.and_then(|template| template.metadata.as_ref()).and_then(|meta| meta.labels.as_ref())
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
