//! `cronjob-not-running`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, Job};
use kubewhy_text::{Text, code, name, quoted, text};
use serde_json::json;
use std::sync::Arc;

use crate::ask::Filter;
use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::control_plane::{self, Component};
use crate::facts::managers;
use crate::finding::{Action, Confidence, Evidence, Finding, Fix, Severity};
use crate::kind::Kind;
use crate::parse::schedule::Schedule;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A `CronJob` starts no jobs: it is suspended, its schedule or time zone cannot be read, it missed its times, or a run that
    /// does not end keeps the next ones out (concurrencyPolicy Forbid). Or its schedule names a day that never comes.
    /// ## Signals
    /// `spec.suspend: true`; events `UnparseableSchedule`, `UnParseableCronJobSchedule`, `InvalidSchedule`, `UnknownTimeZone`,
    /// `MissSchedule`, `TooManyMissedTimes`, `FailedNeedsStart`; `JobAlreadyActive`
    /// `Not starting job because prior execution is running and concurrency policy is Forbid`; a `lastScheduleTime` that
    /// is older than the schedule allows. A day that no year has: once
    /// `InvalidSchedule` `... time difference between two schedules is less than 1 second`, and then silence.
    /// ## Look-alikes
    /// `job-failed`, `job-deadline-exceeded`: jobs start, and fail. A refused job (`FailedCreate`) has the codes of
    /// admission. With Forbid, what holds the pod of the run that does not end is the cause, and this follows from it.
    /// ## Fixes
    /// Resume it; correct the schedule; end the stuck run, and give the job an activeDeadlineSeconds.
    /// ## Source
    /// pkg/controller/cronjob/cronjob_controllerv2.go, utils.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/>
    CronjobNotRunning, stage Workload, since "0.1.0", detect
}

/// The controller looks at a `CronJob` within seconds; a start that is this late was missed.
const LATE: SignedDuration = SignedDuration::from_mins(10);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::CronJob(cron)) = case.workload() else { return Ok(Vec::new()) };
    let Some(spec) = cron.spec.as_ref().filter(|_| case.meta().deletion_timestamp.is_none()) else {
        return Ok(Vec::new());
    };
    if spec.suspend == Some(true) {
        return Ok(vec![suspended(case, cron, spec)]);
    }
    let events = case.own_events()?;
    let last = cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref()).map(|time| time.0);
    // Trouble from before the last start is over.
    let newest = |reasons: &[&str]| {
        let of = events.iter().rev().find(|event| reasons.contains(&event.reason.as_str()));
        of.filter(|event| last.is_none() || event.last.is_none() || event.last > last).cloned()
    };
    let unreadable = newest(&[
        "UnparseableSchedule",
        "UnParseableCronJobSchedule",
        "UnparseableCronJobSchedule",
        "InvalidSchedule",
        "UnsupportedSchedule",
        "UnknownTimeZone",
    ]);
    if Schedule::parse(&spec.schedule).is_some_and(|schedule| schedule.is_never()) {
        return Ok(vec![never(case, spec, unreadable.as_deref())]);
    }
    if let Some(event) = unreadable {
        return Ok(vec![unreadable_schedule(case, spec, &event)]);
    }
    if spec.concurrency_policy.as_deref() == Some("Forbid")
        && let Some(stuck) = stuck(case, cron, spec, newest(&["JobAlreadyActive"]).as_deref())?
    {
        return Ok(vec![stuck]);
    }
    if let Some(event) = newest(&["TooManyMissedTimes", "FailedNeedsStart", "MissSchedule"]) {
        return Ok(vec![missed(case, spec, last, Some(&event))]);
    }
    let blocked = newest(&["FailedCreate"]).is_some() || newest(&["JobAlreadyActive"]).is_some();
    if blocked {
        return Ok(Vec::new());
    }
    // What is only a little late is a miss where nobody is there to start it.
    let late = is_late(case, spec, last)
        || is_a_little_late(case, spec, last) && control_plane::down(case, Component::ControllerManager)?.is_some();
    Ok(if late { vec![missed(case, spec, last, None)] } else { Vec::new() })
}

