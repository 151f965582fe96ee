//! `probe-misconfigured`.

use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::flaws::{Flaw, Found, flaw};
use crate::facts::owner::edited;
use crate::facts::probes::{killed, newest_failure, not_ready, shown, spec};
use crate::facts::throttling::{self, Throttled};
use crate::finding::{Evidence, Finding, Fix};
use crate::nearest::nearest;
use crate::parse::probe::ProbeKind;
use crate::pods::{ContainerView, Role};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A probe asks the wrong thing: a port where nothing listens, a path that does not exist, a command that the image
    /// lacks, the wrong scheme, or with less patience than the app needs to start. The app itself may be well.
    /// ## Signals
    /// Event `Unhealthy` with `connection refused` while the app listens elsewhere or declares other ports, `HTTP probe failed with
    /// statuscode: 404` (400, 401, 403, 405), `errored ... executable file not found in $PATH`, `strconv.Atoi: parsing "NAME":
    /// invalid syntax` (a port name that the container does not declare), `server gave HTTP response to HTTPS client`, `malformed
    /// HTTP response`, `does not implement the grpc health protocol`; a start-up time in the log beyond the probe's budget;
    /// `failureThreshold: 1` every second or two, and the container ready again after each late answer.
    /// ## Look-alikes
    /// `readiness-probe-failing`, `liveness-probe-killing`, `startup-probe-killing`: the probe is right and the app does not
    /// answer, or nothing tells which of both it is. `dependency-unreachable`: the app waits for a peer and does not listen yet.
    /// `network-policy-blocks`: every probe of the node times out.
    /// ## Fixes
    /// Correct port, path, scheme or command of the probe; give a slow start a startup probe.
    /// ## Source
    /// pkg/kubelet/prober/prober.go, pkg/probe/http/http.go, pkg/probe/util.go
    ProbeMisconfigured, stage Probe, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found: Vec<Finding> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for killed in killed(case)? {
        let Some((outcome, event)) = &killed.failure else { continue };
        if let Some(flaw) = flaw(case, &killed.container, killed.kind, outcome)? {
            told.push(killed.container.name().to_owned());
            let finding = explain(case, &killed.container, killed.kind, &flaw, Evidence::event(event))?;
            let throttled = case.pod().map(|pod| throttling::of_killed(case, pod, &killed)).transpose()?.flatten();
            let finding = if is_slow(&flaw.flaw, throttled) { finding.follows(Code::CpuThrottled) } else { finding };
            found.push(finding.evidence(Evidence::event(&killed.kill)));
        }
    }
    for not_ready in not_ready(case)? {
        let Some((outcome, event)) = &not_ready.failure else { continue };
        if told.iter().any(|name| name == not_ready.container.name()) {
            continue;
        }
        let Some(flaw) = flaw(case, &not_ready.container, ProbeKind::Readiness, outcome)? else { continue };
        // What an app still starts answers nothing yet; that a command is missing does not change.
        if not_ready.early && !flaw.flaw.is_lasting() {
            continue;
        }
        let finding = explain(case, &not_ready.container, ProbeKind::Readiness, &flaw, Evidence::event(event))?;
        let throttled = case.pod().map(|pod| throttling::of_not_ready(case, pod, &not_ready)).transpose()?.flatten();
        found.push(if is_slow(&flaw.flaw, throttled) { finding.follows(Code::CpuThrottled) } else { finding });
    }
    found.extend(at_start(case, &found)?);
    Ok(found)
}

/// The probe would have time enough for a container that gets its CPU.
fn is_slow(flaw: &Flaw, throttled: Option<Throttled>) -> bool {
    matches!(flaw, Flaw::SlowStart { .. } | Flaw::Impatient { .. }) && throttled.is_some_and(|it| it.is_cause())
}

