//! `hpa-target-invalid`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::scaling::{self, Said, Target, Trouble};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::{Evidential, Kind};
use crate::nearest::nearest;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The autoscaler cannot scale what it names: that does not exist, is of a kind that has no replicas to set, may not be
    /// written, or has pods that another autoscaler counts too. Nothing is scaled until it is put right.
    /// ## Signals
    /// AbleToScale False with `FailedGetScale` (`deployments.apps "NAME" not found`, `no matches for kind`, `the server could
    /// not find the requested resource` for a kind without a scale) or `FailedUpdateScale`; ScalingActive False with
    /// `InvalidSelector` or `AmbiguousSelector` (`pods by selector app=web are controlled by multiple HPAs: [shop/a shop/b]`).
    /// ## Look-alikes
    /// `hpa-no-metrics`: the target is well, and figures are missing. `scaled-to-zero`: the target exists and wants no pods.
    /// ## Fixes
    /// Correct `scaleTargetRef`, or make what it names; keep one autoscaler for each set of pods.
    /// ## Source
    /// pkg/controller/podautoscaler/horizontal.go.
    HpaTargetInvalid, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let Some(target) = scaling::target(&it) else { return Ok(Vec::new()) };
    Ok(match scaling::trouble(case, &it)? {
        Some(Trouble::Target(said)) => of_target(case, &target, &said)?.into_iter().collect(),
        Some(Trouble::Selector(said)) => vec![of_selector(case, &target, &said)],
        _ => Vec::new(),
    })
}

fn base(case: &Case<'_>, said: &Said) -> Finding {
    case.finding(Code::HpaTargetInvalid).root(case.reference()).since(said.since).evidence(said.evidence.clone())
}

fn edit(case: &Case<'_>) -> String {
    case.kubectl(["edit", "horizontalpodautoscaler", case.name()])
}

fn reference_evidence(case: &Case<'_>, target: &Target) -> crate::finding::Evidence {
    case.field(".spec.scaleTargetRef", format!("{} {}", target.written, target.reference.name))
}

fn of_target(case: &Case<'_>, target: &Target, said: &Said) -> Result<Option<Finding>, Needs> {
    let words = said.words.as_str();
    let says = |part: &str| words.contains(part);
    if said.reason == "FailedUpdateScale" {
        // A write that lost a race is made again.
        let raced = says("the object has been modified");
        return Ok((!raced).then(|| not_written(case, target, said)));
    }
    if says("no matches for kind") || says("unable to determine resource") || says("nvalid API version") {
        return Ok(Some(unknown_kind(case, target, said)));
    }
    if says("\" not found") {
        return missing(case, target, said);
    }
    if says("could not find the requested resource") || says("replicas field") {
        return Ok(Some(not_scalable(case, target, said)));
    }
    Ok(Some(unread(case, target, said)))
}

/// What it names does not exist.
fn missing(case: &Case<'_>, target: &Target, said: &Said) -> Result<Option<Finding>, Needs> {
    let reference = &target.reference;
    let now = scaling::workload(case, target);
    let near = near(case, target);
    if let Read::Found(_) = now? {
        // It has come by now; the controller looks again within seconds.
        return Ok(None);
    }
    let near = near?;
    let meant = near.as_ref().map(|near| text!["Did you mean ", name(near.to_string()), "?"]);
    let patch = near.as_ref().map(|near| {
        let body = format!(
            r#"{{"spec":{{"scaleTargetRef":{{"apiVersion":"apps/v1","kind":"{}","name":"{}"}}}}}}"#,
            near.kind, near.name
        );
        Fix::safe(text!["let it scale ", name(near.to_string())]).command(case.kubectl([
            "patch",
            "horizontalpodautoscaler",
            case.name(),
            "--type=merge",
            "-p",
            &body,
        ]))
    });
    let correct = Fix::safe(text![
        if near.is_some() { "or correct " } else { "correct " },
        code("spec.scaleTargetRef"),
        ", or create ",
        name(reference.to_string())
    ])
    .command(edit(case));
    Ok(Some(
        base(case, said)
            .title(text![
                "HorizontalPodAutoscaler ",
                name(case.name()),
                " scales ",
                name(reference.to_string()),
                ", which does not exist"
            ])
            .explain(text![
                "It is to scale ",
                name(reference.to_string()),
                ", and the API server has no such object, so nothing is scaled."
            ])
            .also(meant)
            .evidence(reference_evidence(case, target))
            .fix(patch)
            .fix(correct),
    ))
}

