//! `registry-rate-limited`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Finding, Fix};

cause! {
    /// ## What it means
    /// The registry counts pulls, and this address or account has used up what it may have for now.
    /// ## Signals
    /// `429 Too Many Requests`, `toomanyrequests: You have reached your pull rate limit` (Docker Hub, also `your
    /// unauthenticated pull rate limit`), `toomanyrequests: Rate exceeded` (ECR).
    /// ## Look-alikes
    /// `image-pull-slow`: `pull QPS exceeded` is the kubelet's own limit, not the registry's. `image-unauthorized`:
    /// refused for the credentials.
    /// ## Fixes
    /// Pull with an account (its limit is higher), through a mirror or cache, or wait for the limit to pass; do not
    /// pull what is on the node already.
    /// ## Source
    /// containerd core/remotes/docker/errdesc.go; <https://docs.docker.com/docker-hub/usage/>.
    RegistryRateLimited, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::RegistryRateLimited)?;
    Ok(pulls.iter().map(|pull| explain(case, pull)).collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Finding {
    let host = pull.failing_host();
    let anonymous = pull::secret_names(case).is_empty();
    let who = if anonymous {
        text!["The pod names no pull secret, so all pulls from the cluster's outgoing address count together."]
    } else {
        text!["The pod names a pull secret, so the limit of its account counts, if that account was accepted."]
    };
    let always = pull.container.spec.image_pull_policy.as_deref() == Some("Always");
    let server = if host == "docker.io" { "https://index.docker.io/v1/" } else { host.as_str() };
    let server = format!("--docker-server={server}");
    let create = case.kubectl(["create", "secret", "docker-registry", "registry-credentials", server.as_str()])
        + " --docker-username=\"$REGISTRY_USER\" --docker-password=\"$REGISTRY_PASSWORD\"";
    pull.finding(case, Code::RegistryRateLimited)
        .root(pull.registry_ref())
        .title(text!["Registry ", name(host.clone()), " limits the rate of pulls"])
        .explain(text![
            "Registry ",
            name(host.clone()),
            " answered \"too many requests\" (429) to the pull of image ",
            name(pull.image.clone()),
            " for container ",
            name(pull.container.name()),
            ". It counts pulls over some hours; the kubelet tries again by itself, and succeeds once the limit has \
             passed."
        ])
        .also(who)
        .also(pull.said())
        .fix(anonymous.then(|| {
            Fix::safe(text![
                "pull with an account of ",
                name(host.clone()),
                ": make a pull secret and name it in \
             imagePullSecrets"
            ])
            .command(create)
        }))
        .fix(Fix::safe(text![
            "keep a copy of the image in a registry of your own or behind a pull-through cache, and wait for the \
             limit to pass"
        ]))
        .fix(always.then(|| {
            Fix::disruptive(text!["set imagePullPolicy to IfNotPresent, so that a node asks the registry only once"])
        }))
}
