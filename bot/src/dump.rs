//! Reads a dump: the layout of `kubectl cluster-info dump --output-directory`, or any JSON and YAML files with objects or
//! Lists, with logs at `logs/NAMESPACE/POD/CONTAINER[.previous].log`.
//!
//! A file or document that cannot be parsed is a caveat of the answer, never the end of it.

mod kinds;
mod served;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kubewhy_diagnosis::Snapshot;
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::kind::Kind;
use serde_json::Value;

pub(crate) use kinds::kinds;
pub use served::{Loaded, load};

/// Why a dump cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file or folder cannot be read.
    #[error("the dump \"{}\" cannot be read: {source}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Nothing in it is a Kubernetes object.
    #[error(
        "the dump \"{}\" holds no Kubernetes object{}; make one with `kubectl cluster-info dump --all-namespaces \
         --output-directory DIR` or `kubewhy record`",
        path.display(),
        caveats.first().map(|caveat| format!(" ({caveat})")).unwrap_or_default()
    )]
    Empty {
        /// Its path.
        path: PathBuf,
        /// What could not be parsed.
        caveats: Vec<String>,
    },
}

/// How deep folders are followed.
const MAX_DEPTH: usize = 8;

/// A piece of a dump as it stands in its files.
#[derive(Clone, Debug)]
pub enum Part {
    /// An object, or a `List` of them.
    Object(Value),
    /// The log of a container.
    Log {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// Which instance of it.
        instance: Instance,
        /// Its lines.
        text: String,
    },
    /// There is a file for that kind, so that what it lacks is absent.
    Covers(Kind, Option<String>),
    /// Something could not be read.
    Caveat(String),
}

/// Reads a file or folder.
///
/// # Errors
/// Where the path cannot be read, or nothing in it is a Kubernetes object.
pub fn read(path: &Path) -> Result<Snapshot, DumpError> {
    let mut snapshot = Snapshot::default();
    walk(path, &mut |part| add(&mut snapshot, part))?;
    if snapshot.is_empty() {
        return Err(DumpError::Empty { path: path.to_owned(), caveats: snapshot.caveats().to_vec() });
    }
    Ok(snapshot)
}

fn add(snapshot: &mut Snapshot, part: Part) {
    match part {
        Part::Object(value) => snapshot.add_value(value),
        Part::Log { namespace, pod, container, instance, text } => {
            snapshot.add_log(&namespace, &pod, &container, instance, &text);
        }
        Part::Covers(kind, namespace) => snapshot.cover(kind, namespace.as_deref()),
        Part::Caveat(caveat) => snapshot.add_caveat(caveat),
    }
}

/// The objects of a value: itself, or the items of a `List` with what their list says of them.
fn items(mut value: Value) -> Vec<Value> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(of) = kind.strip_suffix("List") else { return vec![value] };
    let api = value.get("apiVersion").cloned().unwrap_or_default();
    let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else { return vec![value] };
    let named = |mut item: Value| {
        if let Some(fields) = item.as_object_mut().filter(|_| !of.is_empty()) {
            fields.entry("kind").or_insert_with(|| Value::String(of.to_owned()));
            fields.entry("apiVersion").or_insert_with(|| api.clone());
        }
        item
    };
    items.into_iter().map(named).flat_map(self::items).collect()
}