/// The workload of the namespace that was most likely meant: one of that very name of another kind, else a similar one.
fn near(case: &Case<'_>, target: &Target) -> Result<Option<ObjectRef>, Needs> {
    let deployments = case.list::<Deployment>(case.namespace(), Filter::All);
    let sets = case.list::<StatefulSet>(case.namespace(), Filter::All);
    let (deployments, sets) = (names(deployments?), names(sets?));
    let wanted = target.reference.name.as_str();
    let is_wanted = |names: &[String]| names.iter().any(|name| name == wanted);
    let reference = |kind, name: &str| ObjectRef::new(kind, case.namespace(), name);
    for (kind, names) in [(Kind::Deployment, &deployments), (Kind::StatefulSet, &sets)] {
        if is_wanted(names) {
            return Ok(Some(reference(kind, wanted)));
        }
    }
    let mut kinds = [(Kind::Deployment, &deployments), (Kind::StatefulSet, &sets)];
    if target.kind == Some(Kind::StatefulSet) {
        kinds.reverse();
    }
    Ok(kinds
        .into_iter()
        .find_map(|(kind, names)| nearest(wanted, names.iter().map(String::as_str)).map(|near| reference(kind, &near))))
}

fn names<T: Evidential>(read: Read<Vec<Arc<T>>>) -> Vec<String> {
    read.found().unwrap_or_default().iter().filter_map(|it| it.meta().name.clone()).collect()
}

fn unknown_kind(case: &Case<'_>, target: &Target, said: &Said) -> Finding {
    base(case, said)
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " scales a kind that this cluster does not have: ",
            code(target.written.clone())
        ])
        .explain(text![
            "The API server knows no ",
            code(target.written.clone()),
            ": ",
            quoted(said.words.clone()),
            ". A Deployment, StatefulSet or ReplicaSet is of apps/v1; a custom kind needs its CustomResourceDefinition."
        ])
        .evidence(reference_evidence(case, target))
        .fix(
            Fix::safe(text!["correct apiVersion and kind of ", code("spec.scaleTargetRef")])
                .command(edit(case))
                .command(case.kubectl_cluster(["api-resources"])),
        )
}

fn not_scalable(case: &Case<'_>, target: &Target, said: &Said) -> Finding {
    let known = target.kind.map(|kind| match kind {
        Kind::DaemonSet => text![" A DaemonSet runs one pod on each node; its number is not set."],
        Kind::Job | Kind::CronJob | Kind::Pod => text![" A ", kind.name(), " has no number of replicas to set."],
        _ => Text::default(),
    });
    base(case, said)
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " scales ",
            name(target.reference.to_string()),
            ", which cannot be scaled"
        ])
        .explain(text![
            "What it names has no scale that the API server could read or set: ",
            quoted(said.words.clone()),
            ".",
            known
        ])
        .evidence(reference_evidence(case, target))
        .fix(
            Fix::safe(text![
                "let ",
                code("spec.scaleTargetRef"),
                " name a Deployment, a StatefulSet or a custom kind with a scale subresource; or delete the autoscaler"
            ])
            .command(edit(case)),
        )
}

fn not_written(case: &Case<'_>, target: &Target, said: &Said) -> Finding {
    let path = target.reference.to_string();
    base(case, said)
        .root(target.reference.clone())
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " may not set the replicas of ",
            name(path.clone())
        ])
        .explain(text![
            "It knows how many replicas it wants, and its write to ",
            name(path),
            " is refused: ",
            quoted(said.words.clone()),
            "."
        ])
        .fix(
            Fix::safe(text![
                "see who refuses it: a webhook or policy that the words name, or a role that the controller lacks"
            ])
            .command(case.kubectl(["describe", "horizontalpodautoscaler", case.name()])),
        )
}

