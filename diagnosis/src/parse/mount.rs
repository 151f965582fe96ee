//! What the attach-detach controller and the kubelet say when a volume does not come.
//!
//! Two shapes: the envelope `{Operation} failed for volume "{v}" : {error}`, and the kubelet's summary every two minutes,
//! `Unable to attach or mount volumes: unmounted volumes=[..], ...`, which names volumes and no cause.

/// One failed operation on one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'m> {
    /// `MountVolume.SetUp`, `AttachVolume.Attach`, ...
    pub name: &'m str,
    /// The name of the `PersistentVolume`, or of the pod's volume where no claim is behind it.
    pub volume: &'m str,
    /// The error, whole.
    pub error: &'m str,
}

/// Reads the envelope.
pub fn operation(message: &str) -> Option<Operation<'_>> {
    let (name, rest) = message.split_once(" failed for volume \"")?;
    let (volume, error) = rest.split_once('"')?;
    let name = name.rsplit(' ').next().unwrap_or(name);
    // Some versions put the unique name in parentheses before the colon.
    let error = error.split_once(" : ").or_else(|| error.split_once(": ")).map_or(error, |(_, error)| error);
    Some(Operation { name, volume, error: error.trim() })
}

/// `Multi-Attach error for volume "{pv}" ...`, in both wordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiAttach<'m> {
    /// The `PersistentVolume`.
    pub volume: &'m str,
    /// The pods of the same namespace that use it; none where only a node is known to hold it.
    pub pods: Vec<&'m str>,
    /// Pods of other namespaces use it too.
    pub elsewhere: bool,
}

/// Reads a Multi-Attach error.
pub fn multi_attach(message: &str) -> Option<MultiAttach<'_>> {
    let (volume, rest) = message.split_once("Multi-Attach error for volume \"")?.1.split_once('"')?;
    let mut pods = Vec::new();
    if let Some((_, list)) = rest.split_once("used by pod(s) ") {
        let list = list.split(" and ").next().unwrap_or(list);
        pods = list.split(", ").map(str::trim).filter(|pod| !pod.is_empty()).collect();
    }
    Some(MultiAttach { volume, pods, elsewhere: rest.contains("different namespaces") })
}

/// The kubelet's summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary<'m> {
    /// Volumes that are not mounted.
    pub unmounted: Vec<&'m str>,
    /// Volumes that are not attached; older kubelets list all volumes here, see [`Summary::waits_for_attach`].
    pub unattached: Vec<&'m str>,
    /// Volumes whose claim could not be looked up; `None` in wordings that do not have the list.
    pub unprocessed: Option<Vec<&'m str>>,
    /// What stands behind the lists.
    pub error: &'m str,
}

impl Summary<'_> {
    /// Tells whether it says that the attachment is what lacks. Wordings without the third list name every volume as
    /// unattached and so say nothing.
    pub fn waits_for_attach(&self) -> bool {
        self.unprocessed.is_some() && !self.unattached.is_empty()
    }
}

/// Reads the kubelet's summary.
pub fn summary(message: &str) -> Option<Summary<'_>> {
    let unmounted = list(message, "unmounted volumes=[")?;
    let unattached = list(message, "unattached volumes=[").unwrap_or_default();
    let unprocessed = list(message, "failed to process volumes=[");
    let error = message.rsplit_once("]: ").map_or("", |(_, error)| error.trim());
    Some(Summary { unmounted, unattached, unprocessed, error })
}

fn list<'m>(message: &'m str, start: &str) -> Option<Vec<&'m str>> {
    let (inside, _) = message.split_once(start)?.1.split_once(']')?;
    Some(inside.split([' ', ',']).filter(|volume| !volume.is_empty()).collect())
}

