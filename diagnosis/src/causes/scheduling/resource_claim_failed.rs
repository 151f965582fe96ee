//! `resource-claim-failed`.

use kubewhy_text::{Text, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::unscheduled::waits_for_node;
use crate::finding::{Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::untyped::{ResourceClaim, ResourceClaimTemplate};

cause! {
    /// ## What it means
    /// The pod asks for devices through a ResourceClaim (dynamic resource allocation), and that claim is absent,
    /// cannot be allocated, or cannot be prepared on the node.
    /// ## Signals
    /// `spec.resourceClaims` names a ResourceClaim or ResourceClaimTemplate that does not exist: the scheduler then
    /// holds the pod back with neither condition nor event. Verdicts `cannot allocate all claims`, `resourceclaim not
    /// available on the node`, `request R: device class D does not exist`, `running PreBind plugin "DynamicResources": ...`; events `FailedResourceClaimCreation`,
    /// `FailedPrepareDynamicResources`.
    /// ## Look-alikes
    /// `extended-resource-missing`: the device is asked for as a plain resource (`nvidia.com/gpu`).
    /// `scheduler-not-running`: no claim is involved. `pvc-missing`: a claim for storage.
    /// ## Fixes
    /// Make the claim, name the one that exists, correct its device class, or start the driver on the nodes.
    /// ## Source
    /// pkg/scheduler/framework/plugins/dynamicresources; pkg/controller/resourceclaim/controller.go.
    ResourceClaimFailed, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let claims = || pods::spec(pod).into_iter().flat_map(|spec| spec.resource_claims.iter().flatten());
    if waits_for_node(case) {
        for claim in claims() {
            if let Some(wanted) = &claim.resource_claim_name
                && case.get::<ResourceClaim>(case.namespace(), wanted)?.is_absent()
            {
                return Ok(vec![absent(case, Kind::ResourceClaim, wanted)?]);
            }
            if let Some(wanted) = &claim.resource_claim_template_name
                && case.get::<ResourceClaimTemplate>(case.namespace(), wanted)?.is_absent()
            {
                return Ok(vec![absent(case, Kind::ResourceClaimTemplate, wanted)?]);
            }
        }
        let refused = case.newest_event(&["FailedResourceClaimCreation"], Event::is_warning)?;
        if let Some(event) = refused {
            let finding = case.finding(Code::ResourceClaimFailed).since(event.first).evidence(Evidence::event(&event));
            return Ok(vec![said(case, finding, &event.message, None)?]);
        }
    }
    if let Some(event) = unprepared(case)? {
        let finding = case.finding(Code::ResourceClaimFailed).since(event.first).evidence(Evidence::event(&event));
        return Ok(vec![said(case, finding, &event.message, None)?]);
    }
    let Some(blockers) = blockers(case)? else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::ResourceClaimFailed, Blocker::DeviceClaims) else {
        return Ok(Vec::new());
    };
    let words = blockers.unscheduled.verdict.parts.iter().find_map(|part| match &part.reason {
        Reason::DeviceClaims(words) => Some(words.clone()),
        Reason::PluginError { plugin, error } if plugin == "DynamicResources" => Some(error.clone()),
        _ => None,
    });
    let claim = claims().find_map(|claim| claim.resource_claim_name.clone()).or_else(|| generated(case));
    Ok(blockers.finish(said(case, finding, &words.unwrap_or_default(), claim.as_deref())?))
}

/// The claim that was made from a template for this pod.
fn generated(case: &Case<'_>) -> Option<String> {
    let statuses = pods::status(case.pod()?)?.resource_claim_statuses.as_ref()?;
    statuses.iter().find_map(|status| status.resource_claim_name.clone())
}

/// The kubelet could not prepare the devices, and no container runs yet.
fn unprepared(case: &Case<'_>) -> Result<Option<std::sync::Arc<Event>>, Needs> {
    let bound = case.pod().is_some_and(|pod| pods::node_name(pod).is_some() && !pods::is_finished(pod));
    let waits = case.containers().all(|container| container.running().is_none() && container.last_end().is_none());
    if !bound || !waits {
        return Ok(None);
    }
    case.newest_event(&["FailedPrepareDynamicResources"], Event::is_warning)
}

fn absent(case: &Case<'_>, kind: Kind, wanted: &str) -> Result<Finding, Needs> {
    let there: Vec<String> = match kind {
        Kind::ResourceClaim => names(
            case.list::<ResourceClaim>(case.namespace(), Filter::All)?
                .map(|all| all.iter().filter_map(|it| it.metadata.name.clone()).collect()),
        ),
        _ => names(
            case.list::<ResourceClaimTemplate>(case.namespace(), Filter::All)?
                .map(|all| all.iter().filter_map(|it| it.metadata.name.clone()).collect()),
        ),
    };
    let nearest = crate::nearest::nearest(wanted, there.iter().map(String::as_str));
    let root = case.neighbour(kind, wanted);
    let has = if there.is_empty() {
        text!["The namespace has none of this kind."]
    } else {
        text!["The namespace has ", Text::names(there, 6), "."]
    };
    let created = case.pod().and_then(pods::created);
    let rename = match nearest {
        Some(nearest) => Some(
            Fix::disruptive(text!["name the claim that is there: did you mean ", name(nearest), "?"])
                .command(edit_template(case)?),
        ),
        None => None,
    };
    Ok(case
        .finding(Code::ResourceClaimFailed)
        .since(created)
        .root(root.clone())
        .title(text![
            kind.name(),
            " ",
            name(root.path()),
            " does not exist, and Pod ",
            name(case.reference().path()),
            " needs it"
        ])
        .explain(text![
            "The pod asks for devices through ",
            kind.name(),
            " ",
            name(wanted),
            ", which is not there. The scheduler waits for it without a word: no condition, no event. ",
            has,
        ])
        .evidence(case.field(".spec.resourceClaims", wanted))
        .evidence(Evidence::field(&root, "", "does not exist"))
        .fix(rename)
        .fix(
            Fix::safe(text!["or make ", kind.name(), " ", name(root.path())])
                .command(case.kubectl(["get", &kind.kubectl_name()])),
        ))
}

fn names(read: Read<Vec<String>>) -> Vec<String> {
    read.found().unwrap_or_default()
}

/// What the scheduler, a controller or the kubelet said about a claim.
fn said(case: &Case<'_>, finding: Finding, words: &str, claim: Option<&str>) -> Result<Finding, Needs> {
    let class = match claim {
        Some(claim) => {
            case.get::<ResourceClaim>(case.namespace(), claim)?.found().and_then(|claim| device_class(&claim))
        }
        None => None,
    };
    let meaning = if words.contains("does not exist") {
        text!["What the claim names is not there."]
    } else if words.contains("in use") {
        text!["The claim is in use by other pods, as many as may share it."]
    } else if words.contains("cannot allocate all claims") || words.contains("not available on the node") {
        text![
            "No suitable node has a free device that the claim asks for: none matches, all are in use, or the \
            driver has not published its devices there."
        ]
    } else {
        Text::default()
    };
    let finding = match claim {
        Some(claim) => finding.root(case.neighbour(Kind::ResourceClaim, claim)),
        None => finding,
    };
    let of = claim.map(|claim| text![" of claim ", name(claim)]);
    let look = match claim {
        Some(claim) => Fix::safe(text!["see what the claim asks for and whether it is allocated"])
            .command(case.kubectl(["describe", "resourceclaim", claim])),
        None => Fix::safe(text!["see the claims of the namespace"]).command(case.kubectl(["get", "resourceclaims"])),
    };
    Ok(finding
        .title(text!["The devices", of, " cannot be had for Pod ", name(case.reference().path())])
        .explain(text![
            "The pod asks for devices through a ResourceClaim",
            class.map(|class| text![" of device class ", name(class)]),
            ". It was said: ",
            quoted(words),
            "."
        ])
        .also(meaning)
        .fix(look)
        .fix(
            Fix::safe(text!["see which devices the drivers offer, and which device classes there are"])
                .command(case.kubectl_cluster(["get", "resourceslices,deviceclasses"])),
        ))
}

/// The device class of a claim's first request, in its newer and its older place.
fn device_class(claim: &ResourceClaim) -> Option<String> {
    let request = claim.spec.get("devices")?.get("requests")?.get(0)?;
    let class = request
        .get("exactly")
        .and_then(|exactly| exactly.get("deviceClassName"))
        .or_else(|| request.get("deviceClassName"));
    class.and_then(serde_json::Value::as_str).map(str::to_owned)
}