/// Hands out the pieces of a file or folder, file by file in the order of their names.
///
/// # Errors
/// Where the path cannot be read.
pub fn walk(path: &Path, take: &mut dyn FnMut(Part)) -> Result<(), DumpError> {
    let unreadable = |source| DumpError::Unreadable { path: path.to_owned(), source };
    let mut files = Vec::new();
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        collect(path, MAX_DEPTH, &mut files).map_err(unreadable)?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    for file in files {
        let below = file.strip_prefix(path).unwrap_or(&file).to_owned();
        let shown = if below.as_os_str().is_empty() { file.display().to_string() } else { below.display().to_string() };
        match fs::read(&file) {
            Ok(bytes) => file_parts(&file, &below, &shown, &String::from_utf8_lossy(&bytes), take),
            Err(error) => take(Part::Caveat(format!("{shown} could not be read: {error}"))),
        }
    }
    Ok(())
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn file_parts(file: &Path, below: &Path, shown: &str, text: &str, take: &mut dyn FnMut(Part)) {
    let names: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => {
            cover(&names, take);
            json_parts(shown, text, take);
        }
        Some("yaml" | "yml") => {
            cover(&names, take);
            yaml_parts(shown, text, take);
        }
        Some("log") => {
            if let [.., "logs", namespace, pod, log] = names.as_slice() {
                let stem = log.strip_suffix(".log").unwrap_or(log);
                let previous = stem.strip_suffix(".previous");
                let instance = if previous.is_some() { Instance::Previous } else { Instance::Current };
                take(log_part(namespace, pod, previous.unwrap_or(stem), instance, text));
            }
        }
        Some("txt") => {
            if let [.., namespace, pod, "logs.txt"] = names.as_slice() {
                joined_logs(namespace, pod, text, take);
            }
        }
        _ => {}
    }
}

/// The name of the file for a kind, without its end: the plural, with the group where another kind has that plural too, and of
/// kinds that only their cluster knows.
pub fn file_of(kind: Kind) -> String {
    let first = Kind::ALL.iter().find(|other| other.plural() == kind.plural());
    let group = kind.group();
    if first == Some(&kind) || group.is_empty() {
        kind.plural().to_owned()
    } else {
        format!("{}.{group}", kind.plural())
    }
}

/// A file for a kind says that the dump covers it, even where the file is empty: `shop/secrets.json`, `nodes.json`.
fn cover(names: &[&str], take: &mut dyn FnMut(Part)) {
    let kind_of = |file: &str| {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        Kind::ALL.iter().copied().find(|kind| file_of(*kind) == stem.replace('-', "") || file_of(*kind) == stem)
    };
    match names {
        [.., namespace, file] => {
            if let Some(kind) = kind_of(file) {
                take(Part::Covers(kind, Some((*namespace).to_owned())));
            }
        }
        [file] => {
            if let Some(kind) = kind_of(file).filter(|kind| !kind.is_namespaced()) {
                take(Part::Covers(kind, None));
            }
        }
        [] => {}
    }
}

fn log_part(namespace: &str, pod: &str, container: &str, instance: Instance, text: &str) -> Part {
    let own = str::to_owned;
    Part::Log { namespace: own(namespace), pod: own(pod), container: own(container), instance, text: own(text) }
}

fn json_parts(shown: &str, text: &str, take: &mut dyn FnMut(Part)) {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    for document in documents.by_ref() {
        match document {
            Ok(value) => take(Part::Object(value)),
            Err(error) => {
                take(Part::Caveat(format!("{shown} could not be parsed: {error}")));
                return;
            }
        }
    }
}

fn yaml_parts(shown: &str, text: &str, take: &mut dyn FnMut(Part)) {
    for (index, document) in documents(text).into_iter().enumerate() {
        if document.trim().is_empty() {
            continue;
        }
        match parse_yaml(document) {
            Ok(Value::Null) => {}
            Ok(value) => take(Part::Object(value)),
            Err(error) => {
                let first = error.lines().next().unwrap_or_default();
                take(Part::Caveat(format!("{shown}, document {} could not be parsed: {first}", index + 1)));
            }
        }
    }
}

/// A `Value` nests at most as deep as JSON may, so that no document can exhaust the stack.
fn parse_yaml(document: &str) -> Result<Value, String> {
    if indentation_of_deepest(document) > 2000 {
        return Err("it nests too deep".to_owned());
    }
    // YAML 1.2 booleans, as Kubernetes reads them: an unquoted `n` or `on` is a name.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options::<Value>(document, options).map_err(|error| error.to_string())
}

