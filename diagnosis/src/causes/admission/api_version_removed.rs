//! `api-version-removed`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal;
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::refusal::{Why, no_matches};
use crate::pods;

cause! {
    /// ## What it means
    /// A manifest, or an app that talks to the Kubernetes API, names an API version that this cluster no longer serves. Mostly
    /// it shows after an upgrade.
    /// ## Signals
    /// `no matches for kind "KIND" in version "GROUP/VERSION"` in a refused creation or in the log of a container that ends;
    /// client-go's `failed to list *v1beta1.Ingress: the server could not find the requested resource`.
    /// ## Look-alikes
    /// The kind of an operator whose CustomResourceDefinition is not installed reads alike, and its group is the
    /// operator's, not Kubernetes' own: `app-config-error`. `rbac-forbidden`: the API is served, and may not be used.
    /// ## Fixes
    /// Move the manifest or the app to the version that is served.
    /// ## Source
    /// <https://kubernetes.io/docs/reference/using-api/deprecation-guide/>
    ApiVersionRemoved, stage Admission, since "0.1.0", detect
}

/// API versions that are gone: the version, its kinds, what replaces it, since when.
const REMOVED: &[(&str, &[&str], &str, &str)] = &[
    ("extensions/v1beta1", &["Ingress"], "networking.k8s.io/v1", "1.22"),
    ("extensions/v1beta1", &["NetworkPolicy"], "networking.k8s.io/v1", "1.16"),
    ("extensions/v1beta1", &["Deployment", "DaemonSet", "ReplicaSet"], "apps/v1", "1.16"),
    ("extensions/v1beta1", &["PodSecurityPolicy"], "", "1.16"),
    ("apps/v1beta1", &["Deployment", "StatefulSet", "ReplicaSet", "ControllerRevision"], "apps/v1", "1.16"),
    (
        "apps/v1beta2",
        &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision"],
        "apps/v1",
        "1.16",
    ),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], "networking.k8s.io/v1", "1.22"),
    (
        "rbac.authorization.k8s.io/v1beta1",
        &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
        "rbac.authorization.k8s.io/v1",
        "1.22",
    ),
    (
        "rbac.authorization.k8s.io/v1alpha1",
        &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
        "rbac.authorization.k8s.io/v1",
        "1.22",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
        "admissionregistration.k8s.io/v1",
        "1.22",
    ),
    ("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], "apiextensions.k8s.io/v1", "1.22"),
    ("apiregistration.k8s.io/v1beta1", &["APIService"], "apiregistration.k8s.io/v1", "1.22"),
    ("authentication.k8s.io/v1beta1", &["TokenReview"], "authentication.k8s.io/v1", "1.22"),
    (
        "authorization.k8s.io/v1beta1",
        &["SubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview"],
        "authorization.k8s.io/v1",
        "1.22",
    ),
    ("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], "certificates.k8s.io/v1", "1.22"),
    ("coordination.k8s.io/v1beta1", &["Lease"], "coordination.k8s.io/v1", "1.22"),
    ("scheduling.k8s.io/v1beta1", &["PriorityClass"], "scheduling.k8s.io/v1", "1.22"),
    (
        "storage.k8s.io/v1beta1",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        "storage.k8s.io/v1",
        "1.22",
    ),
    ("batch/v1beta1", &["CronJob"], "batch/v1", "1.25"),
    ("batch/v2alpha1", &["CronJob"], "batch/v1", "1.21"),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"], "discovery.k8s.io/v1", "1.25"),
    ("events.k8s.io/v1beta1", &["Event"], "events.k8s.io/v1", "1.25"),
    ("policy/v1beta1", &["PodDisruptionBudget"], "policy/v1", "1.25"),
    ("policy/v1beta1", &["PodSecurityPolicy"], "", "1.25"),
    ("node.k8s.io/v1beta1", &["RuntimeClass"], "node.k8s.io/v1", "1.25"),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], "autoscaling/v2", "1.25"),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"], "autoscaling/v2", "1.26"),
    ("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], "storage.k8s.io/v1", "1.27"),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "flowcontrol.apiserver.k8s.io/v1",
        "1.26",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta2",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "flowcontrol.apiserver.k8s.io/v1",
        "1.29",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta3",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "flowcontrol.apiserver.k8s.io/v1",
        "1.32",
    ),
];

