//! `security-profile-missing`.

use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures};
use crate::finding::{Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Status};
use crate::parse::start::{self, StartError};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod asks for a security setting that its node cannot apply: a seccomp or AppArmor profile that is not loaded
    /// there, an SELinux label, capabilities, or a sysctl that the kubelet does not allow.
    /// ## Signals
    /// Pod failed with reason `AppArmor` (`Cannot enforce AppArmor: ...`) or `SysctlForbidden` (`forbidden sysctl: "X" not
    /// allowlisted`); `CreateContainerError` or `RunContainerError` with `unable to apply apparmor profile`, `cannot load
    /// seccomp profile ".../X.json"`, `error loading seccomp filter`, `can't set process label`, `unable to apply caps`;
    /// `CreateContainerConfigError` with `localhostProfile must be set if seccompProfile type is Localhost`.
    /// ## Look-alikes
    /// `pod-security-violation`: the API refused the pod before any node saw it. `run-as-non-root-violation`: the user, not
    /// a profile. `killed-by-signal` 159: the profile was applied, and forbids what the app does.
    /// ## Fixes
    /// Load the profile on every node where the pod may run, name one that is there, or use `RuntimeDefault`; have the
    /// sysctl allowed with the kubelet's `allowedUnsafeSysctls`.
    /// ## Source
    /// pkg/kubelet/sysctl/allowlist.go; pkg/security/apparmor; containerd internal/cri/server/container_create.go
    SecurityProfileMissing, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(finding) = rejected(case)? {
        return Ok(vec![finding]);
    }
    let mut found = Vec::new();
    for failure in failures(case)? {
        if let StartError::SecurityProfile { what, profile } = &failure.error {
            found.push(explain(case, &failure, what, profile.as_deref())?);
        }
    }
    Ok(found)
}

/// The kubelet refused the whole pod.
fn rejected(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    let Some(Status::SecurityRefused { sysctl, words }) = case.pod().and_then(eviction::of) else { return Ok(None) };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let finding = case.finding(Code::SecurityProfileMissing).evidence(case.field(".status.message", words.clone()));
    let Some(sysctl) = sysctl else {
        let fix =
            Fix::disruptive(text!["load the AppArmor profile on node ", name(node), ", or name one that is loaded"]);
        return Ok(Some(
            finding
                .title(text!["Node ", name(node), " cannot enforce the AppArmor profile that the pod asks for"])
                .explain(text!["The kubelet refused the pod and said: ", quoted(start::heart(&words)), "."])
                .via(ObjectRef::new(Kind::Node, None, node))
                .fix(edited(case, fix)?),
        ));
    };
    let leave = Fix::disruptive(text!["leave ", code(sysctl.as_str()), " out of ", code("securityContext.sysctls")]);
    let allow = Fix::disruptive(text![
        "or allow it on the nodes: add it to ",
        code("allowedUnsafeSysctls"),
        " in the kubelet's configuration, and restart the kubelet"
    ]);
    Ok(Some(
        finding
            .title(text!["Sysctl ", quoted(sysctl.as_str()), " is not allowed on node ", name(node)])
            .explain(text![
                "The pod sets sysctl ",
                code(sysctl.as_str()),
                ", which the kubelet of node ",
                name(node),
                " does not allow, so it refused the pod. A controller makes new pods that are refused in the same way."
            ])
            .via(ObjectRef::new(Kind::Node, None, node))
            .fix(edited(case, leave)?)
            .fix(allow),
    ))
}

fn explain(
    case: &Case<'_>,
    failure: &StartFailure<'_>,
    what: &'static str,
    profile: Option<&str>,
) -> Result<Finding, Needs> {
    let container = &failure.container;
    let asked = asked(case, container, what);
    let profile = profile.map(str::to_owned).or(asked);
    let named = profile.as_ref().map(|profile| text![" ", code(profile.as_str())]);
    let kind = match what {
        "SELinux" => "SELinux label",
        "capabilities" => "set of capabilities",
        "AppArmor" => "AppArmor profile",
        _ => "seccomp profile",
    };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let words = failure.evidence.text.split_once(": ").map_or(failure.evidence.text.as_str(), |(_, words)| words);
    let load = Fix::disruptive(text![
        "have the ",
        kind,
        named.clone(),
        " on node ",
        name(node),
        " and every other node that may run the pod, or name one that is there (",
        code("RuntimeDefault"),
        " is always there for seccomp and AppArmor)"
    ]);
    Ok(case
        .finding_in(Code::SecurityProfileMissing, container)
        .confidence(failure.confidence)
        .title(text![container.subject(), ": the ", kind, named, " cannot be applied on node ", name(node)])
        .explain(text![
            "The pod asks for a security setting that the node does not have or does not support, so the container is not ",
            "started. The runtime said: ",
            quoted(start::heart(words)),
            "."
        ])
        .evidence(failure.evidence.clone())
        .fix(edited(case, load)?))
}

/// The profile that the specification names.
fn asked(case: &Case<'_>, container: &ContainerView<'_>, what: &str) -> Option<String> {
    let own = container.spec.security_context.as_ref();
    let pod = case.pod().and_then(pods::spec).and_then(|spec| spec.security_context.as_ref());
    match what {
        "seccomp" => own
            .and_then(|context| context.seccomp_profile.as_ref())
            .or_else(|| pod.and_then(|context| context.seccomp_profile.as_ref()))
            .and_then(|profile| profile.localhost_profile.clone()),
        "AppArmor" => own
            .and_then(|context| context.app_armor_profile.as_ref())
            .or_else(|| pod.and_then(|context| context.app_armor_profile.as_ref()))
            .and_then(|profile| profile.localhost_profile.clone())
            .or_else(|| annotated(case, container)),
        _ => None,
    }
}

/// The profile of the annotation that came before the field (1.30).
fn annotated(case: &Case<'_>, container: &ContainerView<'_>) -> Option<String> {
    let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name());
    let value = case.meta().annotations.as_ref()?.get(&key)?;
    Some(value.strip_prefix("localhost/").unwrap_or(value).to_owned())
}