fn indentation_of_deepest(document: &str) -> usize {
    document.lines().map(|line| line.bytes().take_while(|byte| matches!(byte, b' ' | b'-')).count()).max().unwrap_or(0)
}

/// The documents of a YAML stream, so that a broken one costs only itself.
fn documents(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            found.extend(text.get(start..at));
            start = at + line.len();
        }
        at += line.len();
    }
    found.extend(text.get(start..));
    found
}

/// `logs.txt` of `kubectl cluster-info dump`: the logs of all containers between marks.
fn joined_logs(namespace: &str, pod: &str, text: &str, take: &mut dyn FnMut(Part)) {
    let mut container: Option<(&str, String)> = None;
    for line in text.split_inclusive('\n') {
        let mark = line.trim_end().strip_prefix("==== ").and_then(|line| line.strip_suffix(" ===="));
        if let Some(start) = mark.and_then(|mark| mark.strip_prefix("START logs for container ")) {
            container = start.split_once(" of pod ").map(|(name, _)| (name, String::new()));
        } else if mark.is_some_and(|mark| mark.starts_with("END logs for container ")) {
            if let Some((name, log)) = container.take() {
                take(log_part(namespace, pod, name, Instance::Current, &log));
            }
        } else if let Some((_, log)) = &mut container {
            log.push_str(line);
        }
    }
}

/// Reads objects from text, as a file of that name would be.
pub fn read_text(name: &str, text: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    if Path::new(name).extension().is_some_and(|extension| extension == "json") {
        json_parts(name, text, &mut |part| add(&mut snapshot, part));
    } else {
        yaml_parts(name, text, &mut |part| add(&mut snapshot, part));
    }
    snapshot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_document_costs_only_itself() {
        let text = "kind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: b}\n---\n\t: [\n---\nkind: Node\napiVersion: v1\nmetadata: {name: n}\n";
        let snapshot = read_text("objects.yaml", text);
        assert_eq!(snapshot.objects(Kind::Pod).count(), 1);
        assert_eq!(snapshot.objects(Kind::Node).count(), 1);
        assert_eq!(snapshot.caveats().len(), 1, "{:?}", snapshot.caveats());
    }

    #[test]
    fn every_kind_has_a_file_of_its_own_that_covers_it() {
        let files: std::collections::BTreeSet<String> = Kind::ALL.iter().map(|kind| file_of(*kind)).collect();
        assert_eq!(files.len(), Kind::ALL.len(), "two kinds share a file");
        assert_eq!(
            (file_of(Kind::Pod), file_of(Kind::PodMetrics)),
            ("pods".to_owned(), "pods.metrics.k8s.io".to_owned())
        );
        for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_namespaced()) {
            let file = format!("{}.json", file_of(kind));
            let mut covered = Vec::new();
            cover(&["shop", &file], &mut |part| {
                covered.extend(if let Part::Covers(kind, _) = part { Some(kind) } else { None });
            });
            assert_eq!(covered, [kind], "{file}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read_text("deep.json", &json).caveats().len(), 1);
        assert_eq!(read_text("flow.yaml", &json).caveats().len(), 1);
        let block: String = (0..100_000).map(|_| "- ").collect();
        assert_eq!(read_text("block.yaml", &format!("{block}x")).caveats().len(), 1);
    }

    #[test]
    fn the_logs_of_a_cluster_info_dump_are_told_apart() {
        let mut snapshot = Snapshot::default();
        let text = "==== START logs for container app of pod shop/cart ====\nhello\n==== END logs for container app of pod shop/cart ====\n";
        joined_logs("shop", "cart", text, &mut |part| add(&mut snapshot, part));
        let ask = kubewhy_diagnosis::ask::Ask::Log {
            namespace: "shop".to_owned(),
            pod: "cart".to_owned(),
            container: "app".to_owned(),
            instance: Instance::Current,
        };
        assert!(matches!(snapshot.answer(&ask), kubewhy_diagnosis::ask::Answer::Log(log) if &*log == "hello\n"));
    }
}
