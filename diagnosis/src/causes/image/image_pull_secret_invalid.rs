//! `image-pull-secret-invalid`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Access, Pull};
use crate::facts::pull_helper;
use crate::finding::{Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::secret::Secret;

cause! {
    /// ## What it means
    /// The pod names a pull secret that exists and cannot be one: its type is not a registry type, or it lacks the key
    /// in which the kubelet looks for credentials. The kubelet passes over it and pulls without.
    /// ## Signals
    /// The pull fails with 401, 403 or `access denied`; the Secret in `imagePullSecrets` has another type than
    /// `kubernetes.io/dockerconfigjson` (or `kubernetes.io/dockercfg`), or no key `.dockerconfigjson` (`.dockercfg`).
    /// ## Look-alikes
    /// `image-pull-secret-missing`: the Secret is absent. `image-unauthorized`: it is a pull secret, and is refused.
    /// ## Fixes
    /// Make it again as type `docker-registry`; the type of a Secret cannot be changed, so it has to be replaced.
    /// ## Source
    /// pkg/credentialprovider/secrets/secrets.go, MakeDockerKeyring.
    ImagePullSecretInvalid, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImagePullSecretInvalid)?;
    let Some(first) = pulls.first() else { return Ok(Vec::new()) };
    let Access::Invalid(secret) = pull::access(case)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, first, &secret)])
}

fn explain(case: &Case<'_>, pull: &Pull<'_>, secret: &Secret) -> Finding {
    let secret_name = secret.metadata.name.as_deref().unwrap_or_default();
    let root = case.neighbour(Kind::Secret, secret_name);
    let registry = pull.registry();
    let type_ = secret.type_.as_deref().filter(|type_| !type_.starts_with("kubernetes.io/dockerc"));
    let keys: Vec<String> = secret.keys.iter().flatten().cloned().collect();
    let fault = type_
        .map_or_else(|| text!["has no key ", code(".dockerconfigjson")], |type_| text!["is of type ", code(type_)]);
    let has = (!keys.is_empty()).then(|| text!["It has: ", Text::names(keys.clone(), 8), "."]);
    let shown = match type_ {
        Some(type_) => Evidence::field(&root, ".type", type_),
        None => Evidence::field(&root, ".data", format!("keys: {}", keys.join(", "))),
    };
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry.as_str() };
    let server = format!("--docker-server={server}");
    let create = case.kubectl(["create", "secret", "docker-registry", secret_name, server.as_str()])
        + " --docker-username=\"$REGISTRY_USER\" --docker-password=\"$REGISTRY_PASSWORD\"";
    pull.finding(case, Code::ImagePullSecretInvalid)
        .root(root.clone())
        .title(text!["Pull secret ", name(root.path()), " ", fault.clone(), ", so it holds no registry credentials"])
        .explain(text![
            "Secret ",
            name(secret_name),
            " ",
            fault,
            "; the kubelet passes over it, asks registry ",
            name(registry.clone()),
            " for image ",
            name(pull.image.clone()),
            " without credentials, and is refused. A pull secret is of type ",
            code("kubernetes.io/dockerconfigjson"),
            " and has key ",
            code(".dockerconfigjson"),
            "."
        ])
        .also(has)
        .evidence(shown)
        .fix(
            Fix::disruptive(text!["replace it by a pull secret of the right type (a Secret's type cannot be changed)"])
                .command(case.kubectl(["delete", "secret", secret_name]))
                .command(create),
        )
        .fix(
            Fix::safe(text!["then see for which registries it is (only their names are printed, no credentials)"])
                .command(pull_helper::registries_of(case, secret_name)),
        )
}
