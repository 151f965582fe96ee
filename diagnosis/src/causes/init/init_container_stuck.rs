//! `init-container-stuck`.

use jiff::SignedDuration;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::workload::network_policy_blocks;
use crate::causes::{Code, cause};
use crate::facts::nodes::node_is_lost;
use crate::facts::owner::edited;
use crate::facts::services::{self, State};
use crate::facts::waits::{ServiceName, Wait, service_name, wait_of};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::wait::Awaited;
use crate::pods::{ContainerView, Role};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// An init container runs on and on, so the pod's own containers never start; mostly it waits for something.
    /// ## Signals
    /// `initContainerStatuses[NAME].state.running` for long, `Init:0/1`; what it waits for stands in its command (`until
    /// nslookup X`, `nc -z X P`, `wget`, `pg_isready -h X`, `kubectl wait`) or in its log; the Service of that name is absent or
    /// has no ready endpoint. For a sidecar (restartPolicy Always): it runs and is not `started`.
    /// ## Look-alikes
    /// `init-container-failed`: it ends, with an error. `dependency-unreachable`: the app itself waits for a peer.
    /// `startup-probe-killing`: a sidecar that its own startup probe kills. `image-pull-slow`: it has not begun.
    /// ## Fixes
    /// Make what it waits for: create or correct the Service, get its pods ready, correct the name or port in the command.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_manager.go, computeInitContainerActions
    InitContainerStuck, stage Init, since "0.1.0", detect
}

/// How long an init container that visibly waits may do so.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// How long an init container of which nothing tells that it waits may run.
const LONG: SignedDuration = SignedDuration::from_mins(2);
/// How long it may run until that is called an error without any other sign.
const VERY_LONG: SignedDuration = SignedDuration::from_mins(10);

fn detect(case: &Case<'_>) -> Verdict {
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    for container in case.containers() {
        let Some(running) = container.running() else { continue };
        let started = container.status.and_then(|status| status.started) == Some(true);
        let blocks = match container.role {
            Role::Init => true,
            Role::Sidecar => !started && container.spec.startup_probe.is_some(),
            Role::Main => false,
        };
        let Some(since) = running.started_at.as_ref().map(|time| time.0).filter(|_| blocks) else { continue };
        let age = case.age(since);
        if age < PATIENCE || node_is_lost(case)? {
            return Ok(Vec::new());
        }
        let finding = if container.role == Role::Sidecar {
            (age >= LONG / 2).then(|| sidecar(case, &container, age)).transpose()?
        } else {
            explain(case, &container, age)?
        };
        return Ok(finding.map(|finding| finding.since(Some(since))).into_iter().collect());
    }
    Ok(Vec::new())
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>, age: SignedDuration) -> Result<Option<Finding>, Needs> {
    let wait = wait_of(case, container)?;
    if age < LONG && !wait.loops && wait.awaited.is_none() {
        return Ok(None);
    }
    let base = base(case, container, &wait, age);
    let last = wait.tail.iter().rev().find(|line| !line.trim().is_empty());
    let said = last.map(|line| text!["The last line of its log: ", quoted(line.as_str()), "."]);
    let finding = match &wait.awaited {
        Some(Awaited::Peer { host, port }) => peer(case, container, base, host, *port, age, &wait.tail)?,
        Some(Awaited::Object { arguments }) => {
            thing(case, container, base, text!["kubectl ", quoted(arguments.as_str())])?
        }
        Some(Awaited::File { path }) => thing(case, container, base, text!["file ", code(path.as_str())])?,
        None => unknown(case, container, base, &wait, age)?,
    };
    Ok(Some(finding.also(said)))
}

fn base(case: &Case<'_>, container: &ContainerView<'_>, wait: &Wait, age: SignedDuration) -> Finding {
    let command: Vec<&str> =
        container.spec.command.iter().chain(&container.spec.args).flatten().map(String::as_str).collect();
    let last = wait.tail.iter().rev().find(|line| !line.trim().is_empty()).cloned();
    let source = format!("log of container {} of {}", container.name(), case.reference());
    let state = case.field(&format!("{}.state.running", container.status_path()), format!("for {}", minutes(age)));
    case.finding_in(Code::InitContainerStuck, container)
        .confidence(Confidence::Likely)
        .evidence(state)
        .evidence(
            (!command.is_empty()).then(|| case.field(&format!("{}.command", container.spec_path()), command.join(" "))),
        )
        .evidence(last.map(|text| Evidence { source, text, at: None }))
}

