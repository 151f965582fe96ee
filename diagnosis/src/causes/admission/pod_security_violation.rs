//! `pod-security-violation`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use kubewhy_text::{Text, code, name, quoted, text};
use serde_json::{Value, json};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Evidence, Finding, Fix, ObjectRef, Patch};
use crate::kind::Kind;
use crate::parse::refusal::{Violation, Why};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// Pod Security admission (or an older or vendor's policy of that kind) does not allow what the template asks for, or
    /// demands settings that it lacks. The pod is never made.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `violates PodSecurity "LEVEL:VERSION": RULE (DETAIL), ...`; up to 1.24
    /// `unable to validate against any pod security policy: [...]`; OpenShift
    /// `unable to validate against any security context constraint: [...]`.
    /// ## Look-alikes
    /// `would violate PodSecurity` is a warning: the pod is made. `run-as-non-root-violation`: the pod exists, and the
    /// kubelet refuses a container. `admission-webhook-denied`: Kyverno or Gatekeeper said no.
    /// ## Fixes
    /// Set the securityContext that the level demands; where the workload needs more, move it to a namespace with another
    /// level, or lower the level (a protection less).
    /// ## Source
    /// staging/src/k8s.io/pod-security-admission/admission/admission.go, policy/check_*.go;
    /// <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    PodSecurityViolation, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        match &refused.why {
            Why::PodSecurity { level, version, violations } => {
                found.push(explain(case, &refused, level, version, violations)?);
            }
            Why::SecurityConstraint(words) => found.push(constrained(case, &refused, words)?),
            _ => {}
        }
    }
    Ok(found)
}

fn explain(
    case: &Case<'_>,
    refused: &Refused,
    level: &str,
    version: &str,
    violations: &[Violation],
) -> Result<Finding, Needs> {
    let namespace = case.namespace().unwrap_or_default();
    let read = case.get::<Namespace>(None, namespace);
    let owner = refusal::owner(case)?;
    let label = match read? {
        Read::Found(it) => {
            it.metadata.labels.as_ref().and_then(|labels| labels.get("pod-security.kubernetes.io/enforce").cloned())
        }
        Read::Absent | Read::Unreadable => None,
    };
    let evidence = label.as_ref().map(|label| {
        let reference = ObjectRef::new(Kind::Namespace, None, namespace);
        Evidence::field(&reference, ".metadata.labels", format!("pod-security.kubernetes.io/enforce: {label}"))
    });
    let rules: Vec<String> = violations.iter().map(|it| it.rule.clone()).collect();
    let mut explanation = refused.sentence(case);
    explanation.push(text![
        "Namespace ",
        name(namespace),
        " enforces Pod Security level ",
        code(format!("{level}:{version}"))
    ]);
    explanation.push(if label.is_some() { " (its label says so). " } else { ". " });
    for violation in violations {
        explanation.push(match violation.detail.as_str() {
            "" => text![quoted(violation.rule.clone()), ". "],
            detail => text![code(violation.rule.clone()), ": ", quoted(detail), ". "],
        });
    }
    let (spec, by_hand) = remedy(case, violations);
    let set = spec.map(|spec| {
        let body = refusal::template_patch(&owner, &spec);
        Fix {
            patch: Some(Patch { type_: "strategic", body: body.clone() }),
            ..Fix::disruptive(text!["set in the template what the level demands: ", settings(violations)])
                .commands(refusal::patch(case, &owner, "strategic", &body))
        }
    });
    let manual = (!by_hand.is_empty()).then(|| {
        Fix::disruptive(text!["take out of the template what the level forbids: ", Text::names(by_hand, 6)])
            .commands(refusal::edit(case, &owner))
    });
    let lower = if level == "restricted" && violations.iter().all(|it| is_restricted_only(&it.rule)) {
        "baseline"
    } else {
        "privileged"
    };
    let relax = Fix::disruptive(text![
        "or, where the workload needs it, lower the level of namespace ",
        name(namespace),
        " (a protection less for all its pods)"
    ])
    .command(case.kubectl_cluster([
        "label",
        "namespace",
        namespace,
        &format!("pod-security.kubernetes.io/enforce={lower}"),
        "--overwrite",
    ]));
    Ok(refused
        .finding(case, Code::PodSecurityViolation)
        .title(text![
            "Pod Security level ",
            code(level),
            " of namespace ",
            name(namespace),
            " refuses the pods: ",
            Text::names(rules, 4)
        ])
        .explain(explanation)
        .evidence(evidence)
        .fix(set)
        .fix(manual)
        .fix(relax))
}