/// A start of every hour, which no time zone moves, was due and came not.
fn is_a_little_late(case: &Case<'_>, spec: &CronJobSpec, last: Option<Timestamp>) -> bool {
    let fields: Vec<&str> = spec.schedule.split_whitespace().collect();
    let (Some((minute, rest)), Some(schedule)) = (fields.split_first(), Schedule::parse(&spec.schedule)) else {
        return false;
    };
    let hourly = rest.len() == 4 && rest.iter().all(|field| *field == "*");
    let even = *minute == "*" || minute.strip_prefix("*/").is_some_and(|step| ["5", "10", "15"].contains(&step));
    let created = case.meta().creation_timestamp.as_ref().map(|time| time.0);
    let due = last.max(created).and_then(|from| schedule.next(from, &TimeZone::UTC));
    hourly && even && due.is_some_and(|due| case.age(due).as_secs() >= 45)
}

fn finding(case: &Case<'_>) -> Finding {
    case.finding(Code::CronjobNotRunning)
}

fn target(case: &Case<'_>) -> String {
    format!("cronjob/{}", case.name())
}

fn suspended(case: &Case<'_>, cron: &CronJob, spec: &CronJobSpec) -> Finding {
    let by = managers::of_field(case.meta(), &["f:spec", "f:suspend"]);
    let who = by
        .as_ref()
        .map(|by| text!["The field was set by ", name(by.who.clone()), by.at.map(|at| text![" at ", at]), "."]);
    let last = cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref()).map(|time| time.0);
    let ran: Text = match last {
        Some(last) => text!["It ran last at ", last, "."],
        None => text!["It has never run."],
    };
    let since = by.as_ref().and_then(|by| by.at);
    finding(case)
        .severity(Severity::Warning)
        .since(since)
        .title(text!["CronJob ", name(case.reference().path()), " is suspended: it starts no jobs"])
        .explain(text![
            "The CronJob says ",
            code("suspend: true"),
            ", so its schedule ",
            code(spec.schedule.clone()),
            " starts nothing until somebody resumes it. ",
            ran
        ])
        .also(who)
        .evidence(case.field(".spec.suspend", "true").at(since))
        .fix(
            Fix::safe(text![
                "resume it, if it is not meant to rest (times missed meanwhile may start one job at once)"
            ])
            .command(case.kubectl([
                "patch",
                &target(case),
                "--type",
                "merge",
                "-p",
                &json!({"spec": {"suspend": false}}).to_string(),
            ]))
            .remedy(Action::Resume),
        )
}

fn unreadable_schedule(case: &Case<'_>, spec: &CronJobSpec, event: &Event) -> Finding {
    let zone = event.reason == "UnknownTimeZone";
    let (what, value) = if zone {
        ("time zone", spec.time_zone.clone().unwrap_or_default())
    } else {
        ("schedule", spec.schedule.clone())
    };
    let edit = if zone {
        text!["name a time zone of the IANA database, such as ", code("Europe/Berlin")]
    } else {
        text!["correct the schedule: five fields, minute hour day month weekday"]
    };
    finding(case)
        .since(event.first)
        .title(text![
            "CronJob ",
            name(case.reference().path()),
            " starts no jobs: its ",
            what,
            " ",
            quoted(value.clone()),
            " cannot be read"
        ])
        .explain(text![
            "Kubernetes cannot make out when to run it: its ",
            what,
            " says ",
            quoted(value),
            ". The controller says ",
            quoted(event.message.clone()),
            "."
        ])
        .evidence(Evidence::event(event))
        .fix(Fix::safe(edit).command(case.kubectl(["edit", &target(case)])))
}

/// Its day and month meet in no year. The controller says so once (and calls it invalid), then is silent.
fn never(case: &Case<'_>, spec: &CronJobSpec, event: Option<&Event>) -> Finding {
    let says = event.map(|event| text!["The controller calls it invalid: ", quoted(event.message.clone()), "."]);
    finding(case)
        .since(case.meta().creation_timestamp.as_ref().map(|time| time.0))
        .title(text![
            "CronJob ",
            name(case.reference().path()),
            " starts no jobs: its schedule ",
            code(spec.schedule.clone()),
            " names a day that never comes"
        ])
        .explain(text![
            "The schedule can be read, and no year has a day that fits both its day of the month (third field) and its \
             month (fourth field), so no job is ever due."
        ])
        .also(says)
        .evidence(case.field(".spec.schedule", spec.schedule.clone()))
        .evidence(event.map(Evidence::event))
        .fix(
            Fix::safe(text![
                "correct day and month; for the last day of every month let it run on days 28-31 and have the job end \
                 at once unless tomorrow is the first"
            ])
            .command(case.kubectl(["edit", &target(case)])),
        )
}

