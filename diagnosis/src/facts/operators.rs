//! The controllers of objects that Kubernetes itself does not look after: who writes their status, and where that runs.
//!
//! Nothing in the API says which workload a controller is. What its manager, group or driver is called, its workload is
//! mostly called too; only a workload that is alone in that is taken for it, and none is where several are.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::reader::Needs;

/// In how many namespaces a controller is looked for.
const MOST_NAMESPACES: usize = 3;

/// Parts of names that many have.
const COMMON: [&str; 34] = [
    "com",
    "io",
    "org",
    "net",
    "dev",
    "sh",
    "k8s",
    "kubernetes",
    "x",
    "csi",
    "storage",
    "driver",
    "controller",
    "manager",
    "operator",
    "provisioner",
    "toolkit",
    "api",
    "apis",
    "cluster",
    "app",
    "apps",
    "example",
    "local",
    "the",
    "system",
    "project",
    "resources",
    "resource",
    "server",
    "service",
    "go",
    "v1",
    "aws",
];

/// Who last wrote the status, as the managed fields tell.
pub(crate) fn manager_of_status(meta: &ObjectMeta) -> Option<String> {
    let of_status = |entry: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        entry.subresource.as_deref() == Some("status") || fields.is_some_and(|fields| fields.get("f:status").is_some())
    };
    let newest =
        meta.managed_fields.iter().flatten().filter(of_status).max_by_key(|entry| entry.time.as_ref().map(|t| t.0));
    newest?.manager.clone().filter(|manager| !manager.is_empty() && !manager.starts_with("kubectl"))
}

/// When the specification was written last, as the managed fields tell.
pub(crate) fn specified_at(meta: &ObjectMeta) -> Option<Timestamp> {
    let entries = meta.managed_fields.iter().flatten().filter(|entry| entry.subresource.is_none());
    let of_spec =
        entries.filter(|entry| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get("f:spec").is_some()));
    of_spec.filter_map(|entry| entry.time.as_ref().map(|time| time.0)).max()
}

/// A workload that is most likely a controller.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// The workload.
    pub(crate) workload: ObjectRef,
    /// How many of its pods ought to be ready.
    wanted: i32,
    /// How many are.
    ready: i32,
}

impl Operator {
    /// Tells whether none of its pods is ready: then nothing that it does is done.
    pub(crate) fn is_down(&self) -> bool {
        self.ready == 0
    }

    /// It in a sentence.
    pub(crate) fn sentence(&self) -> Text {
        let at = text!["Its controller is most likely ", kind(&self.workload), name(self.workload.path())];
        match (self.wanted, self.ready) {
            (0, _) => text![at, ", which is scaled to 0."],
            (wanted, ready) => {
                let of = text![", with ", kubewhy_text::own(format!("{ready} of {wanted}")), " pods ready."];
                text![at, of]
            }
        }
    }

    /// The command that shows its log.
    pub(crate) fn logs(&self, case: &Case<'_>) -> String {
        let target = format!("{}/{}", self.workload.kind.to_ascii_lowercase(), self.workload.name);
        case.kubectl_in(
            self.workload.namespace.as_deref().unwrap_or_default(),
            ["logs", target.as_str(), "--tail=100", "--all-containers"],
        )
    }
}

fn kind(workload: &ObjectRef) -> Text {
    text![kubewhy_text::own(workload.kind.to_string()), " "]
}

/// The parts of names that tell a controller from others: `cert-manager` of `cert-manager.io`.
pub(crate) fn parts<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeSet<String> {
    let words = names.into_iter().flat_map(|name| name.split(['.', '/', '-', '_', ':']));
    words.map(str::to_ascii_lowercase).filter(|word| word.len() > 2 && !COMMON.contains(&word.as_str())).collect()
}

