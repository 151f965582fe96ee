//! `app-permission-denied`.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Template};
use crate::facts::settings::{self, Mounted};
use crate::finding::{Finding, Fix, Patch};
use crate::parse::log::{Failure, Signature};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The system refused the program access to a file or a port, or a write to its read-only root file system.
    /// ## Signals
    /// `open PATH: permission denied`, `[Errno 13] Permission denied: 'PATH'`, `EACCES: permission denied`, `Permission
    /// denied (os error 13)`; a port below 1024: `bind: permission denied`, nginx `bind() to 0.0.0.0:80 failed (13:
    /// Permission denied)`; `Read-only file system`, `EROFS`; PostgreSQL `data directory "D" has wrong ownership`.
    /// ## Look-alikes
    /// `command-not-executable`: the program itself may not be run. `volume-read-only`: the path lies on a volume that
    /// is mounted read-only. `run-as-non-root-violation`: the kubelet refuses before the start. `app-disk-full`: there
    /// is no room. `rbac-forbidden`: the Kubernetes API refuses.
    /// ## Fixes
    /// A volume: `fsGroup` or the owner of its files. The root file system: an emptyDir where the program writes. A
    /// port: one above 1023.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>; the programs' own wording.
    AppPermissionDenied, stage Exit, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    matches!(failure, Failure::PermissionDenied { .. } | Failure::ReadOnlyFileSystem { .. })
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (end, signature) in ends::with_failure(case, is_mine)? {
        found.extend(explain(case, pod, &end, &signature)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, pod: &Pod, end: &End<'_>, signature: &Signature) -> Result<Option<Finding>, Needs> {
    let template = ends::template(case)?;
    let finding =
        end.finding(case, Code::AppPermissionDenied).confidence(ends::confidence(signature)).explain(end.opening());
    Ok(match &signature.kind {
        Failure::ReadOnlyFileSystem { path } => {
            let mounted = path.as_ref().and_then(|path| settings::mounted(pod, end.container.spec, path));
            if mounted.is_some() {
                // A volume that does not take writes is another matter.
                return Ok(None);
            }
            Some(read_only(case, end, &template, finding, path.as_deref(), signature))
        }
        Failure::PermissionDenied { port: Some(port), .. } => Some(low_port(case, pod, end, &template, finding, *port)),
        Failure::PermissionDenied { path, operation, .. } => {
            let mounted = path.as_ref().and_then(|path| settings::mounted(pod, end.container.spec, path));
            Some(file(case, pod, end, &template, finding, path.as_deref(), operation, mounted.as_ref(), signature))
        }
        _ => None,
    })
}

fn read_only(
    case: &Case<'_>,
    end: &End<'_>,
    template: &Template,
    finding: Finding,
    path: Option<&str>,
    signature: &Signature,
) -> Finding {
    let context = end.container.spec.security_context.as_ref();
    let asked = context.and_then(|context| context.read_only_root_filesystem) == Some(true);
    let what = if let Some(path) = path { text![code(path)] } else { text![quoted(signature.line.clone())] };
    let why = if asked {
        "The container's root file system is read-only (readOnlyRootFilesystem: true), and no volume is mounted there."
    } else {
        "No volume of the pod is mounted there, so the root file system of the container or its node turned read-only."
    };
    let evidence = asked
        .then(|| case.field(&format!("{}.securityContext.readOnlyRootFilesystem", end.container.spec_path()), "true"));
    let folder = path.map(folder_of);
    let place = folder.as_ref().map(|folder| text![" at ", code(folder.clone())]);
    let mount = Fix::disruptive(text!["mount an emptyDir volume", place, ", where the program may write"]);
    let mut mount = mount.command(template.edit(case));
    // The volumes of a pod that exists cannot be changed; its template's can.
    let folder = folder.filter(|folder| folder != "/");
    mount.patch = folder.and_then(|folder| empty_dir(template, end.container.name(), &folder));
    let weaken = asked.then(|| {
        Fix::disruptive(text!["or allow writes to the root file system: readOnlyRootFilesystem: false (weaker)"])
            .command(template.edit(case))
    });
    finding
        .title(text![end.subject(), " cannot write ", what, ": its root file system is read-only"])
        .also(text![why])
        .evidence(evidence)
        .fix(mount)
        .fix(weaken)
        .fix(end.read_log(case))
}

/// A patch that mounts an emptyDir at a folder.
fn empty_dir(template: &Template, container: &str, folder: &str) -> Option<Patch> {
    template.patch(&serde_json::json!({
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "containers": [{"name": container, "volumeMounts": [{"name": "scratch", "mountPath": folder}]}],
    }))
}

fn folder_of(path: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

fn low_port(case: &Case<'_>, pod: &Pod, end: &End<'_>, template: &Template, finding: Finding, port: u16) -> Finding {
    let user = user(pod, &end.container);
    let as_user = user.map(|user| text![" as user ", user]);
    let evidence = user.map(|user| case.field(".spec.securityContext.runAsUser", user.to_string()));
    finding
        .title(text![end.subject(), " may not listen on port ", port])
        .also(text!["Ports below 1024 are for root, and the program runs", as_user, " without that right."])
        .evidence(evidence)
        .fix(
            Fix::disruptive(text![
                "let the program listen on a port above 1023, and set targetPort of its Service to it"
            ])
            .command(template.edit(case)),
        )
        .fix(
            Fix::disruptive(text![
                "or allow low ports: securityContext.sysctls ",
                code("net.ipv4.ip_unprivileged_port_start=0")
            ])
            .command(template.edit(case)),
        )
}

#[expect(clippy::too_many_arguments, reason = "one sentence needs them all")]
fn file(
    case: &Case<'_>,
    pod: &Pod,
    end: &End<'_>,
    template: &Template,
    finding: Finding,
    path: Option<&str>,
    operation: &str,
    mounted: Option<&Mounted<'_>>,
    signature: &Signature,
) -> Finding {
    let user = user(pod, &end.container);
    let as_user = user.map(|user| text![" as user ", user]);
    let what = path.map_or_else(|| text![quoted(signature.line.clone())], |path| text![code(path)]);
    let tried = if operation.is_empty() { Text::default() } else { text![" (", code(operation), ")"] };
    let context = pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
    let group = context.and_then(|context| context.fs_group);
    let place = if let Some(mounted) = mounted {
        text!["The path lies on ", mounted.describe(), ", whose files belong to somebody else."]
    } else {
        text![
            "The path lies on the image's own file system, whose files mostly belong to root; fsGroup does not reach \
             it."
        ]
    };
    let evidence = user.map(|user| case.field(".spec.securityContext.runAsUser", user.to_string()));
    let on_volume = mounted.map(|mounted| {
        let hint = if group.is_some() { " (set already: the volume's driver may not honour it)" } else { "" };
        Fix::disruptive(text![
            "set fsGroup of the pod's securityContext to the group of the program",
            hint,
            ", so that volume ",
            name(mounted.mount.name.clone()),
            " belongs to it"
        ])
        .command(template.edit(case))
    });
    let folder = path.map(folder_of);
    let on_root = mounted.is_none().then(|| {
        let place = folder.clone().map(|folder| text![" at ", code(folder)]);
        Fix::disruptive(text!["mount a volume (emptyDir)", place, ", or chown the folder in the image"])
            .command(template.edit(case))
    });
    let run_as = Fix::disruptive(text![
        "or let the program run as the user that owns the files (runAsUser of its securityContext)"
    ])
    .command(template.edit(case));
    finding
        .title(text![end.subject(), " may not access ", what, tried, ": permission denied"])
        .also(text![
            "The program runs",
            as_user.unwrap_or_else(|| text![" as the user of its image"]),
            " and has no permission there. ",
            place
        ])
        .evidence(evidence)
        .fix(on_volume)
        .fix(on_root)
        .fix(run_as)
}

/// The user that the specification asks for; none where the image decides.
fn user(pod: &Pod, container: &ContainerView<'_>) -> Option<i64> {
    let own = container.spec.security_context.as_ref().and_then(|context| context.run_as_user);
    let of_pod = || pod.spec.as_ref()?.security_context.as_ref()?.run_as_user;
    own.or_else(of_pod)
}
