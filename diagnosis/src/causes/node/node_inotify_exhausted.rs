//! `node-inotify-exhausted`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::{ends, node_state, node_words, sandbox, start};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::parse::log::Failure;
use crate::parse::sandbox::SandboxFault;
use crate::parse::start::StartError;

cause! {
    /// ## What it means
    /// A kernel table of the node is used up by all its pods together: file watches or watchers (inotify), or control groups.
    /// It reads like a full disk and is none.
    /// ## Signals
    /// `inotify_add_watch PATH: no space left on device` (max_user_watches), `inotify_init: too many open files`, `failed to create
    /// fsnotify watcher: too many open files` (max_user_instances), `mkdir /sys/fs/cgroup/...: no space left on device` (control
    /// groups) in events of pods or of the node, or in the log of a program that ends; the kubelet's `Failed to start cAdvisor`.
    /// ## Look-alikes
    /// `image-disk-full`, `app-disk-full`: the disk is really full. `accept4: too many open files`: the app's own limit
    /// (`app-error`). `sandbox-create-failed`: `no space left on device` of another path.
    /// ## Fixes
    /// Raise fs.inotify.max_user_watches and max_user_instances on the nodes; for control groups clear stale scopes, use a newer
    /// kernel and cgroup v2.
    /// ## Source
    /// k8s.io/utils/inotify; runc libcontainer/cgroups; inotify(7).
    NodeInotifyExhausted, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
    let Some(failure) = sandbox::of_code(case, Code::NodeInotifyExhausted)? else {
        let said = of_program(case)?;
        if !said.is_empty() {
            return Ok(said);
        }
        let failed = start::failures(case)?.into_iter().find(|failure| failure.error == StartError::Watches);
        let Some(failed) = failed else { return Ok(Vec::new()) };
        let finding = case
            .finding_in(Code::NodeInotifyExhausted, &failed.container)
            .root(sandbox::node(case))
            .evidence(failed.evidence.clone());
        return Ok(vec![explain(case, sandbox::node_name(case), finding, &failed.evidence.text)]);
    };
    let finding = failure.finding(case, Code::NodeInotifyExhausted);
    Ok(vec![explain(case, sandbox::node_name(case), finding, &failure.words)])
}

/// A program of the pod gets no file watch, and its log says so.
fn of_program(case: &Case<'_>) -> Verdict {
    let is_mine = |failure: &Failure| matches!(failure, Failure::InotifyExhausted);
    ends::explained(case, Code::NodeInotifyExhausted, is_mine, |_, finding, signature| {
        let finding = finding.root(sandbox::node(case)).confidence(Confidence::Likely);
        Ok(Some(explain(case, sandbox::node_name(case), finding, &signature.line)))
    })
}

fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let told = node_words::of(case, node, &SandboxFault::Watches)?;
    let Some(first) = told.first() else { return Ok(Vec::new()) };
    let pods: Vec<String> = told.iter().filter_map(|told| told.pod.as_ref()).map(ObjectRef::path).collect();
    let whose = (!pods.is_empty()).then(|| text!["It is said of Pod ", Text::names(pods.clone(), 3), "."]);
    let finding = case
        .finding(Code::NodeInotifyExhausted)
        .root(node_state::reference(node))
        .confidence(if pods.is_empty() { Confidence::Likely } else { Confidence::Certain })
        .evidence(first.source.clone())
        .since(first.since);
    Ok(vec![explain(case, node_state::name_of(node), finding, &first.words).also(whose)])
}

fn explain(case: &Case<'_>, node: &str, finding: Finding, words: &str) -> Finding {
    let groups = words.contains("/sys/fs/cgroup") && !words.contains("inotify");
    let (title, what, fix): (Text, Text, Fix) = if groups {
        (
            text!["Node ", name(node), " has no control groups left (it reads like a full disk)"],
            text![
                "The kernel cannot make another control group: too many are there, or dead ones are not let go of, as old kernels \
                 do under many short-lived pods."
            ],
            Fix::disruptive(text![
                "drain and restart the node; lasting: a newer kernel and cgroup v2, fewer short-lived pods"
            ])
            .command(case.kubectl_cluster(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data"]))
            .command(
                "cat /proc/cgroups; find /sys/fs/cgroup -type d | wc -l; systemctl list-units --type=scope | wc -l",
            ),
        )
    } else {
        (
            text!["Node ", name(node), " has no file watches left (inotify; it reads like a full disk)"],
            text![
                "File watches (inotify) are counted over all pods of the node that run as one user, and they are used up. New \
                 pods, log followers and the kubelet itself fail for it."
            ],
            Fix::safe(text!["on the node, raise both limits; lasting in /etc/sysctl.d"])
                .command("sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=8192")
                .command(
                    "printf 'fs.inotify.max_user_watches=524288\\nfs.inotify.max_user_instances=8192\\n' > /etc/sysctl.d/90-inotify.conf",
                ),
        )
    };
    finding
        .title(title)
        .also(text![what, " What was said: ", quoted(words), "."])
        .fix(
            Fix::safe(text!["on the node, see the limits, and that the disk has room"])
                .command("sysctl fs.inotify; df -h; df -i")
                .command("find /proc/*/fd -lname anon_inode:inotify 2>/dev/null | cut -d/ -f3 | sort | uniq -c | sort -rn | head"),
        )
        .fix(fix)
}
