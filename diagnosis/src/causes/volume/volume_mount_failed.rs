//! `volume-mount-failed`.

use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::driver_pods;
use crate::facts::drivers;
use crate::facts::mounts::{self, Holdup, What};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::parse::mount::{self, MountTrouble, Trouble};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The volume could not be mounted on the node: the driver, the file server or the file system says why.
    /// ## Signals
    /// FailedMount `MountVolume.SetUp failed for volume "NAME" : ERROR` (also MountDevice, WaitForAttach, NodeAffinity
    /// check, ...) or FailedMapVolume `MapVolume.... failed`. Known errors: `mount.nfs: access denied by server`,
    /// `Connection timed out`, `mount error(13)`, `you might need a /sbin/mount.<type> helper program`, `wrong fs
    /// type`, `'fsck' found errors on device`, `special device ... does not exist`, `hostPath type check failed`, `no
    /// matching NodeSelectorTerms`, `fetching NodeStageSecretRef ... failed`, `failed to mount secrets store objects`,
    /// `rbd image IMAGE is still being used`, `stale NFS file handle`, iSCSI. Words that nobody knows are only likely.
    /// ## Look-alikes
    /// `configmap-missing`, `secret-missing` and their keys: those volumes wait for an object. `csi-driver-missing`:
    /// the driver is not registered. `volume-attach-failed`: it is not attached yet. `volume-mount-timeout`: no reason
    /// is given.
    /// ## Fixes
    /// What the error says; the mount is tried again by itself.
    /// ## Source
    /// pkg/volume/util/operationexecutor/operation_generator.go, staging/src/k8s.io/mount-utils/mount_linux.go.
    VolumeMountFailed, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    mounts::of_kind(case, What::Mount)?.iter().map(|holdup| explain(case, holdup)).collect()
}