/// The run that does not end and keeps the next ones out, once a start has been left out because of it.
fn stuck(case: &Case<'_>, cron: &CronJob, spec: &CronJobSpec, event: Option<&Event>) -> Result<Option<Finding>, Needs> {
    let active: Vec<String> =
        cron.status.iter().flat_map(|status| status.active.iter().flatten()).filter_map(|it| it.name.clone()).collect();
    let Some(run) = active.first() else { return Ok(None) };
    let jobs = case.list::<Job>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let job = jobs.iter().find(|job| job.metadata.name.as_deref() == Some(run.as_str()));
    let started = job.and_then(started);
    let due = started.and_then(|started| Schedule::parse(&spec.schedule)?.next(started, &zone(spec)?));
    if !is_stuck(case, spec, started, due, event) {
        return Ok(None);
    }
    let deadline = job.and_then(|job| job.spec.as_ref()).and_then(|spec| spec.active_deadline_seconds);
    let age = started.map(|started| text![" has been running since ", started, " (", minutes(case.age(started)), ")"]);
    let since = event.and_then(|event| event.first).or(due);
    let bound = match deadline {
        Some(seconds) => text!["Its deadline ends it after ", seconds, " seconds."],
        None => text!["It has no ", code("activeDeadlineSeconds"), ", so nothing ends it."],
    };
    let evidence = event.map(Evidence::event);
    let end =
        Fix::disruptive(text!["see what the run does, and end it if it is stuck: the next time starts a new one"])
            .command(case.kubectl(["logs", &format!("job/{run}"), "--all-containers", "--tail=50"]))
            .command(case.kubectl(["delete", "job", run]))
            .remedy(Action::DeleteJob);
    let body = json!({"spec": {"jobTemplate": {"spec": {"activeDeadlineSeconds": 3600}}}}).to_string();
    let guard = Fix::safe(text![
        "give its jobs an activeDeadlineSeconds (as long as a good run may take), so that a stuck run ends by itself"
    ])
    .command(case.kubectl(["patch", &target(case), "--type", "merge", "-p", &body]));
    let other = Fix::disruptive(text!["or let a new run replace the old one: ", code("concurrencyPolicy: Replace")])
        .command(case.kubectl([
            "patch",
            &target(case),
            "--type",
            "merge",
            "-p",
            &json!({"spec": {"concurrencyPolicy": "Replace"}}).to_string(),
        ]));
    let finding = finding(case)
        .follows_lead()
        .since(since)
        .via(case.neighbour(Kind::Job, run))
        .title(text![
            "CronJob ",
            name(case.reference().path()),
            " starts no new job: run ",
            name(run.clone()),
            " has not ended, and concurrencyPolicy is Forbid"
        ])
        .explain(text![
            "With ",
            code("concurrencyPolicy: Forbid"),
            " a new run waits for the one before. Job ",
            name(run.clone()),
            age.unwrap_or_else(|| text![" is still running"]),
            ", while the schedule is ",
            code(spec.schedule.clone()),
            ". "
        ])
        .also(bound)
        .evidence(evidence)
        .evidence(case.field(".status.active", active.join(", ")));
    Ok(Some(finding.fix(end).fix(guard).fix(other)))
}

/// Tells whether a run takes longer than is usual for such a schedule: a start was left out, and it runs for an hour or for
/// three rounds. A run that now and then overlaps the next start is what Forbid is for.
fn is_stuck(
    case: &Case<'_>,
    spec: &CronJobSpec,
    started: Option<Timestamp>,
    due: Option<Timestamp>,
    event: Option<&Event>,
) -> bool {
    let Some(started) = started else { return event.is_some() };
    let long = case.age(started) > SignedDuration::from_hours(1);
    let Some(due) = due else { return event.is_some_and(|event| long || event.count > 2) };
    let next = Schedule::parse(&spec.schedule).zip(zone(spec)).and_then(|(schedule, zone)| schedule.next(due, &zone));
    let round = next.map(|next| next.duration_since(due));
    let rounds = round.is_some_and(|round| case.age(started).as_secs() > 3 * round.as_secs());
    (event.is_some() || case.age(due) > SignedDuration::from_secs(30)) && (long || rounds)
}

fn started(job: &Arc<Job>) -> Option<Timestamp> {
    let started = job.status.as_ref().and_then(|status| status.start_time.as_ref());
    started.or(job.metadata.creation_timestamp.as_ref()).map(|time| time.0)
}

