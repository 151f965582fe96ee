//! `secret-key-missing`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::finding::{Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods::ContainerView;
use crate::reader::{Needs, Read};
use crate::secret::Secret;

cause! {
    /// ## What it means
    /// A container takes an environment variable from a key that the Secret does not have, so the kubelet cannot create it.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `couldn't find key KEY in Secret NAMESPACE/NAME`.
    /// ## Look-alikes
    /// `secret-missing`: the whole Secret is absent. `configmap-key-missing`: the same for a ConfigMap.
    /// `app-config-error`: the container starts, and the app itself misses a value.
    /// ## Fixes
    /// Name a key that the Secret has, or add the key to the Secret. The kubelet tries again by itself.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables.
    SecretKeyMissing, stage Config, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for container in case.containers().filter(|c| c.waiting_reason() == "CreateContainerConfigError") {
        let Some((key, path)) = missing_key(container.waiting_message()) else { continue };
        found.push(explain(case, &container, key, path)?);
    }
    Ok(found)
}

/// `couldn't find key KEY in Secret NAMESPACE/NAME`
fn missing_key(message: &str) -> Option<(&str, &str)> {
    message.split_once("couldn't find key ")?.1.split_once(" in Secret ")
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    key: &str,
    path: &str,
) -> Result<crate::finding::Finding, Needs> {
    let secret_name = path.split_once('/').map_or(path, |(_, name)| name);
    let secret = ObjectRef::new(Kind::Secret, case.namespace(), secret_name);
    let known = match case.get::<Secret>(case.namespace(), secret_name)? {
        Read::Found(secret) => secret.keys.clone(),
        Read::Absent | Read::Unreadable => None,
    };
    let nearest = known.as_ref().and_then(|keys| crate::nearest::nearest(key, keys.iter().map(String::as_str)));
    let variable = container.spec.env.iter().flatten().find(|env| {
        let source = env.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
        source.is_some_and(|source| source.name == secret_name && source.key == key)
    });
    let has = known.map(|keys| match keys.len() {
        0 => text![" The Secret has no keys at all."],
        _ => text![" The Secret has: ", Text::names(keys, 8), "."],
    });
    let takes = variable.map(|env| text![" takes ", code(env.name.clone()), " from "]);
    let explanation = text![
        "Container ",
        name(container.name()),
        takes.unwrap_or_else(|| text![" takes a value from "]),
        "Secret ",
        name(secret_name),
        ", key ",
        name(key),
        ", which is not there, so the container cannot be created.",
        has,
    ];
    let rename = nearest
        .map(|nearest| Fix::disruptive(text!["name the key that the Secret has: did you mean ", name(nearest), "?"]));
    let add = Fix::safe(text!["add key ", name(key), " to Secret ", name(secret.path())]).command(case.kubectl([
        "edit",
        "secret",
        secret_name,
    ]));
    Ok(case
        .finding_in(Code::SecretKeyMissing, container)
        .root(secret.clone().with_detail(key))
        .title(text!["Secret ", name(secret.path()), " has no key ", kubewhy_text::quoted(key)])
        .explain(explanation)
        .evidence(case.waiting_evidence(container))
        .fix(rename)
        .fix(add))
}
