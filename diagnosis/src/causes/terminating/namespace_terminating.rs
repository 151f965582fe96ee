//! `namespace-terminating`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, Pod};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceCondition};
use kubewhy_text::{Text, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::control_plane::Component;
use crate::facts::finalizers;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The namespace was deleted and does not go: something in it remains, or the API cannot tell all that is in it.
    /// Nothing new can be made in it.
    /// ## Signals
    /// Phase Terminating, and conditions that are True: NamespaceDeletionDiscoveryFailure (`Discovery failed for some
    /// groups, ...: GROUP/VERSION: ...`), NamespaceDeletionGroupVersionParsingFailure, NamespaceDeletionContentFailure,
    /// NamespaceContentRemaining (`Some resources are remaining: pods. has 2 resource instances`),
    /// NamespaceFinalizersRemaining (`Some content in the namespace has finalizers remaining: NAME in 1 resource
    /// instances`). From 1.33 pods go first, and while one remains the last two read False although nothing else was
    /// touched. In other objects: `unable to create new content in namespace NAME because it is being terminated`.
    /// ## Look-alikes
    /// `terminating-finalizer`: one object, its namespace lives. `quota-exceeded` and other refusals: the namespace
    /// lives.
    /// ## Fixes
    /// Repair or delete the APIService that does not answer; free the objects that remain through their owners.
    /// Emptying the namespace's own finalizer leaves objects in etcd that nobody can reach.
    /// ## Source
    /// pkg/controller/namespace/deletion/namespaced_resources_deleter.go, status_condition_utils.go.
    NamespaceTerminating, stage Terminating, since "0.1.0", detect
}

/// How long an ordinary deletion may take.
const PATIENCE_SECONDS: i64 = 60;
/// How long an empty namespace may take to go.
const EMPTIED_SECONDS: i64 = 300;
/// A grace period that a person would call a hang.
const LONG_GRACE_SECONDS: i64 = 120;

fn detect(case: &Case<'_>) -> Verdict {
    if let Subject::Namespace(namespace) = case.subject() {
        return of_namespace(case, namespace);
    }
    let Some(refusal) = case.refusals()?.into_iter().find(|refusal| is_refused(&refusal.message)) else {
        return Ok(Vec::new());
    };
    let Some(namespace_name) = case.namespace().map(str::to_owned) else { return Ok(Vec::new()) };
    let namespace = case.get::<Namespace>(None, &namespace_name)?.found();
    let reference = ObjectRef::new(Kind::Namespace, None, &namespace_name);
    let why = namespace.as_deref().and_then(|namespace| reasons(namespace).into_iter().next());
    let says = why.and_then(|condition| condition.message.clone());
    let workload = case.reference();
    Ok(vec![
        case.finding(Code::NamespaceTerminating)
            .root(reference)
            .title(text![
                "No pods for ",
                name(workload.path()),
                ": namespace ",
                name(&namespace_name),
                " is being deleted"
            ])
            .explain(text![
                "The API refuses to make anything new in namespace ",
                name(&namespace_name),
                ", because it is being deleted. A deletion cannot be taken back.",
                says.map(|says| text![" What keeps the namespace: ", quoted(says), "."]),
            ])
            .evidence(refusal.evidence)
            .fix(
                Fix::safe(text!["put the workload into another namespace, or make this one again when it has gone"])
                    .command(case.kubectl_cluster(["get", "namespace", &namespace_name, "-o", "yaml"])),
            ),
    ])
}

fn is_refused(message: &str) -> bool {
    message.contains("because it is being terminated") || message.contains("is being terminated")
}