/// The workload that is called like these names, in the namespaces that are called like them, in `kube-system` and in `home`.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn find(case: &Case<'_>, names: &[&str], home: Option<&str>) -> Result<Option<Operator>, Needs> {
    let called = sets(names);
    if called.is_empty() {
        return Ok(None);
    }
    let all = case.list::<Namespace>(None, Filter::All)?.found().unwrap_or_default();
    let mut namespaces = alike(&all, &called);
    for more in ["kube-system"].into_iter().chain(home) {
        if !namespaces.contains(&more) {
            namespaces.push(more);
        }
    }
    let lists: Vec<_> = namespaces
        .iter()
        .map(|namespace| {
            (
                case.list::<Deployment>(Some(namespace), Filter::All),
                case.list::<StatefulSet>(Some(namespace), Filter::All),
            )
        })
        .collect();
    let mut found: Vec<(usize, Operator)> = Vec::new();
    for (deployments, sets) in lists {
        for it in deployments?.found().unwrap_or_default() {
            let (spec, status) = (it.spec.as_ref(), it.status.as_ref());
            let counts = (spec.and_then(|spec| spec.replicas), status.and_then(|status| status.ready_replicas));
            found.extend(operator(Kind::Deployment, &it.metadata, spec.map(|spec| &spec.template), counts, &called));
        }
        for it in sets?.found().unwrap_or_default() {
            let (spec, status) = (it.spec.as_ref(), it.status.as_ref());
            let counts = (spec.and_then(|spec| spec.replicas), status.and_then(|status| status.ready_replicas));
            found.extend(operator(Kind::StatefulSet, &it.metadata, spec.map(|spec| &spec.template), counts, &called));
        }
    }
    Ok(best(found))
}

/// The `DaemonSet` that is called like a driver, in the namespaces that are called like it and in `kube-system`.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn daemon(case: &Case<'_>, driver: &str) -> Result<Option<Operator>, Needs> {
    let called = sets(&[driver]);
    if called.is_empty() {
        return Ok(None);
    }
    let all = case.list::<Namespace>(None, Filter::All)?.found().unwrap_or_default();
    let mut namespaces = alike(&all, &called);
    if !namespaces.contains(&"kube-system") {
        namespaces.push("kube-system");
    }
    let lists: Vec<_> =
        namespaces.iter().map(|namespace| case.list::<DaemonSet>(Some(namespace), Filter::All)).collect();
    let mut found = Vec::new();
    for daemons in lists {
        for it in daemons?.found().unwrap_or_default() {
            let status = it.status.as_ref();
            let counts =
                (status.map(|status| status.desired_number_scheduled), status.map(|status| status.number_ready));
            let template = it.spec.as_ref().map(|spec| &spec.template);
            found.extend(operator(Kind::DaemonSet, &it.metadata, template, counts, &called));
        }
    }
    Ok(best(found))
}

fn operator(
    kind: Kind,
    meta: &ObjectMeta,
    template: Option<&PodTemplateSpec>,
    (wanted, ready): (Option<i32>, Option<i32>),
    called: &[BTreeSet<String>],
) -> Option<(usize, Operator)> {
    let own = meta.name.as_deref().unwrap_or_default();
    let images: Vec<&str> = template
        .and_then(|template| template.spec.as_ref())
        .map(|spec| spec.containers.iter().filter_map(|container| container.image.as_deref()).collect())
        .unwrap_or_default();
    // The path of an image says what it is, its registry does not.
    let mut all: Vec<&str> = images.iter().filter_map(|image| image.rsplit('/').next()).collect();
    all.push(own);
    // Half of what a name says has to be found again, and some of it in the workload's own name.
    let fits = |parts: &&BTreeSet<String>| likeness(parts, &[own]) > 0 && likeness(parts, &all) * 2 >= parts.len();
    let score = called.iter().filter(fits).map(|parts| likeness(parts, &[own]) * 2 + likeness(parts, &all)).max()?;
    let workload = ObjectRef::new(kind, meta.namespace.as_deref(), own);
    let operator = Operator { workload, wanted: wanted.unwrap_or(1), ready: ready.unwrap_or_default() };
    Some((score, operator))
}

/// The parts of each name that has any.
fn sets(names: &[&str]) -> Vec<BTreeSet<String>> {
    names.iter().map(|name| parts([*name])).filter(|parts| !parts.is_empty()).collect()
}

