//! `terminating-network-teardown`.

use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// The pod's containers can be stopped, but the network plugin of the node cannot take down the pod's network, so
    /// the pod stays and the stop is tried again and again.
    /// ## Signals
    /// FailedKillPod `error killing pod: failed to "KillPodSandbox" ... failed to destroy network for sandbox "ID":
    /// plugin type="NAME" failed (delete): ERROR`; older: `networkPlugin cni failed to teardown pod`.
    /// ## Look-alikes
    /// `terminating-runtime-hung`: FailedKillPod without a network plugin. `cni-not-ready`: the plugin's agent is down,
    /// new pods do not start; often both.
    /// ## Fixes
    /// Bring the plugin's agent on that node up; the stop is tried again by itself.
    /// ## Source
    /// containerd internal/cri/server/sandbox_stop.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go.
    TerminatingNetworkTeardown, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::NetworkTeardown { event } = &departure.story else { return Ok(Vec::new()) };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default().to_owned();
    let plugin = plugin(&event.message);
    let called = plugin.map(|plugin| text![" ", name(plugin)]);
    let root = ObjectRef::new(Kind::Node, None, &node);
    let root = plugin.map_or_else(|| root.clone(), |plugin| root.clone().with_detail(plugin));
    Ok(vec![
        case.finding(Code::TerminatingNetworkTeardown)
            .root(root)
            .title(text![
                "Pod ",
                name(case.reference().path()),
                " cannot go: network plugin",
                called.clone(),
                " on node ",
                name(&node),
                " fails to take its network down"
            ])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                ". To stop it, the network plugin",
                called,
                " of node ",
                name(&node),
                " has to take its network down, and that fails: ",
                quoted(words(&event.message)),
                ". It is tried again and again until it succeeds.",
            ])
            .evidence(Evidence::event(event))
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .fix(
                Fix::safe(text![
                    "bring the network plugin's agent on node ",
                    name(&node),
                    " up; the pod then goes by itself"
                ])
                .command(format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"))
                .command(case.kubectl_cluster(["describe", "node", &node])),
            )
            .since(Some(departure.asked)),
    ])
}

/// `plugin type="calico" failed (delete): ...`
fn plugin(message: &str) -> Option<&str> {
    let start = message.split_once("plugin type=\\\"").or_else(|| message.split_once("plugin type=\""))?.1;
    start.split(['"', '\\']).next().filter(|plugin| !plugin.is_empty())
}

/// The plugin's own words.
fn words(message: &str) -> &str {
    let words = message.split_once("(delete): ").map_or(message, |(_, words)| words);
    words.trim_end_matches(['"', ']', '\\'])
}

#[cfg(test)]
mod tests {
    use super::{plugin, words};

    #[test]
    fn the_plugin_is_named() {
        let message = r#"error killing pod: failed to "KillPodSandbox" for "1" with KillPodSandboxError: "rpc error: code = Unknown desc = failed to destroy network for sandbox \"2\": plugin type=\"calico\" failed (delete): error getting ClusterInformation: connection is unauthorized: Unauthorized""#;
        assert_eq!(plugin(message), Some("calico"));
        assert_eq!(words(message), "error getting ClusterInformation: connection is unauthorized: Unauthorized");
    }
}
