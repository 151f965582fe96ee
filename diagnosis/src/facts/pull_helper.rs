//! What stands beside the pod's own pull secrets: add-ons that renew credentials, Secrets that nobody names, and the same
//! pull tried by hand on the node.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, shell_quoted};
use crate::facts::pull::Pull;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::secret::Secret;

/// Where add-ons of the cluster run.
const ADD_ONS: &str = "kube-system";

/// Parts of the names of pods that renew registry credentials in a cluster.
const HELPERS: [&str; 4] = ["credential-helper", "registry-creds", "ecr-credential", "ecr-cred-"];

/// Registries of clouds whose credentials expire, so that something in the cluster or on the node has to renew them.
const OF_CLOUDS: [&str; 5] = [".aliyuncs.com", ".amazonaws.com", ".azurecr.io", "gcr.io", "pkg.dev"];

/// What the pod that renews credentials for a cloud's registry is doing.
#[derive(Debug)]
pub(crate) struct Helper {
    /// The sentence.
    pub(crate) says: Text,
    /// Where that stands.
    pub(crate) evidence: Evidence,
    /// The step.
    pub(crate) fix: Fix,
}

/// The add-on that renews credentials for the pull's registry; none where the registry is no cloud's, or no such pod is there.
///
/// # Errors
/// [`Needs`] where the add-ons have not been asked yet.
pub(crate) fn helper(case: &Case<'_>, pull: &Pull<'_>) -> Result<Option<Helper>, Needs> {
    let registry = pull.registry();
    if !OF_CLOUDS.iter().any(|cloud| registry.ends_with(cloud)) {
        return Ok(None);
    }
    let there = case.list::<Pod>(Some(ADD_ONS), Filter::All)?.found().unwrap_or_default();
    let is_helper = |pod: &Pod| {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        HELPERS.iter().any(|part| name.contains(part))
    };
    let mut helpers = there.iter().filter(|pod| is_helper(pod) && !pods::is_finished(pod)).peekable();
    let Some(first) = helpers.peek().copied() else { return Ok(None) };
    let ill = helpers.find(|pod| !pods::is_true(pod, "Ready"));
    let shown = ill.unwrap_or(first);
    let pod_name = shown.metadata.name.as_deref().unwrap_or_default();
    let reference = ObjectRef::new(Kind::Pod, Some(ADD_ONS), pod_name);
    let state = pods::in_short(shown);
    let says = if ill.is_some() {
        text![
            "Pod ",
            name(reference.path()),
            " has to renew the credentials, and is not well: ",
            code(state.clone()),
            "."
        ]
    } else {
        text![
            "Pod ",
            name(reference.path()),
            " renews credentials and runs: see whether it is set up for this namespace."
        ]
    };
    let logs = case.kubectl_in(ADD_ONS, ["logs", pod_name, "--tail", "50"]);
    let fix = if ill.is_some() {
        text!["mend what renews the credentials first: Pod ", name(reference.path())]
    } else {
        text!["read what Pod ", name(reference.path()), " says about this namespace and registry"]
    };
    Ok(Some(Helper {
        says,
        evidence: Evidence::field(&reference, ".status", state),
        fix: Fix::safe(fix).command(logs),
    }))
}

/// Pull secrets of the namespace, where the pod names none.
///
/// # Errors
/// [`Needs`] where the Secrets have not been asked yet.
pub(crate) fn unnamed_secrets(case: &Case<'_>) -> Result<Vec<String>, Needs> {
    let Read::Found(secrets) = case.list::<Secret>(case.namespace(), Filter::All)? else { return Ok(Vec::new()) };
    let is_pull = |secret: &&Secret| {
        let type_ = secret.type_.as_deref().unwrap_or_default();
        matches!(type_, "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg")
    };
    let pull = secrets.iter().map(|secret| &**secret).filter(is_pull);
    Ok(pull.filter_map(|secret| secret.metadata.name.clone()).collect())
}

/// The command that tells for which registries a pull secret is good; it prints their names and no credentials.
pub(crate) fn registries_of(case: &Case<'_>, secret: &str) -> String {
    let json = r"jsonpath={.data.\.dockerconfigjson}";
    case.kubectl(["get", "secret", secret, "-o", json]) + " | base64 -d | jq '.auths | keys'"
}

/// The same pull tried on the node by its own runtime, whose words say more than the event.
pub(crate) fn on_the_node(case: &Case<'_>, pull: &Pull<'_>) -> Option<Fix> {
    let node = case.pod().and_then(pods::node_name)?;
    let docker = pull.source.text.contains("Error response from daemon");
    let tool = if docker { "docker pull" } else { "crictl pull" };
    let target = format!("node/{node}");
    let debug = ["debug", target.as_str(), "-it", "--image=busybox", "--profile=sysadmin", "--", "chroot", "/host"];
    let command = format!("{} {tool} {}", case.kubectl_cluster(debug), shell_quoted(&pull.image));
    let title = text![
        "try the pull on node ",
        name(node),
        " itself with ",
        code(tool),
        " (without the pod's pull secrets); remove the debug pod after"
    ];
    Some(Fix::safe(title).command(command))
}
