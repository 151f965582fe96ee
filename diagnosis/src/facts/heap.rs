//! Memory of a container: its limit and where that comes from, and the heap that its runtime was told to take.

use k8s_openapi::api::core::v1::{Container, Pod};
use kubewhy_text::{Text, code, name, own, text};

use crate::facts::settings;
use crate::parse::quantity::{Amount, bytes};
use crate::pods::ContainerView;

/// Where a memory limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The container's own.
    Own,
    /// A `LimitRange` filled it in.
    LimitRange,
    /// The pod as a whole.
    Pod,
}

/// The memory limit that binds a container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) bytes: i128,
    pub(crate) origin: Origin,
}

impl Limit {
    /// The limit that binds a container of a pod, if any does.
    pub(crate) fn of(pod: &Pod, container: &ContainerView<'_>) -> Option<Self> {
        let limits = container.spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        if let Some(amount) = Amount::in_list(limits, "memory") {
            let origin = if is_filled_in(pod, container.name()) { Origin::LimitRange } else { Origin::Own };
            return Some(Self { bytes: amount.units(), origin });
        }
        let spec = pod.spec.as_ref()?;
        let limits = spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        Amount::in_list(limits, "memory").map(|amount| Self { bytes: amount.units(), origin: Origin::Pod })
    }

    /// It binds the pod as a whole.
    pub(crate) fn is_of_pod(self) -> bool {
        self.origin == Origin::Pod
    }

    /// Its path in the specification, for evidence.
    pub(crate) fn path(self, container: &ContainerView<'_>) -> String {
        match self.origin {
            Origin::Own | Origin::LimitRange => format!("{}.resources.limits.memory", container.spec_path()),
            Origin::Pod => ".spec.resources.limits.memory".to_owned(),
        }
    }

    /// It as people write it: `512Mi`.
    pub(crate) fn show(self) -> String {
        bytes(self.bytes)
    }

    /// ` (filled in by a LimitRange, not set by the template)`.
    pub(crate) fn remark(self) -> &'static str {
        match self.origin {
            Origin::Own => "",
            Origin::LimitRange => " (filled in by a LimitRange of the namespace)",
            Origin::Pod => " (for the pod as a whole)",
        }
    }
}

/// `LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app`
fn is_filled_in(pod: &Pod, container: &str) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    let note = annotations.and_then(|annotations| annotations.get("kubernetes.io/limit-ranger"));
    note.is_some_and(|note| {
        note.split(';').any(|part| {
            part.contains("memory") && part.trim_end().ends_with(&format!(" limit for container {container}"))
        })
    })
}

/// What a runtime was told about its heap.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heap {
    pub(crate) size: Size,
    /// The flag as written: `-Xmx2g`.
    pub(crate) flag: String,
    /// The variable that holds it; none for the command line.
    pub(crate) variable: Option<String>,
}

/// How large a heap may grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Size {
    /// A JVM's `-Xmx`.
    Jvm(i128),
    /// A JVM's share of the limit in thousandths.
    JvmShare(i128),
    /// Node's old space.
    Node(i128),
}

impl Heap {
    /// The last setting of a container that counts; later flags override earlier ones.
    pub(crate) fn of(container: &Container) -> Option<Self> {
        let mut found = None;
        for setting in settings::explicit(container) {
            let flags = setting.value.as_deref().unwrap_or_default().split_whitespace();
            for (flag, size) in flags.filter_map(|flag| Some((flag, size(flag)?))) {
                found = Some(Self { size, flag: flag.to_owned(), variable: Some(setting.name.clone()) });
            }
        }
        let words = container.command.iter().chain(&container.args).flatten();
        let words: Vec<&str> = words.flat_map(|word| word.split_whitespace()).collect();
        for (flag, size) in words.iter().filter_map(|flag| Some((*flag, size(flag)?))) {
            found = Some(Self { size, flag: flag.to_owned(), variable: None });
        }
        found
    }

    /// Tells whether it is a JVM's.
    pub(crate) fn is_jvm(&self) -> bool {
        matches!(self.size, Size::Jvm(_) | Size::JvmShare(_))
    }

