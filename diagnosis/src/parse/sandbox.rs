//! Why the sandbox of a pod, its network and its first process, cannot be made.

/// What is wrong with a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxFault {
    /// No network configuration is loaded; the folder, where it is named.
    ConfigMissing(Option<String>),
    /// The program of that network plugin is not on the node.
    BinaryMissing(String),
    /// The agent of that network plugin does not answer or has not prepared the node.
    AgentDown(&'static str),
    /// No address is left; the range or pool, where it is named.
    NoAddress(Option<String>),
    /// That sandbox (pause) image cannot be had.
    PauseImage(String),
    /// A sandbox or container of that name is there already; what holds the name, where it is named.
    NameTaken(Option<String>),
    /// The runtime knows no such handler.
    Handler(String),
    /// The `RuntimeClass` itself is gone.
    RuntimeClass(String),
    /// The runtime does not answer.
    RuntimeDown,
    /// The runtime did not answer in time.
    Deadline,
    /// The disk does not read or write.
    DiskError,
    /// No room on a disk, in inodes, or for control groups.
    NoSpace,
    /// Control groups cannot be set up.
    ControlGroup,
    /// The kubelet names control groups in another way than the runtime expects: their drivers differ.
    CgroupDriver,
    /// The kernel has no control group, file watch or watcher left.
    Watches,
    /// User namespaces cannot be set up.
    UserNamespace,
    /// The node's bridge has an address of another network.
    BridgeAddress,
    /// The node's resolver file, which pods inherit, is not there.
    ResolverFile,
    /// A kernel setting (sysctl) is unknown or forbidden.
    Sysctl,
    /// The memory limit is too low for the runtime itself.
    MemoryTooLow,
    /// The network plugin failed in another way; its name.
    Network(Option<String>),
    /// None of these.
    Other,
}

/// Reads the words of an event or of a node's condition.
pub fn parse(message: &str) -> SandboxFault {
    let lower = message.to_ascii_lowercase();
    let has = |any: &[&str]| any.iter().any(|words| lower.contains(words));
    if lower.contains("input/output error") {
        return SandboxFault::DiskError;
    }
    if cgroup_driver(&lower) {
        return SandboxFault::CgroupDriver;
    }
    if watches(&lower) {
        return SandboxFault::Watches;
    }
    if let Some(plugin) = between(message, "failed to find plugin \"", "\"") {
        return SandboxFault::BinaryMissing(plugin.to_owned());
    }
    if let Some(agent) = agent_down(&lower) {
        return SandboxFault::AgentDown(agent);
    }
    if no_address(&lower) {
        return SandboxFault::NoAddress(range(message));
    }
    if has(&["dial unix", "container runtime is down", "cannot connect to the docker daemon"]) {
        return SandboxFault::RuntimeDown;
    }
    if no_config(&lower) {
        return SandboxFault::ConfigMissing(folder(message));
    }
    if let Some(fault) = class(message).or_else(|| name_taken(message, &lower)) {
        return fault;
    }
    if let Some(image) = pause_image(message) {
        return SandboxFault::PauseImage(image.to_owned());
    }
    if has(&["map uid range", "userns mode", "user namespace", "unmapped uid", "mount_attr_idmap", "set hostusers"]) {
        return SandboxFault::UserNamespace;
    }
    if has(&["memory limit too low", "too low; should be at least"]) {
        return SandboxFault::MemoryTooLow;
    }
    if lower.contains("resolv.conf") {
        return SandboxFault::ResolverFile;
    }
    if lower.contains("/proc/sys/") || lower.contains("sysctl") {
        return SandboxFault::Sysctl;
    }
    if has(&["no space left on device", "disk quota exceeded"]) {
        return SandboxFault::NoSpace;
    }
    if lower.contains("already has an ip address different from") {
        return SandboxFault::BridgeAddress;
    }
    if has(&[
        "for sandbox",
        "cni network",
        "networkplugin cni",
        "plugin type=",
        "netplugin",
        "cni plugin",
        "open netns",
    ]) && has(&["network", "netns", "cni", "plugin"])
    {
        return SandboxFault::Network(between(message, "plugin type=\"", "\"").map(str::to_owned));
    }
    if has(&["cgroup", "systemd/private"]) {
        return SandboxFault::ControlGroup;
    }
    if has(&["context deadline exceeded", "deadlineexceeded"]) {
        return SandboxFault::Deadline;
    }
    SandboxFault::Other
}