/// The namespaces that are called like these.
fn alike<'n>(all: &'n [Arc<Namespace>], called: &[BTreeSet<String>]) -> Vec<&'n str> {
    let names = all.iter().filter_map(|it| it.metadata.name.as_deref());
    names.filter(|it| called.iter().any(|parts| likeness(parts, &[it]) > 0)).take(MOST_NAMESPACES).collect()
}

/// How many of the parts stand in these names.
fn likeness(parts: &BTreeSet<String>, names: &[&str]) -> usize {
    parts.iter().filter(|part| names.iter().any(|name| name.to_ascii_lowercase().contains(part.as_str()))).count()
}

/// The one that is most alike; none where several are. `cert-manager` is no webhook of it.
fn best(mut found: Vec<(usize, Operator)>) -> Option<Operator> {
    let aside = |name: &str| {
        ["webhook", "cainjector", "dashboard", "-ui", "metrics", "redis"].iter().any(|part| name.contains(part))
    };
    found.retain(|(_, operator)| !aside(&operator.workload.name));
    found
        .sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.workload.name.len().cmp(&other.workload.name.len())));
    match found.as_slice() {
        [(_, only)] => Some(only.clone()),
        [(first, one), (second, other), ..]
            if first > second || one.workload.name.len() < other.workload.name.len() =>
        {
            Some(one.clone())
        }
        _ => None,
    }
}

/// Where to look for a controller of which no workload was found.
pub(crate) fn look_for(names: &[&str]) -> String {
    let parts: Vec<String> = parts(names.iter().copied()).into_iter().collect();
    if parts.is_empty() {
        return "kubectl get deployments,statefulsets -A".to_owned();
    }
    let patterns: Vec<String> = parts.iter().map(|part| format!("-e {}", crate::case::shell_quoted(part))).collect();
    format!("kubectl get deployments,statefulsets -A | grep -i {}", patterns.join(" "))
}

/// Says who writes the status.
pub(crate) fn writes(manager: &str) -> Text {
    text![" Its status is written by ", code(manager), "."]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[(&str, &str)], of: &[&str]) -> Option<String> {
        let called = sets(of);
        let all = names.iter().filter_map(|(own, image)| {
            let meta =
                ObjectMeta { name: Some((*own).to_owned()), namespace: Some("x".to_owned()), ..ObjectMeta::default() };
            let template: PodTemplateSpec =
                serde_json::from_value(serde_json::json!({"spec": {"containers": [{"name": "a", "image": image}]}}))
                    .ok()?;
            operator(Kind::Deployment, &meta, Some(&template), (Some(1), Some(1)), &called)
        });
        best(all.collect()).map(|operator| operator.workload.name)
    }

    #[test]
    fn a_controller_is_known_by_its_names() {
        let cert = [
            ("cert-manager", "quay.io/jetstack/cert-manager-controller:v1.16"),
            ("cert-manager-webhook", "quay.io/jetstack/cert-manager-webhook:v1.16"),
            ("cert-manager-cainjector", "quay.io/jetstack/cert-manager-cainjector:v1.16"),
            ("coredns", "registry.k8s.io/coredns:v1.12"),
        ];
        assert_eq!(
            found(&cert, &["cert-manager.io", "cert-manager-certificates-readiness"]).as_deref(),
            Some("cert-manager")
        );
        let flux = [
            ("kustomize-controller", "ghcr.io/fluxcd/kustomize-controller"),
            ("helm-controller", "ghcr.io/fluxcd/helm-controller"),
        ];
        assert_eq!(found(&flux, &["kustomize.toolkit.fluxcd.io"]).as_deref(), Some("kustomize-controller"));
        assert_eq!(found(&[("coredns", "coredns")], &["example.com"]), None);
        let local = [("local-path-provisioner", "rancher/local-path-provisioner:v0.0.31")];
        assert_eq!(found(&local, &["rancher.io/local-path"]).as_deref(), Some("local-path-provisioner"));
        let ebs = [("ebs-csi-controller", "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1")];
        assert_eq!(found(&ebs, &["ebs.csi.aws.com"]).as_deref(), Some("ebs-csi-controller"));
    }
}
