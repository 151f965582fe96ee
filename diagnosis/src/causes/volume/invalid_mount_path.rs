//! `invalid-mount-path`.

use k8s_openapi::api::core::v1::{ConfigMap, VolumeMount};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::volumes::{absent_on_node, node_path};
use crate::finding::{Finding, Fix};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;
use crate::secret::Secret;

cause! {
    /// ## What it means
    /// The runtime or kubelet cannot put a volume where the container wants it: a file over a directory or the reverse,
    /// a path below `/proc`, a subPath that is not in the volume, a path that cannot be made.
    /// ## Signals
    /// The container waits or ended with RunContainerError, StartError, ContainerCannotRun, CreateContainerError or
    /// CreateContainerConfigError and: `stat PATH: no such file or directory` of a hostPath, `error mounting "SOURCE" to rootfs at "PATH": ... not a directory`, `Are you
    /// trying to mount a directory onto a file (or vice-versa)?`, `cannot be mounted because it is inside /proc`, `is
    /// outside of rootfs`, `create mountpoint ...: read-only file system`, `failed to create subPath directory for
    /// volumeMount`, `failed to prepare subPath for volumeMount`, `is not a shared mount`, `has volumeMode Block, but
    /// is specified in volumeMounts`.
    /// ## Look-alikes
    /// `command-not-found`, `working-dir-missing`: the mounts are there, the program is not. `volume-mount-failed`: the
    /// volume is not on the node yet. `configmap-key-missing`: the volume waits for a key.
    /// ## Fixes
    /// Mount a directory on a directory; for one file name it with `subPath`, and make sure that the volume has it.
    /// ## Source
    /// runc libcontainer/rootfs_linux.go, pkg/kubelet/kubelet_pods.go, pkg/volume/util/subpath/subpath_linux.go.
    InvalidMountPath, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for container in case.containers() {
        found.extend(explain(case, &container)?);
    }
    Ok(found)
}

/// Why a mount cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    FileOverDirectory,
    InsideProc,
    OutsideRoot,
    CannotMakePath,
    SubPath,
    NodePath,
    Propagation,
    VolumeMode,
    Unknown,
}

