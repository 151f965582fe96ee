//! Eviction: a deletion that asks the disruption budgets first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Request, body, delete};
use crate::answer::Answer;
use crate::handle::Sandbox;
use crate::object::{as_map, elements, field_mut, is_deleting, meta, number, stamp, text};
use crate::removal::{self, DeleteOptions};
use crate::selector::Labels;
use crate::status::{Cause, Status};
use crate::store::{Place, ShelfName, Store};

/// How many pods a budget may have on its way out before it takes no more.
const MOST_DISRUPTED: usize = 2000;

/// Evicts a pod, if the budgets allow it.
pub(super) fn evict(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let eviction = body::parse(request, "Eviction")?;
    body::check_posted(&eviction, "policy", "Eviction")?;
    if meta(&eviction, "name") != request.target.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let place = request.place();
    let namespace = meta(&eviction, "namespace");
    if !namespace.is_empty() && namespace != place.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message));
    }
    let empty = json!({});
    let options = delete::parse(&request.query, eviction.get("deleteOptions").unwrap_or(&empty))?;
    let mut store = sandbox.store();
    let pod = store.at(&place).cloned().ok_or_else(|| request.not_found())?;
    if !needs_no_budget(&pod) {
        ask_budget(&mut store, request, &pod, &options)?;
    }
    remove(&mut store, request, &place, &pod, options)?;
    sandbox.settle(&mut store, request.now);
    Ok(Answer::Document(
        201,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// A pod that does no work takes nothing away.
fn needs_no_budget(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed" | "Pending") || is_deleting(pod)
}

/// Asks the one budget that covers the pod, and takes from it.
fn ask_budget(store: &mut Store, request: &Request, pod: &Value, options: &DeleteOptions) -> Result<(), Status> {
    let shelf = ShelfName::new("policy", "poddisruptionbudgets");
    let budgets: Vec<Arc<Value>> = store
        .objects(&shelf, Some(meta(pod, "namespace")))
        .filter(|budget| {
            let selector = budget.pointer("/spec/selector").and_then(Labels::of_spec);
            selector.is_some_and(|selector| selector.matches(pod.pointer("/metadata/labels")))
        })
        .cloned()
        .collect();
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [only] => with_status(store, only),
        _ => {
            let message =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "", message));
        }
    };
    let count = |field: &str| number(&budget, &format!("/status/{field}")).unwrap_or(0);
    if !is_ready(pod) {
        let always = text(&budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow";
        let healthy = count("currentHealthy") >= count("desiredHealthy") && count("desiredHealthy") > 0;
        if always || healthy {
            return Ok(());
        }
    }
    let name = meta(&budget, "name");
    let refuse = |message: String, seconds: u32| {
        let status =
            Status::too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", seconds);
        Err(status.because(Cause { reason: "DisruptionBudget".into(), message, field: String::new() }))
    };
    if count("observedGeneration") < number(&budget, "/metadata/generation").unwrap_or(0) {
        return refuse(format!("The disruption budget {name} is still being processed by the server."), 10);
    }
    let allowed = count("disruptionsAllowed");
    let forbid = |why: &str| Err(Status::forbidden("policy", "poddisruptionbudget", name, why));
    if allowed < 0 {
        return forbid("pdb disruptions allowed is negative");
    }
    if budget
        .pointer("/status/disruptedPods")
        .and_then(Value::as_object)
        .is_some_and(|pods| pods.len() > MOST_DISRUPTED)
    {
        return forbid("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if allowed == 0 {
        let (desired, current) = (count("desiredHealthy"), count("currentHealthy"));
        return refuse(
            format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently"),
            0,
        );
    }
    if !options.dry_run {
        take_one(store, &Place::of(&shelf, &budget), Value::clone(&budget), request, meta(pod, "name"), allowed);
    }
    Ok(())
}

fn take_one(store: &mut Store, place: &Place, mut budget: Value, request: &Request, pod: &str, allowed: i64) {
    let status = as_map(field_mut(&mut budget, "status"));
    status.insert("disruptionsAllowed".to_owned(), allowed.saturating_sub(1).into());
    let disrupted = as_map(status.entry("disruptedPods").or_insert(Value::Null));
    disrupted.insert(pod.to_owned(), stamp(request.now).into());
    set_allowed(&mut budget, allowed.saturating_sub(1) > 0, &stamp(request.now));
    store.write(place, budget);
}

/// Says in the budget's condition whether another disruption is allowed.
fn set_allowed(budget: &mut Value, allowed: bool, now: &str) {
    let (value, reason) = if allowed { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let generation = number(budget, "/status/observedGeneration").unwrap_or(0);
    let status = as_map(field_mut(budget, "status"));
    let Some(conditions) = status.entry("conditions").or_insert_with(|| json!([])).as_array_mut() else { return };
    let is_it = |one: &Value| text(one, "/type") == "DisruptionAllowed";
    let before = conditions.iter().find(|one| is_it(one) && text(one, "/status") == value);
    let since = before.map_or_else(|| now.to_owned(), |one| text(one, "/lastTransitionTime").to_owned());
    conditions.retain(|one| !is_it(one));
    conditions.push(json!({
        "type": "DisruptionAllowed", "status": value, "reason": reason, "message": "",
        "lastTransitionTime": since, "observedGeneration": generation,
    }));
}

/// The budget as its controller leaves it: counted here where no scenario says otherwise.
fn with_status(store: &Store, budget: &Arc<Value>) -> Arc<Value> {
    if is_counted(budget) {
        return budget.clone();
    }
    let selector = budget.pointer("/spec/selector").and_then(Labels::of_spec).unwrap_or_default();
    let pods: Vec<&Arc<Value>> = store
        .objects(&ShelfName::new("", "pods"), Some(meta(budget, "namespace")))
        .filter(|pod| selector.matches(pod.pointer("/metadata/labels")))
        .filter(|pod| !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed"))
        .collect();
    let expected = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let healthy = pods.iter().filter(|pod| is_ready(pod) && !is_deleting(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let desired = match (budget.pointer("/spec/minAvailable"), budget.pointer("/spec/maxUnavailable")) {
        (Some(least), _) => share(least, expected),
        (None, Some(most)) => expected.saturating_sub(share(most, expected)).max(0),
        (None, None) => expected.saturating_sub(1).max(0),
    };
    let mut counted = Value::clone(budget);
    let generation = number(budget, "/metadata/generation").unwrap_or(0);
    as_map(&mut counted).insert(
        "status".to_owned(),
        json!({
            "observedGeneration": generation,
            "expectedPods": expected,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": healthy.saturating_sub(desired).max(0),
        }),
    );
    Arc::new(counted)
}

/// Whether the numbers of a budget are to be believed: a controller wrote them, or one still has to because the budget
/// came through the API. What a scenario puts there without generation and status is counted here.
fn is_counted(budget: &Value) -> bool {
    if number(budget, "/metadata/generation").is_some() {
        return true;
    }
    let status = budget.get("status").and_then(Value::as_object);
    let numbers = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
    status.is_some_and(|status| {
        status.contains_key("observedGeneration")
            || numbers.iter().any(|field| status.get(*field).and_then(Value::as_i64).unwrap_or(0) != 0)
    })
}

/// A number of pods, or a percentage of those expected, rounded up.
fn share(value: &Value, expected: i64) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<i64>().ok());
    percent.unwrap_or(0).saturating_mul(expected).saturating_add(99) / 100
}

fn is_ready(pod: &Value) -> bool {
    let conditions = elements(pod, "/status/conditions");
    conditions.iter().any(|one| text(one, "/type") == "Ready" && text(one, "/status") == "True")
}

/// Marks the pod as disrupted and deletes it.
fn remove(
    store: &mut Store,
    request: &Request,
    place: &Place,
    pod: &Arc<Value>,
    mut options: DeleteOptions,
) -> Result<(), Status> {
    if !options.dry_run {
        // Checked before the mark is set, which makes another resource version.
        let check = DeleteOptions { dry_run: true, ..options.clone() };
        removal::delete(store, place, &check, request.now)?;
        options.resource_version = None;
        let mut marked = Value::clone(pod);
        mark(&mut marked, &stamp(request.now));
        store.write(place, marked);
    }
    removal::delete(store, place, &options, request.now).map(drop)
}

fn mark(pod: &mut Value, now: &str) {
    let status = as_map(field_mut(pod, "status"));
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Some(conditions) = conditions.as_array_mut() else { return };
    conditions.retain(|one| text(one, "/type") != "DisruptionTarget");
    conditions.push(json!({
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }));
}
