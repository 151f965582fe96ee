//! `too-many-watched-configmaps`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::finding::{Confidence, Fix};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The kubelet of an old release watches every ConfigMap and Secret of its pods over one connection, and that connection
    /// bears no more: its other requests wait behind, the lease is not renewed, the node turns NotReady.
    /// ## Signals
    /// A node that is not ready with a kubelet of 1.12 or 1.13, whose pods name some 200 ConfigMaps and Secrets or more, as when
    /// hundreds of Jobs with a ConfigMap each pile up. A reading of circumstances, never certain.
    /// ## Look-alikes
    /// `node-kubelet-down`: the kubelet is down. Kubelets since 1.14 are built so that they open further connections.
    /// ## Fixes
    /// Upgrade; fetch instead of watch (`configMapAndSecretChangeDetectionStrategy: Cache`); remove finished Jobs with
    /// `ttlSecondsAfterFinished`; mark what does not change `immutable: true`.
    /// ## Source
    /// pkg/kubelet/util/manager/watch_based_manager.go; <https://github.com/kubernetes/kubernetes/issues/74412>
    TooManyWatchedConfigmaps, stage Cluster, since "0.1.0", detect
}

/// The streams that one connection bore (250), less what the kubelet needs for itself.
const MANY: usize = 200;

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = case.subject_as::<Node>() else { return Ok(Vec::new()) };
    let Some(status) = node.status.as_ref() else { return Ok(Vec::new()) };
    let version = status.node_info.as_ref().map(|info| info.kubelet_version.clone()).unwrap_or_default();
    let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready");
    let Some(ready) = ready.filter(|ready| ready.status != "True" && watches_one_by_one(&version)) else {
        return Ok(Vec::new());
    };
    let filter = Filter::OnNode(case.name().to_owned());
    let Read::Found(all) = case.list::<Pod>(None, filter)? else { return Ok(Vec::new()) };
    let watched: BTreeSet<(String, &'static str, String)> = all.iter().flat_map(|pod| watched_by(pod)).collect();
    if watched.len() < MANY {
        return Ok(Vec::new());
    }
    let count = watched.len();
    let finding = case
        .finding(Code::TooManyWatchedConfigmaps)
        .confidence(Confidence::Likely)
        .since(ready.last_transition_time.as_ref().map(|time| time.0))
        .root(case.reference())
        .title(text![
            "Node ",
            name(case.name()),
            " is not ready: its kubelet watches ",
            count,
            " ConfigMaps and Secrets over one connection"
        ])
        .explain(text![
            "Kubelet ",
            code(version.clone()),
            " watches each ConfigMap and Secret of its pods one by one over a single connection, which bears some 250 streams. The ",
            all.len(),
            " pods of this node name ",
            count,
            " of them, so its other requests, the lease among them, wait behind."
        ])
        .evidence(case.field(".status.nodeInfo.kubeletVersion", version))
        .evidence(case.field(
            ".status.conditions[Ready]",
            format!("{}: {}", ready.status, ready.message.as_deref().unwrap_or_default()),
        ))
        .fix(
            Fix::safe(text!["remove finished Jobs, and let them go by themselves from now on (", code("ttlSecondsAfterFinished"), ")"])
                .command(case.kubectl_cluster(["get", "jobs", "--all-namespaces", "--field-selector", "status.successful=1"])),
        )
        .fix(Fix::disruptive(text![
            "let the kubelet fetch instead of watch: ",
            code("configMapAndSecretChangeDetectionStrategy: Cache"),
            " in its configuration, then restart it"
        ]))
        .fix(Fix::disruptive(text!["upgrade the node: kubelets since 1.14 open further connections"]));
    Ok(vec![finding])
}

/// Tells whether the kubelet's watches, and not its death, are what the node's silence most likely comes from.
///
/// # Errors
/// [`Needs`] where the node's pods have not been asked yet; only old kubelets are looked at.
pub(crate) fn speaks_for(case: &Case<'_>) -> Result<bool, Needs> {
    Ok(!detect(case)?.is_empty())
}

/// `v1.12.x` and `v1.13.x` watch one by one, over one connection.
fn watches_one_by_one(version: &str) -> bool {
    version.starts_with("v1.12.") || version.starts_with("v1.13.")
}

/// The `ConfigMaps` and Secrets that a pod names.
fn watched_by(pod: &Pod) -> Vec<(String, &'static str, String)> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let mut found = Vec::new();
    let mut add = |kind: &'static str, name: Option<String>| {
        found.extend(name.map(|name| (namespace.clone(), kind, name)));
    };
    for volume in pods::spec(pod).iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        add("ConfigMap", volume.config_map.as_ref().map(|it| it.name.clone()));
        add("Secret", volume.secret.as_ref().and_then(|it| it.secret_name.clone()));
    }
    for container in pods::containers(pod) {
        for from in container.spec.env_from.iter().flatten() {
            add("ConfigMap", from.config_map_ref.as_ref().map(|it| it.name.clone()));
            add("Secret", from.secret_ref.as_ref().map(|it| it.name.clone()));
        }
        for from in container.spec.env.iter().flatten().filter_map(|env| env.value_from.as_ref()) {
            add("ConfigMap", from.config_map_key_ref.as_ref().map(|it| it.name.clone()));
            add("Secret", from.secret_key_ref.as_ref().map(|it| it.name.clone()));
        }
    }
    found
}
