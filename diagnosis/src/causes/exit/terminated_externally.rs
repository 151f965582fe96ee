//! `terminated-externally`.

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::churn;
use crate::facts::ends::{self, End, Story};
use crate::facts::node_memory;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::parse::exit_code::Signal;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Somebody ordered the process to stop: SIGTERM (143) or SIGKILL (137), and neither memory, nor a probe, nor a
    /// deletion of the pod explains it.
    /// ## Signals
    /// Exit code 143 or 137 with reason `Error`; no OOMKilled, no `Killing` event of a probe, no deletionTimestamp, no
    /// eviction; 129 to 131 where the kubelet says that it stopped the container. Reason `Unknown` with exit code 255: the
    /// container runtime lost the container. On a DaemonSet: `SuccessfulDelete` and `SuccessfulCreate` far more often than
    /// it has nodes, and no `FailedDaemonPod`.
    /// ## Look-alikes
    /// `oom-limit`: reason OOMKilled. `oom-node`: the node reports SystemOOM at that time. `liveness-probe-killing`,
    /// `startup-probe-killing`: the kubelet says so in a `Killing` event. `node-lost`, `evicted-by-drain`, `preempted`:
    /// the whole pod goes. `killed-by-signal`: any other signal.
    /// ## Fixes
    /// Find who sends the signal: a process in the container itself, a person or agent on the node, a supervisor as PID
    /// 1.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go; signal(7).
    TerminatedExternally, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found: Vec<Finding> = churn::of_daemon_set(case)?.into_iter().collect();
    for end in ends::of(case)? {
        match &end.story {
            Story::Ordered(signal, stop) => found.extend(ordered(case, &end, signal, stop.clone())?),
            Story::Lost => found.extend(lost(case, &end)?),
            _ => {}
        }
    }
    Ok(found)
}

fn ordered(case: &Case<'_>, end: &End<'_>, signal: &Signal, stop: Option<Evidence>) -> Result<Option<Finding>, Needs> {
    if signal.number == 9 && node_memory::system_oom(case, end)?.is_some() {
        return Ok(None);
    }
    let meaning = match (signal.number, &stop) {
        (_, Some(_)) => text!["The kubelet says that it stopped it, as it does when a whole pod has to go."],
        (9, None) => text![
            "No OOM kill, no failed probe and no deletion is on record: a process on the node or in the container \
             killed it, the node ran out of memory without saying so, or the runtime did."
        ],
        (_, None) => text![
            "No failed probe, deletion or eviction is on record: a process in the container itself, a supervisor, or \
             somebody on the node told it to stop."
        ],
    };
    let grace = grace(case, end, signal);
    let node = case.pod().and_then(pods::node_name);
    let on_node = node.map(|node| {
        Fix::safe(text![
            "look on node ",
            name(node),
            " for what killed it: kernel log, agents, ",
            own("`crictl`"),
            " by hand"
        ])
        .command(case.kubectl_cluster(["describe", "node", node]))
    });
    Ok(Some(
        end.finding(case, Code::TerminatedExternally)
            .confidence(if stop.is_some() { Confidence::Likely } else { Confidence::Possible })
            .title(text![
                end.subject(),
                " is ended by ",
                signal.name,
                " from outside the program (exit code ",
                end.state.exit_code,
                ")"
            ])
            .explain(end.opening())
            .also(text![
                own(format!("{} is 128 + {}, the signal {}: ", end.state.exit_code, signal.number, signal.name)),
                signal.meaning,
                "."
            ])
            .also(meaning)
            .also(grace)
            .evidence(stop)
            .fix(
                Fix::safe(text![
                    "find out who sends ",
                    signal.name,
                    ": first the container's own processes (entrypoint, supervisor, cron), then the node"
                ])
                .command(case.kubectl(["describe", "pod", case.name()])),
            )
            .fix(on_node)
            .fix(end.read_log(case)),
    ))
}

/// A kill exactly one grace period after something points at an ordered stop that was ignored.
fn grace(case: &Case<'_>, end: &End<'_>, signal: &Signal) -> Option<Text> {
    let grace = case.pod().and_then(pods::spec)?.termination_grace_period_seconds?;
    let ran = end.run_time()?.as_secs();
    let regular = signal.number == 9 && end.container.restarts() >= 2 && ran > 0;
    regular.then(|| {
        text![
            "Each run lasted ",
            own(ends::show(end.run_time().unwrap_or_default())),
            "; the pod's grace period is ",
            grace,
            " s."
        ]
    })
}

/// The runtime lost track of it. Where the node went away or was rebooted, that is the cause.
fn lost(case: &Case<'_>, end: &End<'_>) -> Result<Option<Finding>, Needs> {
    if node_memory::node_was_away(case, end)? {
        return Ok(None);
    }
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    Ok(Some(
        end.finding(case, Code::TerminatedExternally)
            .confidence(Confidence::Possible)
            .title(text!["The container runtime of node ", name(node), " lost container ", name(end.container.name())])
            .explain(end.opening())
            .also(text![
                "Exit code 255 with reason Unknown means that the runtime does not know how it ended: the runtime was \
                 restarted, or the node was, while the container ran."
            ])
            .fix(
                Fix::safe(text!["see whether node ", name(node), " or its container runtime was restarted"])
                    .command(case.kubectl_cluster(["describe", "node", node])),
            )
            .fix(end.read_log(case)),
    ))
}