fn of_namespace(case: &Case<'_>, namespace: &Namespace) -> Verdict {
    let Some(deleted) = namespace.metadata.deletion_timestamp.as_ref().map(|time| time.0) else {
        return Ok(Vec::new());
    };
    let reasons = reasons(namespace);
    let discovery = reasons.iter().find(|reason| reason.type_ == "NamespaceDeletionDiscoveryFailure");
    if let Some(discovery) = discovery {
        let besides = reasons.iter().find(|reason| reason.type_ == "NamespaceFinalizersRemaining").copied();
        let finding = undiscoverable(case, discovery)?.since(Some(deleted));
        let finding = besides.into_iter().fold(finding, |finding, besides| and_finalizers(case, finding, besides));
        // Pods go first: one that does not end holds the namespace, whatever the groups say.
        let (_, stuck) = remaining_pods(case)?;
        return Ok(vec![match stuck {
            Some(pod) => finding.caused_in(pod),
            None => finding.follows(Code::ApiserviceUnavailable),
        }]);
    }
    let failed = [
        "NamespaceDeletionContentFailure",
        "NamespaceFinalizersRemaining",
        "NamespaceContentRemaining",
        "NamespaceDeletionGroupVersionParsingFailure",
    ];
    let said = failed.iter().find_map(|type_| reasons.iter().find(|reason| reason.type_ == *type_));
    let young = case.age(deleted).as_secs() < PATIENCE_SECONDS;
    let finalized = reasons.iter().any(|reason| reason.type_ == "NamespaceFinalizersRemaining");
    if said.is_some() && (!young || finalized) {
        return Ok(vec![remaining(case, &reasons)?.since(Some(deleted))]);
    }
    if young {
        return Ok(Vec::new());
    }
    Ok(silent(case, namespace)?.map(|finding| finding.since(Some(deleted))).into_iter().collect())
}

/// The conditions that tell of trouble.
fn reasons(namespace: &Namespace) -> Vec<&NamespaceCondition> {
    let conditions = namespace.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.status == "True").collect()
}

fn base(case: &Case<'_>) -> Finding {
    let deleted = case.meta().deletion_timestamp.as_ref().map(|time| time.0.to_string());
    case.finding(Code::NamespaceTerminating)
        .root(case.reference())
        .evidence(deleted.map(|deleted| case.field(".metadata.deletionTimestamp", deleted)))
}

fn evidence(case: &Case<'_>, condition: &NamespaceCondition) -> Evidence {
    let at = condition.last_transition_time.as_ref().map(|time| time.0);
    let words = condition.message.clone().unwrap_or_default();
    case.field(&format!(".status.conditions[{}]", condition.type_), words).at(at)
}

/// An API group that does not answer stops the deletion of every namespace.
fn undiscoverable(case: &Case<'_>, condition: &NamespaceCondition) -> Result<Finding, Needs> {
    let words = condition.message.as_deref().unwrap_or_default();
    let discovery_evidence = evidence(case, condition);
    let group = failing_groups(words).into_iter().next();
    let service_name = group.map(|(group, version)| format!("{version}.{group}"));
    let service = match service_name.as_deref() {
        Some(service) => case.get::<APIService>(None, service)?,
        None => Read::Unreadable,
    };
    let root = service_name.as_deref().map(|service| ObjectRef::new(Kind::APIService, None, service));
    let available = service.found().and_then(|service| {
        service.status.clone()?.conditions?.into_iter().find(|condition| condition.type_ == "Available")
    });
    if let (Some(service), Some(condition)) = (service_name.as_deref(), &available)
        && condition.status == "True"
    {
        return Ok(answers_again(case, discovery_evidence, service, condition));
    }
    let says = available.as_ref().and_then(|condition| condition.message.clone());
    let called =
        service_name.clone().map_or_else(|| text!["an API group"], |service| text!["APIService ", name(service)]);
    let mut finding = base(case)
        .title(text!["Namespace ", name(case.name()), " cannot be deleted: ", called.clone(), " does not answer"])
        .explain(text![
            "To delete namespace ",
            name(case.name()),
            ", Kubernetes has to ask every API group what lies in it, and ",
            called,
            " does not answer. That stops the deletion, even if nothing of that group lies in it.",
        ])
        .also(says.clone().map(|says| text!["The API server says of it: ", quoted(says), "."]))
        .evidence(discovery_evidence);
    if let Some(root) = root {
        finding =
            finding.evidence(says.map(|says| Evidence::field(&root, ".status.conditions[Available]", says))).root(root);
    }
    let look = Fix::safe(text!["repair what serves that API group: its Service and pods"]);
    let look = match service_name.as_deref() {
        Some(service) => look.command(case.kubectl_cluster(["describe", "apiservice", service])),
        None => look.command(case.kubectl_cluster(["get", "apiservice"])),
    };
    let drop = service_name.as_deref().map(|service| {
        Fix::disruptive(text![
            "or, if it is a left-over of something that was removed: delete APIService ",
            name(service)
        ])
        .command(case.kubectl_cluster(["delete", "apiservice", service]))
    });
    Ok(finding.fix(look).fix(drop))
}