/// What kind of trouble an error of attaching or mounting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble<'m> {
    /// A `ConfigMap`, a Secret, a token or a key of them lacks: another stage's.
    Configuration,
    /// The claim cannot be used: the claim's own trouble.
    Claim,
    /// The kubelet does not know the CSI driver.
    DriverMissing(&'m str),
    /// A pod elsewhere has the volume with `ReadWriteOncePod`.
    OtherPodHolds,
    /// The attachment to the node did not come about.
    NotAttached,
    /// The file system can only be read.
    ReadOnly,
    /// The file system could not be grown.
    Resize,
    /// It took too long, and no reason is given.
    Timeout,
    /// Mounting failed, and this is known of why.
    Mount(MountTrouble<'m>),
}

/// Why a mount failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountTrouble<'m> {
    /// The NFS server does not let this node in.
    NfsDenied,
    /// The export is not there.
    NfsNoSuchExport,
    /// The server does not answer.
    ServerUnreachable,
    /// The server rejects the user or password.
    LoginRejected,
    /// The node lacks the helper program of that file system.
    HelperMissing,
    /// The device holds no file system of that type, or a broken one.
    WrongFileSystem,
    /// The check of the file system found what it could not repair.
    Fsck,
    /// The device is not on the node.
    DeviceMissing,
    /// The path on the node is not what the volume says it is.
    HostPathType(&'m str),
    /// The path on the node does not exist.
    PathMissing,
    /// The volume may not be used on this node.
    NodeAffinity,
    /// The secret for the driver could not be read.
    DriverSecret,
    /// An emptyDir asks for huge pages that no container asks for.
    HugePages,
    /// The driver's or the system's own words have to do.
    Other,
}

/// What says that the attachment, not the mount, is what lacks.
const DETACHED: [&str; 5] = [
    "is not attached for volume attachment",
    "has GET error for",
    "volume attachment is being deleted",
    "volume attachment has been deleted",
    "external-attacher",
];

/// Sorts an error by its words; `operation` is that of the envelope.
pub fn trouble<'m>(operation: &str, error: &'m str) -> Trouble<'m> {
    let has = |part: &str| error.contains(part);
    if let Some(driver) = missing_driver(error) {
        return Trouble::DriverMissing(driver);
    }
    if has("NodeStageSecretRef") || has("NodePublishSecretRef") || has("NodeExpandSecretRef") {
        return Trouble::Mount(MountTrouble::DriverSecret);
    }
    if is_configuration(error) {
        return Trouble::Configuration;
    }
    if has("error processing PVC") || has("PVC is not bound") || has("PVC is being deleted") {
        return Trouble::Claim;
    }
    if has("ReadWriteOncePod access mode and is already in use") {
        return Trouble::OtherPodHolds;
    }
    if operation.contains("NodeExpandVolume") || operation.contains("ExpandVolume") {
        return if has("read-only file system") { Trouble::ReadOnly } else { Trouble::Resize };
    }
    if operation.contains("AttachVolume") || DETACHED.iter().any(|words| has(words)) {
        return Trouble::NotAttached;
    }
    // The kubelet waits for the controller to say that it is attached: that gives no reason.
    if operation.contains("VerifyControllerAttachedVolume") {
        return Trouble::Timeout;
    }
    let mount = mount_trouble(error);
    if mount != MountTrouble::Other {
        return Trouble::Mount(mount);
    }
    if ["read-only file system", "Read-only file system", "write-protected but", "is write-protected"]
        .iter()
        .any(|w| has(w))
    {
        return Trouble::ReadOnly;
    }
    let timeout =
        ["timed out waiting for the condition", "context deadline exceeded", "an operation with the given Volume ID"];
    if timeout.iter().any(|words| has(words)) || has("DeadlineExceeded") {
        return Trouble::Timeout;
    }
    Trouble::Mount(MountTrouble::Other)
}

fn missing_driver(error: &str) -> Option<&str> {
    let word = |rest: &'_ str| -> usize { rest.find([' ', ',', '"']).unwrap_or(rest.len()) };
    for start in ["driver name ", "does not contain driver "] {
        let found = error.split_once(start).and_then(|(_, rest)| rest.get(..word(rest)));
        let belongs = start != "driver name " || error.contains("not found in the list of registered CSI drivers");
        if let Some(driver) = found.filter(|driver| belongs && !driver.is_empty()) {
            return Some(driver.trim_end_matches('.'));
        }
    }
    let unsupported = error.split_once("not supported by driver ").filter(|_| error.contains("no CSIDriver object"));
    unsupported.and_then(|(_, rest)| rest.get(..word(rest)))
}

fn is_configuration(error: &str) -> bool {
    // What a driver says of secrets is the driver's own matter.
    let missing = error.contains("not found")
        && !error.contains("rpc error")
        && ["configmap \"", "configmaps \"", "secret \"", "secrets \""].iter().any(|kind| error.contains(kind));
    missing
        || error.contains("references non-existent config key")
        || error.contains("references non-existent secret key")
        || error.contains("failed to sync configmap cache")
        || error.contains("failed to sync secret cache")
        || error.contains("not registered") && error.contains("object \"")
        || error.contains("failed to fetch token")
        || error.contains("failed to get service account token")
}

