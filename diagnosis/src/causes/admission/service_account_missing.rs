//! `service-account-missing`.

use k8s_openapi::api::core::v1::ServiceAccount;
use kubewhy_text::{Text, code, name, text};
use serde_json::json;

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::refusal::Why;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The template names a `ServiceAccount` that its namespace does not have, so no pod of it is admitted.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with
    /// `error looking up service account NS/NAME: serviceaccount "NAME" not found`; before 1.24 also
    /// `No API token found for service account "NAME"`.
    /// ## Look-alikes
    /// `rbac-forbidden`: the account exists and may not do something. Account `default` of a namespace that was made seconds
    /// ago: the controller makes it by itself.
    /// ## Fixes
    /// Create the account in that namespace, or name one that exists.
    /// ## Source
    /// plugin/pkg/admission/serviceaccount/admission.go;
    /// <https://kubernetes.io/docs/concepts/security/service-accounts/>
    ServiceAccountMissing, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::ServiceAccount { namespace, name } = &refused.why {
            found.push(explain(case, &refused, namespace.as_deref(), name)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, refused: &Refused, namespace: Option<&str>, account: &str) -> Result<Finding, Needs> {
    let namespace = namespace.or(case.namespace()).unwrap_or_default();
    let accounts = case.list::<ServiceAccount>(Some(namespace), Filter::All);
    let owner = refusal::owner(case)?;
    let names: Option<Vec<String>> =
        accounts?.found().map(|all| all.iter().filter_map(|it| it.metadata.name.clone()).collect());
    let exists_now = names.as_ref().is_some_and(|names| names.iter().any(|it| it == account));
    let root = ObjectRef::new(Kind::ServiceAccount, Some(namespace), account);
    let nearest = names.as_ref().and_then(|all| crate::nearest::nearest(account, all.iter().map(String::as_str)));
    let has = names
        .as_ref()
        .filter(|names| !exists_now && !names.is_empty())
        .map(|names| text!["Namespace ", name(namespace), " has: ", Text::names(names.clone(), 8), "."]);
    let rename = nearest.map(|nearest| {
        let body = refusal::template_patch(&owner, &json!({"serviceAccountName": nearest.clone()}));
        Fix::disruptive(text!["name the account that exists: did you mean ", name(nearest), "?"])
            .commands(refusal::patch(case, &owner, "strategic", &body))
    });
    let create = Fix::safe(text!["create the account (what it may do, a Role and a RoleBinding have to say)"])
        .command(case.kubectl_in(namespace, ["create", "serviceaccount", account]));
    let finding = refused
        .finding(case, Code::ServiceAccountMissing)
        .root(root.clone())
        .title(text!["ServiceAccount ", name(root.path()), " does not exist"])
        .explain(text![
            refused.sentence(case),
            "The template says ",
            code(format!("serviceAccountName: {account}")),
            ", and namespace ",
            name(namespace),
            " has no account of that name."
        ])
        .also(has);
    if !exists_now {
        return Ok(finding.fix(rename).fix(create));
    }
    let restart = Fix::safe(text!["wait some minutes, or make the controller try at once"])
        .command(case.kubectl_in(namespace, ["get", "serviceaccount", account]));
    Ok(finding
        .severity(Severity::Warning)
        .also(text!["It exists now: the controller will try again within minutes."])
        .fix(restart))
}
