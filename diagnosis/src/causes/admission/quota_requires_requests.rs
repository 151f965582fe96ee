//! `quota-requires-requests`.

use std::collections::BTreeSet;

use kubewhy_text::{Text, code, name, text};
use serde_json::{Map, Value, json};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Finding, Fix, Patch};
use crate::kind::Kind;
use crate::parse::refusal::Why;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A `ResourceQuota` of the namespace counts requests or limits, so every container has to say them; this template does
    /// not. The quota may have plenty of room.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `failed quota: NAME: must specify limits.cpu for: app; requests.memory for: app`
    /// (before 1.25 without `for:`).
    /// ## Look-alikes
    /// `quota-exceeded`: the requests are there, and the quota has no room left. `limit-range-violated`: they are there, and
    /// a bound for one container does not let them through.
    /// ## Fixes
    /// Say the requests and limits in the template, or give the namespace a `LimitRange` with defaults.
    /// ## Source
    /// pkg/quota/v1/evaluator/core/pods.go;
    /// <https://kubernetes.io/docs/concepts/policy/resource-quotas/#requests-vs-limits>
    QuotaRequiresRequests, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::QuotaNeeds { quota, missing } = &refused.why {
            found.push(explain(case, &refused, quota, missing)?);
        }
    }
    Ok(found)
}

fn explain(
    case: &Case<'_>,
    refused: &Refused,
    quota: &str,
    missing: &[(String, Vec<String>)],
) -> Result<Finding, Needs> {
    let path = case.neighbour(Kind::ResourceQuota, quota).path();
    let resources: Vec<String> = missing.iter().map(|(resource, _)| resource.clone()).collect();
    let mut containers: BTreeSet<String> = missing.iter().flat_map(|(_, containers)| containers.clone()).collect();
    if containers.is_empty() {
        let template = refusal::template(case).and_then(|template| template.spec.as_ref());
        containers = template.into_iter().flat_map(|spec| &spec.containers).map(|it| it.name.clone()).collect();
    }
    let where_ = match containers.len() {
        0 => text!["a container"],
        1 => text!["container ", Text::names(containers.iter().cloned(), 6)],
        _ => text!["containers ", Text::names(containers.iter().cloned(), 6)],
    };
    let owner = refusal::owner(case)?;
    let body = refusal::template_patch(&owner, &patch(&containers, &resources));
    let set = Fix {
        patch: Some(Patch { type_: "strategic", body: body.clone() }),
        ..Fix::disruptive(text!["say the requests and limits in the template (the numbers here are only a start)"])
            .commands(refusal::patch(case, &owner, "strategic", &body))
    };
    let defaults = Fix::safe(text![
        "or give the namespace a LimitRange whose ",
        code("default"),
        " and ",
        code("defaultRequest"),
        " fill them in for every pod"
    ])
    .command(case.kubectl(["describe", "quota,limits"]));
    Ok(refused
        .finding(case, Code::QuotaRequiresRequests)
        .title(text![
            "ResourceQuota ",
            name(path.clone()),
            " demands ",
            Text::names(resources.clone(), 6),
            ", and ",
            where_.clone(),
            " does not set them"
        ])
        .explain(text![
            refused.sentence(case),
            "Because ResourceQuota ",
            name(path),
            " counts these resources, every container in the namespace has to say them: ",
            where_,
            " lacks ",
            Text::names(resources, 6),
            ". The quota's room is not the matter."
        ])
        .fix(set)
        .fix(defaults))
}

/// Starting values for each container: what the quota asks for, and no more.
fn patch(containers: &BTreeSet<String>, resources: &[String]) -> Value {
    let mut values = Map::new();
    for resource in resources {
        let (bound, resource) = resource.split_once('.').unwrap_or(("requests", resource));
        let value = match (resource, bound) {
            ("cpu", "requests") => "100m",
            ("cpu", _) => "500m",
            ("memory", "requests") => "128Mi",
            ("memory", _) => "256Mi",
            _ => "1Gi",
        };
        let entry = values.entry(bound.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if let Some(entry) = entry.as_object_mut() {
            entry.insert(resource.to_owned(), Value::from(value));
        }
    }
    let all: Vec<Value> = containers
        .iter()
        .map(|container| json!({"name": container, "resources": Value::Object(values.clone())}))
        .collect();
    json!({"containers": all})
}
