//! `cpu-throttled`.

use kubewhy_text::{Text, code, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, Template};
use crate::facts::probes;
use crate::facts::throttling::{self, Proof, Throttled};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::probe::ProbeKind;
use crate::parse::quantity::Amount;
use crate::pods::{self, ContainerView};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container wants more CPU than its limit allows. The kernel stops it for the rest of each period of 100 ms, so it
    /// answers and starts slowly, although the node may be idle.
    /// ## Signals
    /// No field says so. The metrics API shows a use of 95% of the CPU limit or more (an average over its window), while a
    /// probe of the container gets no answer in time or its start does not end; without metrics a limit below 100m makes
    /// it possible. The share itself: `nr_throttled` against `nr_periods` in the container's `/sys/fs/cgroup/cpu.stat`,
    /// or `container_cpu_cfs_throttled_periods_total` of the kubelet's cadvisor metrics; above a quarter for long is bad.
    /// ## Look-alikes
    /// `liveness-probe-killing`, `readiness-probe-failing`, `startup-probe-killing`: the same probe, and the container does not
    /// use up its limit. `probe-misconfigured`: the probe asks the wrong thing. `dependency-unreachable`: it waits for a peer
    /// and uses no CPU. A node that is short of CPU slows containers without any limit too.
    /// ## Fixes
    /// Raise the CPU limit, or drop it and keep the request; give a slow start a startup probe.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/>;
    /// <https://docs.kernel.org/scheduler/sched-bwc.html>; cadvisor metrics/prometheus.go.
    CpuThrottled, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found: Vec<Finding> = Vec::new();
    for killed in probes::killed(case)? {
        let Some(throttled) = throttling::of_killed(case, pod, &killed)? else { continue };
        let trouble = Trouble { container: killed.container, kind: killed.kind, killed: true };
        let event = killed.failure.as_ref().map_or(&killed.kill, |(_, event)| event);
        let finding = explain(case, &trouble, throttled)?.evidence(Evidence::event(event));
        found.push(finding.since(killed.kill.first));
    }
    for not_ready in probes::not_ready(case)? {
        let told = found.iter().any(|finding| finding.object.container.as_deref() == Some(not_ready.container.name()));
        let Some(throttled) = throttling::of_not_ready(case, pod, &not_ready)?.filter(|_| !told) else { continue };
        let trouble = Trouble { container: not_ready.container, kind: ProbeKind::Readiness, killed: false };
        let event = not_ready.failure.as_ref().map(|(_, event)| Evidence::event(event));
        let turned = pods::condition(pod, "Ready").and_then(|ready| ready.last_transition_time.as_ref());
        found.push(explain(case, &trouble, throttled)?.evidence(event).since(turned.map(|time| time.0)));
    }
    Ok(found)
}

/// The trouble that throttling may explain.
struct Trouble<'c> {
    container: ContainerView<'c>,
    kind: ProbeKind,
    killed: bool,
}

impl Trouble<'_> {
    /// The code under which the probe itself speaks.
    fn code(&self) -> Code {
        match self.kind {
            ProbeKind::Readiness => Code::ReadinessProbeFailing,
            ProbeKind::Liveness => Code::LivenessProbeKilling,
            ProbeKind::Startup => Code::StartupProbeKilling,
        }
    }

    fn effect(&self) -> Text {
        let does = match (self.killed, self.kind) {
            (true, ProbeKind::Startup) => "does not start in time and is killed by its startup probe",
            (true, _) => "answers its liveness probe too late and is killed for that",
            (false, _) => "does not answer its readiness probe in time",
        };
        text![does]
    }
}