fn minutes(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

fn waits(container: &ContainerView<'_>, age: SignedDuration, what: Text) -> Text {
    text![
        "Init container ",
        name(container.name()),
        " has waited for ",
        what,
        " for ",
        kubewhy_text::own(minutes(age)),
        "; until it ends, the pod's own containers do not start."
    ]
}

fn peer(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    host: &str,
    port: Option<u16>,
    age: SignedDuration,
    tail: &[String],
) -> Result<Finding, Needs> {
    let address = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let what = code(address.as_str());
    let title = text!["Init container ", name(container.name()), " waits for ", what.clone()];
    let correct = Fix::disruptive(text![
        "or correct the name or port that init container ",
        name(container.name()),
        " waits for"
    ]);
    let correct = edited(case, correct)?;
    let finding = finding.explain(waits(container, age, text![what]));
    let unresolved = tail.iter().any(|line| is_unresolved(line));
    let Some(service) = service_name(host, case.namespace().unwrap_or_default()) else {
        let look = Fix::safe(text!["see whether ", code(address.as_str()), " answers from inside the cluster"])
            .command(case.kubectl(["logs", case.name(), "-c", container.name(), "--tail", "20"]));
        let early = age < LONG;
        let finding = if early { finding.severity(Severity::Info) } else { finding };
        return Ok(finding.title(title).fix(look).fix(correct));
    };
    Ok(service_text(case, container, finding, title, &service, &Asked { port, age, unresolved })?.fix(correct))
}

/// How a Service is waited for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    port: Option<u16>,
    age: SignedDuration,
    unresolved: bool,
}

/// What programs say of a name that does not resolve.
fn is_unresolved(line: &str) -> bool {
    let wordings = [
        "bad address",
        "can't resolve",
        "NXDOMAIN",
        "no such host",
        "could not translate host name",
        "Name or service not known",
        "Could not resolve host",
        "Name does not resolve",
        "nodename nor servname",
        "Temporary failure in name resolution",
        "getaddrinfo ENOTFOUND",
    ];
    wordings.iter().any(|wording| line.contains(wording))
}

fn service_text(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    title: Text,
    service: &ServiceName,
    asked: &Asked,
) -> Result<Finding, Needs> {
    let Asked { port, age, unresolved } = *asked;
    let object = ObjectRef::new(Kind::Service, Some(&service.namespace), &service.name);
    let path = name(object.path());
    let get = case.kubectl_in(&service.namespace, ["get", "service,endpointslices", "--show-labels"]);
    let shown = |text: &str| Evidence { source: object.to_string(), text: text.to_owned(), at: None };
    let standing = services::standing(case, &service.namespace, &service.name, port)?;
    Ok(match &standing.state {
        State::Missing(near) => {
            let hint = near.as_ref().map(|near| {
                text![
                    " Namespace ",
                    name(service.namespace.as_str()),
                    " has ",
                    name(near.as_str()),
                    ": is that the one?"
                ]
            });
            let port = port.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
            let create = Fix::safe(text!["create Service ", path.clone(), ", or install what brings it"])
                .command(case.kubectl_in(&service.namespace, ["expose", "deployment", &service.name, "--port", &port]));
            finding
                .root(object.clone())
                .title(text![title, ", and Service ", path.clone(), " does not exist"])
                .also(text![
                    "There is no Service ",
                    path,
                    ", so the name cannot be found and the wait never ends.",
                    hint
                ])
                .evidence(shown("does not exist"))
                .fix(create)
        }
        State::WrongPort(_, has) => {
            let ports = Text::names(has.clone(), 6);
            finding
                .root(object.clone())
                .title(text![title, ", a port that Service ", path.clone(), " does not have"])
                .also(text!["Service ", path.clone(), " exists and offers: ", ports.clone(), "."])
                .evidence(shown("other ports only"))
                .fix(Fix::disruptive(text!["ask for a port that Service ", path, " has: ", ports]).command(get))
        }
        State::Unknown if unresolved => {
            let create = Fix::safe(text!["create Service ", path.clone(), ", or install what brings it"]).command(get);
            finding
                .root(object.clone())
                .title(text![title, ", a name that does not resolve"])
                .also(text![
                    "The name does not resolve, so there is most likely no Service ",
                    path,
                    "; it could not be looked up."
                ])
                .fix(create)
        }
        State::Fine | State::External(_) | State::Unknown => {
            let finding = if age < LONG { finding.severity(Severity::Info) } else { finding };
            let look = Fix::safe(text!["see what init container ", name(container.name()), " gets from it"])
                .command(case.kubectl(["logs", case.name(), "-c", container.name(), "--tail", "20"]))
                .command(get);
            let finding = finding.title(title).fix(look);
            let closed = network_policy_blocks::holds_init(case)?;
            if closed { finding.follows(Code::NetworkPolicyBlocks) } else { finding }
        }
        // Nobody answers: why, the Service itself tells, and that leads where it is found.
        _ => {
            let finding = finding
                .root(object.clone())
                .title(text![title, ", and ", standing.clause()])
                .also(standing.sentence())
                .caused_in(object);
            let finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
            standing.fixes(case).into_iter().fold(finding, Finding::fix)
        }
    })
}

