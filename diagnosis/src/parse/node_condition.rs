//! The message of a node's Ready condition: which of the kubelet's checks fail.
//!
//! `False` carries every failed check; several stand in brackets, `[a, b]`, and a check's own words may hold commas. `True`
//! and `Unknown` carry a sentence of their own.
//!
//! Source: pkg/kubelet/nodestatus/setters.go, pkg/kubelet/runtime.go, pkg/kubelet/pleg, pkg/controller/nodelifecycle.

use std::borrow::Cow;

/// What a failed check is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The container runtime does not answer, or says itself that it is not ready.
    Runtime {
        /// The runtime's own reason and message, where it still answers.
        said: Option<String>,
    },
    /// The kubelet did not get through its list of containers in time (PLEG: pod lifecycle event generator).
    Relist {
        /// How long ago it last did: `4m12.5s`.
        last: Option<String>,
    },
    /// The pod network is not set up; the runtime's or plugin's words.
    Network(String),
    /// The `CSINode` object is not written yet.
    CsiNode,
    /// The machine is going down in an orderly way.
    ShuttingDown,
    /// The kubelet could not find out how large the machine is.
    Capacity(String),
    /// What is not known.
    Other,
}

/// A failed check, with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is about.
    pub fault: Fault,
    /// Its words.
    pub words: String,
}

/// How the checks' words begin.
const STARTS: [&str; 9] = [
    "container runtime is down",
    "container runtime status check may not have completed yet",
    "container runtime not ready: ",
    "container runtime network not ready: ",
    "PLEG is not healthy: ",
    "EventedPLEG is not healthy: ",
    "CSINode is not yet initialized",
    "node is shutting down",
    "missing node capacity for resources: ",
];

/// The failed checks of a message of condition Ready False, in its own order, each once.
pub fn parse(message: &str) -> Vec<Part> {
    let message = message.trim();
    let several = message.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for piece in several.unwrap_or(message).split(", ") {
        match words.last_mut() {
            // A comma within the words of the check before.
            Some(last) if !begins(piece) => {
                let whole = format!("{last}, {piece}");
                *last = Cow::Owned(whole);
            }
            _ => words.push(Cow::Borrowed(piece)),
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    for words in words.into_iter().filter(|words| !words.trim().is_empty()) {
        let part = Part { fault: fault(&words), words: words.trim().to_owned() };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

fn begins(piece: &str) -> bool {
    STARTS.iter().any(|start| piece.starts_with(start)) || docker(piece)
}

/// How the runtime of Docker's time spoke of its network.
fn docker(piece: &str) -> bool {
    piece.starts_with("docker: network plugin is not ready") || piece.starts_with("runtime network not ready: ")
}

fn fault(words: &str) -> Fault {
    if let Some(network) = words.strip_prefix("container runtime network not ready: ") {
        return Fault::Network(message_of(network).to_owned());
    }
    if docker(words) || words.contains("reason:NetworkPluginNotReady") || words.contains("cni config uninitialized") {
        return Fault::Network(message_of(words).to_owned());
    }
    if let Some(said) = words.strip_prefix("container runtime not ready: ") {
        return Fault::Runtime { said: Some(said.to_owned()) };
    }
    if words.starts_with("container runtime is down") || words.starts_with("container runtime status check") {
        return Fault::Runtime { said: None };
    }
    if words.contains("PLEG is not healthy") {
        let last = words.split_once("last seen active ").and_then(|(_, rest)| rest.split_once(" ago"));
        return Fault::Relist { last: last.map(|(last, _)| last.to_owned()) };
    }
    if words.contains("CSINode is not yet initialized") {
        return Fault::CsiNode;
    }
    if words.contains("node is shutting down") {
        return Fault::ShuttingDown;
    }
    if let Some(resources) = words.strip_prefix("missing node capacity for resources: ") {
        return Fault::Capacity(resources.to_owned());
    }
    Fault::Other
}

/// What the plugin says, without the runtime's envelope.
fn message_of(network: &str) -> &str {
    network.split_once("message:").map_or(network, |(_, message)| message).trim()
}

#[cfg(test)]
mod tests {
    use super::{Fault, parse};

    fn faults(message: &str) -> Vec<Fault> {
        parse(message).into_iter().map(|part| part.fault).collect()
    }

    #[test]
    fn single_checks() {
        let network = "Network plugin returns error: cni plugin not initialized";
        for (message, fault) in [
            ("container runtime is down", Fault::Runtime { said: None }),
            ("container runtime status check may not have completed yet", Fault::Runtime { said: None }),
            (
                "container runtime not ready: RuntimeReady=false reason:DockerDaemonNotReady message:docker: failed to get docker version",
                Fault::Runtime {
                    said: Some(
                        "RuntimeReady=false reason:DockerDaemonNotReady message:docker: failed to get docker version"
                            .into(),
                    ),
                },
            ),
            (
                "PLEG is not healthy: pleg was last seen active 4m12.5s ago; threshold is 3m0s",
                Fault::Relist { last: Some("4m12.5s".into()) },
            ),
            ("PLEG is not healthy: pleg has yet to be successful", Fault::Relist { last: None }),
            (
                "EventedPLEG is not healthy: pleg was last seen active 11m0s ago; threshold is 10m0s",
                Fault::Relist { last: Some("11m0s".into()) },
            ),
            (
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
                Fault::Network(network.into()),
            ),
            (
                "runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:docker: network plugin is not ready: cni config uninitialized",
                Fault::Network("docker: network plugin is not ready: cni config uninitialized".into()),
            ),
            ("CSINode is not yet initialized", Fault::CsiNode),
            ("node is shutting down", Fault::ShuttingDown),
            ("missing node capacity for resources: cpu, memory", Fault::Capacity("cpu, memory".into())),
            ("the moon is full", Fault::Other),
        ] {
            assert_eq!(faults(message), [fault], "{message}");
        }
    }

    #[test]
    fn several_checks_stand_in_brackets_and_may_hold_commas() {
        let message = "[container runtime is down, PLEG is not healthy: pleg was last seen active 3m3s ago; threshold is 3m0s, \
                       container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:a, b, \
                       CSINode is not yet initialized]";
        assert_eq!(
            faults(message),
            [
                Fault::Runtime { said: None },
                Fault::Relist { last: Some("3m3s".into()) },
                Fault::Network("a, b".into()),
                Fault::CsiNode,
            ]
        );
        assert_eq!(faults("[container runtime is down, container runtime is down]").len(), 1);
        assert_eq!(faults(""), []);
        assert_eq!(faults("[]"), []);
    }
}