fn minutes(age: SignedDuration) -> Text {
    match age.as_mins() {
        0..=119 => text![age.as_mins(), " min"],
        _ => text![age.as_hours(), " h"],
    }
}

/// The zone of the schedule, where it can be told without a database: UTC.
fn zone(spec: &CronJobSpec) -> Option<TimeZone> {
    let zone = spec.time_zone.as_deref().unwrap_or("Etc/UTC");
    let own = spec.schedule.starts_with("TZ=") || spec.schedule.starts_with("CRON_TZ=");
    (!own && matches!(zone, "Etc/UTC" | "UTC" | "Etc/UCT" | "Zulu" | "GMT" | "Etc/GMT")).then_some(TimeZone::UTC)
}

/// A start was due long ago, and came not.
fn is_late(case: &Case<'_>, spec: &CronJobSpec, last: Option<Timestamp>) -> bool {
    // A controller without a zone uses its own, so only a schedule that says one, or is finer than a day, can be told late.
    let Some(zone) = zone(spec) else { return false };
    let created = case.meta().creation_timestamp.as_ref().map(|time| time.0);
    let changed = managers::of_field(case.meta(), &["f:spec", "f:schedule"]).and_then(|by| by.at);
    let resumed = managers::of_field(case.meta(), &["f:spec", "f:suspend"]).and_then(|by| by.at);
    let Some(from) = [last, created, changed, resumed].into_iter().flatten().max() else { return false };
    let Some(schedule) = Schedule::parse(&spec.schedule) else { return false };
    let (Some(first), grace) =
        (schedule.next(from, &zone), if spec.time_zone.is_some() { LATE } else { SignedDuration::from_hours(26) })
    else {
        return false;
    };
    case.age(first) > grace
}

fn missed(case: &Case<'_>, spec: &CronJobSpec, last: Option<Timestamp>, event: Option<&Arc<Event>>) -> Finding {
    let ran: Text = match last {
        Some(last) => text!["It started a job last at ", last, ". "],
        None => text!["It has never started a job. "],
    };
    let deadline = spec.starting_deadline_seconds;
    let why = match (event, deadline) {
        (Some(event), Some(seconds)) if event.reason == "MissSchedule" && seconds < 10 => text![
            "With a startingDeadlineSeconds of ",
            seconds,
            " it may never start: the controller looks only every 10 seconds."
        ],
        (Some(event), _) if event.reason == "MissSchedule" => {
            text!["The controller came too late for the startingDeadlineSeconds that it allows."]
        }
        (Some(_), _) => text![
            "More than 100 starts were missed (while it was suspended, the controller was down or the clock jumped), and then Kubernetes starts none at all unless startingDeadlineSeconds is set."
        ],
        (None, _) => text!["Nothing says why: the controller manager may not be running."],
    };
    let finding = finding(case)
        .since(event.and_then(|event| event.first))
        .confidence(if event.is_some() { Confidence::Certain } else { Confidence::Likely })
        .title(text!["CronJob ", name(case.reference().path()), " misses its schedule ", code(spec.schedule.clone())])
        .explain(text![ran, event.map(|event| text!["The controller says ", quoted(event.message.clone()), ". "]), why])
        .evidence(event.map(|event| Evidence::event(event)))
        .evidence(
            case.field(".status.lastScheduleTime", last.map_or_else(|| "none".to_owned(), |last| last.to_string())),
        );
    let body = json!({"spec": {"startingDeadlineSeconds": 200}}).to_string();
    let again = format!("{}-now", case.name());
    let by_hand = Fix::safe(text!["start a job by hand meanwhile"]).command(case.kubectl([
        "create",
        "job",
        &again,
        &format!("--from={}", target(case)),
    ]));
    let set = Fix::safe(text!["set startingDeadlineSeconds, so that only recent starts count"])
        .command(case.kubectl(["patch", &target(case), "--type", "merge", "-p", &body]));
    let look = Fix::safe(text!["see whether the controller manager runs"])
        .command(case.kubectl_in("kube-system", ["get", "lease", "kube-controller-manager", "-o", "yaml"]));
    let finding = finding.fix(if event.is_some() { set } else { look }).fix(by_hand);
    // Where nothing tells, the controller manager may: its lease.
    if event.is_some() { finding } else { finding.caused_in(Component::ControllerManager.lease()) }
}
