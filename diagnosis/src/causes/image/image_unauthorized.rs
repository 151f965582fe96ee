//! `image-unauthorized`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::facts::pull_helper;
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::pull::PullFault;
use crate::reader::Needs;

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
    pulls.iter().map(|pull| explain(case, pull)).collect()
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Finding, Needs> {
    let secrets = pull::secret_names(case);
    let helper = pull_helper::helper(case, pull);
    let unnamed = if secrets.is_empty() { pull_helper::unnamed_secrets(case)? } else { Vec::new() };
    let helper = helper?;
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
    let idle = (!unnamed.is_empty()).then(|| {
        text![
            "The namespace has pull secret ",
            Text::names(unnamed.clone(), 4),
            ", which neither the pod nor its ServiceAccount names."
        ]
    });
    let either = double.then(|| {
        text!["The registry says the same of a repository that does not exist: make sure that the name is spelt right."]
    });
    let (says, told, mend) = helper
        .map(|helper| (helper.says, helper.evidence, helper.fix))
        .map_or((None, None, None), |(says, told, mend)| (Some(says), Some(told), Some(mend)));
    let finding = pull
        .finding(case, Code::ImageUnauthorized)
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
        .also(idle)
        .also(says)
        .also(either)
        .also(pull.said())
        .also(cloud(&registry))
        .evidence((!secrets.is_empty()).then(|| case.field(".spec.imagePullSecrets", secrets.join(", "))))
        .evidence(told)
        .fix(mend)
        .fix(secrets.first().map(|secret| look_inside(case, secret, &registry)));
    let finding = if unnamed.is_empty() { finding.fix(credentials(case, &registry, &secrets)) } else { finding };
    let name_it = secrets.is_empty().then(|| name_it(case, unnamed.first().map(String::as_str)));
    Ok(finding.fix(name_it).fix(pull_helper::on_the_node(case, pull)))
}

/// The step that tells whether a pull secret is for that registry at all.
fn look_inside(case: &Case<'_>, secret: &str, registry: &str) -> Fix {
    Fix::safe(text![
        "see for which registries pull secret ",
        name(secret),
        " is (only their names are printed): ",
        name(registry),
        " has to be among them, written the same way"
    ])
    .command(pull_helper::registries_of(case, secret))
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

fn name_it(case: &Case<'_>, secret: Option<&str>) -> Fix {
    let spec = case.pod().and_then(crate::pods::spec);
    let account = spec.and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
    let patch = serde_json::json!({"imagePullSecrets": [{"name": secret.unwrap_or("registry-credentials")}]});
    let patch = patch.to_string();
    Fix::safe(text![
        "name ",
        secret.map_or_else(|| text!["it"], |secret| text![name(secret)]),
        " in ",
        code("imagePullSecrets"),
        " of the template, or of ServiceAccount ",
        name(account),
        " (pods made from then on use it)"
    ])
    .command(case.kubectl(["patch", "serviceaccount", account, "-p", patch.as_str()]))
}
