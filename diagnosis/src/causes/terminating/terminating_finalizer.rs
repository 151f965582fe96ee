//! `terminating-finalizer`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubewhy_text::{Text, code, name, own, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Subject, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::facts::finalizers;
use crate::finding::{Action, Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::reader::Needs;
use crate::scope;

cause! {
    /// ## What it means
    /// The object was deleted and keeps finalizers: controllers asked to do something first, and have not said that it
    /// is done.
    /// ## Signals
    /// `metadata.deletionTimestamp` is set and `metadata.finalizers` is not empty; of a pod also that its containers
    /// have ended. With `foregroundDeletion` the object waits for what it owns, and that keeps a finalizer or does not
    /// stop.
    /// ## Look-alikes
    /// `terminating-ignores-sigterm`, `terminating-node-lost`: the containers are not done yet. `pvc-in-use`: the
    /// finalizer `kubernetes.io/pvc-protection`, and a pod uses the claim. `namespace-terminating`: a namespace.
    /// ## Fixes
    /// Bring the controller back that owns the finalizer. Only where it is gone for good: take that one finalizer off
    /// by hand.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>, apiserver
    /// registry/generic/registry/store.go.
    TerminatingFinalizer, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let meta = case.meta();
    let Some(deleted) = meta.deletion_timestamp.as_ref().map(|time| time.0) else { return Ok(Vec::new()) };
    match case.subject() {
        Subject::Pod(_) => {
            let held = departure::of(case)?.is_some_and(|departure| matches!(departure.story, Story::Finalizers));
            Ok(if held { of_object(case, case.object())?.into_iter().collect() } else { Vec::new() })
        }
        Subject::Workload(workload) => {
            if case.age(deleted).as_secs() < 10 {
                return Ok(Vec::new());
            }
            let first = meta.finalizers.iter().flatten().find(|finalizer| *finalizer != "foregroundDeletion");
            if first.is_some() {
                return Ok(of_object(case, case.object())?.into_iter().collect());
            }
            let waits = meta.finalizers.iter().flatten().next().is_some();
            Ok(if waits { vec![in_foreground(case, workload)?] } else { Vec::new() })
        }
        Subject::Claim(_) | Subject::Other(_) if case.age(deleted).as_secs() < 10 => Ok(Vec::new()),
        // As long as a pod uses it, that comes first.
        Subject::Claim(_) => {
            let finding = of_object(case, case.object())?.map(|finding| finding.follows(Code::PvcInUse));
            Ok(finding.into_iter().collect())
        }
        Subject::Namespace(_) => Ok(Vec::new()),
        Subject::Other(object) => Ok(of_object(case, object)?.into_iter().collect()),
    }
}

/// What the object itself keeps; the protection of a claim is another cause's as long as it may be in use.
fn of_object(case: &Case<'_>, object: &Object) -> Result<Option<Finding>, Needs> {
    let all: Vec<&String> = object.meta().finalizers.iter().flatten().collect();
    let speaks = |finalizer: &&&String| finalizer.as_str() != "kubernetes.io/pvc-protection";
    let Some(finalizer) = all.iter().find(speaks) else { return Ok(None) };
    let is_core = finalizers::keeper(finalizer).is_some_and(|keeper| finalizers::is_core(keeper.owner));
    let down = if is_core { finalizers::controller_manager_is_down(case)? } else { None };
    Ok(Some(explain(case, object, finalizer, all.len()).also(down)))
}

fn explain(case: &Case<'_>, object: &Object, finalizer: &str, count: usize) -> Finding {
    let meta = object.meta();
    let reference = ObjectRef::new(object.kind(), object.namespace(), object.name());
    let others = (count > 1).then(|| text![" (", own((count - 1).to_string()), " more besides)"]);
    let since = meta.deletion_timestamp.as_ref().map(|time| time.0);
    let long = since.map(|since| text![" at ", since]);
    let ended = matches!(object, Object::Pod(_)).then(|| text![" Its containers have ended; nothing else holds it."]);
    case.finding(Code::TerminatingFinalizer)
        .root(reference.clone().with_detail(finalizer))
        .title(text![own(object.kind().name()), " ", name(reference.path()), " waits for finalizer ", name(finalizer)])
        .explain(text![
            own(object.kind().name()),
            " ",
            name(reference.path()),
            " was deleted",
            long,
            " and stays until finalizer ",
            name(finalizer),
            " is taken off",
            others,
            ".",
            ended,
            " ",
            whose(meta, finalizer),
        ])
        .evidence(Evidence::field(
            &reference,
            ".metadata.deletionTimestamp",
            since.map_or_else(String::new, |at| at.to_string()),
        ))
        .evidence(Evidence::field(
            &reference,
            ".metadata.finalizers",
            meta.finalizers.iter().flatten().cloned().collect::<Vec<_>>().join(", "),
        ))
        .fix(bring_back(case, finalizer))
        .fix(take_off(case, object, finalizer))
        .since(since)
}

fn whose(meta: &ObjectMeta, finalizer: &str) -> Text {
    if let Some(keeper) = finalizers::keeper(finalizer) {
        return text!["It belongs to ", keeper.owner, ", which takes it off when ", keeper.waits_for, "."];
    }
    let writer = finalizers::writer(meta, finalizer).map(|writer| text![" It was set by ", name(writer), "."]);
    match finalizers::domain(finalizer) {
        Some(domain) => text![
            "It belongs to the controller of ",
            name(domain),
            ", which has not taken it off: it is busy, broken or gone.",
            writer
        ],
        None => {
            text!["Kubernetes does not know this finalizer: the controller that set it has not taken it off.", writer]
        }
    }
}

fn bring_back(case: &Case<'_>, finalizer: &str) -> Fix {
    let keeper = finalizers::keeper(finalizer);
    let who = match (&keeper, finalizers::domain(finalizer)) {
        (Some(keeper), _) => text![keeper.owner],
        (None, Some(domain)) => text!["the controller of ", name(domain)],
        (None, None) => text!["the controller that set it"],
    };
    let look = Fix::safe(text![
        "bring back ",
        who,
        " and read its log: it takes finalizer ",
        name(finalizer),
        " off by itself"
    ]);
    look.command(case.kubectl_cluster(["get", "deployments", "-A"]))
}

/// The patch first tests that the index still names this very finalizer.
fn take_off(case: &Case<'_>, object: &Object, finalizer: &str) -> Option<Fix> {
    let index = object.meta().finalizers.iter().flatten().position(|own| own == finalizer)?;
    let path = format!("/metadata/finalizers/{index}");
    let operations =
        serde_json::json!([{"op": "test", "path": path, "value": finalizer}, {"op": "remove", "path": path}])
            .to_string();
    let lost = finalizers::keeper(finalizer)
        .map_or("whatever the controller wanted to do first is never done", |keeper| keeper.lost);
    let kind = object.kind().kubectl_name();
    Some(
        Fix::risking_data(text![
            "only if that controller is gone for good: take finalizer ",
            name(finalizer),
            " off by hand (the price: ",
            lost,
            ")"
        ])
        .command(case.kubectl(["patch", &kind, object.name(), "--type=json", "-p", &operations]))
        .remedy(Action::RemoveFinalizers),
    )
}

/// The object waits for what it owns.
fn in_foreground(case: &Case<'_>, workload: &Workload) -> Result<Finding, Needs> {
    let dependents = dependents(case, workload)?;
    // The deepest one that is held by something of its own.
    let held = dependents
        .iter()
        .find(|object| object.meta().finalizers.iter().flatten().any(|finalizer| finalizer != "foregroundDeletion"));
    let me = case.reference();
    if let Some(held) = held {
        let own_one = held.meta().finalizers.iter().flatten().find(|finalizer| *finalizer != "foregroundDeletion");
        let finalizer = own_one.cloned().unwrap_or_default();
        let reference = ObjectRef::new(held.kind(), held.namespace(), held.name());
        let inner = explain(case, held, &finalizer, held.meta().finalizers.iter().flatten().count());
        return Ok(inner
            .title(text![
                own(me.kind.to_string()),
                " ",
                name(me.path()),
                " waits for ",
                own(held.kind().name()),
                " ",
                name(reference.path()),
                ", which keeps finalizer ",
                name(&finalizer)
            ])
            .also(text![
                own(me.kind.to_string()),
                " ",
                name(me.path()),
                " was deleted in the foreground (finalizer ",
                code("foregroundDeletion"),
                "), so it stays until everything it owns is gone."
            ])
            .evidence(case.field(".metadata.finalizers", "foregroundDeletion")));
    }
    let deleted = case.meta().deletion_timestamp.as_ref().map(|time| time.0);
    let names: Vec<String> = dependents.iter().map(|object| format!("{} {}", object.kind(), object.name())).collect();
    let waits = if names.is_empty() {
        text!["What it owns could not be told; it may be of a kind that is not read here."]
    } else {
        text!["Still there: ", Text::names(names.clone(), 4), "."]
    };
    let kind = case.object().kind().kubectl_name();
    let held = first_held(case, &dependents)?;
    Ok(case
        .finding(Code::TerminatingFinalizer)
        .follows_lead()
        .confidence(if names.is_empty() { Confidence::Possible } else { Confidence::Likely })
        .root(me.clone().with_detail("foregroundDeletion"))
        .title(text![own(me.kind.to_string()), " ", name(me.path()), " waits for what it owns (foregroundDeletion)"])
        .explain(text![
            own(me.kind.to_string()),
            " ",
            name(me.path()),
            " was deleted in the foreground, so finalizer ",
            code("foregroundDeletion"),
            " keeps it until everything it owns is gone. ",
            waits,
        ])
        .also(held)
        .evidence(case.field(".metadata.finalizers", "foregroundDeletion"))
        .evidence(case.field(".metadata.deletionTimestamp", deleted.map_or_else(String::new, |at| at.to_string())))
        .fix(
            Fix::safe(text![
                "see what holds the objects that it owns; the finalizer goes by itself when they are gone"
            ])
            .command(case.kubectl(["get", "replicasets,pods", "-o", "wide"])),
        )
        .fix(take_off(case, case.object(), "foregroundDeletion").filter(|_| kind != "pod"))
        .since(deleted))
}

/// What holds the first of the pods that were deleted with it and are held.
fn first_held(case: &Case<'_>, dependents: &[Object]) -> Result<Option<Text>, Needs> {
    for object in dependents {
        let Object::Pod(pod) = object else { continue };
        let pod = case.about(Subject::Pod(Arc::clone(pod)));
        let Some(departure) = departure::of(&pod)? else { continue };
        let why = match departure.story {
            Story::NodeLost { .. } => text!["its node is lost"],
            Story::PreStop { container, .. } => text!["the preStop hook of container ", name(container), " still runs"],
            Story::IgnoresSigterm { container, .. } => text!["container ", name(container), " does not end on SIGTERM"],
            Story::RuntimeHung { .. } => text!["the container runtime of its node does not kill it"],
            Story::NetworkTeardown { .. } => text!["the network plugin of its node fails to take its network down"],
            Story::VolumeBusy => text!["its node cannot clean up its volumes"],
            Story::Unobserved => text!["the kubelet of its node has not begun to stop it"],
            Story::Finalizers => continue,
        };
        return Ok(Some(text!["Pod ", name(pod.name()), " is what stays: ", why, "."]));
    }
    Ok(None)
}

/// What the workload owns and waits for: pods first, then what stands between.
fn dependents(case: &Case<'_>, workload: &Workload) -> Result<Vec<Object>, Needs> {
    let object = case.object();
    if let Workload::CronJob(_) = workload {
        let jobs = case.list::<Job>(case.namespace(), Filter::All)?.found().unwrap_or_default();
        let owned = jobs.into_iter().filter(|job| scope::is_owned_by(&job.metadata, object)).map(Object::Job);
        return Ok(owned.collect());
    }
    let Some(selector) = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty()) else {
        return Ok(Vec::new());
    };
    let pods = case.list::<Pod>(case.namespace(), Filter::Labels(selector.clone()));
    let is_deployment = matches!(workload, Workload::Deployment(_));
    let sets = if is_deployment {
        case.list::<ReplicaSet>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default()
    } else {
        Vec::new()
    };
    let owned: Vec<Arc<ReplicaSet>> =
        sets.into_iter().filter(|set| scope::is_owned_by(&set.metadata, object)).collect();
    let sets: Vec<Object> = owned.into_iter().map(Object::ReplicaSet).collect();
    let owns = |pod: &Pod| {
        scope::is_owned_by(&pod.metadata, object) || sets.iter().any(|set| scope::is_owned_by(&pod.metadata, set))
    };
    let pods = pods?.found().unwrap_or_default();
    let mut all: Vec<Object> = pods.into_iter().filter(|pod| owns(pod)).map(Object::Pod).collect();
    all.extend(sets);
    // A kind of its own has nothing to wait for.
    all.retain(|object| object.kind() != Kind::Event);
    Ok(all)
}
