//! `image-pull-secret-missing`.

use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Access, Pull};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::parse::pull::PullFault;
use crate::reader::{Needs, Read};
use crate::secret::Secret;

cause! {
    /// ## What it means
    /// The pod names a pull secret that does not exist in its namespace, and the registry refuses the pull without it.
    /// ## Signals
    /// `imagePullSecrets` names a Secret that is absent; event `FailedToRetrieveImagePullSecret` with `Unable to
    /// retrieve some image pull secrets (NAMES); attempting to pull the image may not succeed.`; and the pull fails
    /// with 401, 403 or `access denied`.
    /// ## Look-alikes
    /// An absent pull secret while the pull works is no trouble. `image-pull-secret-invalid`: the Secret is there and
    /// is no pull secret. `image-unauthorized`: the Secret is there and is refused, or none is named.
    /// ## Fixes
    /// Make the Secret in the pod's own namespace (Secrets are never read from another one), or name the right one.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, getPullSecretsForPod.
    ImagePullSecretMissing, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImagePullSecretMissing)?;
    let Some(first) = pulls.first() else { return Ok(Vec::new()) };
    let Access::Missing(secret, evidence) = pull::access(case)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, first, &secret, evidence)?])
}

fn explain(case: &Case<'_>, pull: &Pull<'_>, secret: &str, evidence: Evidence) -> Result<Finding, Needs> {
    let root = case.neighbour(Kind::Secret, secret);
    let read = case.get::<Secret>(case.namespace(), secret)?;
    let near = near(case, secret, &read)?;
    let registry = pull.registry();
    let known = read.is_absent() && pull.failure.fault != PullFault::Unknown;
    let why = if pull.failure.words.is_empty() {
        Some(text!["Why the pull fails is on record nowhere any more; that Secret is the first thing to mend."])
    } else {
        pull.said()
    };
    let rename = near
        .map(|near| Fix::disruptive(text!["name the Secret that the namespace has: did you mean ", name(near), "?"]));
    Ok(pull
        .finding(case, Code::ImagePullSecretMissing)
        .confidence(if known { Confidence::Certain } else { Confidence::Likely })
        .root(root.clone())
        .title(text!["Pull secret ", name(root.path()), " does not exist"])
        .explain(text![
            "The pod names Secret ",
            name(secret),
            " for pulling images, and there is none of that name in namespace ",
            name(case.namespace().unwrap_or_default()),
            " (a Secret of the same name in another namespace does not count). So image ",
            name(pull.image.clone()),
            " was asked of registry ",
            name(registry.clone()),
            " without these credentials, and refused."
        ])
        .also(why)
        .evidence(evidence)
        .fix(rename)
        .fix(create(case, secret, &registry))
        .fix(
            Fix::safe(text![
                "or copy the Secret from the namespace that has it, or correct ",
                code("imagePullSecrets"),
                " in the template or the ServiceAccount"
            ])
            .command(case.kubectl([
                "get",
                "secrets",
                "--field-selector",
                "type=kubernetes.io/dockerconfigjson",
            ])),
        ))
}

fn near(case: &Case<'_>, secret: &str, read: &Read<impl Sized>) -> Result<Option<String>, Needs> {
    if !read.is_absent() {
        return Ok(None);
    }
    let Read::Found(secrets) = case.list::<Secret>(case.namespace(), Filter::All)? else { return Ok(None) };
    let names = secrets.iter().filter_map(|secret| secret.metadata.name.as_deref());
    Ok(nearest(secret, names))
}

fn create(case: &Case<'_>, secret: &str, registry: &str) -> Fix {
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let server = format!("--docker-server={server}");
    let command = case.kubectl(["create", "secret", "docker-registry", secret, server.as_str()])
        + " --docker-username=\"$REGISTRY_USER\" --docker-password=\"$REGISTRY_PASSWORD\"";
    let title: Text = text!["make Secret ", name(secret), " with credentials for ", name(registry)];
    Fix::safe(title).command(command)
}