fn explain(case: &Case<'_>, trouble: &Trouble<'_>, throttled: Throttled) -> Result<Finding, Needs> {
    let container = &trouble.container;
    let template = ends::template(case)?;
    let limit = throttled.limit.show("cpu");
    let path = format!("{}.resources.limits.cpu", container.spec_path());
    let base = case.finding_in(Code::CpuThrottled, container).evidence(case.field(&path, limit.clone()));
    let finding = match throttled.proof {
        Proof::AtLimit(usage) => {
            let used = usage.cpu.unwrap_or_default().show("cpu");
            let finding = base
                .title(text![
                    container.subject(),
                    " uses all of its CPU limit of ",
                    own(limit.clone()),
                    ", and its ",
                    trouble.kind.word(),
                    " probe fails"
                ])
                .explain(text![
                    "It uses ",
                    own(used),
                    " of the ",
                    own(limit),
                    " that its limit allows, so the kernel stops it in every period until the next one begins, however \
                     idle the node is."
                ])
                .evidence(usage.evidence(case, container, "cpu"));
            if throttled.is_slow {
                let effect = text!["It ", trouble.effect(), "; the probe itself may be right."];
                finding.confidence(Confidence::Likely).also(effect)
            } else {
                finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Possible)
                    .follows(trouble.code())
                    .also(text!["No event tells what its probe got, so this may be the cause or a coincidence."])
            }
        }
        Proof::Tiny => base
            .severity(Severity::Warning)
            .confidence(Confidence::Possible)
            .follows(trouble.code())
            .title(text![container.subject(), " may be throttled: its CPU limit is only ", own(limit.clone())])
            .explain(text![
                "It ",
                trouble.effect(),
                ", and a limit of ",
                own(limit),
                " leaves it a small part of each 100 ms. What it really uses could not be read; the share of the periods in \
                 which it is stopped tells."
            ]),
    };
    let (raise, measure) = (raise(case, &template, container, throttled.limit), measure(case, container));
    let (first, second) = if throttled.is_cause() { (raise, measure) } else { (measure, raise) };
    let slow_start = trouble.killed.then(|| {
        Fix::disruptive(text!["if only the start is slow: give it a ", code("startupProbe"), " with more time"])
            .command(template.edit(case))
    });
    Ok(finding.fix(first).fix(second).fix(slow_start))
}

/// The step that gives it more.
fn raise(case: &Case<'_>, template: &Template, container: &ContainerView<'_>, limit: Amount) -> Fix {
    let wanted = Amount::whole(1).max(limit + limit).show("cpu");
    let title = text![
        "raise the CPU limit of container ",
        name(container.name()),
        " from ",
        own(limit.show("cpu")),
        " to, for example, ",
        own(wanted.clone()),
        ", or drop the limit and keep the request"
    ];
    if template.is_pod {
        return Fix::disruptive(title).command(template.edit(case));
    }
    let limits = format!("--limits=cpu={wanted}");
    let arguments = ["set", "resources", template.argument.as_str(), "-c", container.name(), limits.as_str()];
    let mut fix = Fix::disruptive(title).command(case.kubectl(arguments));
    let spec = serde_json::json!({"name": container.name(), "resources": {"limits": {"cpu": wanted}}});
    fix.patch = template.patch(&serde_json::json!({"containers": [spec]}));
    fix
}

/// The step that shows in how many periods it is stopped.
fn measure(case: &Case<'_>, container: &ContainerView<'_>) -> Fix {
    let inside = ["exec", case.name(), "-c", container.name(), "--", "cat", "/sys/fs/cgroup/cpu.stat"];
    let fix = Fix::safe(text![
        "see in how many periods it is stopped: ",
        code("nr_throttled"),
        " against ",
        code("nr_periods"),
        "; more than a quarter is too much"
    ])
    .command(case.kubectl(inside));
    let Some(node) = case.pod().and_then(pods::node_name) else { return fix };
    let path = format!("/api/v1/nodes/{node}/proxy/metrics/cadvisor");
    let read = case.kubectl_cluster(["get", "--raw", path.as_str()]);
    let of_pod = crate::case::shell_quoted(&format!("pod=\"{}\"", case.name()));
    fix.command(format!("{read} | grep -E 'container_cpu_cfs_(throttled_)?periods_total' | grep -F {of_pod}"))
}
