//! `priority-class-missing`.

use k8s_openapi::api::scheduling::v1::PriorityClass;
use kubewhy_text::{Text, code, name, text};
use serde_json::json;

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::refusal::Why;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The template names a `PriorityClass` that does not exist, so no pod of it is admitted.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `no PriorityClass with name NAME was found`.
    /// ## Look-alikes
    /// `quota-exceeded` with `insufficient quota to match these scopes`: the class exists and is not allowed here.
    /// `preempted`: the pod existed and gave way to one of a higher class. `runtime-class-missing`: the other class.
    /// ## Fixes
    /// Create the class, or name one that exists, or none.
    /// ## Source
    /// plugin/pkg/admission/priority/admission.go;
    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/>
    PriorityClassMissing, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::PriorityClass(class) = &refused.why {
            found.push(explain(case, &refused, class)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, refused: &Refused, class: &str) -> Result<Finding, Needs> {
    let classes = case.list::<PriorityClass>(None, Filter::All);
    let owner = refusal::owner(case)?;
    let names: Option<Vec<String>> =
        classes?.found().map(|all| all.iter().filter_map(|class| class.metadata.name.clone()).collect());
    let exists_now = names.as_ref().is_some_and(|names| names.iter().any(|it| it == class));
    let nearest = names.as_ref().and_then(|all| crate::nearest::nearest(class, all.iter().map(String::as_str)));
    let has = match &names {
        Some(names) if exists_now || names.is_empty() => None,
        Some(names) => Some(text!["The cluster has: ", Text::names(names.clone(), 8), "."]),
        None => None,
    };
    let healed = exists_now.then(|| text!["It exists now: the controller will try again within minutes."]);
    let rename = nearest.map(|nearest| {
        let body = refusal::template_patch(&owner, &json!({"priorityClassName": nearest.clone()}));
        Fix::disruptive(text!["name the class that exists: did you mean ", name(nearest), "?"])
            .commands(refusal::patch(case, &owner, "strategic", &body))
    });
    let create =
        Fix::safe(text!["create PriorityClass ", name(class), " (the higher its value, the more pods give way to it)"])
            .command(case.kubectl_cluster(["create", "priorityclass", class, "--value=1000"]));
    let none = refusal::template_patch(&owner, &json!({"priorityClassName": null, "priority": null}));
    let drop = Fix::disruptive(text!["or take ", code("priorityClassName"), " out of the template"])
        .commands(refusal::patch(case, &owner, "merge", &none));
    Ok(refused
        .finding(case, Code::PriorityClassMissing)
        .root(ObjectRef::new(Kind::PriorityClass, None, class))
        .title(text!["PriorityClass ", name(class), " does not exist"])
        .explain(text![
            refused.sentence(case),
            "The template says ",
            code(format!("priorityClassName: {class}")),
            ", and the cluster has no class of that name."
        ])
        .also(has)
        .also(healed)
        .fix(rename)
        .fix(create)
        .fix(drop))
}
