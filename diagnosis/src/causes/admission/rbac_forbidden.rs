//! `rbac-forbidden`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal;
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::refusal::{Denied, Why, denied};
use crate::pods::{self, ContainerView};

cause! {
    /// ## What it means
    /// The controller that makes the pods, or the app through its `ServiceAccount`, asks the Kubernetes API for something
    /// that no Role or ClusterRole allows it.
    /// ## Signals
    /// `User "U" cannot VERB resource "R" in API group "G" in the namespace "N"` or `... at the cluster scope`: in a refused
    /// creation, or in the log of a container that ends or does not get ready (client-go: `failed to list *v1.KIND: ... is forbidden`).
    /// ## Look-alikes
    /// `service-account-missing`: the account itself is absent. `dependency-auth-failed`: another server than Kubernetes
    /// refuses. `pod-security-violation`, `quota-exceeded`: `is forbidden` without `cannot VERB`. One such line of a healthy
    /// pod, or of a node's user (`system:node:...`) at a pod's start, means nothing.
    /// ## Fixes
    /// A Role with the verb and the resource, and a RoleBinding for the ServiceAccount; ClusterRole and ClusterRoleBinding
    /// where the request is for the whole cluster.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go;
    /// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>
    RbacForbidden, stage Admission, since "0.1.0", detect
}

/// How many of the last lines of a log are looked at.
const LAST_LINES: usize = 20;

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::Rbac(denied) = &refused.why {
            let finding = refused.finding(case, Code::RbacForbidden);
            found.push(explain(case, finding, std::slice::from_ref(denied), refused.sentence(case)));
        }
    }
    let Some(pod) = case.pod() else { return Ok(found) };
    for container in case.containers().filter(|container| may_be_told(case, pod, container)) {
        let Some(log) = case.last_log(&container)?.found() else { continue };
        let mut all = denials(&log);
        let words = case.last_words(&container)?.found();
        // Further up, where the log's own reading takes it for what ended the program.
        if let (true, Some(signature)) = (all.is_empty(), words.as_ref().and_then(|words| words.signature.as_ref())) {
            let told = denied(&signature.line).filter(|denied| signature.decisive && may_end(denied));
            all.extend(told.map(|denied| (signature.line_number, signature.line.as_str(), denied)));
        }
        let Some((number, line, _)) = all.last() else { continue };
        let finding = case
            .finding_in(Code::RbacForbidden, &container)
            .confidence(Confidence::Likely)
            .evidence(case.log_evidence(&container, *number, line))
            .evidence(case.end_evidence(&container));
        let how = match container.last_end() {
            Some(_) => text!["Container ", name(container.name()), " ended after the Kubernetes API had refused it. "],
            None => text!["Container ", name(container.name()), " does not get ready: the Kubernetes API refuses it. "],
        };
        let mut denials: Vec<Denied> = Vec::new();
        for (_, _, denied) in all.iter().rev() {
            if !denials.contains(denied) {
                denials.push(denied.clone());
            }
        }
        found.push(explain(case, finding, &denials, how));
        break;
    }
    Ok(found)
}

/// What the API refused according to the last lines of a log, oldest first; none where a line after it names another
/// fault.
fn denials(log: &str) -> Vec<(usize, &str, Denied)> {
    let lines: Vec<(usize, &str)> = log
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| (index + 1, line))
        .collect();
    let other = ["connection refused", "no such host", "i/o timeout", "OutOfMemory", "no space left"];
    let mut found = Vec::new();
    for (number, line) in lines.iter().skip(lines.len().saturating_sub(LAST_LINES)) {
        if let Some(denied) = denied(line) {
            if may_end(&denied) {
                found.push((*number, *line, denied));
            }
        } else if other.iter().any(|words| line.contains(words)) {
            found.clear();
        }
    }
    found
}

/// Nothing dies of an event that it could not write; a node's user is not the app.
fn may_end(denied: &Denied) -> bool {
    denied.resource != "events" && !denied.user.starts_with("system:node:")
}

/// The log can tell where the app ended by itself with a failure, or runs and does not get ready.
fn may_be_told(case: &Case<'_>, pod: &k8s_openapi::api::core::v1::Pod, container: &ContainerView<'_>) -> bool {
    match pods::troubling_end(pod, container, case.now()) {
        Some(end) => !matches!(end.exit_code, 0 | 126 | 127 | 129..=254) && end.reason.as_deref() != Some("OOMKilled"),
        None => container.running().is_some() && !container.is_ready() && container.last_end().is_none(),
    }
}

