//! The reviews with which a client asks what it, or somebody, may do.

use serde_json::{Value, json};

use super::{Access, Rule, User, reviewed};
use crate::object::{as_map, field_mut, text};
use crate::resources::Resource;
use crate::status::{Cause, Status};

/// Whether objects of this resource are questions to the API and not kept.
pub(crate) fn is_review(resource: &Resource) -> bool {
    matches!(resource.group.as_ref(), "authorization.k8s.io" | "authentication.k8s.io") && resource.custom.is_none()
}

/// Answers a review.
///
/// # Errors
/// 422 for a review that asks nothing, or about nobody.
pub(crate) fn review(access: &Access, resource: &Resource, user: &User, mut review: Value) -> Result<Value, Status> {
    let spec = review.get("spec").cloned().unwrap_or(Value::Null);
    let status = match resource.kind.as_ref() {
        "SelfSubjectReview" => json!({"userInfo": {"username": user.name, "groups": user.groups}}),
        "SelfSubjectRulesReview" if text(&spec, "/namespace").is_empty() => {
            return Err(Status::bad_request("no namespace on request"));
        }
        "SelfSubjectRulesReview" => rules(access, user, text(&spec, "/namespace")),
        "SelfSubjectAccessReview" => verdict(access, resource, &user.name, &spec)?,
        "TokenReview" => json!({"authenticated": false}),
        _ => {
            let asked = text(&spec, "/user");
            if asked.is_empty() && spec.get("groups").is_none() {
                let detail = "at least one of user or group must be specified";
                let missing = Cause::invalid("spec.user", &"".into(), detail);
                return Err(Status::invalid(&resource.group, "", "", vec![missing]));
            }
            verdict(access, resource, asked, &spec)?
        }
    };
    as_map(field_mut(&mut review, "metadata"));
    as_map(&mut review).insert("status".to_owned(), status);
    Ok(review)
}

fn verdict(access: &Access, resource: &Resource, user: &str, spec: &Value) -> Result<Value, Status> {
    let kinds = ["resourceAttributes", "nonResourceAttributes"];
    let asked: Vec<&str> = kinds.into_iter().filter(|kind| spec.get(*kind).is_some_and(|one| !one.is_null())).collect();
    let wrong = |field: &str, detail: &str| {
        let value = spec.get(field).cloned().unwrap_or_default();
        Err(Status::invalid(&resource.group, "", "", vec![Cause::invalid(format!("spec.{field}"), &value, detail)]))
    };
    match asked.as_slice() {
        [_] => {}
        [] => {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            return wrong("resourceAttributes", detail);
        }
        _ => return wrong("nonResourceAttributes", "cannot be specified in combination with resourceAttributes"),
    }
    let mut asked = reviewed(spec);
    if asked.resource.contains('/')
        && let Some((plural, subresource)) = asked.resource.clone().split_once('/')
    {
        plural.clone_into(&mut asked.resource);
        subresource.clone_into(&mut asked.subresource);
    }
    Ok(json!({"allowed": access.allows(user, &asked)}))
}

fn rules(access: &Access, user: &User, namespace: &str) -> Value {
    let all = [Rule {
        verbs: vec!["*".to_owned()],
        groups: vec!["*".to_owned()],
        resources: vec!["*".to_owned()],
        ..Rule::default()
    }];
    let rules = access.rules(&user.name).unwrap_or(&all);
    let here = rules.iter().filter(|rule| rule.namespace.as_ref().is_none_or(|one| one == namespace));
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in here {
        if !rule.resources.is_empty() {
            let mut shown = json!({"verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources});
            if !rule.names.is_empty() {
                as_map(&mut shown).insert("resourceNames".to_owned(), json!(rule.names));
            }
            resources.push(shown);
        }
        if !rule.paths.is_empty() {
            paths.push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.paths}));
        }
    }
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}