/// A startup probe that cannot succeed, before it has killed anything.
fn at_start(case: &Case<'_>, found: &[Finding]) -> Verdict {
    let mut more = Vec::new();
    if case.meta().deletion_timestamp.is_some() {
        return Ok(more);
    }
    for container in case.containers().filter(|container| container.role != Role::Init) {
        let starting = container.running().is_some() && container.status.and_then(|it| it.started) == Some(false);
        let told = found.iter().any(|finding| finding.object.container.as_deref() == Some(container.name()));
        if !starting || told || container.spec.startup_probe.is_none() {
            continue;
        }
        let Some((outcome, event)) = newest_failure(case, &container, ProbeKind::Startup)? else { continue };
        let flaw = flaw(case, &container, ProbeKind::Startup, &outcome)?.filter(|found| found.flaw.is_lasting());
        if let Some(flaw) = flaw {
            more.push(explain(case, &container, ProbeKind::Startup, &flaw, Evidence::event(&event))?);
        }
    }
    Ok(more)
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    kind: ProbeKind,
    found: &Found,
    event: Evidence,
) -> Result<Finding, Needs> {
    let asks = spec(container, kind).map(|probe| shown(container, probe)).unwrap_or_default();
    let (title, why, fix) = words(container, kind, &found.flaw);
    let effect = match kind {
        ProbeKind::Readiness => "Until it succeeds, the pod gets no traffic from its Services.",
        ProbeKind::Liveness => "Each time it fails often enough, the kubelet kills the container and starts it again.",
        ProbeKind::Startup => "When its time is over, the kubelet kills the container and starts it again.",
    };
    let field = format!("{}.{}", container.spec_path(), kind.field());
    Ok(case
        .finding_in(Code::ProbeMisconfigured, container)
        .confidence(found.confidence)
        .title(text![container.subject(), ": ", title])
        .explain(text![
            "The ",
            kind.word(),
            " probe asks ",
            code(asks.clone()),
            ". ",
            why,
            " ",
            effect,
            " The app itself may be well."
        ])
        .evidence(event)
        .evidence(case.field(&field, asks))
        .evidence(found.evidence.clone())
        .fix(edited(case, Fix::disruptive(fix))?))
}

/// Title, reason and fix of a flaw.
fn words(container: &ContainerView<'_>, kind: ProbeKind, flaw: &Flaw) -> (Text, Text, Text) {
    let its = own(format!("the {} probe", kind.word()));
    let title = |words: Text| text![its.clone(), " ", words];
    match flaw {
        Flaw::ExecMissing(binary) => (
            title(text!["runs ", quoted(binary.as_str()), ", which the image does not have"]),
            text!["Image ", name(container.image()), " has no such program, so the probe cannot even be run."],
            text![
                "have the image bring ",
                code(binary.as_str()),
                ", or use another probe: a command that it has, httpGet, tcpSocket or grpc"
            ],
        ),
        Flaw::ExecNotExecutable(binary) => (
            title(text!["runs ", quoted(binary.as_str()), ", which may not be executed"]),
            text!["The file is there and lacks the execute bit, so the probe cannot even be run."],
            text!["give ", code(binary.as_str()), " its execute bit, or call it through its interpreter"],
        ),
        Flaw::PortName(port) => port_name(container, &title, port),
        Flaw::Port { port, others, listens } => wrong_port(*port, others, *listens, &title),
        Flaw::Loopback(port) => (
            title(text!["cannot reach port ", *port, ": the app listens on 127.0.0.1 alone"]),
            text![
                "The kubelet asks the pod's own address, and the app's log says that it listens on the loopback address only."
            ],
            text!["have the app listen on ", code(format!("0.0.0.0:{port}"))],
        ),
        Flaw::Host(host) => (
            title(text!["asks host ", code(host.as_str()), ", which is the node, not the container"]),
            text!["The kubelet runs the probe from the node, so ", code(host.as_str()), " means the node itself."],
            text!["leave ", code("host"), " out of the probe: then it asks the pod"],
        ),
        Flaw::PlainHttp => (
            title(text!["speaks HTTPS to a port that serves plain HTTP"]),
            text!["The app answered in plain HTTP."],
            text!["set ", code("scheme: HTTP"), " in the probe, or ask the port that serves HTTPS"],
        ),
        Flaw::NotHttp => (
            title(text!["speaks HTTP to a port that does not"]),
            text!["The answer was no HTTP: the port serves TLS, gRPC or another protocol."],
            text!["use ", code("scheme: HTTPS"), ", a grpc or a tcpSocket probe, or ask the port that serves HTTP"],
        ),
        Flaw::Status(status) => wrong_request(*status, &title),
        Flaw::Redirects => (
            title(text!["is redirected in a circle"]),
            text!["The app answered with one redirect after the other, and the kubelet gave up after ten."],
            text!["ask a path that answers 200 by itself"],
        ),
        Flaw::GrpcNotImplemented => (
            title(text!["asks for gRPC health, which the server does not implement"]),
            text!["The server answers gRPC and has no service grpc.health.v1.Health."],
            text!["register the gRPC health service in the app, or use a tcpSocket probe"],
        ),
        Flaw::GrpcService => (
            title(text!["asks the gRPC health service for a name that it does not know"]),
            text!["The server answered SERVICE_UNKNOWN for the service that the probe names."],
            text!["correct ", code("grpc.service"), " in the probe, or leave it out to ask for the server as a whole"],
        ),
        Flaw::Impatient { period, timeout } => impatient(*period, *timeout, &title),
        Flaw::SlowStart { took, budget } => (
            title(text!["waits ", *budget, " s, and the app takes ", *took, " s to start"]),
            text![
                "The app's log says that it needed ",
                *took,
                " s; the probe gives it ",
                *budget,
                " s (initialDelaySeconds + periodSeconds × failureThreshold) and has it killed before it is up."
            ],
            text![
                "give it a startupProbe of the same kind with ",
                code(format!("periodSeconds: 10, failureThreshold: {}", took * 2 / 10 + 1)),
                ": it holds the other probes back until the app is up"
            ],
        ),
    }
}

