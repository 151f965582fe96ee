//! `app-disk-full`.

use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End};
use crate::facts::settings::{self, Mounted};
use crate::finding::{Finding, Fix};
use crate::kind::Kind;
use crate::parse::log::{Failure, Signature};
use crate::parse::quantity::Amount;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program ended since a file system inside the container has no room left.
    /// ## Signals
    /// `no space left on device`, `[Errno 28]`, `ENOSPC`, `No space left on device (os error 28)`, `Disk quota
    /// exceeded`; PostgreSQL `could not extend file`, MongoDB `WiredTiger error (28)`, Kafka `all log dirs ... have
    /// failed`.
    /// ## Look-alikes
    /// `image-disk-full`: the node has no room for an image. `evicted-disk`, `evicted-ephemeral-limit`: the kubelet
    /// removed the pod for it. `app-permission-denied`: the file system is read-only. Inotify watches used up read
    /// `ENOSPC` too.
    /// ## Fixes
    /// The path tells the disk: grow the claim, raise the emptyDir's sizeLimit, or clean up.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims>
    AppDiskFull, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::with_failure(case, |failure| matches!(failure, Failure::NoSpace { .. }))?;
    ends.iter().map(|(end, signature)| explain(case, end, signature)).collect()
}

fn explain(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let path = match &signature.kind {
        Failure::NoSpace { path } => path.clone(),
        _ => None,
    };
    let mounted = path.as_ref().and_then(|path| {
        let pod = case.pod()?;
        settings::mounted(pod, end.container.spec, path)
    });
    let template = ends::template(case)?;
    let what = path.as_ref().map_or_else(|| text![quoted(signature.line.clone())], |path| text![code(path.clone())]);
    let disk = mounted.as_ref().map_or_else(|| text!["the file system of the container"], Mounted::describe);
    let finding = end
        .finding(case, Code::AppDiskFull)
        .confidence(ends::confidence(signature))
        .title(text![end.subject(), " has no space left for ", what, " on ", disk.clone()])
        .explain(end.opening())
        .also(text!["It could not write any more: ", disk, " is full (or out of inodes)."])
        .also(which(mounted.as_ref(), path.as_deref()));
    let claim = mounted.as_ref().and_then(Mounted::object).filter(|(kind, ..)| *kind == Kind::PersistentVolumeClaim);
    let copy_to = format!("--copy-to={}-debug", case.name());
    let container = format!("--container={}", end.container.name());
    let look = Fix::safe(text![
        "see how full it is in a copy of the pod that stays up (",
        code("df -h"),
        "), and clean up there"
    ])
    .command(case.kubectl(["debug", case.name(), "-it", copy_to.as_str(), container.as_str(), "--", "sh"]));
    Ok(match claim {
        Some((_, claim, _)) => {
            let reference = case.neighbour(Kind::PersistentVolumeClaim, &claim);
            finding
                .root(reference.clone())
                .fix(
                    Fix::safe(text![
                        "grow PersistentVolumeClaim ",
                        name(reference.path()),
                        " (its class must allow it)"
                    ])
                    .command(case.kubectl(["edit", "pvc", claim.as_str()])),
                )
                .fix(look)
        }
        None => finding
            .fix(
                Fix::disruptive(if mounted.is_some() {
                    text!["give the volume more room (sizeLimit, or a PersistentVolumeClaim)"]
                } else {
                    text!["mount a volume where the program writes"]
                })
                .command(template.edit(case)),
            )
            .fix(look),
    })
}

fn which(mounted: Option<&Mounted<'_>>, path: Option<&str>) -> Option<Text> {
    let Some(mounted) = mounted else {
        return match path {
            Some(path) if path.starts_with("/dev/shm") => {
                Some(text!["/dev/shm holds 64 MiB unless an emptyDir with medium Memory is mounted there."])
            }
            Some(_) => {
                Some(text!["No volume is mounted there, so it is the node's own disk, or the container's share of it."])
            }
            None => None,
        };
    };
    let dir = mounted.volume?.empty_dir.as_ref()?;
    let limit = dir.size_limit.as_ref().map(|limit| Amount::of(limit).show("storage"));
    let medium = if dir.medium.as_deref() == Some("Memory") { " in memory" } else { "" };
    Some(if let Some(limit) = limit {
        text!["It is an emptyDir", medium, " with a sizeLimit of ", own(limit), "."]
    } else {
        text!["It is an emptyDir", medium, ", on the node's own disk or memory."]
    })
}