/// How many of the last lines of a log are looked at.
const LAST_LINES: usize = 20;

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::ApiRemoved { kind, version } = &refused.why {
            let finding = refused.finding(case, Code::ApiVersionRemoved);
            found.push(explain(case, finding, kind, version, refused.sentence(case)));
        }
    }
    let Some(pod) = case.pod() else { return Ok(found) };
    for container in case.containers() {
        let ended = pods::troubling_end(pod, &container, case.now()).is_some_and(|end| end.exit_code != 0);
        if !ended {
            continue;
        }
        let Some(log) = case.last_log(&container)?.found() else { continue };
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.iter().enumerate().skip(lines.len().saturating_sub(LAST_LINES));
        let Some((index, line, (kind, version))) = last.rev().find_map(|(at, line)| Some((at, *line, gone(line)?)))
        else {
            continue;
        };
        let finding = case
            .finding_in(Code::ApiVersionRemoved, &container)
            .confidence(Confidence::Likely)
            .evidence(case.log_evidence(&container, index + 1, line))
            .evidence(case.end_evidence(&container));
        let how = text!["Container ", name(container.name()), " ends because it asks the Kubernetes API for it. "];
        found.push(explain(case, finding, &kind, &version, how));
        break;
    }
    Ok(found)
}

/// The kind and version that a log line misses, where they are among those that Kubernetes has removed.
fn gone(line: &str) -> Option<(String, String)> {
    if let Some((kind, version)) = no_matches(line) {
        return known(&kind, &version).map(|_| (kind, version));
    }
    let (_, rest) = line.split_once("*v").filter(|_| line.contains("could not find the requested resource"))?;
    let (version, rest) = rest.split_once('.')?;
    let kind: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let version = format!("v{version}");
    let entry = REMOVED.iter().find(|(api, kinds, ..)| {
        api.split_once('/').is_some_and(|(_, it)| it == version) && kinds.contains(&kind.as_str())
    })?;
    Some((kind, entry.0.to_owned()))
}

fn known(kind: &str, version: &str) -> Option<(&'static str, &'static str)> {
    REMOVED
        .iter()
        .find(|(api, kinds, ..)| *api == version && kinds.contains(&kind))
        .map(|(_, _, instead, since)| (*instead, *since))
}

fn explain(case: &Case<'_>, finding: Finding, kind: &str, version: &str, how: Text) -> Finding {
    let known = known(kind, version);
    let instead = known.map(|(instead, _)| instead).filter(|instead| !instead.is_empty());
    let since = known.map(|(_, since)| text!["It was removed in Kubernetes ", since, "."]);
    let now = instead.map(|instead| text!["Its place was taken by ", code(instead), "."]);
    let title = text!["this cluster does not serve ", code(kind), " in version ", code(version)];
    let change = match instead {
        Some(instead) => Fix::disruptive(text![
            "move to ",
            code(format!("apiVersion: {instead}")),
            " (for an app or operator: take a release that uses it)"
        ]),
        None => Fix::disruptive(text!["see which versions the cluster serves, and move to one of them"]),
    }
    .command(case.kubectl_cluster(["api-resources"]))
    .command(case.kubectl_cluster(["explain", &kind.to_ascii_lowercase()]));
    finding
        .title(title)
        .explain(text![how, "The API does not know ", code(kind), " in version ", code(version), "."])
        .also(since)
        .also(now)
        .fix(change)
}

#[cfg(test)]
mod tests {
    use super::gone;

    #[test]
    fn only_what_kubernetes_itself_removed_is_told_gone() {
        let of = |kind: &str, version: &str| Some((kind.to_owned(), version.to_owned()));
        for (line, expected) in [
            (r#"no matches for kind "CronJob" in version "batch/v1beta1""#, of("CronJob", "batch/v1beta1")),
            (
                "reflector.go:127: failed to list *v1beta1.PodDisruptionBudget: the server could not find the requested resource",
                of("PodDisruptionBudget", "policy/v1beta1"),
            ),
            (r#"no matches for kind "Certificate" in version "cert-manager.io/v1""#, None),
            (r#"no matches for kind "CronJob" in version "batch/v1""#, None),
            ("failed to list *v1.Widget: the server could not find the requested resource", None),
        ] {
            assert_eq!(gone(line), expected, "{line}");
        }
    }
}
