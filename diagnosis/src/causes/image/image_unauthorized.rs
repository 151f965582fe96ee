//! `image-unauthorized`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::pull::PullFault;

cause! {
    /// ## What it means
    /// The registry refuses the pull: the pod sends no credentials, or the ones it sends are wrong, expired, or for
    /// another registry or repository.
    /// ## Signals
    /// `401 Unauthorized` or `403 Forbidden`; containerd `failed to authorize: failed to fetch oauth token`, `pull
    /// access denied, repository does not exist or may require authorization`, `no basic auth credentials`; CRI-O
    /// `unable to retrieve auth token: invalid username/password`, `authentication required`; Docker `pull access
    /// denied for R, repository does not exist or may require 'docker login'`, `requested access to the resource is
    /// denied`.
    /// ## Look-alikes
    /// `image-pull-secret-missing` and `image-pull-secret-invalid`: a pull secret is named, and is absent or is none.
    /// `image-not-found`: the registry says that there is no such image; some registries answer `denied` for that too.
    /// ## Fixes
    /// Make a pull secret for that registry and name it in `imagePullSecrets` of the pod or of its ServiceAccount;
    /// renew it where it has expired (tokens of ECR live for 12 hours).
    /// ## Source
    /// containerd core/remotes/docker/authorizer.go; pkg/kubelet/images/image_manager.go.
    ImageUnauthorized, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImageUnauthorized)?;
    Ok(pulls.iter().map(|pull| explain(case, pull)).collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Finding {
    let secrets = pull::secret_names(case);
    let registry = pull.registry();
    let double = pull.failure.fault == PullFault::Denied;
    let confidence = if double { Confidence::Likely } else { Confidence::Certain };
    let sent = if secrets.is_empty() {
        text![
            "The pod names no pull secret (imagePullSecrets is empty, also from its ServiceAccount), so the pull went \
             out \
             without credentials of its own."
        ]
    } else {
        text![
            "The pod names pull secret ",
            Text::names(secrets.clone(), 4),
            ": its credentials are wrong or expired, are for another registry than ",
            name(registry.clone()),
            ", or may not read this repository."
        ]
    };
    let either = double.then(|| {
        text!["The registry says the same of a repository that does not exist: make sure that the name is spelt right."]
    });
    pull.finding(case, Code::ImageUnauthorized)
        .confidence(confidence)
        .title(text![
            "Registry ",
            name(registry.clone()),
            " refuses to let image ",
            name(pull.image.clone()),
            " be pulled"
        ])
        .explain(text![
            "Registry ",
            name(registry.clone()),
            " did not accept the pull of image ",
            name(pull.image.clone()),
            " for container ",
            name(pull.container.name()),
            "."
        ])
        .also(sent)
        .also(either)
        .also(pull.said())
        .also(cloud(&registry))
        .evidence((!secrets.is_empty()).then(|| case.field(".spec.imagePullSecrets", secrets.join(", "))))
        .fix(credentials(case, &registry, &secrets))
        .fix(secrets.is_empty().then(|| name_it(case)))
}

/// What is special about the credentials of a cloud's registry.
fn cloud(registry: &str) -> Option<Text> {
    if registry.contains(".dkr.ecr.") {
        return Some(text![
            "Tokens of Amazon ECR expire after 12 hours; nodes renew them by themselves only with the ECR credential \
             provider and a role that may pull."
        ]);
    }
    let google = registry.ends_with("gcr.io") || registry.ends_with("pkg.dev");
    (google || registry.ends_with(".azurecr.io"))
        .then(|| text!["Nodes of that cloud may pull without a secret where their identity has the reader role."])
}

fn credentials(case: &Case<'_>, registry: &str, secrets: &[String]) -> Fix {
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let server = format!("--docker-server={server}");
    let secret = secrets.first().map_or("registry-credentials", String::as_str);
    let create = case.kubectl(["create", "secret", "docker-registry", secret, server.as_str()])
        + " --docker-username=\"$REGISTRY_USER\" --docker-password=\"$REGISTRY_PASSWORD\"";
    if secrets.is_empty() {
        return Fix::safe(text!["make a pull secret with credentials for ", name(registry)]).command(create);
    }
    Fix::safe(text!["renew the credentials in pull secret ", name(secret), " for registry ", name(registry)])
        .command(create + " --dry-run=client -o yaml | " + &case.kubectl(["apply", "-f", "-"]))
}

fn name_it(case: &Case<'_>) -> Fix {
    let spec = case.pod().and_then(crate::pods::spec);
    let account = spec.and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
    let patch = r#"{"imagePullSecrets":[{"name":"registry-credentials"}]}"#;
    Fix::safe(text![
        "name it in ",
        code("imagePullSecrets"),
        " of the template, or of ServiceAccount ",
        name(account),
        " (pods made from then on use it)"
    ])
    .command(case.kubectl(["patch", "serviceaccount", account, "-p", patch]))
}