fn port_name(container: &ContainerView<'_>, title: &dyn Fn(Text) -> Text, port: &str) -> (Text, Text, Text) {
    let named: Vec<&str> = container.spec.ports.iter().flatten().filter_map(|port| port.name.as_deref()).collect();
    let near = nearest(port, named.iter().copied());
    let has = if named.is_empty() {
        text!["The container names no port at all."]
    } else {
        text!["The container names these ports: ", Text::names(named, 6), "."]
    };
    let hint = near.map(|near| text![": did you mean ", name(near), "?"]);
    (
        title(text!["names port ", quoted(port), ", which the container does not declare"]),
        has,
        text!["name a port that the container declares, or give the port's number", hint],
    )
}

fn impatient(period: i32, timeout: i32, title: &dyn Fn(Text) -> Text) -> (Text, Text, Text) {
    (
        title(text!["gives up at one answer that takes longer than ", timeout, " s"]),
        text![
            "It asks every ",
            period,
            " s, waits ",
            timeout,
            " s for an answer, and one failure is enough (failureThreshold: 1). A short pause, such as a garbage collection or \
             a busy node, takes the pod out of its Services, and the others get its traffic. It was ready again in between."
        ],
        text![
            "give the readiness probe some patience: ",
            code("periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3")
        ],
    )
}

fn wrong_port(port: i32, others: &[i32], listens: bool, title: &dyn Fn(Text) -> Text) -> (Text, Text, Text) {
    let list = Text::names(others.iter().map(ToString::to_string), 6);
    let (says, known) = if listens {
        (
            text!["the app listens on ", list.clone()],
            text!["Nothing listens on port ", port, "; the app's log says that it listens on ", list.clone(), "."],
        )
    } else {
        (
            text!["the container declares ", list.clone()],
            text!["Nothing listens on port ", port, "; the container declares ", list.clone(), " and not ", port, "."],
        )
    };
    (
        title(text!["asks port ", port, ", and ", says]),
        known,
        text!["set the probe's port to the one that the app listens on: ", list],
    )
}

fn wrong_request(status: u16, title: &dyn Fn(Text) -> Text) -> (Text, Text, Text) {
    match status {
        404 => (
            title(text!["asks a path that the app does not have (404)"]),
            text!["The app answered, so it is up, and it has nothing at that path."],
            text!["set the probe's path to one that the app answers with 200"],
        ),
        401 | 403 => (
            title(text!["is refused by the app (", status, ")"]),
            text!["The app answered, so it is up, and it asks for a login or forbids the path."],
            text![
                "ask a path that needs no login, or give the probe the header that it needs (",
                code("httpHeaders"),
                ")"
            ],
        ),
        405 => (
            title(text!["asks with GET, which the app does not allow there (405)"]),
            text!["The app answered, so it is up; probes always use GET."],
            text!["ask a path that allows GET"],
        ),
        _ => (
            title(text!["sends what the app takes for a bad request (", status, ")"]),
            text![
                "The app answered, so it is up. Plain HTTP to an HTTPS port gets this answer, and so does a Host header that the app does not know."
            ],
            text![
                "set ",
                code("scheme: HTTPS"),
                ", or the Host header that the app expects (",
                code("httpHeaders"),
                ")"
            ],
        ),
    }
}