    /// The bytes that it allows under a limit.
    pub(crate) fn bytes(&self, limit: Option<i128>) -> Option<i128> {
        match self.size {
            Size::Jvm(bytes) | Size::Node(bytes) => Some(bytes),
            Size::JvmShare(share) => limit.map(|limit| limit.saturating_mul(share) / 1000),
        }
    }

    /// `-Xmx2g (in JAVA_TOOL_OPTIONS)`.
    pub(crate) fn describe(&self) -> Text {
        let place = if let Some(variable) = &self.variable {
            text![" in ", code(variable.clone())]
        } else {
            text![" on its command line"]
        };
        text![code(self.flag.clone()), place]
    }
}

fn size(flag: &str) -> Option<Size> {
    let flag = flag.trim_matches(['"', '\'']);
    if let Some(size) = flag.strip_prefix("-Xmx").or_else(|| flag.strip_prefix("-XX:MaxHeapSize=")) {
        return java_size(size).map(Size::Jvm);
    }
    if let Some(share) = flag.strip_prefix("-XX:MaxRAMPercentage=") {
        return Amount::parse(share).map(|share| Size::JvmShare(share.milli() / 100));
    }
    let (key, value) = flag.split_once('=')?;
    let is_old_space = matches!(key, "--max-old-space-size" | "--max_old_space_size");
    let megabytes = value.parse::<i128>().ok().filter(|_| is_old_space)?;
    Some(Size::Node(megabytes.checked_mul(1 << 20)?))
}

/// A JVM's size: `512m`, `2g`, `1048576k`, bytes.
fn java_size(size: &str) -> Option<i128> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match size.strip_prefix(digits)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1_i128 << 40,
        _ => return None,
    };
    digits.parse::<i128>().ok()?.checked_mul(unit)
}

/// A limit to try, as `kubectl` takes it: the wanted bytes rounded up to something people write.
pub(crate) fn suggestion(wanted: i128) -> String {
    let mebi = 1_i128 << 20;
    let step = if wanted > (mebi << 11) {
        256
    } else if wanted > 256 * mebi {
        64
    } else {
        16
    };
    let count = (wanted + step * mebi - 1) / (step * mebi) * step;
    format!("{}Mi", count.max(16))
}

/// The memory-backed volumes that a container mounts: what lies in them counts as its memory.
pub(crate) fn in_memory_volumes(pod: &Pod, container: &Container) -> Option<Text> {
    let volumes = pod.spec.as_ref()?.volumes.iter().flatten();
    let mut found = volumes.filter(|volume| {
        let in_memory = volume.empty_dir.as_ref().and_then(|dir| dir.medium.as_deref()) == Some("Memory");
        in_memory && container.volume_mounts.iter().flatten().any(|mount| mount.name == volume.name)
    });
    let volume = found.next()?;
    let size = volume.empty_dir.as_ref().and_then(|dir| dir.size_limit.as_ref());
    let size = size.map(|size| text![" (up to ", own(Amount::of(size).show("memory")), ")"]);
    Some(text![
        "What it writes to volume ",
        name(volume.name.clone()),
        size,
        " lies in memory and counts against the limit, and survives restarts."
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read() {
        for (flag, wanted) in [
            ("-Xmx512m", Some(Size::Jvm(512 << 20))),
            ("-Xmx2G", Some(Size::Jvm(2 << 30))),
            ("-XX:MaxHeapSize=1073741824", Some(Size::Jvm(1 << 30))),
            ("-XX:MaxRAMPercentage=90.0", Some(Size::JvmShare(900))),
            ("--max-old-space-size=4096", Some(Size::Node(4096 << 20))),
            ("-Xms512m", None),
            ("-Xmx", None),
            ("-Xmx12x", None),
            ("--max-old-space-size=x", None),
            ("", None),
        ] {
            assert_eq!(size(flag), wanted, "{flag}");
        }
    }

    #[test]
    fn suggestions_are_round() {
        assert_eq!(suggestion(100 << 20), "112Mi");
        assert_eq!(suggestion(512 << 20), "512Mi");
        assert_eq!(suggestion(1), "16Mi");
    }
}