/// What could be looked into holds objects that do not go either: the namespace stays even once every group answers.
fn and_finalizers(case: &Case<'_>, finding: Finding, condition: &NamespaceCondition) -> Finding {
    let words = condition.message.clone().unwrap_or_default();
    let Some(finalizer) = first_finalizer(&words) else { return finding };
    let finalizer = name(finalizer);
    let also = text!["Besides, objects in it keep finalizer ", finalizer.clone(), ": it stays until they let go, too."];
    let fix = text!["then see what keeps finalizer ", finalizer, ", and bring back the controller that takes it off"];
    let look = case.kubectl_cluster(["get", "namespace", case.name(), "-o", "yaml"]);
    finding.also(also).evidence(evidence(case, condition)).fix(Fix::safe(fix).command(look))
}

/// The group that stopped the deletion is back: it goes on by itself.
fn answers_again(case: &Case<'_>, discovery: Evidence, service: &str, condition: &APIServiceCondition) -> Finding {
    let since = condition.last_transition_time.as_ref().map(|time| time.0);
    let reference = ObjectRef::new(Kind::APIService, None, service);
    let status = format!("True, {}", condition.reason.as_deref().unwrap_or_default());
    base(case)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .title(text![
            "Namespace ",
            name(case.name()),
            " was held up by APIService ",
            name(service),
            ", which answers again"
        ])
        .explain(text![
            "Its deletion has to ask every API group what lies in it, and the last attempt found ",
            name(service),
            " without an answer. That answers again",
            since.map(|since| text![" since ", since]),
            ", so the deletion goes on by itself at its next attempt, within some minutes."
        ])
        .evidence(discovery)
        .evidence(Evidence::field(&reference, ".status.conditions[Available]", status).at(since))
        .fix(Fix::safe(text!["wait for the next attempt and look again"]).command(case.kubectl_cluster([
            "get",
            "namespace",
            case.name(),
            "-o",
            "yaml",
        ])))
}

/// The `APIService`s of the groups that a namespace's deletion could not look into: `v1beta1.metrics.k8s.io`.
pub(crate) fn undiscoverable_groups(namespace: &Namespace) -> Vec<String> {
    if namespace.metadata.deletion_timestamp.is_none() {
        return Vec::new();
    }
    let reasons = reasons(namespace);
    let failed = reasons.iter().find(|reason| reason.type_ == "NamespaceDeletionDiscoveryFailure");
    let words = failed.and_then(|reason| reason.message.as_deref()).unwrap_or_default();
    failing_groups(words).into_iter().map(|(group, version)| format!("{version}.{group}")).collect()
}

/// `... unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is ...`
fn failing_groups(message: &str) -> Vec<(&str, &str)> {
    let groups = message.split_once("list of server APIs: ").map_or(message, |(_, groups)| groups);
    let is_name =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let named = groups.split(", ").filter_map(|each| each.split(": ").next()?.trim().split_once('/'));
    named.filter(|(group, version)| group.contains('.') && is_name(group) && is_name(version)).collect()
}

