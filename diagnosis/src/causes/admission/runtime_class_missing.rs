//! `runtime-class-missing`.

use k8s_openapi::api::node::v1::RuntimeClass;
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
    /// The template names a `RuntimeClass` that does not exist, so no pod of it is admitted.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `pod rejected: RuntimeClass "NAME" not found`.
    /// ## Look-alikes
    /// `runtime-handler-missing`: the class exists (or existed when the pod was made), and the node's runtime does not know
    /// its handler. `priority-class-missing`: the other class.
    /// ## Fixes
    /// Install what brings the class (gVisor, Kata, the GPU operator), name one that exists, or none.
    /// ## Source
    /// plugin/pkg/admission/runtimeclass/admission.go; <https://kubernetes.io/docs/concepts/containers/runtime-class/>
    RuntimeClassMissing, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::RuntimeClass(class) = &refused.why {
            found.push(explain(case, &refused, class)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, refused: &Refused, class: &str) -> Result<Finding, Needs> {
    let classes = case.list::<RuntimeClass>(None, Filter::All);
    let owner = refusal::owner(case)?;
    let names: Option<Vec<String>> =
        classes?.found().map(|all| all.iter().filter_map(|class| class.metadata.name.clone()).collect());
    let exists_now = names.as_ref().is_some_and(|names| names.iter().any(|it| it == class));
    let nearest = names.as_ref().and_then(|all| crate::nearest::nearest(class, all.iter().map(String::as_str)));
    let has = names.as_ref().filter(|_| !exists_now).map(|names| match names.len() {
        0 => text!["The cluster has no RuntimeClass at all."],
        _ => text!["The cluster has: ", Text::names(names.clone(), 8), "."],
    });
    let healed = exists_now.then(|| text!["It exists now: the controller will try again within minutes."]);
    let rename = nearest.map(|nearest| {
        let body = refusal::template_patch(&owner, &json!({"runtimeClassName": nearest.clone()}));
        Fix::disruptive(text!["name the class that exists: did you mean ", name(nearest), "?"])
            .commands(refusal::patch(case, &owner, "strategic", &body))
    });
    let create = Fix::safe(text![
        "install what brings RuntimeClass ",
        name(class),
        " (its handler has to be configured on the nodes too)"
    ])
    .command(case.kubectl_cluster(["get", "runtimeclass"]));
    let none = refusal::template_patch(&owner, &json!({"runtimeClassName": null}));
    let drop = Fix::disruptive(text![
        "or take ",
        code("runtimeClassName"),
        " out of the template: the pods then run with the default runtime"
    ])
    .commands(refusal::patch(case, &owner, "merge", &none));
    Ok(refused
        .finding(case, Code::RuntimeClassMissing)
        .root(ObjectRef::new(Kind::RuntimeClass, None, class))
        .title(text!["RuntimeClass ", name(class), " does not exist"])
        .explain(text![
            refused.sentence(case),
            "The template says ",
            code(format!("runtimeClassName: {class}")),
            ", and the cluster has no class of that name."
        ])
        .also(has)
        .also(healed)
        .fix(rename)
        .fix(create)
        .fix(drop))
}
