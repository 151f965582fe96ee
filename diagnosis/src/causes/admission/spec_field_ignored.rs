//! `spec-field-ignored`.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::manifest::{self, Dropped};
use crate::facts::refusal;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::{Kind, Object};
use crate::pods;
use crate::reader::{Needs, Reader};

cause! {
    /// ## What it means
    /// A field of the manifest is misspelt or stands in the wrong place. The server dropped it (with a warning that is easily
    /// missed), so what it should have set is not set: no command, no environment, no limit.
    /// ## Signals
    /// A field that stands in the annotation `kubectl.kubernetes.io/last-applied-configuration` and that Kubernetes does not
    /// know at that place: `comand`, `env` beside `containers`, `limits` outside `resources`.
    /// ## Look-alikes
    /// `app-config-error`, `command-not-found`: the field is set, and its value is wrong. `invalid-pod-spec`: the server
    /// refuses the object. A value that somebody changed later, and fields that newer servers know, are not dropped.
    /// ## Fixes
    /// Correct the field in the manifest; `kubectl apply --validate=strict` refuses unknown fields.
    /// ## Source
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level>
    SpecFieldIgnored, stage Admission, since "0.1.0", detect
}

/// What is the matter with the pods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symptom {
    Refused,
    Unscheduled,
    Pull,
    Mount,
    Run,
    Nothing,
}

fn detect(case: &Case<'_>) -> Verdict {
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let (symptom, holder) = match case.subject() {
        Subject::Pod(pod) => (symptom(case, pod), holder(case)?),
        Subject::Workload(workload) => {
            let refused = !case.refusals()?.is_empty();
            if !refused && !crate::scope::is_satisfied(workload) {
                // Its failing pods tell more.
                return Ok(Vec::new());
            }
            (if refused { Symptom::Refused } else { Symptom::Nothing }, holder(case)?)
        }
        Subject::Claim(_) | Subject::Namespace(_) | Subject::Other(_) => return Ok(Vec::new()),
    };
    let Some(holder) = holder else { return Ok(Vec::new()) };
    let dropped = manifest::dropped(&holder);
    let known: Vec<&Dropped> = dropped.iter().filter(|it| it.meant.is_some() || it.belongs.is_some()).collect();
    let Some(worst) = known.iter().find(|it| bears(symptom, it)).or(known.first()) else { return Ok(Vec::new()) };
    let severity = if bears(symptom, worst) { Severity::Error } else { Severity::Warning };
    Ok(vec![explain(case, &holder, worst, &dropped).severity(severity)])
}

/// The object that holds the manifest: the top controller as far as it can be read, or the subject.
fn holder(case: &Case<'_>) -> Result<Option<Object>, Needs> {
    let Some(top) = case.controllers(case.object())?.pop() else { return Ok(Some(case.object().clone())) };
    let kinds = [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];
    let Some(kind) = Kind::from_name(&top.kind).filter(|kind| kinds.contains(kind)) else { return Ok(None) };
    Ok(Reader::object(case, kind, top.namespace.as_deref(), &top.name)?.found())
}

fn symptom(case: &Case<'_>, pod: &Pod) -> Symptom {
    if pods::node_name(pod).is_none() {
        return Symptom::Unscheduled;
    }
    let pulls = |reason: &str| reason.contains("Image") || reason == "RegistryUnavailable";
    if case.containers().any(|container| pulls(container.waiting_reason())) {
        return Symptom::Pull;
    }
    let begun = case
        .containers()
        .any(|it| it.running().is_some() || it.last_end().is_some() || it.waiting_reason().contains("Error"));
    if begun { Symptom::Run } else { Symptom::Mount }
}

