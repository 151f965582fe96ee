//! What the status of an object of any kind says of it: conditions, phase, health, the errors in it.
//!
//! The types are those that the API conventions and the well-known controllers use; a condition whose type nobody here
//! knows proves nothing. Each word stands with the path at which it can be checked.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::facts::operators;
use crate::kind::{Foreign, Object};

/// How long a state has to last before it is trouble.
const LASTS: SignedDuration = SignedDuration::from_mins(1);
/// How long a controller may take to look at a new specification.
const LOOKS_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// How long a controller may not know.
const KNOWS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Conditions whose absence of truth means that the object does not do what it is for.
const READY: [&str; 11] = [
    "Ready",
    "Available",
    "Healthy",
    "Accepted",
    "ResolvedRefs",
    "Programmed",
    "Succeeded",
    "Established",
    "NamesAccepted",
    "Valid",
    "Issued",
];

/// Conditions that ought to be true, and whose object may work without.
const WISHED: [&str; 9] = [
    "Synced",
    "Reconciled",
    "Released",
    "Configured",
    "Installed",
    "Provisioned",
    "Deployed",
    "Initialized",
    "Registered",
];

/// Conditions whose truth means that it failed.
const FAILED: [&str; 11] = [
    "Failed",
    "Failure",
    "Stalled",
    "Error",
    "NotReady",
    "Unhealthy",
    "Unavailable",
    "InvalidRequest",
    "InvalidSpec",
    "BuildFailed",
    "FetchFailed",
];

/// Conditions whose truth means that it works less well than it should.
const DEGRADED: [&str; 5] = ["Degraded", "Conflicted", "Fallback", "StorageOperationFailed", "OverlappingTLSConfig"];

/// Phases and states that mean failure, in lower case.
const BAD_PHASES: [&str; 19] = [
    "failed",
    "failure",
    "error",
    "errored",
    "fault",
    "faulted",
    "invalid",
    "expired",
    "unhealthy",
    "failedvalidation",
    "createfailed",
    "updatefailed",
    "upgradefailed",
    "crashloopbackoff",
    "missing",
    "lost",
    "red",
    "health_err",
    "unrecoverable",
];

/// Phases that mean less than whole.
const WEAK_PHASES: [&str; 5] = ["degraded", "partiallyfailed", "yellow", "health_warn", "partial"];

/// How bad a sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gravity {
    /// It does not do what it is for.
    Fails,
    /// It works, or may work.
    Weak,
}

/// What one place of a status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    /// How bad it is.
    pub(crate) gravity: Gravity,
    /// What it is called: `Ready is False`, `phase is Failed`.
    pub(crate) what: String,
    /// Where it stands: `.status.conditions[Ready]`.
    pub(crate) path: String,
    /// The one-word reason.
    pub(crate) reason: String,
    /// The words.
    pub(crate) message: String,
    /// Since when, where it is told.
    pub(crate) since: Option<Timestamp>,
}

/// What a status says, the gravest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    /// What is wrong for long enough.
    pub(crate) wrong: Vec<Sign>,
    /// What would be wrong if it lasted.
    pub(crate) young: Vec<Sign>,
    /// How it says that it is well: `Ready is True`.
    pub(crate) well: Option<String>,
}

/// What the status of an object says of it. Objects of the table's kinds are looked at where they have conditions.
pub(crate) fn of(object: &Object, now: Timestamp) -> Signs {
    match object {
        Object::Foreign(it) => of_foreign(it, now),
        Object::CustomResourceDefinition(it) => {
            let status = serde_json::to_value(&it.status).unwrap_or_default();
            Collector::new(now, it.metadata.creation_timestamp.as_ref().map(|time| time.0)).read(&status).finish()
        }
        _ => Signs::default(),
    }
}

fn of_foreign(object: &Foreign, now: Timestamp) -> Signs {
    let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let Some(status) = object.fields.get("status") else { return Signs::default() };
    let mut collector = Collector::new(now, created);
    collector = collector.read(status);
    collector.generation(object, status);
    collector.finish()
}

struct Collector {
    now: Timestamp,
    created: Option<Timestamp>,
    signs: Signs,
    /// Whether a condition says that the whole is ready.
    is_ready: bool,
    /// Whether it says that it has ended well.
    is_over: bool,
}