/// The words without the envelopes of kubelet and gRPC.
pub fn words(message: &str) -> &str {
    let envelopes = ["Failed to create pod sandbox: ", "Failed create pod sandbox: ", "network is not ready: "];
    let mut words = message.strip_prefix("(combined from similar events): ").unwrap_or(message);
    for envelope in envelopes.into_iter().chain(["Unable to get pod sandbox status: "]) {
        words = words.strip_prefix(envelope).unwrap_or(words);
    }
    if let Some((_, rest)) = words.strip_prefix("rpc error: code = ").and_then(|rest| rest.split_once(" desc = ")) {
        words = rest;
    }
    words
}

fn between<'m>(message: &'m str, start: &str, end: &str) -> Option<&'m str> {
    message.split_once(start)?.1.split_once(end).map(|(inside, _)| inside)
}

/// The plugin whose agent is down.
fn agent_down(lower: &str) -> Option<&'static str> {
    let unreachable = ["connection refused", "i/o timeout", "unauthorized", "no such file", "timed out", "not ready"];
    let broken = unreachable.iter().any(|words| lower.contains(words));
    let signs: [(&'static str, &[&str], bool); 9] = [
        ("flannel", &["subnet.env", "loadflannelsubnetenv"], true),
        (
            "Calico",
            &["/var/lib/calico/nodename", "error getting clusterinformation", "calico is currently not ready"],
            true,
        ),
        (
            "Cilium",
            &["unable to connect to cilium", "cilium.sock", "cilium agent is not", "cilium api client timeout"],
            true,
        ),
        ("Amazon VPC CNI", &["127.0.0.1:50051", "ipamd"], broken),
        ("OVN-Kubernetes", &["ovn-kubernetes", "ovn-cni-server", "ovnkube", "k8s.ovn.org"], broken),
        ("Weave Net", &["127.0.0.1:6784"], true),
        ("Antrea", &["antrea"], broken),
        ("Multus", &["multus.sock", "readinessindicatorfile", "multus: unauthorized"], true),
        ("Multus", &["multus"], lower.contains("unauthorized") || lower.contains("multus.kubeconfig")),
    ];
    // A plugin that cannot reach a socket of its own has no agent to talk to.
    let by_plugin =
        lower.contains("plugin type=") || lower.contains("cni network") || lower.contains("networkplugin cni");
    let socket = lower.contains("dial unix") || lower.contains("dial tcp 127.0.0.1");
    if by_plugin && socket && broken && !signs.iter().any(|(_, words, _)| words.iter().any(|word| lower.contains(word)))
    {
        return Some(if lower.contains("istio-cni") { "Istio CNI" } else { "The network plugin" });
    }
    let found = signs.iter().find(|(_, words, counts)| *counts && words.iter().any(|word| lower.contains(word)));
    found.map(|(agent, ..)| *agent)
}

fn no_address(lower: &str) -> bool {
    [
        "no ip addresses available",
        "no ips available",
        "no available ip",
        "no more ips",
        "failed to allocate for range",
        "failed to assign an ip address to container",
        "ip address exhausted",
        "no addresses available",
        "no available addresses",
        "range is full",
        "cidr ranges are exhausted",
        "no ips currently available",
        "need to allocate an ipam block but could not",
        "no configured calico pools",
        "failed to request ipv4 addresses",
        "failed to request ipv6 addresses",
        "no podcidr for node",
        "insufficientfreeaddresses",
        "subnetisfull",
        "no free ip",
        "not enough ip addresses",
        "failed to allocate address",
        "duplicate allocation is not allowed",
    ]
    .iter()
    .any(|words| lower.contains(words))
}

fn range(message: &str) -> Option<String> {
    let set = message.split_once("range set: ").map(|(_, rest)| rest);
    let set = set.and_then(|rest| rest.split([' ', ',', ';', '"', '\n']).find(|word| !word.is_empty()));
    set.or_else(|| between(message, "available in pools: [", "]")).map(|range| range.trim_end_matches('.').to_owned())
}