/// Tells whether the lack of that field can have to do with what is the matter.
fn bears(symptom: Symptom, dropped: &Dropped) -> bool {
    let field = dropped.meant.as_deref().unwrap_or(&dropped.key);
    let within = |part: &str| dropped.path.contains(part);
    let placing = [
        "nodeSelector",
        "affinity",
        "tolerations",
        "topologySpreadConstraints",
        "nodeName",
        "schedulerName",
        "priorityClassName",
        "runtimeClassName",
        "overhead",
        "schedulingGates",
    ];
    let sizes = ["resources", "limits", "requests", "cpu", "memory"];
    let pulling = ["imagePullSecrets", "image", "imagePullPolicy"];
    let mounting = ["volumes", "volumeClaimTemplates", "persistentVolumeClaim", "configMap", "secret"];
    let elsewhere = [
        "replicas",
        "selector",
        "strategy",
        "revisionHistoryLimit",
        "minReadySeconds",
        "progressDeadlineSeconds",
        "paused",
        "labels",
        "annotations",
    ];
    match symptom {
        Symptom::Nothing => false,
        Symptom::Unscheduled => {
            placing.contains(&field)
                || sizes.contains(&field)
                || mounting.contains(&field)
                || within(".resources.")
                || within(".tolerations[")
                || within(".affinity.")
                || within(".nodeSelector")
        }
        Symptom::Pull => pulling.contains(&field) || field == "serviceAccountName",
        Symptom::Mount => mounting.contains(&field) || within(".volumes["),
        Symptom::Refused => {
            sizes.contains(&field)
                || within(".resources.")
                || within("securityContext")
                || dropped.belongs == Some("under securityContext")
                || ["securityContext", "serviceAccountName", "priorityClassName", "runtimeClassName"].contains(&field)
        }
        Symptom::Run => !placing.contains(&field) && !pulling.contains(&field) && !elsewhere.contains(&field),
    }
}

fn explain(case: &Case<'_>, holder: &Object, worst: &Dropped, all: &[Dropped]) -> Finding {
    let reference = ObjectRef::new(holder.kind(), holder.namespace(), holder.name());
    let inside = worst.container.as_ref().map(|container| text![" of container ", name(container.clone())]);
    let meant = match (&worst.meant, worst.belongs) {
        (Some(meant), _) => text![": did you mean ", name(meant.clone()), "?"],
        (None, Some(belongs)) => text![": it belongs ", belongs],
        (None, None) => Text::default(),
    };
    let effect = match (&worst.meant, worst.belongs) {
        (Some(meant), _) => {
            text!["As Kubernetes has no field of that name there, ", code(meant.clone()), " is not set at all."]
        }
        (None, _) => text!["Kubernetes knows such a field, but not at that place, so it is not set at all."],
    };
    let others: Vec<String> = all.iter().filter(|it| it.path != worst.path).map(|it| it.path.clone()).collect();
    let others = (!others.is_empty()).then(|| text!["Dropped too: ", Text::names(others, 5), "."]);
    let mut finding = case.finding(Code::SpecFieldIgnored).confidence(Confidence::Likely);
    if let Some(container) = &worst.container {
        finding = finding.container(container);
    }
    let path = format!(".metadata.annotations[{}] {}", manifest::ANNOTATION, worst.path);
    let file = format!("{}.yaml", reference.name);
    let correct = Fix::disruptive(match (&worst.meant, worst.belongs) {
        (Some(meant), _) => text![
            "write ",
            name(meant.clone()),
            " in place of ",
            name(worst.key.clone()),
            " in the manifest, and apply it again with strict validation"
        ],
        (None, Some(belongs)) => text![
            "move ",
            name(worst.key.clone()),
            " in the manifest: it belongs ",
            belongs,
            "; apply it again with strict validation"
        ],
        (None, None) => text!["correct the manifest, and apply it again with strict validation"],
    })
    .command(format!(
        "{} > {}",
        case.kubectl(["apply", "view-last-applied", &refusal::target(&reference), "-o", "yaml"]),
        crate::case::shell_quoted(&file)
    ))
    .command(if matches!(holder.kind(), Kind::Pod | Kind::Job) {
        // Their templates cannot be changed in place.
        case.kubectl(["replace", "--force", "--validate=strict", "-f", &file])
    } else {
        case.kubectl(["apply", "--validate=strict", "-f", &file])
    });
    finding
        .title(text!["field ", name(worst.key.clone()), inside.clone(), " in the manifest was ignored", meant])
        .explain(text![
            "The manifest that was applied to ",
            kubewhy_text::own(reference.kind.clone()),
            " ",
            name(reference.path()),
            " has ",
            code(worst.path.clone()),
            ", and the server dropped it with no more than a warning. ",
            effect
        ])
        .also(others)
        .evidence(Evidence::field(&reference, &path, worst.key.clone()))
        .fix(correct)
}
