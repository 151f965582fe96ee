//! `pvc-provisioning-failed`.

use k8s_openapi::api::storage::v1::{CSIDriver, StorageClass};
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::claims::{self, Trouble, Troubled};
use crate::facts::operators;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The StorageClass is there, and its driver could not make the volume, or does not run at all.
    /// ## Signals
    /// The claim is Pending, and an event ProvisioningFailed has the driver's own error (`failed to provision volume
    /// with StorageClass "NAME": rpc error: ...`, `Volume provisioning failed with infeasible error`, `Mount options
    /// are not supported by the provisioner`, `Only CSI plugin can provision a claim with a datasource`); or there is
    /// only ExternalProvisioning `Waiting for a volume to be created either by the external provisioner 'DRIVER' ...`
    /// and no event from the driver: it does not run.
    /// ## Look-alikes
    /// `storage-class-missing`: the class does not exist. `pvc-no-matching-volume`: the class has no driver, people
    /// make its volumes. `pvc-waiting-for-consumer`: the volume is made when a pod is scheduled.
    /// ## Fixes
    /// What the driver's error says; or bring the driver up. It tries again by itself.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go, sig-storage-lib-external-provisioner controller.go.
    PvcProvisioningFailed, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(class) = case.subject_as::<StorageClass>() {
        return Ok(of_class(case, &class)?.into_iter().collect());
    }
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        match &troubled.trouble {
            Trouble::Provisioning { class, provisioner, event } => {
                found.push(failed(case, &troubled, class, provisioner, event));
            }
            Trouble::Silent { class, provisioner, event, took_up } => {
                found.push(silent(case, &troubled, class, provisioner, event.as_deref(), *took_up)?);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A class that is asked about itself: whether the provisioner that it names is seen to be down.
fn of_class(case: &Case<'_>, class: &StorageClass) -> Result<Option<Finding>, Needs> {
    let provisioner = class.provisioner.as_str();
    if provisioner == claims::NO_PROVISIONER {
        return Ok(None);
    }
    let Some(operator) = operators::find(case, &[provisioner], None)?.filter(operators::Operator::is_down) else {
        return Ok(None);
    };
    Ok(Some(
        case.finding(Code::PvcProvisioningFailed)
            .root(case.reference())
            .confidence(Confidence::Likely)
            .title(text!["StorageClass ", name(case.name()), " makes no volumes: its provisioner does not run"])
            .explain(text![
                "StorageClass ",
                name(case.name()),
                " leaves making volumes to ",
                driver(provisioner),
                ", and claims of the class stay Pending while that does not run.",
            ])
            .also(operator.sentence())
            .evidence(case.field(".provisioner", provisioner))
            .evidence(Evidence::field(&operator.workload, ".status.readyReplicas", "0"))
            .fix(Fix::safe(text!["bring the provisioner up"]).command(operator.logs(case)))
            .caused_in(operator.workload),
    ))
}

fn failed(case: &Case<'_>, troubled: &Troubled, class: &str, provisioner: &str, event: &Event) -> Finding {
    let claim = troubled.reference(case);
    let words = driver_words(&event.message);
    let explanation = text![
        "StorageClass ",
        name(class),
        " leaves making volumes to ",
        driver(provisioner),
        ", which could not make one for claim ",
        name(claim.path()),
        ": ",
        quoted(words),
        ".",
    ];
    base(case, troubled, class)
        .title(text!["No volume for claim ", name(claim.path()), ": the storage driver failed"])
        .explain(explanation)
        .also(advice(&event.message))
        .also(Troubled::so_the_pod_waits(case))
        .evidence(Evidence::event(event))
        .fix(
            Fix::safe(text!["mend what the driver's error names; the driver tries again by itself"])
                .command(case.kubectl(["describe", "persistentvolumeclaim", &troubled.name]))
                .command(case.kubectl_cluster(["get", "storageclass", class, "-o", "yaml"])),
        )
        .since(event.first)
}

fn silent(
    case: &Case<'_>,
    troubled: &Troubled,
    class: &str,
    provisioner: &str,
    event: Option<&Event>,
    took_up: bool,
) -> Result<Finding, Needs> {
    let claim = troubled.reference(case);
    let registered = case.get::<CSIDriver>(None, provisioner)?;
    let absent = registered
        .is_absent()
        .then_some(())
        // Provisioners of other kinds have no such object even when they run.
        .filter(|()| provisioner.contains("csi"))
        .map(|()| text!["The cluster has no CSIDriver of that name either, so it is most likely not installed."]);
    let what = if took_up {
        text![", which took the claim up and has said nothing since."]
    } else {
        text![", and that has not answered: most likely its provisioner does not run."]
    };
    let operator = operators::find(case, &[provisioner], None)?;
    let confidence = if took_up || event.is_none() { Confidence::Possible } else { Confidence::Likely };
    let explanation = text![
        "StorageClass ",
        name(class),
        " leaves making volumes to ",
        driver(provisioner),
        what,
        " Claim ",
        name(claim.path()),
        " stays Pending until a volume is made.",
    ];
    let start =
        Fix::safe(text!["bring the provisioner of ", driver(provisioner), " up: look for its pods and their logs"])
            .command(case.kubectl_cluster(["get", "csidriver,storageclass"]))
            .command("kubectl get pods -A | grep -i -e csi -e provisioner".to_owned());
    let other = Fix::disruptive(text!["or make the claim again with a StorageClass whose driver runs"])
        .command(case.kubectl(["delete", "persistentvolumeclaim", &troubled.name]));
    let finding = base(case, troubled, class);
    let finding = match operator.as_ref().filter(|operator| operator.is_down()) {
        // What keeps the provisioner down keeps the claim without a volume.
        Some(operator) => finding.caused_in(operator.workload.clone()),
        None => finding,
    };
    Ok(finding
        .title(text![
            "No volume for claim ",
            name(claim.path()),
            ": provisioner ",
            name(provisioner),
            " does not answer"
        ])
        .explain(explanation)
        .also(absent)
        .also(operator.as_ref().map(operators::Operator::sentence))
        .also(Troubled::so_the_pod_waits(case))
        .evidence(event.map(Evidence::event))
        .evidence(troubled.phase(case))
        .confidence(confidence)
        .fix(start)
        .fix(other)
        .since(event.and_then(|event| event.first)))
}

fn base(case: &Case<'_>, troubled: &Troubled, class: &str) -> Finding {
    troubled.finding(case, Code::PvcProvisioningFailed).root(ObjectRef::new(Kind::StorageClass, None, class))
}

fn driver(provisioner: &str) -> Text {
    if provisioner.is_empty() { text!["its driver"] } else { text!["driver ", name(provisioner)] }
}

/// The driver's own words: what follows the wrapping of the controller and of gRPC.
fn driver_words(message: &str) -> &str {
    message.rsplit_once(" desc = ").map_or(message, |(_, words)| words).trim()
}

/// A sentence on errors that are the same with every driver.
fn advice(message: &str) -> Option<Text> {
    let has = |part: &str| message.contains(part);
    if has("Mount options are not supported") {
        return Some(text!["The class has mountOptions that this driver does not take: remove them from the class."]);
    }
    if has("Only CSI plugin can provision a claim with a datasource") || has("error getting handle for DataSource") {
        return Some(text![
            "The claim is to be filled from a snapshot or another claim, and that source cannot be used."
        ]);
    }
    if has("does not support block volume provisioning") {
        return Some(text!["The claim asks for volumeMode Block, which this driver does not make."]);
    }
    if has("infeasible") {
        return Some(text![
            "The driver calls it infeasible: trying again will not help until the claim or class changes."
        ]);
    }
    let quota = ["quota", "Quota", "ResourceExhausted", "LimitExceeded", "limit exceeded"];
    if quota.iter().any(|word| has(word)) {
        return Some(text!["The storage backend has reached a limit: free some, or have the limit raised."]);
    }
    let denied =
        ["UnauthorizedOperation", "AccessDenied", "Unauthenticated", "PermissionDenied", "AuthorizationFailed"];
    denied
        .iter()
        .any(|word| has(word))
        .then(|| text!["The backend does not let the driver make volumes: its credentials or role lack the right."])
}
