//! `volume-read-only`.

use k8s_openapi::api::core::v1::{Volume, VolumeMount};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::mounts::{self, What};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The app writes to a volume that can only be read: it is mounted read-only, it is of a kind that always is
    /// (ConfigMap, Secret), or its file system turned read-only after an error.
    /// ## Signals
    /// A container ended and its log says `Read-only file system` (EROFS) about a path below one of its volumeMounts;
    /// or a mount fails with `write-protected but explicit read-write mode requested` or `requested read-only file
    /// system`.
    /// ## Look-alikes
    /// `app-permission-denied`: the path lies on the container's own read-only root file system, or the right is
    /// lacking. `app-disk-full`: the volume is full.
    /// ## Fixes
    /// Mount it writable, or write elsewhere. A ConfigMap or Secret is copied to an emptyDir first. A file system that
    /// turned read-only is checked before it is mounted again.
    /// ## Source
    /// pkg/volume/util/operationexecutor/operation_generator.go; open(2), EROFS.
    VolumeReadOnly, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for holdup in mounts::of_kind(case, What::ReadOnly)? {
        let volume = mounts::called(case, &holdup.volume);
        let mut finding = case.finding(Code::VolumeReadOnly);
        if let Some(volume) = mounts::persistent(case, &holdup.volume) {
            finding = finding.root(volume);
        }
        found.push(
            finding
                .title(text!["The ", volume.clone(), " of pod ", name(case.name()), " can only be read"])
                .explain(text![
                    "Pod ",
                    name(case.name()),
                    " wants to write to its ",
                    volume,
                    ", and it can only be read, so it cannot be mounted: ",
                    quoted(mounts::own_words(&holdup.error)),
                    ".",
                ])
                .evidence(Evidence::event(&holdup.event))
                .fix(
                    Fix::disruptive(text![
                        "mount it with ",
                        code("readOnly: true"),
                        ", or use a volume that can be written"
                    ])
                    .command(case.kubectl(["describe", "pod", case.name()])),
                ),
        );
    }
    let Some(pod) = case.pod() else { return Ok(found) };
    for container in case.containers() {
        let ended = pods::troubling_end(pod, &container, case.now()).is_some_and(|end| end.exit_code != 0);
        if ended && container.spec.volume_mounts.iter().flatten().any(|mount| !is_token(mount)) {
            found.extend(of_log(case, &container)?);
        }
    }
    Ok(found)
}

fn is_token(mount: &VolumeMount) -> bool {
    mount.mount_path == "/var/run/secrets/kubernetes.io/serviceaccount"
}

fn of_log(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<Finding>, Needs> {
    let Read::Found(words) = case.last_words(container)? else { return Ok(None) };
    let says = |line: &&String| line.to_lowercase().contains("read-only file system") || line.contains("EROFS");
    let Some(line) = words.tail.iter().find(says) else { return Ok(None) };
    let Some((mount, path)) = mount_of(container, line) else { return Ok(None) };
    let volume = case
        .pod()
        .and_then(pods::spec)
        .and_then(|spec| spec.volumes.iter().flatten().find(|volume| volume.name == mount.name));
    let (why, fix, confidence) = reason(container, mount, volume);
    let evidence = Evidence {
        source: format!("log of container {} of {}", container.name(), case.reference()),
        text: line.clone(),
        at: None,
    };
    Ok(Some(
        case.finding_in(Code::VolumeReadOnly, container)
            .confidence(confidence)
            .title(text![
                "Container ",
                name(container.name()),
                " cannot write to ",
                name(&path),
                ": volume ",
                name(&mount.name),
                " is read-only"
            ])
            .explain(text![
                "Container ",
                name(container.name()),
                " ended after it tried to write ",
                name(path),
                ", which lies on volume ",
                name(&mount.name),
                " (mounted at ",
                name(&mount.mount_path),
                "). ",
                why,
            ])
            .evidence(evidence)
            .evidence(case.field(
                &format!("{}.volumeMounts[{}].readOnly", container.spec_path(), mount.name),
                mount.read_only.unwrap_or(false).to_string(),
            ))
            .evidence(case.end_evidence(container))
            .fix(fix),
    ))
}

/// The mount with the longest path that a path in the line lies below.
fn mount_of<'c>(container: &ContainerView<'c>, line: &str) -> Option<(&'c VolumeMount, String)> {
    let edge = |c: char| !c.is_alphanumeric() && !matches!(c, '/' | '_' | '-' | '.');
    let paths = line.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '(' | ')' | '=' | ','));
    let paths: Vec<&str> = paths
        .map(|word| word.trim_matches(edge).trim_end_matches(['.', ':']))
        .filter(|word| word.len() > 1 && word.starts_with('/'))
        .collect();
    let below = |path: &str, mount: &VolumeMount| {
        let at = mount.mount_path.trim_end_matches('/');
        !at.is_empty() && path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mounts = container.spec.volume_mounts.iter().flatten();
    let pairs = mounts.flat_map(|mount| paths.iter().map(move |path| (mount, *path)));
    let found = pairs.filter(|(mount, path)| below(path, mount)).max_by_key(|(mount, _)| mount.mount_path.len())?;
    Some((found.0, found.1.to_owned()))
}

fn reason(container: &ContainerView<'_>, mount: &VolumeMount, volume: Option<&Volume>) -> (Text, Fix, Confidence) {
    let path = format!("{}.volumeMounts[{}].readOnly", container.spec_path(), mount.name);
    if mount.read_only == Some(true) {
        let fix = Fix::disruptive(text!["take ", code(path), " out of the template, if the app may write there"]);
        return (text!["The container mounts it read-only."], fix, Confidence::Certain);
    }
    let of_objects = volume.is_some_and(|volume| {
        volume.config_map.is_some()
            || volume.secret.is_some()
            || volume.projected.is_some()
            || volume.downward_api.is_some()
    });
    if of_objects {
        let why = text!["A volume made of a ConfigMap or Secret can never be written."];
        let fix = Fix::disruptive(text![
            "copy the files to an emptyDir in an init container and mount that, or let the app write elsewhere"
        ]);
        return (why, fix, Confidence::Certain);
    }
    let claim = volume.and_then(|volume| volume.persistent_volume_claim.as_ref());
    if claim.is_some_and(|claim| claim.read_only == Some(true)) {
        let fix = Fix::disruptive(text![
            "take ",
            code("persistentVolumeClaim.readOnly"),
            " out of the template, if the app may write there"
        ]);
        return (text!["The pod uses the claim read-only."], fix, Confidence::Certain);
    }
    let why = text![
        "The pod mounts it writable, so the volume itself is read-only: by its access mode or driver, or because \
            the node turned it read-only after an error of the disk."
    ];
    let fix = Fix::disruptive(text![
        "look at the node's kernel log for errors of the disk and check the file system, then start the pod again"
    ])
    .command("kubectl get persistentvolume -o wide".to_owned());
    (why, fix, Confidence::Likely)
}