/// Rules that only the level `restricted` has.
fn is_restricted_only(rule: &str) -> bool {
    [
        "allowPrivilegeEscalation",
        "unrestricted capabilities",
        "runAsNonRoot",
        "runAsUser=0",
        "restricted volume types",
        "seccompProfile",
    ]
    .iter()
    .any(|it| rule.starts_with(it))
}

/// The setting that a rule demands of a container.
fn setting(rule: &str) -> Option<(&'static str, Value)> {
    Some(match rule {
        "allowPrivilegeEscalation != false" => ("allowPrivilegeEscalation", json!(false)),
        "unrestricted capabilities" => ("capabilities", json!({"drop": ["ALL"]})),
        "runAsNonRoot != true" => ("runAsNonRoot", json!(true)),
        "seccompProfile" => ("seccompProfile", json!({"type": "RuntimeDefault"})),
        "privileged" => ("privileged", json!(false)),
        _ => return None,
    })
}

fn settings(violations: &[Violation]) -> Text {
    let all = violations.iter().filter_map(|it| setting(&it.rule));
    Text::names(all.map(|(key, value)| format!("securityContext.{key}: {}", plain(&value))), 8)
}

fn plain(value: &Value) -> String {
    value.to_string().replace('"', "")
}

/// The pod spec that satisfies what can be set, and what has to be taken out by hand.
fn remedy(case: &Case<'_>, violations: &[Violation]) -> (Option<Value>, Vec<String>) {
    let template = refusal::template(case).and_then(|template| template.spec.as_ref());
    let init: Vec<&str> =
        template.iter().flat_map(|spec| spec.init_containers.iter().flatten()).map(|it| it.name.as_str()).collect();
    let main: Vec<&str> = template.iter().flat_map(|spec| &spec.containers).map(|it| it.name.as_str()).collect();
    let mut contexts: BTreeMap<String, serde_json::Map<String, Value>> = BTreeMap::new();
    let mut by_hand = Vec::new();
    for violation in violations {
        let Some((key, value)) = setting(&violation.rule) else {
            by_hand.push(if violation.detail.is_empty() {
                violation.rule.clone()
            } else {
                format!("{} ({})", violation.rule, violation.detail)
            });
            continue;
        };
        let everywhere: Vec<String> = main.iter().chain(&init).map(|it| (*it).to_owned()).collect();
        let named = if violation.containers.is_empty() { everywhere } else { violation.containers.clone() };
        for container in named {
            contexts.entry(container).or_default().insert(key.to_owned(), value.clone());
        }
    }
    if contexts.is_empty() {
        return (None, by_hand);
    }
    let list = |of: &dyn Fn(&str) -> bool| -> Vec<Value> {
        contexts
            .iter()
            .filter(|(container, _)| of(container))
            .map(|(container, context)| json!({"name": container, "securityContext": context}))
            .collect()
    };
    let (in_init, in_main) = (list(&|it| init.contains(&it)), list(&|it| !init.contains(&it)));
    let mut spec = serde_json::Map::new();
    for (key, list) in [("initContainers", in_init), ("containers", in_main)] {
        if !list.is_empty() {
            spec.insert(key.to_owned(), Value::Array(list));
        }
    }
    (Some(Value::Object(spec)), by_hand)
}

fn constrained(case: &Case<'_>, refused: &Refused, words: &str) -> Result<Finding, Needs> {
    let owner = refusal::owner(case)?;
    let openshift = refused.refusal.message.contains("security context constraint");
    let kind = if openshift { "SecurityContextConstraint" } else { "PodSecurityPolicy" };
    let account = refusal::template(case)
        .and_then(|template| template.spec.as_ref())
        .and_then(|spec| spec.service_account_name.clone())
        .unwrap_or_else(|| "default".to_owned());
    let change = Fix::disruptive(text!["take out of the template what the policies refuse"])
        .commands(refusal::edit(case, &owner));
    let namespace = case.namespace().unwrap_or_default();
    let allow = if openshift {
        Fix::disruptive(text![
            "or let ServiceAccount ",
            name(account.clone()),
            " use a constraint that allows it (a protection less)"
        ])
        .command(case.kubectl_cluster(["get", "scc"]))
        .command(format!("oc -n {namespace} adm policy add-scc-to-user anyuid -z {account}"))
    } else {
        Fix::disruptive(text![
            "or bind ServiceAccount ",
            name(account.clone()),
            " to a policy that allows it (a protection less)"
        ])
        .command(case.kubectl_cluster(["get", "psp"]))
    };
    Ok(refused
        .finding(case, Code::PodSecurityViolation)
        .title(text!["no ", kind, " lets the pods of ServiceAccount ", name(account), " through"])
        .explain(text![
            refused.sentence(case),
            "Every ",
            kind,
            " that it may use refuses something in the template: ",
            quoted(words),
            "."
        ])
        .fix(change)
        .fix(allow))
}