fn explain(case: &Case<'_>, holdup: &Holdup) -> Result<Finding, Needs> {
    let node = mounts::node_name(case);
    let volume = mounts::called(case, &holdup.volume);
    let trouble = match mount::trouble("", &holdup.error) {
        Trouble::Mount(trouble) => trouble,
        _ => MountTrouble::Other,
    };
    let known = drivers::known(case, holdup)?;
    // The driver's words stand as they are where nobody knows what they mean.
    let confidence = match (&known, trouble) {
        (None, MountTrouble::Other) => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let pod_of_driver = match (&known, trouble) {
        (None, MountTrouble::Other) => driver_pods::of_volume(case, &holdup.volume)?,
        _ => None,
    };
    let (says, read) = pod_of_driver.unzip();
    let (short, means, fix) = match known {
        Some(known) => (shown(holdup), Some(known.means), Some(known.fix)),
        None => advice(case, holdup, trouble),
    };
    let mut finding = case.finding(Code::VolumeMountFailed).confidence(confidence);
    if let Some(volume) = mounts::persistent(case, &holdup.volume) {
        if let Some(claim) = mounts::only_claim(case) {
            finding = finding.via(case.neighbour(Kind::PersistentVolumeClaim, &claim));
        }
        finding = finding.root(volume);
    }
    Ok(finding
        .title(text!["The ", volume.clone(), " of pod ", name(case.name()), " cannot be mounted: ", short])
        .explain(text![
            "Before pod ",
            name(case.name()),
            " can start, node ",
            name(node),
            " has to mount its ",
            volume,
            where_from(case, &holdup.volume),
            ", and that fails: ",
            quoted(shortened(mounts::own_words(&holdup.error))),
            ".",
        ])
        .also(means)
        .also(says)
        .evidence(Evidence::event(&holdup.event))
        .fix(fix)
        .fix(read)
        .fix(Fix::safe(text!["mend what the error names; the mount is tried again by itself"]).command(case.kubectl([
            "describe",
            "pod",
            case.name(),
        ])))
        .since(holdup.event.first))
}

/// The output of `mount` says it in its last line; the command line before it only hides that.
fn shortened(error: &str) -> String {
    let output = error.split_once("Output: ").map_or(error, |(_, output)| output);
    output.chars().take(300).collect()
}

/// The path on the node that a hostPath volume of the pod names.
fn host_path(case: &Case<'_>, volume: &str) -> Option<Text> {
    let spec = case.pod().and_then(pods::spec)?;
    let volume = spec.volumes.iter().flatten().find(|own| own.name == volume)?;
    volume.host_path.as_ref().map(|host| text![" ", name(&host.path)])
}

/// The path that an error says does not exist.
fn path_in(error: &str) -> Option<Text> {
    let path = error.split_once("path \"").and_then(|(_, rest)| rest.split_once("\" does not exist"));
    path.map(|(path, _)| text![" ", name(path)])
}

/// The server or path that stands in the pod itself.
fn where_from(case: &Case<'_>, volume: &str) -> Option<Text> {
    let spec = case.pod().and_then(pods::spec)?;
    let volume = spec.volumes.iter().flatten().find(|own| own.name == volume)?;
    if let Some(nfs) = &volume.nfs {
        return Some(text![" from NFS server ", name(&nfs.server), ", export ", name(&nfs.path)]);
    }
    volume.host_path.as_ref().map(|host| text![" from the node's own path ", name(&host.path)])
}

fn advice(case: &Case<'_>, holdup: &Holdup, trouble: MountTrouble<'_>) -> (Text, Option<Text>, Option<Fix>) {
    let node = mounts::node_name(case);
    let describe =
        |words: Text| Fix::safe(words).command(case.kubectl_cluster(["get", "persistentvolume", "-o", "wide"]));
    let on_node = |words: Text| Fix::safe(words).command(format!("kubectl debug node/{node} -it --image=busybox"));
    match trouble {
        MountTrouble::NfsDenied => (
            text!["the NFS server does not let the node in"],
            Some(text!["The export is not open to this node's address, or the path is not exported."]),
            Some(describe(text![
                "open the export to node ",
                name(&node),
                " on the NFS server (exports, client addresses, NFS version)"
            ])),
        ),
        MountTrouble::NfsNoSuchExport => (
            text!["the NFS server has no such export"],
            Some(text!["The server answers, and the path does not exist there."]),
            Some(describe(text!["make the directory on the server, or correct the path in the volume"])),
        ),
        MountTrouble::ServerUnreachable => (
            text!["the file server does not answer"],
            Some(text![
                "The node reaches no file server under that address: it is down, the address is wrong, or a \
                    firewall is between."
            ]),
            Some(on_node(text![
                "from node ",
                name(&node),
                ", see whether the server's address and port answer (NFS: 2049, SMB: 445)"
            ])),
        ),
        MountTrouble::LoginRejected => (
            text!["the file server rejects the login"],
            Some(text!["User, password or share name in the volume's Secret do not suit the server."]),
            Some(describe(text!["correct user and password in the Secret that the volume names"])),
        ),
        MountTrouble::HelperMissing => (
            text!["node ", name(&node), " has no program to mount that file system"],
            Some(text![
                "The node lacks a package: nfs-common or nfs-utils for NFS, cifs-utils for SMB. Or the mount \
                    options are wrong for the type."
            ]),
            Some(on_node(text!["install the mount helper (nfs-common, nfs-utils, cifs-utils) on node ", name(&node)])),
        ),
        _ => advice_on_node(case, holdup, trouble),
    }
}

/// Advice where the node or the device is the matter, not a server.
fn advice_on_node(case: &Case<'_>, holdup: &Holdup, trouble: MountTrouble<'_>) -> (Text, Option<Text>, Option<Fix>) {
    let node = mounts::node_name(case);
    let describe =
        |words: Text| Fix::safe(words).command(case.kubectl_cluster(["get", "persistentvolume", "-o", "wide"]));
    let on_node = |words: Text| Fix::safe(words).command(format!("kubectl debug node/{node} -it --image=busybox"));
    match trouble {
        MountTrouble::WrongFileSystem => (
            text!["the device holds no file system of that type, or a damaged one"],
            Some(text!["Do not format it before you know that nothing is on it."]),
            Some(describe(text![
                "compare ",
                code("fsType"),
                " of the volume with what is on the device; repair a damaged file system from a backup or with fsck"
            ])),
        ),
        MountTrouble::Fsck => (
            text!["its file system is damaged"],
            Some(text!["The check found errors that it may not repair by itself."]),
            Some(
                Fix::risking_data(text![
                    "take a snapshot, then run fsck on the device on node ",
                    name(&node),
                    " while no pod uses it"
                ])
                .command(format!("kubectl debug node/{node} -it --image=busybox")),
            ),
        ),
        MountTrouble::DeviceMissing => (
            text!["the device is not on node ", name(&node)],
            Some(text!["The volume counts as attached, and the node does not see the device."]),
            Some(
                Fix::safe(text!["compare the attachments with what the node sees"])
                    .command(case.kubectl_cluster(["get", "volumeattachment"])),
            ),
        ),
        MountTrouble::HostPathType(words) => (
            text![quoted(words)],
            Some(text![
                "A hostPath volume with a type asks for something that must already be on the node; here it is \
                    absent or of another type."
            ]),
            Some(on_node(text![
                "make the path",
                host_path(case, &holdup.volume),
                " on node ",
                name(&node),
                ", or correct ",
                code("hostPath.path"),
                " or ",
                code("hostPath.type"),
                " (DirectoryOrCreate makes it)"
            ])),
        ),
        MountTrouble::PathMissing => (
            text!["the path does not exist"],
            Some(text!["The directory or device that the volume names is not on node ", name(&node), "."]),
            Some(on_node(text![
                "make the directory",
                host_path(case, &holdup.volume).or_else(|| path_in(&holdup.error)),
                " on node ",
                name(&node),
                ", or correct the path in the volume"
            ])),
        ),
        MountTrouble::NodeAffinity => (
            text!["it may not be used on node ", name(&node)],
            Some(text![
                "The volume's node affinity does not allow this node; a pod with nodeName in its spec goes past the \
                    scheduler, which would have seen it."
            ]),
            Some(
                Fix::disruptive(text![
                    "let the scheduler choose the node (remove ",
                    code("nodeName"),
                    "), or pick a node that the volume allows"
                ])
                .command(case.kubectl_cluster([
                    "get",
                    "persistentvolume",
                    &holdup.volume,
                    "-o",
                    "yaml",
                ])),
            ),
        ),
        MountTrouble::DriverSecret => (
            text!["the Secret for its driver cannot be read"],
            Some(text![
                "The volume names a Secret with the driver's credentials (nodeStageSecretRef), and it is not there."
            ]),
            Some(describe(text!["make the Secret that the volume names, with the driver's credentials"])),
        ),
        MountTrouble::HugePages => (
            text!["its medium does not suit the pod"],
            Some(text!["An emptyDir of huge pages needs a container that asks for huge pages of one size."]),
            None,
        ),
        _ => (shown(holdup), None, None),
    }
}

/// The driver's own words, short enough for a title.
fn shown(holdup: &Holdup) -> Text {
    let words = shortened(mounts::own_words(&holdup.error));
    let short = words.chars().take(110).collect::<String>();
    if short.len() < words.len() { text![quoted(short), own(" ...")] } else { text![quoted(short)] }
}