fn mount_trouble(error: &str) -> MountTrouble<'_> {
    let has = |part: &str| error.contains(part);
    let any = |parts: &[&str]| parts.iter().any(|part| error.contains(part));
    if let Some((_, rest)) = error.split_once("hostPath type check failed: ") {
        return MountTrouble::HostPathType(rest.lines().next().unwrap_or(rest));
    }
    if any(&["access denied by server", "mount.nfs: Operation not permitted", "mount.nfs4: Operation not permitted"]) {
        return MountTrouble::NfsDenied;
    }
    if (has("mount.nfs") && has("No such file or directory")) || has("reason given by server: No such file") {
        return MountTrouble::NfsNoSuchExport;
    }
    let network =
        ["Connection timed out", "Connection refused", "No route to host", "Network is unreachable", "Host is down"];
    let remote =
        any(&["mount.nfs", "mount error(", "Mounting arguments: -t nfs", "Mounting arguments: -t cifs", "ceph"]);
    if any(&network) || any(&["mount error(110)", "mount error(111)", "mount error(113)", "mount error(115)"]) {
        return MountTrouble::ServerUnreachable;
    }
    if remote && any(&["Failed to resolve server", "could not resolve address", "Name or service not known"]) {
        return MountTrouble::ServerUnreachable;
    }
    if any(&[
        "mount error(13)",
        "mount error(126)",
        "mount error(127)",
        "STATUS_LOGON_FAILURE",
        "NT_STATUS_LOGON_FAILURE",
    ]) {
        return MountTrouble::LoginRejected;
    }
    if any(&[
        "you might need a /sbin/mount.",
        "unknown filesystem type",
        "executable file not found",
        "mount.nfs: not found",
    ]) {
        return MountTrouble::HelperMissing;
    }
    if has("but could not correct them") {
        return MountTrouble::Fsck;
    }
    if any(&["wrong fs type", "bad superblock", "unformatted", "Structure needs cleaning", "failed to get disk format"])
    {
        return MountTrouble::WrongFileSystem;
    }
    if has("special device") && has("does not exist") {
        return MountTrouble::DeviceMissing;
    }
    if any(&["no matching NodeSelectorTerms", "node affinity doesn't match node"]) {
        return MountTrouble::NodeAffinity;
    }
    if any(&["hugePages storage requested", "multiple huge page sizes", "unknown storage medium"]) {
        return MountTrouble::HugePages;
    }
    if (has("path \"") && has("does not exist")) || has("no such file or directory") {
        return MountTrouble::PathMissing;
    }
    MountTrouble::Other
}

