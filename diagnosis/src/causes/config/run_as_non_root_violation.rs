//! `run-as-non-root-violation`.

use kubewhy_text::{Text, code, name, quoted, text};
use serde_json::{Value, json};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::finding::{Finding, Fix, ObjectRef};
use crate::pods::{self, ContainerView, Role};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The security context says that the container must not run as root, and it would, or the kubelet cannot tell
    /// because the image names its user by a word instead of a number.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `container has runAsNonRoot and image will run as root`, `container's
    /// runAsUser breaks non-root policy`, `container has runAsNonRoot and image has non-numeric user (U), cannot verify
    /// user is non-root`, `container has runAsNonRoot and image has an invalid user id (N)`, and on Windows
    /// `container's runAsUserName (U) which will be regarded as root identity and will break non-root policy`.
    /// ## Look-alikes
    /// `pod-security-violation`: the pod is refused before it exists. `app-permission-denied`: the container runs as
    /// another user and may not read or write its files.
    /// ## Fixes
    /// Set `runAsUser` to a user id over 0 that the image can run as, or build the image with a numeric `USER`.
    /// ## Source
    /// pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot.
    RunAsNonRootViolation, stage Config, since "0.1.0", detect
}

/// Why a container breaks the rule.
enum Breach {
    ImageIsRoot,
    RunAsUserZero,
    NotNumeric(String),
    InvalidId(String),
    WindowsUser(String),
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for container in case.containers().filter(|it| it.waiting_reason() == "CreateContainerConfigError") {
        if let Some(breach) = breach(container.waiting_message()) {
            found.push(explain(case, &container, &breach)?);
        }
    }
    Ok(found)
}

fn breach(message: &str) -> Option<Breach> {
    let inside = |marker: &str| {
        let rest = message.split_once(marker)?.1;
        rest.split_once(')').map(|(user, _)| user.to_owned())
    };
    if let Some(user) = inside("non-numeric user (") {
        return Some(Breach::NotNumeric(user));
    }
    if let Some(id) = inside("invalid user id (") {
        return Some(Breach::InvalidId(id));
    }
    if let Some(user) = inside("runAsUserName (") {
        return Some(Breach::WindowsUser(user));
    }
    if message.contains("breaks non-root policy") {
        return Some(Breach::RunAsUserZero);
    }
    message.contains("image will run as root").then_some(Breach::ImageIsRoot)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>, breach: &Breach) -> Result<Finding, Needs> {
    let owner = owner::top(case)?;
    let image = name(container.image());
    let why = match breach {
        Breach::ImageIsRoot => text!["its image ", image, " runs as root (it names no other user)"],
        Breach::RunAsUserZero => text!["its security context sets ", code("runAsUser: 0"), ", which is root"],
        Breach::NotNumeric(user) => {
            text!["its image ", image, " names its user ", quoted(user.clone()), ", not a number that can be checked"]
        }
        Breach::InvalidId(id) => {
            text!["its image ", image, " names user id ", quoted(id.clone()), ", which is not valid"]
        }
        Breach::WindowsUser(user) => text!["its user ", quoted(user.clone()), " counts as an administrator on Windows"],
    };
    let (path, value) = demanded(case, container);
    Ok(case
        .finding_in(Code::RunAsNonRootViolation, container)
        .title(text!["Container ", name(container.name()), " must not run as root, and ", short(breach)])
        .explain(text![
            "Container ",
            name(container.name()),
            " is not created: ",
            code("runAsNonRoot: true"),
            " forbids to run it as root, and ",
            why,
            "."
        ])
        .evidence(case.waiting_evidence(container))
        .evidence(case.field(&path, value))
        .fix(set_user(case, container, &owner, breach))
        .fix(Fix::safe(text![
            "or build the image with a numeric user other than 0 (",
            code("USER 10001"),
            " in its Dockerfile)"
        ]))
        .fix(allow_root(case, container, &owner)))
}

fn short(breach: &Breach) -> Text {
    match breach {
        Breach::ImageIsRoot => text!["its image runs as root"],
        Breach::RunAsUserZero => text!["runAsUser says 0, which is root"],
        Breach::NotNumeric(user) => text!["its image has the non-numeric user ", quoted(user.clone())],
        Breach::InvalidId(id) => text!["its image has the invalid user id ", quoted(id.clone())],
        Breach::WindowsUser(user) => text!["its user ", quoted(user.clone()), " is an administrator"],
    }
}

/// The field that forbids root: the container's own goes before the pod's.
fn demanded(case: &Case<'_>, container: &ContainerView<'_>) -> (String, String) {
    let own = container.spec.security_context.as_ref().and_then(|context| context.run_as_non_root);
    let whole = case.pod().and_then(pods::spec).and_then(|spec| spec.security_context.as_ref());
    let whole = whole.and_then(|context| context.run_as_non_root);
    match (own, whole) {
        (Some(true), _) | (None, None | Some(false)) => {
            (format!("{}.securityContext.runAsNonRoot", container.spec_path()), "true".to_owned())
        }
        _ => (".spec.securityContext.runAsNonRoot".to_owned(), "true".to_owned()),
    }
}

/// A patch of that security context, where the template can be patched.
fn context(case: &Case<'_>, container: &ContainerView<'_>, owner: &ObjectRef, change: &Value, fix: Fix) -> Fix {
    let list = if container.role == Role::Main { "containers" } else { "initContainers" };
    let spec = json!({list: [{"name": container.name(), "securityContext": change}]});
    let mut fix = fix;
    fix.patch = owner::template_patch(owner, &spec);
    fix.commands.extend(fix.patch.as_ref().map(|patch| owner::patch_command(case, owner, patch)));
    fix
}

fn set_user(case: &Case<'_>, container: &ContainerView<'_>, owner: &ObjectRef, breach: &Breach) -> Fix {
    let whose = match breach {
        Breach::NotNumeric(user) => text!["the number of user ", quoted(user.clone()), " in the image"],
        Breach::ImageIsRoot | Breach::RunAsUserZero | Breach::InvalidId(_) | Breach::WindowsUser(_) => {
            text!["a user id that the image's files allow, such as 1000"]
        }
    };
    let fix = Fix::disruptive(text!["set ", code("runAsUser"), " of the container to ", whose]);
    context(case, container, owner, &json!({"runAsUser": 1000}), fix)
}

fn allow_root(case: &Case<'_>, container: &ContainerView<'_>, owner: &ObjectRef) -> Fix {
    let fix = Fix::disruptive(text![
        "or, only if it has to be root, drop the rule: ",
        code("runAsNonRoot: false"),
        " (this weakens a protection)"
    ]);
    context(case, container, owner, &json!({"runAsNonRoot": false}), fix)
}