fn thing(case: &Case<'_>, container: &ContainerView<'_>, finding: Finding, what: Text) -> Result<Finding, Needs> {
    let see = Fix::safe(text!["see what it says, and make what it waits for"]).command(case.kubectl([
        "logs",
        case.name(),
        "-c",
        container.name(),
        "--tail",
        "20",
    ]));
    let edit = Fix::disruptive(text!["or correct what init container ", name(container.name()), " waits for"]);
    Ok(finding
        .title(text!["Init container ", name(container.name()), " waits for ", what.clone()])
        .explain(text![
            "Init container ",
            name(container.name()),
            " waits for ",
            what,
            ", and until it ends the pod's own containers do not start."
        ])
        .fix(see)
        .fix(edited(case, edit)?))
}

fn unknown(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    wait: &Wait,
    age: SignedDuration,
) -> Result<Finding, Needs> {
    let severity = if wait.loops || age >= VERY_LONG { Severity::Error } else { Severity::Info };
    let see = Fix::safe(text!["see what it does"]).command(case.kubectl([
        "logs",
        case.name(),
        "-c",
        container.name(),
        "--tail",
        "50",
    ]));
    let edit = Fix::disruptive(text!["give it an end of its own (a timeout), so that a failure shows"]);
    Ok(finding
        .severity(severity)
        .confidence(Confidence::Possible)
        .title(text!["Init container ", name(container.name()), " has been running for ", kubewhy_text::own(minutes(age))])
        .explain(text![
            "Init container ",
            name(container.name()),
            " has not ended, and until it does the pod's own containers do not start. Nothing that was read tells what it waits for."
        ])
        .fix(see)
        .fix(edited(case, edit)?))
}

fn sidecar(case: &Case<'_>, container: &ContainerView<'_>, age: SignedDuration) -> Result<Finding, Needs> {
    let see = Fix::safe(text!["see what it says"]).command(case.kubectl([
        "logs",
        case.name(),
        "-c",
        container.name(),
        "--tail",
        "50",
    ]));
    let edit = Fix::disruptive(text![
        "correct the startup probe of ",
        name(container.name()),
        ", or what keeps it from answering"
    ]);
    let wait = wait_of(case, container)?;
    let last = wait.tail.iter().rev().find(|line| !line.trim().is_empty());
    let said = last.map(|line| text!["The last line of its log: ", quoted(line.as_str()), "."]);
    let finding = case
        .finding_in(Code::InitContainerStuck, container)
        .confidence(Confidence::Likely)
        .title(text!["Sidecar ", name(container.name()), " has run for ", kubewhy_text::own(minutes(age)), " and does not count as started"])
        .explain(text![
            "Sidecar ",
            name(container.name()),
            " starts before the pod's own containers, and these wait until its startup probe succeeds, which it has not yet."
        ])
        .evidence(case.field(&format!("{}.started", container.status_path()), "false"))
        .also(said)
        .fix(see)
        .fix(edited(case, edit)?);
    // A probe that kills it is told on its own.
    Ok(if container.restarts() > 0 { finding.follows(Code::StartupProbeKilling) } else { finding })
}