/// The names of claims in a verdict of the scheduler or an error of the kubelet: `persistentvolumeclaim "c" not found`,
/// `error processing PVC ns/c: ...`.
pub fn claims_named(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for start in ["persistentvolumeclaim \"", "persistentvolumeclaims \""] {
        let parts = text.split(start).skip(1).filter_map(|rest| rest.split_once('"'));
        names.extend(parts.map(|(name, _)| name));
    }
    for rest in text.split("error processing PVC ").skip(1) {
        let path = rest.split(": ").next().unwrap_or(rest).trim_matches('"');
        names.push(path.rsplit('/').next().unwrap_or(path));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The provisioner that an `ExternalProvisioning` event waits for, in both wordings.
pub fn external_provisioner(message: &str) -> Option<&str> {
    let rest = message.split_once("external provisioner ")?.1;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest.strip_prefix(quote)?.split(quote).next().filter(|provisioner| !provisioner.is_empty())
}

/// Tells whether a verdict of the scheduler or an error of the kubelet speaks of claims that cannot be used.
pub fn speaks_of_claims(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "unbound immediate PersistentVolumeClaims",
        "unbound PersistentVolumeClaims",
        "persistentvolumeclaim \"",
        "persistentvolumeclaims \"",
        "didn't find available persistent volumes to bind",
        "did not have enough free storage",
        "bound to non-existent",
        "error processing PVC",
        "PersistentVolumeClaim is not bound",
        "PersistentVolumeClaim had no pv name",
        "VolumeBindingMode not set for StorageClass",
        "failed to find storage class",
    ];
    WORDS.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_opened() {
        let message = "AttachVolume.Attach failed for volume \"pvc-1\" : rpc error: code = Internal desc = no";
        let read = operation(message).expect("an envelope");
        assert_eq!(
            (read.name, read.volume, read.error),
            ("AttachVolume.Attach", "pvc-1", "rpc error: code = Internal desc = no")
        );
        assert_eq!(operation("Unable to attach or mount volumes: unmounted volumes=[a]"), None);
    }

    #[test]
    fn multi_attach_names_pods_or_none() {
        let live = "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) cart-a, cart-b and 1 pod(s) in different namespaces";
        let read = multi_attach(live).expect("multi-attach");
        assert_eq!((read.volume, read.pods, read.elsewhere), ("pvc-1", vec!["cart-a", "cart-b"], true));
        let gone = "Multi-Attach error for volume \"pvc-1\" Volume is already exclusively attached to one node and can't be attached to another";
        assert_eq!(multi_attach(gone).map(|read| read.pods.len()), Some(0));
    }

    #[test]
    fn summaries_of_all_ages_are_read() {
        let new = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data], failed to process volumes=[]: timed out waiting for the condition";
        let read = summary(new).expect("a summary");
        assert_eq!(
            (read.unmounted.clone(), read.waits_for_attach(), read.error),
            (vec!["data"], true, "timed out waiting for the condition")
        );
        let old = "Unable to mount volumes for pod \"a_b(1)\": timeout expired waiting for volumes to attach or mount for pod \"b\"/\"a\". list of unmounted volumes=[data]. list of unattached volumes=[data default-token-x]";
        let read = summary(old).expect("a summary");
        assert_eq!((read.unmounted.clone(), read.unattached.len(), read.waits_for_attach()), (vec!["data"], 2, false));
    }

    #[test]
    fn errors_are_sorted() {
        let mount = |trouble| Trouble::Mount(trouble);
        for (operation, error, expected) in [
            ("MountVolume.SetUp", "configmap \"cart\" not found", Trouble::Configuration),
            ("MountVolume.SetUp", "references non-existent secret key: k", Trouble::Configuration),
            (
                "MountVolume.MountDevice",
                "kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers",
                Trouble::DriverMissing("ebs.csi.aws.com"),
            ),
            (
                "AttachVolume.Attach",
                "CSINode node-1 does not contain driver ebs.csi.aws.com",
                Trouble::DriverMissing("ebs.csi.aws.com"),
            ),
            ("AttachVolume.Attach", "rpc error: code = NotFound desc = no", Trouble::NotAttached),
            (
                "MountVolume.SetUp",
                "hostPath type check failed: /data is not a directory",
                mount(MountTrouble::HostPathType("/data is not a directory")),
            ),
            (
                "MountVolume.SetUp",
                "mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: access denied by server while mounting a:/b",
                mount(MountTrouble::NfsDenied),
            ),
            (
                "MountVolume.SetUp",
                "mount failed: exit status 32\nOutput: mount.nfs: Connection timed out",
                mount(MountTrouble::ServerUnreachable),
            ),
            (
                "MountVolume.SetUp",
                "mount failed: exit status 32\nOutput: mount: /x: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.",
                mount(MountTrouble::HelperMissing),
            ),
            (
                "MountVolume.MountDevice",
                "'fsck' found errors on device /dev/x but could not correct them: out",
                mount(MountTrouble::Fsck),
            ),
            ("MountVolume.NodeAffinity check", "no matching NodeSelectorTerms", mount(MountTrouble::NodeAffinity)),
            (
                "MountVolume.SetUp",
                "volume uses the ReadWriteOncePod access mode and is already in use by another pod",
                Trouble::OtherPodHolds,
            ),
            (
                "MountVolume.MountDevice",
                "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
                Trouble::Timeout,
            ),
            (
                "MountVolume.MountDevice",
                "fetching NodeStageSecretRef a/b failed: secrets \"b\" not found",
                mount(MountTrouble::DriverSecret),
            ),
            ("MountVolume.MountDevice", "rpc error: code = Internal desc = boom", mount(MountTrouble::Other)),
            ("MountVolume.WaitForAttach", "volume attachment is being deleted", Trouble::NotAttached),
            (
                "VerifyControllerAttachedVolume",
                "volume has not been added to the list of VolumesInUse",
                Trouble::Timeout,
            ),
        ] {
            assert_eq!(trouble(operation, error), expected, "{error}");
        }
    }

    #[test]
    fn provisioners_are_named() {
        let new = "Waiting for a volume to be created either by the external provisioner 'csi.example.com' or manually by the system administrator.";
        let old = "waiting for a volume to be created, either by external provisioner \"csi.example.com\" or manually created by system administrator";
        assert_eq!(
            (external_provisioner(new), external_provisioner(old)),
            (Some("csi.example.com"), Some("csi.example.com"))
        );
    }

    #[test]
    fn claims_are_named() {
        assert_eq!(
            claims_named("0/3 nodes are available: persistentvolumeclaim \"data\" not found. not found"),
            ["data"]
        );
        assert_eq!(claims_named("error processing PVC shop/data: PVC is not bound"), ["data"]);
        assert!(speaks_of_claims(
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
        ));
        assert!(!speaks_of_claims("0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity"));
    }
}
