//! `invalid-pod-spec`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::refusal::{FieldFault, Why};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The API does not accept the pods that this template makes: a field has a value that is not allowed, or that does not
    /// fit another field (often after a webhook or a default has changed the pod).
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `Pod "NAME" is invalid: spec.containers[0].FIELD: Invalid value: ...`, with
    /// `Not found`, `Required value`, `Duplicate value`, `Unsupported value`, `Forbidden`, `Too long`; several in brackets;
    /// `unknown field`; any other `is forbidden: REASON` of an admission plugin.
    /// ## Look-alikes
    /// `pod-security-violation`, `limit-range-violated`, `admission-webhook-denied`: a rule of the namespace or of a policy
    /// refuses a pod that is valid in itself. `spec-field-ignored`: an unknown field was dropped without a word.
    /// ## Fixes
    /// Correct the field in the template of the controller.
    /// ## Source
    /// pkg/apis/core/validation/validation.go
    InvalidPodSpec, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        match &refused.why {
            Why::Invalid(faults) => found.push(explain(case, &refused, faults)?),
            Why::Other(words) if is_refusal(&refused.refusal.message) => found.push(other(case, &refused, words)?),
            _ => {}
        }
    }
    Ok(found)
}

/// Tells whether the API judged the object; anything else is trouble on the way to it.
fn is_refusal(message: &str) -> bool {
    ["forbidden", "Forbidden", "invalid", "denied", "not allowed", "rejected"].iter().any(|word| message.contains(word))
}

fn explain(case: &Case<'_>, refused: &Refused, faults: &[FieldFault]) -> Result<Finding, Needs> {
    let owner = refusal::owner(case)?;
    let mut explanation = refused.sentence(case);
    explanation.push("The API does not accept what the template says. ");
    for fault in faults.iter().take(5) {
        explanation.push(text![code(fault.field.clone())]);
        explanation.push(container(case, fault).map(|it| text![" (container ", name(it), ")"]));
        explanation.push(text![": ", quoted(fault.problem.clone()), ". "]);
    }
    let title = match faults.first() {
        Some(first) => text![
            "the template of ",
            kubewhy_text::own(owner.kind.clone()),
            " ",
            name(owner.path()),
            " is not valid: ",
            code(first.field.clone()),
            " ",
            quoted(first.problem.clone())
        ],
        None => {
            text!["the template of ", kubewhy_text::own(owner.kind.clone()), " ", name(owner.path()), " is not valid"]
        }
    };
    let meant = faults.iter().find_map(|fault| meant(case, fault));
    let fields: Vec<String> =
        faults.iter().map(|fault| fault.field.clone()).filter(|field| !field.is_empty()).collect();
    let correct = Fix::disruptive(match &meant {
        Some(meant) => text!["correct ", Text::names(fields, 4), ": did you mean ", name(meant.clone()), "?"],
        None => text!["correct ", Text::names(fields, 4), " in the template"],
    })
    .commands(refusal::edit(case, &owner));
    let long = faults.iter().any(|fault| is_too_long(fault, &owner.name));
    let correct = if long { rename(case, &owner.kind, &owner.name) } else { correct };
    let why = long.then(|| {
        text![
            "The controller makes that value from its own name, which has ",
            owner.name.chars().count(),
            " characters."
        ]
    });
    Ok(refused
        .finding(case, Code::InvalidPodSpec)
        .title(title)
        .explain(explanation)
        .also(volumes(case, faults))
        .also(why)
        .fix(correct))
}

/// Tells whether the value is made of the controller's name and too long because of it.
fn is_too_long(fault: &FieldFault, owner: &str) -> bool {
    let long = ["must be no more than", "may not be more than", "Too long"].iter().any(|it| fault.problem.contains(it));
    long && owner.len() > 40 && (fault.problem.contains(owner) || fault.field.starts_with("metadata"))
}

/// A name cannot be changed: the object is made anew under a shorter one.
fn rename(case: &Case<'_>, kind: &str, owner: &str) -> Fix {
    let kind = kind.to_ascii_lowercase();
    let file = format!("{owner}.yaml");
    let get = case.kubectl(["get", &kind, owner, "-o", "yaml"]);
    Fix::disruptive(text!["give it a shorter name (at most 52 characters are safe): save it, change the name in the file, create it, delete the old one"])
        .command(format!("{get} > {}", crate::case::shell_quoted(&file)))
        .command(case.kubectl(["create", "-f", &file]))
        .command(case.kubectl(["delete", &kind, owner]))
}

/// The name of the container that a fault is about.
fn container(case: &Case<'_>, fault: &FieldFault) -> Option<String> {
    let (list, index) = fault.container()?;
    let spec = refusal::template(case)?.spec.as_ref()?;
    let list = if list == "containers" { Some(&spec.containers) } else { spec.init_containers.as_ref() };
    list?.get(index).map(|container| container.name.clone())
}

fn volume_names(case: &Case<'_>) -> Vec<String> {
    let spec = refusal::template(case).and_then(|template| template.spec.as_ref());
    spec.into_iter().flat_map(|spec| spec.volumes.iter().flatten()).map(|volume| volume.name.clone()).collect()
}

/// The nearest name of what was not found.
fn meant(case: &Case<'_>, fault: &FieldFault) -> Option<String> {
    if !fault.field.contains("volumeMounts") || !fault.problem.starts_with("Not found") {
        return None;
    }
    let volumes = volume_names(case);
    crate::nearest::nearest(fault.value()?, volumes.iter().map(String::as_str))
}

fn volumes(case: &Case<'_>, faults: &[FieldFault]) -> Option<Text> {
    let about =
        faults.iter().any(|fault| fault.field.contains("volumeMounts") && fault.problem.starts_with("Not found"));
    if !about {
        return None;
    }
    let volumes = volume_names(case);
    Some(match volumes.len() {
        0 => text!["The template has no volumes at all."],
        _ => text!["The volumes of the template are: ", Text::names(volumes, 8), "."],
    })
}

fn other(case: &Case<'_>, refused: &Refused, words: &str) -> Result<Finding, Needs> {
    let owner = refusal::owner(case)?;
    let confidence = if refused.object.is_some() { Confidence::Likely } else { Confidence::Possible };
    Ok(refused
        .finding(case, Code::InvalidPodSpec)
        .confidence(confidence)
        .title(text![
            "the API refuses the pods of ",
            kubewhy_text::own(owner.kind.clone()),
            " ",
            name(owner.path()),
            ": ",
            quoted(words)
        ])
        .explain(text![refused.sentence(case), "The API says ", quoted(words), "."])
        .fix(
            Fix::disruptive(text!["change in the template what the message names"])
                .commands(refusal::edit(case, &owner)),
        ))
}
