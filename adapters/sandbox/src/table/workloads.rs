//! What makes pods.

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, flag, number, text},
    row::{NONE, Row, UNSET, condition, text as text_at, time},
    selector::{label_selector, labels, written},
};

const CONTAINERS: &str = "/spec/template/spec/containers";

pub(super) const DEPLOYMENT: Printer = Printer {
    columns: &[
        NAME,
        text("Ready"),
        text("Up-to-date"),
        text("Available"),
        AGE,
        text("Containers").wide(),
        text("Images").wide(),
        text("Selector").wide(),
    ],
    cells: |row| {
        let [names, images] = row.containers(CONTAINERS);
        let selector = written(row.object.pointer("/spec/selector")).unwrap_or_else(|| "<invalid>".to_owned());
        vec![
            row.name(),
            ready(row),
            row.number("/status/updatedReplicas").into(),
            row.number("/status/availableReplicas").into(),
            row.age(),
            names,
            images,
            selector.into(),
        ]
    },
};

const REPLICAS: &[super::Column] = &[
    NAME,
    number("Desired"),
    number("Current"),
    number("Ready"),
    AGE,
    text("Containers").wide(),
    text("Images").wide(),
    text("Selector").wide(),
];

pub(super) const REPLICA_SET: Printer =
    Printer { columns: REPLICAS, cells: |row| replicas(row, label_selector(row.object.pointer("/spec/selector"))) };

pub(super) const REPLICATION_CONTROLLER: Printer =
    Printer { columns: REPLICAS, cells: |row| replicas(row, labels(row.object.pointer("/spec/selector"))) };

fn replicas(row: &Row<'_>, selector: String) -> Vec<Value> {
    let [names, images] = row.containers(CONTAINERS);
    vec![
        row.name(),
        row.number("/spec/replicas").into(),
        row.number("/status/replicas").into(),
        row.number("/status/readyReplicas").into(),
        row.age(),
        names,
        images,
        selector.into(),
    ]
}

pub(super) const STATEFUL_SET: Printer = Printer {
    columns: &[NAME, text("Ready"), AGE, text("Containers").wide(), text("Images").wide()],
    cells: |row| {
        let [names, images] = row.containers(CONTAINERS);
        vec![row.name(), ready(row), row.age(), names, images]
    },
};

fn ready(row: &Row<'_>) -> Value {
    format!("{}/{}", row.number("/status/readyReplicas"), row.number("/spec/replicas")).into()
}

pub(super) const DAEMON_SET: Printer = Printer {
    columns: &[
        NAME,
        number("Desired"),
        number("Current"),
        number("Ready"),
        number("Up-to-date"),
        number("Available"),
        text("Node Selector"),
        AGE,
        text("Containers").wide(),
        text("Images").wide(),
        text("Selector").wide(),
    ],
    cells: |row| {
        let [names, images] = row.containers(CONTAINERS);
        vec![
            row.name(),
            row.number("/status/desiredNumberScheduled").into(),
            row.number("/status/currentNumberScheduled").into(),
            row.number("/status/numberReady").into(),
            row.number("/status/updatedNumberScheduled").into(),
            row.number("/status/numberAvailable").into(),
            labels(row.object.pointer("/spec/template/spec/nodeSelector")).into(),
            row.age(),
            names,
            images,
            label_selector(row.object.pointer("/spec/selector")).into(),
        ]
    },
};

pub(super) const JOB: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Completions"),
        text("Duration"),
        AGE,
        text("Containers").wide(),
        text("Images").wide(),
        text("Selector").wide(),
    ],
    cells: |row| {
        let [names, images] = row.containers(CONTAINERS);
        vec![
            row.name(),
            job_status(row).into(),
            completions(row).into(),
            job_duration(row).into(),
            row.age(),
            names,
            images,
            label_selector(row.object.pointer("/spec/selector")).into(),
        ]
    },
};