fn remaining(case: &Case<'_>, reasons: &[&NamespaceCondition]) -> Result<Finding, Needs> {
    let find = |type_: &str| reasons.iter().find(|reason| reason.type_ == type_).copied();
    let words = |type_: &str| find(type_).and_then(|condition| condition.message.as_deref());
    let rest = words("NamespaceContentRemaining");
    let finalizer = words("NamespaceFinalizersRemaining").and_then(first_finalizer);
    let failed =
        words("NamespaceDeletionContentFailure").or_else(|| words("NamespaceDeletionGroupVersionParsingFailure"));
    let pods = rest.is_some_and(|rest| rest.contains("pods. has"));
    let (listed, stuck) = if pods { remaining_pods(case)? } else { (Vec::new(), None) };
    let root = case.reference();
    let root = finalizer.map_or_else(|| root.clone(), |finalizer| root.clone().with_detail(finalizer));
    let short = match (finalizer, rest) {
        (Some(finalizer), _) => text!["objects in it keep finalizer ", name(finalizer)],
        (None, Some(_)) => text!["something in it remains"],
        (None, None) => text!["its content cannot be deleted"],
    };
    let owner = finalizer.map(|finalizer| match (finalizers::keeper(finalizer), finalizers::domain(finalizer)) {
        (Some(keeper), _) => {
            text![
                "Finalizer ",
                name(finalizer),
                " belongs to ",
                keeper.owner,
                ", which takes it off when ",
                keeper.waits_for,
                "."
            ]
        }
        (None, Some(domain)) => text![
            "Finalizer ",
            name(finalizer),
            " belongs to the controller of ",
            name(domain),
            ": most likely that was deleted before its objects."
        ],
        (None, None) => text!["Nothing is known of finalizer ", name(finalizer), "."],
    });
    let rest = rest.map(|rest| text!["Kubernetes says: ", quoted(rest), "."]);
    let failed = failed.map(|failed| text!["Deleting fails: ", quoted(failed), "."]);
    let still = (!listed.is_empty()).then(|| text!["Its pods: ", Text::names(listed.clone(), 5), "."]);
    let list = "kubectl api-resources --verbs=list --namespaced -o name | xargs -n 1 kubectl get --show-kind \
        --ignore-not-found -n";
    let list = format!("{list} {}", crate::case::shell_quoted(case.name()));
    let mut finding = base(case)
        .root(root)
        .title(text!["Namespace ", name(case.name()), " cannot be deleted: ", short])
        .explain(text!["Namespace ", name(case.name()), " was deleted, and it stays until everything in it is gone."])
        .also(owner)
        .also(rest)
        .also(failed)
        .also(still);
    for reason in reasons {
        finding = finding.evidence(evidence(case, reason));
    }
    let bring = finalizer.map(|finalizer| {
        Fix::safe(text![
            "bring back the controller that owns finalizer ",
            name(finalizer),
            "; it lets its objects go by itself"
        ])
        .command(case.kubectl_cluster(["get", "deployments", "-A"]))
    });
    let finding = stuck.into_iter().fold(finding, Finding::caused_in);
    Ok(finding.fix(bring).fix(see(list)).fix(last_resort(case)))
}

/// From 1.33 the conditions say nothing while pods remain.
fn silent(case: &Case<'_>, namespace: &Namespace) -> Result<Option<Finding>, Needs> {
    let (pods, stuck) = remaining_pods(case)?;
    let own_finalizers: Vec<String> = namespace
        .metadata
        .finalizers
        .iter()
        .flatten()
        .chain(namespace.spec.iter().flat_map(|spec| spec.finalizers.iter().flatten()))
        .filter(|finalizer| finalizer.as_str() != "kubernetes")
        .cloned()
        .collect();
    let has_conditions = namespace.status.as_ref().is_some_and(|status| status.conditions.is_some());
    let (short, why) = if let Some(finalizer) = own_finalizers.first() {
        (
            text!["it keeps finalizer ", name(finalizer)],
            text!["It keeps a finalizer of its own: ", Text::names(own_finalizers.clone(), 4), "."],
        )
    } else if !pods.is_empty() {
        (
            text!["its pods do not go"],
            text![
                "Pods are deleted first, and these remain: ",
                Text::names(pods.clone(), 5),
                ". While they do, nothing else in it is touched, whatever its conditions say."
            ],
        )
    } else if has_conditions {
        (text!["it does not say why"], text!["Its conditions tell of no trouble, and no pod of it is known."])
    } else {
        (
            text!["nobody has taken it up"],
            text!["Nothing has been noted about its deletion: most likely the controller-manager does not run."],
        )
    };
    let look = match pods.first() {
        Some(pod) => {
            Fix::safe(text!["see what holds its pods"]).command(case.kubectl_in(case.name(), ["describe", "pod", pod]))
        }
        None => Fix::safe(text!["look at the namespace and at the controller-manager"])
            .command(case.kubectl_cluster(["get", "namespace", case.name(), "-o", "yaml"])),
    };
    let phase = namespace.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    // Emptied, as its conditions say: the last step takes a moment.
    let emptied = pods.is_empty() && own_finalizers.is_empty() && has_conditions;
    if emptied && deleted_for(case) < EMPTIED_SECONDS {
        return Ok(None);
    }
    let neglected = pods.is_empty() && own_finalizers.is_empty() && !has_conditions;
    let stuck = stuck.or_else(|| neglected.then(|| Component::ControllerManager.lease()));
    let finding = base(case)
        // That it takes long, with no word of trouble, is worth a look and no more.
        .severity(if emptied { Severity::Warning } else { Severity::Error })
        .confidence(if pods.is_empty() { Confidence::Possible } else { Confidence::Likely })
        .title(text!["Namespace ", name(case.name()), " cannot be deleted: ", short])
        .explain(text![
            "Namespace ",
            name(case.name()),
            " was deleted, and it stays until everything in it is gone. ",
            why
        ])
        .evidence(case.field(".status.phase", phase))
        .fix(look)
        .fix(last_resort(case));
    Ok(Some(stuck.into_iter().fold(finding, Finding::caused_in)))
}