/// Phases that mean an end that went well, in lower case.
const DONE: [&str; 4] = ["succeeded", "completed", "complete", "finished"];

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn time(value: &Value, key: &str) -> Option<Timestamp> {
    word(value, key).parse().ok()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

impl Collector {
    fn new(now: Timestamp, created: Option<Timestamp>) -> Self {
        Self { now, created, signs: Signs::default(), is_ready: false, is_over: false }
    }

    fn read(mut self, status: &Value) -> Self {
        let is_true = |kind: &str| {
            list(status, "conditions").any(|one| word(one, "type") == kind && word(one, "status") == "True")
        };
        self.is_ready = is_true("Ready") || is_true("Available");
        let phase = first_word(status, &["phase", "state"]).to_ascii_lowercase();
        self.is_over = DONE.contains(&phase.as_str()) || is_true("Complete") || is_true("Completed");
        for condition in list(status, "conditions") {
            self.condition(condition, "");
        }
        // Gateway API: what each parent, ancestor or listener says of it.
        for (field, called) in [("parents", "controllerName"), ("ancestors", "controllerName"), ("listeners", "name")] {
            for part in list(status, field) {
                let of = match part.get("parentRef").or_else(|| part.get("ancestorRef")) {
                    Some(parent) => word(parent, "name"),
                    None => word(part, called),
                };
                for condition in list(part, "conditions") {
                    self.condition(condition, &format!("{field}[{of}]."));
                }
            }
        }
        self.phases(status);
        self.errors(status);
        self
    }

    fn condition(&mut self, condition: &Value, within: &str) {
        let (kind, status) = (word(condition, "type"), word(condition, "status"));
        let ready = READY.contains(&kind) || (kind.len() > 5 && kind.ends_with("Ready") && kind != "NotReady");
        let wished = WISHED.contains(&kind);
        let failed = FAILED.contains(&kind) || kind.ends_with("Error") || kind.ends_with("Failed");
        let degraded = DEGRADED.contains(&kind);
        if !(ready || wished || failed || degraded) {
            return;
        }
        // Controllers of Argo CD list a condition only where it holds, without a status. Knative says which matter.
        let is_info = word(condition, "severity") == "Info";
        let is_part = self.is_ready && !matches!(kind, "Accepted" | "ResolvedRefs" | "Programmed");
        let of_whole = |fails: bool| if fails && !is_part { Gravity::Fails } else { Gravity::Weak };
        let gravity = match status {
            "True" if ready => {
                self.signs.well.get_or_insert_with(|| format!("{kind} is True"));
                return;
            }
            "False" if (ready || wished) && is_info => return,
            "False" if ready => of_whole(true),
            "False" if wished => of_whole(false),
            "True" | "" if failed => of_whole(true),
            "True" if degraded => Gravity::Weak,
            "Unknown" if ready && !is_part => Gravity::Weak,
            _ => return,
        };
        let reason = word(condition, "reason");
        // A run of Tekton that goes on; a Rollout of Argo that waits for a person, whose phase tells more.
        let goes_on = kind == "Succeeded" && status == "Unknown" && ["Running", "Started"].contains(&reason);
        let told_by_phase = kind == "Healthy" && reason == "RolloutHealthy";
        // What has ended well need not be ready any more.
        let over = self.is_over && ready && kind != "Succeeded";
        if goes_on || told_by_phase || over {
            return;
        }
        let since = time(condition, "lastTransitionTime");
        let patience = if status == "Unknown" { KNOWS_WITHIN } else { LASTS };
        let said = if status.is_empty() { "reported" } else { status };
        self.add(
            patience,
            Sign {
                gravity,
                what: format!("{kind} is {said}"),
                path: format!(".status.{within}conditions[{kind}]"),
                reason: word(condition, "reason").to_owned(),
                message: word(condition, "message").to_owned(),
                since,
            },
        );
    }

    /// `.status.phase`, `.status.state`, Argo CD's `.status.health.status` and `.status.operationState.phase`.
    fn phases(&mut self, status: &Value) {
        let health = status.get("health").unwrap_or(&Value::Null);
        let operation = status.get("operationState").unwrap_or(&Value::Null);
        let of_health = if health.is_string() { (status, "health") } else { (health, "status") };
        for (place, key, path, message) in [
            (status, "phase", ".status.phase", first_word(status, &["message", "reason"])),
            (status, "state", ".status.state", first_word(status, &["reason", "message"])),
            (of_health.0, of_health.1, ".status.health", first_word(health, &["message"])),
            (operation, "phase", ".status.operationState.phase", first_word(operation, &["message"])),
        ] {
            let phase = word(place, key);
            if phase.is_empty() {
                continue;
            }
            let lower = phase.to_ascii_lowercase();
            let gravity = if BAD_PHASES.contains(&lower.as_str()) {
                Gravity::Fails
            } else if WEAK_PHASES.contains(&lower.as_str()) {
                // An application of Argo CD that is Degraded has a part that fails.
                if path == ".status.health" && lower == "degraded" { Gravity::Fails } else { Gravity::Weak }
            } else {
                continue;
            };
            let since = time(place, "lastTransitionTime").or_else(|| time(place, "finishedAt"));
            let what = path.trim_start_matches(".status.").replace("operationState.phase", "the last operation");
            self.add(
                LASTS,
                Sign {
                    gravity,
                    what: format!("{what} is {phase}"),
                    path: path.to_owned(),
                    reason: String::new(),
                    message,
                    since,
                },
            );
        }
    }

    /// `.status.error.message` of snapshots, `.status.failureMessage` of machines.
    fn errors(&mut self, status: &Value) {
        let error = status.get("error").unwrap_or(&Value::Null);
        let (path, message) = match error {
            Value::String(words) => (".status.error", words.clone()),
            _ => (".status.error.message", word(error, "message").to_owned()),
        };
        let machine = first_word(status, &["failureMessage", "errorMessage"]);
        let reason = first_word(status, &["failureReason", "errorReason"]);
        for (path, what, message, since) in
            [(path, "error", message, time(error, "time")), (".status.failureMessage", "failureMessage", machine, None)]
        {
            if message.is_empty() {
                continue;
            }
            let works = status.get("readyToUse") == Some(&Value::Bool(true)) || self.is_ready;
            self.add(
                LASTS,
                Sign {
                    gravity: if works { Gravity::Weak } else { Gravity::Fails },
                    what: format!("{what} is set"),
                    path: path.to_owned(),
                    reason: reason.clone(),
                    message,
                    since,
                },
            );
        }
    }

    /// Its controller has not looked at the newest specification.
    fn generation(&mut self, object: &Foreign, status: &Value) {
        let observed = status
            .get("observedGeneration")
            .and_then(Value::as_i64)
            .or_else(|| list(status, "conditions").filter_map(|one| one.get("observedGeneration")?.as_i64()).max());
        let (Some(observed), Some(generation)) = (observed, object.metadata.generation) else { return };
        // `0` and `-1` stand where a controller never sets it.
        if observed <= 0 || observed >= generation {
            return;
        }
        let since = operators::specified_at(&object.metadata).or(self.created);
        self.add(
            LOOKS_WITHIN,
            Sign {
                gravity: Gravity::Weak,
                what: format!("observedGeneration is {observed}, behind generation {generation}"),
                path: ".status.observedGeneration".to_owned(),
                reason: String::new(),
                message: "its controller has not looked at the newest specification".to_owned(),
                since,
            },
        );
    }

    fn add(&mut self, patience: SignedDuration, sign: Sign) {
        let since = sign.since.or(self.created);
        let lasts = since.is_none_or(|since| self.now.duration_since(since) >= patience);
        if lasts { self.signs.wrong.push(sign) } else { self.signs.young.push(sign) }
    }

    fn finish(mut self) -> Signs {
        // What says most leads: a failure that is named before the readiness that follows from it, words before none.
        self.signs.wrong.sort_by_key(|sign| (sign.gravity, sign.message.is_empty(), sign.what.starts_with("health")));
        self.signs
    }
}

fn first_word(value: &Value, keys: &[&str]) -> String {
    keys.iter().map(|key| word(value, key)).find(|words| !words.is_empty()).unwrap_or_default().to_owned()
}