/// The API server could not say: a refusal, a webhook, an outage.
fn unread(case: &Case<'_>, target: &Target, said: &Said) -> Finding {
    let forbidden = said.words.contains("forbidden");
    let look = if forbidden {
        Fix::safe(text![
            "let the controller read and set its scale: a ClusterRole with ",
            code("get, update"),
            " on its ",
            code("scale"),
            " subresource, bound to the ServiceAccount that the words name"
        ])
        .command(case.kubectl_cluster([
            "get",
            "clusterrole",
            "system:controller:horizontal-pod-autoscaler",
            "-o",
            "yaml",
        ]))
    } else {
        Fix::safe(text!["read the scale of its target as the controller does"]).command(case.kubectl([
            "describe",
            "horizontalpodautoscaler",
            case.name(),
        ]))
    };
    base(case, said)
        .confidence(if forbidden { Confidence::Certain } else { Confidence::Likely })
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " cannot read the scale of ",
            name(target.reference.to_string())
        ])
        .explain(text![
            "The API server answers its question with: ",
            quoted(said.words.clone()),
            ". So nothing is scaled."
        ])
        .evidence(reference_evidence(case, target))
        .fix(look)
}

fn of_selector(case: &Case<'_>, target: &Target, said: &Said) -> Finding {
    let others: Vec<String> =
        sharing(&said.words).into_iter().filter(|other| *other != case.reference().path()).collect();
    let path = target.reference.to_string();
    if said.reason == "AmbiguousSelector" || !others.is_empty() {
        let list = Text::names(others.clone(), 5);
        return base(case, said)
            .title(text![
                "HorizontalPodAutoscaler ",
                name(case.name()),
                " counts the same pods as another autoscaler: ",
                list.clone()
            ])
            .explain(text![
                "The pods of ",
                name(path),
                " are selected by ",
                if others.len() > 1 { "other autoscalers too (" } else { "another autoscaler too (" },
                list,
                "), directly or since two targets select by the same labels. Kubernetes lets none of them scale then."
            ])
            .fix(
                Fix::disruptive(text!["keep one autoscaler for these pods, and delete the others"])
                    .command(case.kubectl(["get", "horizontalpodautoscalers"]))
                    .command(case.kubectl(["delete", "horizontalpodautoscaler", case.name()])),
            )
            .fix(Fix::disruptive(text![
                "or, where they scale different workloads, give those selectors that do not match each other's pods \
                 (a selector of apps/v1 is set when the workload is made)"
            ]));
    }
    base(case, said)
        .root(target.reference.clone())
        .title(text!["HorizontalPodAutoscaler ", name(case.name()), " cannot tell the pods of ", name(path.clone())])
        .explain(text![
            "The scale of ",
            name(path.clone()),
            " has no selector that it could use: ",
            quoted(said.words.clone()),
            ". Without it no figures can be gathered."
        ])
        .fix(
            Fix::safe(text![
                "let the scale of ",
                name(path),
                " show a selector: ",
                code("labelSelectorPath"),
                " of its CustomResourceDefinition, and the field that it names"
            ])
            .command(case.kubectl(["describe", "horizontalpodautoscaler", case.name()])),
        )
}

/// `pods by selector app=web are controlled by multiple HPAs: [shop/a shop/b]`
fn sharing(words: &str) -> Vec<String> {
    let Some((_, list)) = words.split_once("multiple HPAs: ") else { return Vec::new() };
    let list = list.trim().trim_start_matches('[');
    let list = list.split(']').next().unwrap_or(list);
    list.split([' ', ',']).filter(|each| each.contains('/')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::sharing;

    #[test]
    fn those_who_share_are_named() {
        let words = "pods by selector app=web are controlled by multiple HPAs: [shop/a shop/b]";
        assert_eq!(sharing(words), ["shop/a", "shop/b"]);
        assert!(sharing("selector is required").is_empty());
    }
}