fn no_config(lower: &str) -> bool {
    [
        "cni plugin not initialized",
        "no network config found",
        "no cni configuration file",
        "cni config uninitialized",
        "cni config load failed",
        "missing cni default network",
        "no networks found in",
        "networkpluginnotready",
        "no valid networks found",
    ]
    .iter()
    .any(|words| lower.contains(words))
}

/// runc's words where kubelet and runtime disagree, and the kubelet's own of Docker's time.
fn cgroup_driver(lower: &str) -> bool {
    lower.contains("expected cgroupspath to be of format")
        || lower.contains("cgroup driver") && lower.contains("is different from")
        || lower.contains("cgroup-driver") && lower.contains("is different from")
}

/// What the kernel says where inotify instances, watches or control groups are used up; a full disk reads alike.
pub(crate) fn watches(lower: &str) -> bool {
    let full = lower.contains("no space left on device");
    let open = lower.contains("too many open files");
    (full || open) && ["inotify", "fsnotify"].iter().any(|word| lower.contains(word))
        || full && (lower.contains("mkdir /sys/fs/cgroup") || lower.contains("write /sys/fs/cgroup"))
}

fn folder(message: &str) -> Option<String> {
    let found = ["config found in ", "configuration file in ", "networks found in "]
        .iter()
        .find_map(|marker| message.split_once(marker).map(|(_, rest)| rest))?;
    let folder = found.split([' ', ':', ',']).next()?.trim_end_matches(['.', '/']);
    folder.starts_with('/').then(|| folder.to_owned())
}

fn class(message: &str) -> Option<SandboxFault> {
    let handler = between(message, "no runtime for \"", "\"")
        .or_else(|| between(message, "failed to find runtime handler \"", "\""))
        .or_else(|| between(message, "failed to find runtime handler ", " "))
        .or_else(|| between(message, "RuntimeHandler \"", "\" not supported"));
    if let Some(handler) = handler {
        return Some(SandboxFault::Handler(handler.to_owned()));
    }
    let class = between(message, "RuntimeClass \"", "\" not found")
        .or_else(|| between(message, "runtimeclass.node.k8s.io \"", "\" not found"))
        .or_else(|| between(message, "for runtimeClassName ", ":"));
    class.map(|class| SandboxFault::RuntimeClass(class.to_owned()))
}

fn name_taken(message: &str, lower: &str) -> Option<SandboxFault> {
    let reserved = ["is reserved for \"", "already in use by container \""];
    for marker in reserved {
        if let Some(holder) = between(message, marker, "\"") {
            return Some(SandboxFault::NameTaken(Some(holder.to_owned())));
        }
    }
    ["name is reserved", "error reserving pod name", "error reserving ctr name", "pod sandbox with name"]
        .iter()
        .any(|words| lower.contains(words))
        .then_some(SandboxFault::NameTaken(None))
}

fn pause_image(message: &str) -> Option<&str> {
    if let Some(image) = between(message, "failed to get sandbox image \"", "\"") {
        return Some(image);
    }
    let pull = between(message, "failed to pull image \"", "\"")
        .or_else(|| between(message, "failed pulling image \"", "\""))
        .or_else(|| between(message, "unable to pull sandbox image \"", "\""));
    let source = || between(message, "initializing source docker://", ": ");
    pull.or_else(source)
}

#[cfg(test)]
mod tests {
    use super::{SandboxFault, parse, words};