fn why(message: &str) -> Option<Why> {
    let has = |part: &str| message.contains(part);
    if has("SubPath") && (has("unable to provision") || has("must not be an absolute path")) {
        return Some(Why::SubPath);
    }
    if has("failed to create subPath directory") || has("failed to prepare subPath") {
        return Some(Why::SubPath);
    }
    if has("is specified in volumeMounts") || has("is specified in volumeDevices") {
        return Some(Why::VolumeMode);
    }
    if has("but it is not a shared mount") || has("but it is not a shared or slave mount") {
        return Some(Why::Propagation);
    }
    if has("cannot be mounted because it is") {
        return Some(Why::InsideProc);
    }
    if has("is outside of rootfs") || has("pivot_root .: invalid argument") {
        return Some(Why::OutsideRoot);
    }
    let mounting = has("error mounting") || has("to rootfs at") || has("mountpoint") || has("rootfs_linux.go");
    if has("Are you trying to mount a directory onto a file")
        || (mounting && (has("not a directory") || has("is a directory")))
    {
        return Some(Why::FileOverDirectory);
    }
    if (has("mountpoint") || has("error mounting")) && has("read-only file system") {
        return Some(Why::CannotMakePath);
    }
    if has("path does not exist and will cause issues as a directory") || has("Duplicate mount point") {
        return Some(Why::Unknown);
    }
    if has("cannot find volume \"") && has("to mount into container") {
        return Some(Why::Unknown);
    }
    (has("error mounting \"") && has("to rootfs at")).then_some(Why::Unknown)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<Finding>, Needs> {
    // A container that runs has its mounts.
    if container.running().is_some() {
        return Ok(None);
    }
    let waiting = container.waiting_message();
    if let Some(finding) = unexpanded(case, container, waiting) {
        return Ok(Some(finding));
    }
    let end = container.last_end().filter(|end| {
        matches!(end.reason.as_deref(), Some("StartError" | "ContainerCannotRun" | "RunContainerError"))
            || end.exit_code == 128
    });
    let ended = end.and_then(|end| end.message.as_deref()).unwrap_or_default();
    let on_node = || absent_on_node(case, container, waiting).map(|_| Why::NodePath);
    let (why, message, evidence) = match (why(waiting).or_else(on_node), why(ended)) {
        (Some(why), _) => (why, waiting, Some(case.waiting_evidence(container))),
        (None, Some(why)) => (why, ended, case.end_evidence(container)),
        (None, None) => return Ok(None),
    };
    // A mount of the runtime's own (/proc, /sys) is no volume of the pod's.
    let mount = mount_of(container, message);
    if why == Why::Unknown && mount.is_none() {
        return Ok(None);
    }
    let keys = match mount {
        Some(mount) => missing_key(case, mount)?,
        None => None,
    };
    Ok(Some(describe(case, container, why, message).also(keys).evidence(evidence)))
}

/// `missing value for NAME`: a subPathExpr names a variable that the container does not have.
fn unexpanded(case: &Case<'_>, container: &ContainerView<'_>, message: &str) -> Option<Finding> {
    let variable = message.split_once("missing value for ")?.1.trim().trim_matches('"');
    let names_it = |mount: &&VolumeMount| {
        mount.sub_path_expr.as_ref().is_some_and(|path| path.contains(&format!("$({variable})")))
    };
    let mount = container.spec.volume_mounts.iter().flatten().find(names_it)?;
    let expression = mount.sub_path_expr.clone().unwrap_or_default();
    let variables: Vec<String> = container.spec.env.iter().flatten().map(|env| env.name.clone()).collect();
    let nearest = crate::nearest::nearest(variable, variables.iter().map(String::as_str));
    let has = if variables.is_empty() { text!["none"] } else { Text::names(variables, 8) };
    let path = format!("{}.volumeMounts[{}].subPathExpr", container.spec_path(), mount.name);
    let rename = nearest.map(|nearest| {
        Fix::disruptive(text!["name the variable that the container has: did you mean ", name(nearest), "?"])
    });
    Some(
        case.finding_in(Code::InvalidMountPath, container)
            .follows(Code::InvalidContainerConfig)
            .title(text![
                "Container ",
                name(container.name()),
                " cannot start: subPathExpr names ",
                name(variable),
                ", which it does not have"
            ])
            .explain(text![
                "Container ",
                name(container.name()),
                " mounts volume ",
                name(&mount.name),
                " with subPathExpr ",
                code(expression.clone()),
                ", and has no environment variable ",
                name(variable),
                ". Its variables: ",
                has,
                ".",
            ])
            .evidence(case.waiting_evidence(container))
            .evidence(case.field(&path, expression))
            .fix(rename)
            .fix(
                Fix::disruptive(text!["or set variable ", name(variable), " in the container's env"])
                    .command(case.kubectl(["get", "pod", case.name(), "-o", "yaml"])),
            ),
    )
}

/// In a volume made of a `ConfigMap` or Secret, a subPath has to be the name of a key.
fn missing_key(case: &Case<'_>, mount: &VolumeMount) -> Result<Option<Text>, Needs> {
    let Some(path) = mount.sub_path.as_deref().filter(|path| !path.contains('/')) else { return Ok(None) };
    let spec = case.pod().and_then(pods::spec);
    let volume = spec.and_then(|spec| spec.volumes.iter().flatten().find(|volume| volume.name == mount.name));
    let Some(volume) = volume else { return Ok(None) };
    let (kind, object, keys): (_, _, Option<Vec<String>>) = if let Some(map) = &volume.config_map {
        if map.items.is_some() {
            return Ok(None);
        }
        let read = case.get::<ConfigMap>(case.namespace(), &map.name)?.found();
        let keys = read.map(|map| {
            let binary = map.binary_data.iter().flatten().map(|(key, _)| key.clone());
            map.data.iter().flatten().map(|(key, _)| key.clone()).chain(binary).collect()
        });
        ("ConfigMap ", map.name.clone(), keys)
    } else if let Some(secret) = volume.secret.as_ref().filter(|secret| secret.items.is_none()) {
        let name = secret.secret_name.clone().unwrap_or_default();
        let read = case.get::<Secret>(case.namespace(), &name)?.found();
        ("Secret ", name, read.and_then(|secret| Some(secret.keys.clone()?.into_iter().collect())))
    } else {
        return Ok(None);
    };
    let Some(keys) = keys.filter(|keys| !keys.iter().any(|key| key == path)) else { return Ok(None) };
    let nearest = crate::nearest::nearest(path, keys.iter().map(String::as_str));
    let has = if keys.is_empty() { text!["no keys at all"] } else { Text::names(keys, 8) };
    let nearest = nearest.map(|nearest| text![" Did you mean ", name(nearest), "?"]);
    Ok(Some(text![kind, name(object), " has no key ", quoted(path), "; it has: ", has, ".", nearest]))
}

fn describe(case: &Case<'_>, container: &ContainerView<'_>, why: Why, message: &str) -> Finding {
    let absent = absent_on_node(case, container, message);
    let mount = absent.as_ref().map(|(mount, _)| *mount).or_else(|| mount_of(container, message));
    let on_node = absent.map(|(_, path)| path).or_else(|| mount.and_then(|mount| node_path(case, mount)));
    let place = mount.map_or_else(
        || text!["a volume"],
        |mount| {
            text![
                "volume ",
                name(&mount.name),
                " at ",
                name(&mount.mount_path),
                mount.sub_path.as_deref().map(|path| text![" (subPath ", name(path), ")"])
            ]
        },
    );
    let (means, do_this) = advice(why, on_node);
    // What stands before is the wrapping of the runtime.
    let core = message.find("error mounting").and_then(|start| message.get(start..)).unwrap_or(message);
    let words: String = core.chars().take(300).collect();
    let field = mount.map(|mount| {
        case.field(
            &format!("{}.volumeMounts[{}].mountPath", container.spec_path(), mount.name),
            mount.mount_path.clone(),
        )
    });
    case.finding_in(Code::InvalidMountPath, container)
        .title(text!["Container ", name(container.name()), " cannot start: ", place.clone(), " cannot be mounted"])
        .explain(text![
            "Container ",
            name(container.name()),
            " wants ",
            place,
            ", and that mount cannot be made. ",
            means,
        ])
        .also(text!["The error: ", quoted(words), "."])
        .evidence(field)
        .fix(Fix::disruptive(do_this).command(case.kubectl(["get", "pod", case.name(), "-o", "yaml"])))
}

/// What it means, and what mends it; `on_node` is the path of the node where the volume is one.
fn advice(why: Why, on_node: Option<String>) -> (Text, Text) {
    match why {
        Why::FileOverDirectory => (
            text![
                "One side is a file and the other a directory: a volume is a directory, and the image (or the \
                    subPath) has a file there, or the reverse."
            ],
            text![
                "mount the volume on a directory; to put in a single file, name it with ",
                code("subPath"),
                " and the file's full path with ",
                code("mountPath")
            ],
        ),
        Why::InsideProc => (text!["Nothing may be mounted below /proc."], text!["choose a mountPath outside of /proc"]),
        Why::OutsideRoot => (
            text![
                "The path leads out of the container's own file system, for instance over a symbolic link, or \
                    replaces it whole."
            ],
            text!["choose a mountPath that is a real directory of the image, and not ", code("/")],
        ),
        Why::CannotMakePath => (
            text!["The path does not exist in the image, and it cannot be made because what lies there is read-only."],
            text!["choose a path that exists, or mount an emptyDir over its parent first"],
        ),
        Why::SubPath => (
            text![
                "The subPath is not in the volume and cannot be made there: the key of the ConfigMap or Secret is \
                    absent, or the volume is read-only, or the path leads out of it."
            ],
            text![
                "correct ",
                code("subPath"),
                " so that it names a file or directory of the volume",
                on_node.map(|path| text![", or make the directory ", name(path), " on the node"])
            ],
        ),
        Why::NodePath => (
            text!["The volume is a directory of the node itself (hostPath), and that directory is not there."],
            text![
                "make the directory",
                on_node.map(|path| text![" ", name(path)]),
                " on the node, or set ",
                code("hostPath.type: DirectoryOrCreate"),
                "; a subPath below it is then made by itself"
            ],
        ),
        Why::Propagation => (
            text!["The mount asks for propagation that the path on the node does not offer."],
            text!["leave ", code("mountPropagation"), " out, or make the path on the node a shared mount"],
        ),
        Why::VolumeMode => (
            text!["A raw block volume belongs under volumeDevices, a file system under volumeMounts."],
            text![
                "name the volume where its volumeMode says: ",
                code("volumeDevices"),
                " for Block, ",
                code("volumeMounts"),
                " for Filesystem"
            ],
        ),
        Why::Unknown => (
            text!["The runtime cannot put it there."],
            text!["correct mountPath and volume so that the path can be mounted in this image"],
        ),
    }
}

/// The mount that the message names: by `at "PATH"`, by any quoted path, or by the volume's name.
fn mount_of<'c>(container: &ContainerView<'c>, message: &str) -> Option<&'c VolumeMount> {
    let mounts = || container.spec.volume_mounts.iter().flatten();
    let clean = |path: &str| path.trim_end_matches('/').to_owned();
    let quoted: Vec<&str> = message.split(['"', '\'', '`']).map(|word| word.trim_end_matches('\\')).collect();
    let exact = mounts().find(|mount| quoted.iter().any(|word| clean(word) == clean(&mount.mount_path)));
    exact
        .or_else(|| mounts().find(|mount| message.contains(&format!("volumeMount \"{}\"", mount.name))))
        .or_else(|| mounts().find(|mount| message.contains(&format!("volume \"{}\"", mount.name))))
        .or_else(|| mounts().rfind(|mount| mount.sub_path.as_ref().is_some_and(|path| message.contains(path.as_str()))))
        .or_else(|| {
            mounts()
                .filter(|mount| mount.mount_path.len() > 1 && message.contains(&mount.mount_path))
                .max_by_key(|mount| mount.mount_path.len())
        })
}