/// For how many seconds it has been deleted.
fn deleted_for(case: &Case<'_>) -> i64 {
    case.meta().deletion_timestamp.as_ref().map_or(0, |time| case.age(time.0).as_secs())
}

fn see(list: String) -> Fix {
    Fix::safe(text![
        "see what remains, and free those objects through their owners (or their finalizers, when the \
        owner is gone for good)"
    ])
    .command(list)
}

fn last_resort(case: &Case<'_>) -> Fix {
    let path = format!("/api/v1/namespaces/{}/finalize", case.name());
    let get = case.kubectl_cluster(["get", "namespace", case.name(), "-o", "json"]);
    let put = case.kubectl_cluster(["replace", "--raw", &path, "-f", "-"]);
    Fix::risking_data(text![
        "last resort: empty the namespace's own finalizer; what remains stays in etcd, out of reach"
    ])
    .command(format!("{get} | jq '.spec.finalizers = []' | {put}"))
}

/// The names of its pods, and the one that should have gone first: its deletion is overdue.
fn remaining_pods(case: &Case<'_>) -> Result<(Vec<String>, Option<ObjectRef>), Needs> {
    let pods: Vec<Arc<Pod>> = case.list::<Pod>(Some(case.name()), Filter::All)?.found().unwrap_or_default();
    let due = |pod: &Pod| pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    let overdue = pods.iter().filter(|pod| due(pod).is_some_and(|due| due < case.now()) || is_held(pod));
    let first = overdue.min_by_key(|pod| (due(pod), pod.metadata.name.clone()));
    let stuck = first.and_then(|pod| pod.metadata.name.as_deref());
    let stuck = stuck.map(|pod| ObjectRef::new(Kind::Pod, Some(case.name()), pod));
    Ok((pods.iter().filter_map(|pod| pod.metadata.name.clone()).collect(), stuck))
}

/// Deleted, with a long grace or a finalizer: what holds it is its own matter.
fn is_held(pod: &Pod) -> bool {
    let held = pod.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    let patient = pod.metadata.deletion_grace_period_seconds.is_some_and(|grace| grace > LONG_GRACE_SECONDS);
    pod.metadata.deletion_timestamp.is_some() && (held || patient)
}

/// `Some content in the namespace has finalizers remaining: a.example.com/x in 2 resource instances, ...`
fn first_finalizer(message: &str) -> Option<&str> {
    let list = message.split_once("finalizers remaining: ")?.1;
    list.split(" in ").next().map(str::trim).filter(|finalizer| !finalizer.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{failing_groups, first_finalizer};

    #[test]
    fn the_group_that_fails_is_named() {
        let message = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1";
        assert_eq!(failing_groups(message), [("metrics.k8s.io", "v1beta1")]);
        assert!(failing_groups("Discovery failed").is_empty());
        let two = "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: custom.metrics.k8s.io/v1beta1: the server is currently unable to handle the request, metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1";
        let groups = failing_groups(two);
        assert_eq!(groups, [("custom.metrics.k8s.io", "v1beta1"), ("metrics.k8s.io", "v1beta1")]);
    }

    #[test]
    fn the_finalizer_that_remains_is_named() {
        let message = "Some content in the namespace has finalizers remaining: example.com/drain in 1 resource instances, b in 2 resource instances";
        assert_eq!(first_finalizer(message), Some("example.com/drain"));
    }
}