    #[expect(clippy::too_many_lines, reason = "one entry for each message")]
    #[test]
    fn every_fault_is_told_apart() {
        let text = |words: &str| words.to_owned();
        for (message, fault) in [
            (
                r#"Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "386": plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.244.9.1-10.244.9.6"#,
                SandboxFault::NoAddress(Some(text("10.244.9.1-10.244.9.6"))),
            ),
            (r#"add cmd: failed to assign an IP address to container"#, SandboxFault::NoAddress(None)),
            (
                r#"plugin type="calico" failed (add): failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; No IPs available in pools: [10.1.0.0/26]"#,
                SandboxFault::NoAddress(Some(text("10.1.0.0/26"))),
            ),
            (
                r#"unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure  range is full"#,
                SandboxFault::NoAddress(None),
            ),
            (
                r#"network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"#,
                SandboxFault::ConfigMissing(None),
            ),
            (
                r#"no CNI configuration file in /etc/cni/net.d/. Has your network provider started?"#,
                SandboxFault::ConfigMissing(Some(text("/etc/cni/net.d"))),
            ),
            (
                r#"failed to setup network for sandbox "1": failed to find plugin "bridge" in path [/opt/cni/bin]"#,
                SandboxFault::BinaryMissing(text("bridge")),
            ),
            (
                r#"plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory"#,
                SandboxFault::AgentDown("flannel"),
            ),
            (
                r#"plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/"#,
                SandboxFault::AgentDown("Calico"),
            ),
            (
                r#"plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: connection refused"#,
                SandboxFault::AgentDown("Cilium"),
            ),
            (
                r#"plugin type="aws-cni" name="aws-cni" failed (add): add cmd: Error received from AddNetwork gRPC call: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial tcp 127.0.0.1:50051: connect: connection refused""#,
                SandboxFault::AgentDown("Amazon VPC CNI"),
            ),
            (
                r#"failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image "registry.k8s.io/pause:3.9": failed to pull and unpack image"#,
                SandboxFault::PauseImage(text("registry.k8s.io/pause:3.9")),
            ),
            (
                r#"failed to reserve sandbox name "cart_shop_1_0": name "cart_shop_1_0" is reserved for "8f1""#,
                SandboxFault::NameTaken(Some(text("8f1"))),
            ),
            (
                r#"error reserving pod name k8s_cart_shop_1_0 for id 8f1: name is reserved"#,
                SandboxFault::NameTaken(None),
            ),
            (
                r#"unable to get OCI runtime for sandbox "1": no runtime for "gvisor" is configured"#,
                SandboxFault::Handler(text("gvisor")),
            ),
            (
                r#"failed to find runtime handler kata from runtime list map[runc:]"#,
                SandboxFault::Handler(text("kata")),
            ),
            (
                r#"rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused""#,
                SandboxFault::RuntimeDown,
            ),
            ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", SandboxFault::Deadline),
            (
                r#"plugin type="bridge" failed (add): failed to set bridge addr: "cni0" already has an IP address different from 10.244.1.1/24"#,
                SandboxFault::BridgeAddress,
            ),
            ("failed to create containerd task: mkdir /run/containerd/x: input/output error", SandboxFault::DiskError),
            ("mkdir /run/containerd/x: no space left on device", SandboxFault::NoSpace),
            (
                r#"failed to setup network for sandbox "1": plugin type="macvlan" failed (add): Link not found"#,
                SandboxFault::Network(Some(text("macvlan"))),
            ),
            (
                "runc create failed: unable to apply cgroup configuration: mkdir x: read-only file system",
                SandboxFault::ControlGroup,
            ),
            (
                r#"plugin type="istio-cni" name="istio-cni" failed (add): unable to push CNI event: Post "http://unix/cmdadd": dial unix /var/run/istio-cni/pluginevent.sock: connect: connection refused"#,
                SandboxFault::AgentDown("Istio CNI"),
            ),
            (
                r#"Multus: Err in tearing down failed plugins: Multus: error in invoke Delegate add - "macvlan": failed to allocate for range 0: no IP addresses available in range set: 10.252.2.4-10.252.2.4"#,
                SandboxFault::NoAddress(Some(text("10.252.2.4-10.252.2.4"))),
            ),
            (r#"RuntimeHandler "runsc" not supported"#, SandboxFault::Handler(text("runsc"))),
            ("open /run/systemd/resolve/resolv.conf: no such file or directory", SandboxFault::ResolverFile),
            ("something new", SandboxFault::Other),
            (
                r#"failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/kubepods/besteffort/pod1/2" instead: unknown"#,
                SandboxFault::CgroupDriver,
            ),
            (
                r#"misconfiguration: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs""#,
                SandboxFault::CgroupDriver,
            ),
            (
                "runc create failed: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/kubepods/pod1: no space left on device",
                SandboxFault::Watches,
            ),
            ("inotify_add_watch /sys/fs/cgroup/cpu: no space left on device", SandboxFault::Watches),
            ("failed to create fsnotify watcher: too many open files", SandboxFault::Watches),
        ] {
            assert_eq!(parse(message), fault, "{message}");
        }
        assert_eq!(words("Failed to create pod sandbox: rpc error: code = Unknown desc = x: y"), "x: y");
    }
}
