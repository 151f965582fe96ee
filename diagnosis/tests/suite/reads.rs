//! What the rules' sources read, against the table of what a role has to allow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::reads::reads;
use kubewhy_diagnosis::scan;

/// What a person can ask about: read by name from the question, and looked for by name.
const ASKED: [Kind; 9] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::CronJob,
    Kind::Job,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::PersistentVolumeClaim,
    Kind::Namespace,
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The kinds between `.get::<` and `>`, or `.list::<` and `>`.
fn read_by(method: &str) -> BTreeSet<Kind> {
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let mut kinds = BTreeSet::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source");
        for part in text.split(&format!(".{method}::<")).skip(1) {
            let name = part.split('>').next().unwrap_or_default();
            kinds.extend(Kind::from_name(name));
        }
    }
    kinds
}

fn table(wanted: impl Fn(Kind) -> bool) -> BTreeSet<Kind> {
    Kind::ALL.iter().copied().filter(|kind| wanted(*kind)).collect()
}

#[test]
fn the_table_of_reads_is_what_the_rules_read() {
    let mut get = read_by("get");
    get.extend(ASKED);
    assert_eq!(table(|kind| reads(kind).get), get, "read by name");
    let mut list = read_by("list");
    list.extend(ASKED);
    list.extend(scan::KINDS);
    // Events are asked for by their object.
    list.insert(Kind::Event);
    assert_eq!(table(|kind| reads(kind).list), list, "listed");
}