fn explain(case: &Case<'_>, finding: Finding, denials: &[Denied], how: Text) -> Finding {
    let Some(first) = denials.first() else { return finding };
    let account = first.service_account();
    let (root, subject) = match account {
        Some((namespace, account)) => (
            ObjectRef::new(Kind::ServiceAccount, Some(namespace), account),
            text!["ServiceAccount ", name(format!("{namespace}/{account}"))],
        ),
        None => (ObjectRef::virtual_("User", &first.user), text!["user ", name(first.user.clone())]),
    };
    let resource = first.resource_and_group();
    let place = match &first.namespace {
        Some(namespace) => text![" in namespace ", name(namespace.clone())],
        None => text![" in the whole cluster"],
    };
    let more = (denials.len() > 1).then(|| {
        let others = denials.iter().skip(1).map(|denied| format!("{} {}", denied.verb, denied.resource_and_group()));
        text!["It is refused this too: ", Text::names(others, 5), "."]
    });
    let finding = finding
        .root(root)
        .title(text![
            subject.clone(),
            " may not ",
            code(first.verb.clone()),
            " ",
            code(resource.clone()),
            place.clone()
        ])
        .explain(text![
            how,
            "Acting as ",
            subject,
            ", it asked to ",
            code(first.verb.clone()),
            " ",
            code(resource),
            place,
            ", and no role allows that."
        ])
        .also(more);
    finding.fix(allow(case, denials, account)).fix(check(case, first))
}

/// The role that would do, and its binding.
fn allow(case: &Case<'_>, denials: &[Denied], account: Option<(&str, &str)>) -> Option<Fix> {
    let first = denials.first()?;
    let same: Vec<&Denied> =
        denials.iter().filter(|it| it.namespace == first.namespace && it.user == first.user).collect();
    let mut verbs: Vec<&str> = same.iter().map(|it| it.verb.as_str()).collect();
    // An informer lists first and then watches: allowing only the one it was refused brings the next refusal.
    if verbs.contains(&"list") || verbs.contains(&"watch") {
        verbs.extend(["get", "list", "watch"]);
    }
    verbs.sort_unstable();
    verbs.dedup();
    let mut resources: Vec<String> = same.iter().map(|it| it.resource_and_group()).collect();
    resources.sort();
    resources.dedup();
    if first.resource.starts_with('/') {
        return None;
    }
    let who = match account {
        Some((namespace, account)) => format!("--serviceaccount={namespace}:{account}"),
        None => format!("--user={}", first.user),
    };
    let base = account.map_or(case.name(), |(_, account)| account);
    let role = format!("{base}-{}", first.resource.split('/').next().unwrap_or_default());
    let (verbs, resources) = (format!("--verb={}", verbs.join(",")), format!("--resource={}", resources.join(",")));
    let title = text!["allow it: a role with just these verbs and resources, bound to the account"];
    Some(match &first.namespace {
        Some(namespace) => Fix::safe(title).command(format!(
            "{} && {}",
            case.kubectl_in(namespace, ["create", "role", &role, &verbs, &resources]),
            case.kubectl_in(namespace, ["create", "rolebinding", &role, &format!("--role={role}"), &who])
        )),
        None => Fix::safe(title).command(format!(
            "{} && {}",
            case.kubectl_cluster(["create", "clusterrole", &role, &verbs, &resources]),
            case.kubectl_cluster(["create", "clusterrolebinding", &role, &format!("--clusterrole={role}"), &who])
        )),
    })
}

fn check(case: &Case<'_>, denied: &Denied) -> Fix {
    let acting = format!("--as={}", denied.user);
    let resource = denied.resource_and_group();
    let mut words = vec!["auth", "can-i", denied.verb.as_str(), resource.as_str(), acting.as_str()];
    let command = match &denied.namespace {
        Some(namespace) => case.kubectl_in(namespace, words),
        None => {
            words.push("--all-namespaces");
            case.kubectl_cluster(words)
        }
    };
    Fix::safe(text!["ask the API whether it may now"]).command(command)
}