fn job_status(row: &Row<'_>) -> &'static str {
    let conditions = row.items("/status/conditions");
    let is = |kind: &str| condition(conditions, kind).is_some_and(|one| text_at(one, "/status") == "True");
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if row.is_deleted() => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn completions(row: &Row<'_>) -> String {
    let succeeded = row.number("/status/succeeded");
    match (row.object.pointer("/spec/completions").and_then(Value::as_i64), row.number("/spec/parallelism")) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism @ 2..) => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn job_duration(row: &Row<'_>) -> String {
    let Some(start) = time(row.object, "/status/startTime") else { return String::new() };
    let end = time(row.object, "/status/completionTime").unwrap_or(row.now);
    super::human(end.duration_since(start))
}

pub(super) const CRON_JOB: Printer = Printer {
    columns: &[
        NAME,
        text("Schedule"),
        text("Timezone"),
        flag("Suspend"),
        number("Active"),
        text("Last Schedule"),
        AGE,
        text("Containers").wide(),
        text("Images").wide(),
        text("Selector").wide(),
    ],
    cells: |row| {
        let [names, images] = row.containers("/spec/jobTemplate/spec/template/spec/containers");
        let last = "/status/lastScheduleTime";
        vec![
            row.name(),
            row.text("/spec/schedule").into(),
            row.text_or("/spec/timeZone", NONE).into(),
            suspended(row).into(),
            row.count("/status/active").into(),
            if row.text(last).is_empty() { NONE.into() } else { row.since(last).into() },
            row.age(),
            names,
            images,
            label_selector(row.object.pointer("/spec/jobTemplate/spec/selector")).into(),
        ]
    },
};

fn suspended(row: &Row<'_>) -> &'static str {
    match row.flag("/spec/suspend") {
        Some(true) => "True",
        Some(false) => "False",
        None => UNSET,
    }
}

pub(super) const POD_TEMPLATE: Printer = Printer {
    columns: &[NAME, text("Containers"), text("Images"), text("Pod Labels")],
    cells: |row| {
        let [names, images] = row.containers("/template/spec/containers");
        vec![row.name(), names, images, labels(row.object.pointer("/template/metadata/labels")).into()]
    },
};

pub(super) const CONTROLLER_REVISION: Printer = Printer {
    columns: &[NAME, text("Controller"), text("Revision"), AGE],
    cells: |row| vec![row.name(), controller(row).into(), row.number("/revision").into(), row.age()],
};

/// The controlling owner: `statefulset.apps/web`.
fn controller(row: &Row<'_>) -> String {
    let owners = row.items("/metadata/ownerReferences");
    let Some(owner) = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true))) else {
        return NONE.to_owned();
    };
    let group = text_at(owner, "/apiVersion").split_once('/').map(|(group, _)| format!(".{group}"));
    let kind = text_at(owner, "/kind").to_lowercase();
    format!("{kind}{}/{}", group.unwrap_or_default(), text_at(owner, "/name"))
}

pub(super) const NAME_AND_AGE: Printer = Printer { columns: &[NAME, AGE], cells: |row| vec![row.name(), row.age()] };

pub(super) const RESOURCE_CLAIM: Printer =
    Printer { columns: &[NAME, text("State"), AGE], cells: |row| vec![row.name(), claim_state(row).into(), row.age()] };

fn claim_state(row: &Row<'_>) -> &'static str {
    let reserved = row.count("/status/reservedFor") > 0;
    match (row.is_deleted(), row.object.pointer("/status/allocation").is_some(), reserved) {
        (false, false, _) => "pending",
        (true, false, _) => "deleted",
        (false, true, false) => "allocated",
        (false, true, true) => "allocated,reserved",
        (true, true, false) => "deleted,allocated",
        (true, true, true) => "deleted,allocated,reserved",
    }
}

pub(super) const RESOURCE_SLICE: Printer = Printer {
    columns: &[NAME, text("Node"), text("Driver"), text("Pool"), AGE],
    cells: |row| {
        let texts = ["/spec/nodeName", "/spec/driver", "/spec/pool/name"].map(|pointer| row.text(pointer).into());
        [vec![row.name()], texts.to_vec(), vec![row.age()]].concat()
    },
};
