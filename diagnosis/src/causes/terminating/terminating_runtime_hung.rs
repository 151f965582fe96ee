//! `terminating-runtime-hung`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::departure::{self, Story};
use crate::finding::{Action, Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// The grace is over and the container runtime cannot end the container: the process hangs in the kernel, or the
    /// runtime itself does not answer.
    /// ## Signals
    /// FailedKillPod `error killing pod: failed to "KillContainer" for "NAME" with KillContainerError: "..."` or
    /// `KillPodSandboxError`, ExceededGracePeriod `Container runtime did not kill the pod within specified grace
    /// period.`, FailedSync `error determining status: rpc error: code = DeadlineExceeded`; Killing again and again; a
    /// container that runs minutes after the grace on a Ready node.
    /// ## Look-alikes
    /// `terminating-network-teardown`: the error is a network plugin's. `terminating-ignores-sigterm`: the grace is not
    /// over. `terminating-node-lost`: the node does not answer. `terminating-unobserved`: nobody has tried to kill it.
    /// ## Fixes
    /// On the node: free what the process hangs in (state D: NFS, disk), restart the runtime, at last reboot the
    /// machine.
    /// ## Source
    /// pkg/kubelet/pod_workers.go, containerd internal/cri/server/container_stop.go.
    TerminatingRuntimeHung, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::RuntimeHung { event } = &departure.story else { return Ok(Vec::new()) };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default().to_owned();
    let killing = event.as_ref().is_none_or(|event| event.reason == "Killing");
    let says = event.as_ref().filter(|_| !killing).map(|event| text![" It says: ", quoted(event.message.clone()), "."]);
    let repeated = event.as_ref().filter(|event| killing && event.count > 1);
    let repeated = repeated.map(|event| text![" The kubelet has tried ", event.count, " times."]);
    let confidence = if killing { Confidence::Likely } else { Confidence::Certain };
    Ok(vec![
        case.finding(Code::TerminatingRuntimeHung)
            .confidence(confidence)
            .root(ObjectRef::new(Kind::Node, None, &node))
            .title(text!["Pod ", name(case.reference().path()), " cannot be killed by the container runtime of \
                node ", name(&node)])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                " with a grace of ",
                departure::spoken(departure.grace),
                ", and the container runtime of node ",
                name(&node),
                " has not ended its containers.",
                says,
                repeated,
                " ",
                why(event.as_deref()),
            ])
            .evidence(event.as_deref().map(Evidence::event))
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .fix(first_step(case, event.as_deref(), &node))
            .fix(
                Fix::safe(text!["on node ", name(&node), ", see in which state its processes are (D: free the \
                    storage they wait for), whether the runtime answers, and what each layer believes of the task"])
                    .command(format!("kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c 'ps axo pid,stat,wchan:30,args | grep \" D\"; crictl ps -a; ctr -n k8s.io tasks ls; ctr -n moby tasks ls; docker ps -a'")),
            )
            .fix(
                Fix::disruptive(text!["restart the container runtime on node ", name(&node), " (containers run on); \
                    if a process stays in state D, reboot the machine"])
                    .command(format!("kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl \
                        restart containerd")),
            )
            .fix(
                Fix::risking_data(text!["last: delete the pod by force; its processes may run on and still write"])
                    .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=0", "--force"]))
                    .remedy(Action::ForceDeletePod),
            )
            .since(Some(departure.asked)),
    ])
}

/// What the runtime's words say of the reason.
fn why(event: Option<&Event>) -> Text {
    let words = event.map(|event| event.message.to_lowercase()).unwrap_or_default();
    if words.contains("no space left on device") {
        return text!["The disk of the node is full: stopping a container writes too, and that fails."];
    }
    if words.contains("operation not permitted") {
        return text![
            "Something below that path may not be removed, not even by root: a file with the immutable attribute (chattr +i)."
        ];
    }
    if words.contains("device or resource busy") {
        return text![
            "Something still has the container's file system mounted or open (a mount that another process copied)."
        ];
    }
    if words.contains("error determining status") {
        return text![
            "The runtime does not even tell the state of the pod's containers: it is silent (Docker 17 hung like that; see its \
             version)."
        ];
    }
    if words.contains("not running") || words.contains("no such process") || words.contains("process already finished")
    {
        return text![
            "The layers of the runtime disagree: the one says that the task has ended, the other that its container still runs."
        ];
    }
    text![
        "A process that waits in the kernel (state D, mostly for NFS or a disk) cannot be killed; or the runtime itself hangs."
    ]
}

/// The step that these words ask for first.
fn first_step(case: &Case<'_>, event: Option<&Event>, node: &str) -> Option<Fix> {
    let words = event.map(|event| event.message.as_str()).unwrap_or_default();
    let target = format!("node/{node}");
    let on_node = |command: &str| {
        let debug = ["debug", target.as_str(), "-it", "--image=busybox", "--", "chroot", "/host", "sh", "-c", command];
        case.kubectl_cluster(debug)
    };
    if words.contains("no space left on device") {
        let disks = "df -h /var/lib/containerd /var/lib/docker /var/lib/kubelet; df -i /var/lib/kubelet";
        return Some(
            Fix::safe(text!["free the disk of node ", name(node), "; the stop then succeeds"]).command(on_node(disks)),
        );
    }
    if words.contains("operation not permitted") {
        let path = path_in(words)?;
        let look = format!("lsattr -R {0} | grep -- -i-; chattr -R -i {0}", shell_quoted(&path));
        return Some(
            Fix::disruptive(text![
                "on node ",
                name(node),
                ", take the immutable attribute off what lies below ",
                code(path)
            ])
            .command(on_node(&look)),
        );
    }
    None
}

/// The absolute path that the words name last.
fn path_in(words: &str) -> Option<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, ':' | '"' | '\'' | ',' | ']' | ')');
    words.split(ends).rfind(|word| word.len() > 1 && word.starts_with('/')).map(str::to_owned)
}
