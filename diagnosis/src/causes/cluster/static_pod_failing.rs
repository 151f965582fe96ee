//! `static-pod-failing`.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::control_plane::{self, Component, Seen};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::pods;

cause! {
    /// ## What it means
    /// A static pod does not run: a kubelet starts it from a file on its node, and what the API shows is only its image.
    /// ## Signals
    /// A pod with annotation `kubernetes.io/config.mirror` that crashes or is not ready. A component of the control plane whose
    /// lease is stale and that has no such pod, while others of the control plane have: its file is gone, cannot be read, or
    /// the kubelet does not follow its folder.
    /// ## Look-alikes
    /// What its container died of has its own code, and this says where to mend it. A pod of a Deployment or DaemonSet is
    /// mended there.
    /// ## Fixes
    /// The file on the node (`/etc/kubernetes/manifests`), not the pod: deleting the image changes nothing. The kubelet's
    /// journal tells why a file was not taken: `Could not process manifest file`, a second file with the same pod name.
    /// ## Source
    /// pkg/kubelet/config/file.go, common.go; <https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/>
    StaticPodFailing, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(lease) = case.subject_as::<Lease>() {
        return missing(case, &lease);
    }
    let Some(pod) = case.pod().filter(|pod| is_mirror(pod)) else { return Ok(Vec::new()) };
    let failing = !pods::is_true(pod, "Ready") && pod.metadata.deletion_timestamp.is_none();
    let settled = pods::created(pod).is_none_or(|created| case.age(created).as_secs() > 60);
    Ok(if failing && settled { vec![failing_mirror(case, pod)] } else { Vec::new() })
}

fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key("kubernetes.io/config.mirror"))
}

/// The image of a static pod that does not run well.
fn failing_mirror(case: &Case<'_>, pod: &Pod) -> Finding {
    let node = pods::node_name(pod).unwrap_or_default();
    let own = case.name().strip_suffix(node).and_then(|rest| rest.strip_suffix('-')).unwrap_or(case.name());
    let source = pod.metadata.annotations.as_ref().and_then(|all| all.get("kubernetes.io/config.source"));
    let from = source.map_or("file", String::as_str);
    case.finding(Code::StaticPodFailing)
        .confidence(Confidence::Likely)
        .follows_lead()
        .root(case.reference())
        .title(text![
            "static pod ",
            name(own),
            " does not run well on node ",
            name(node),
            ": it is mended in its file there"
        ])
        .explain(text![
            "The kubelet of node ",
            name(node),
            " starts it from a ",
            if from == "file" { "file" } else { "source of its own" },
            ", and the pod here is only its image: editing or deleting the image changes nothing."
        ])
        .also(
            control_plane::component_of(pod)
                .map(|component| text!["It is ", name(component), ", a part of the control plane."]),
        )
        .evidence(case.field(".metadata.annotations[kubernetes.io/config.source]", from))
        .fix(on_node(own, node))
}

/// A component that does not lead and has no pod, while others of the control plane have.
fn missing(case: &Case<'_>, lease: &Lease) -> Verdict {
    let Some(component) = Component::of_lease(lease) else { return Ok(Vec::new()) };
    if control_plane::down(case, component)?.is_none() {
        return Ok(Vec::new());
    }
    let program = component.program();
    let Seen::Missing(nodes) = control_plane::pods_seen(case, program)? else { return Ok(Vec::new()) };
    let node = nodes.first().cloned().unwrap_or_default();
    let leads = match component {
        Component::Scheduler => Code::SchedulerDown,
        Component::ControllerManager => Code::ControllerManagerDown,
    };
    let on: Text = Text::names(nodes, 3);
    let finding = case
        .finding(Code::StaticPodFailing)
        .confidence(Confidence::Likely)
        .follows(leads)
        .title(text!["there is no static pod ", name(program), " on ", on.clone(), ": its file is gone or was not taken"])
        .explain(text![
            "Other parts of the control plane run as static pods on ",
            on,
            ", and this one does not. The kubelet found no file for it, could not read it (it is no pod, or refers to what a \
             static pod may not), or found two of the same name, such as a backup copy in the folder."
        ])
        .evidence(Evidence {
            source: "Pods kube-system, labels tier=control-plane".to_owned(),
            text: format!("none with component={program}"),
            at: None,
        })
        .fix(on_node(program, &node));
    Ok(vec![finding])
}

fn on_node(own: &str, node: &str) -> Fix {
    let file = format!("/etc/kubernetes/manifests/{own}.yaml");
    Fix::safe(text![
        "on node ",
        name(node),
        ", look at its file ",
        code(file),
        " (what changed last?), at its container, and at what the kubelet says of it; restart the kubelet where a change was not \
         taken"
    ])
    .command("ls -la --time-sort=yes /etc/kubernetes/manifests")
    .command(format!("crictl ps -a --name {}", crate::case::shell_quoted(own)))
    .command("journalctl -u kubelet --since -30min | grep -iE 'manifest|mirror|static|duplicate pod'".to_owned())
}
