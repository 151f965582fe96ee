//! Every recording of a real cluster, served as a Kubernetes API: the answer must be the one that the files give.
//! `ONLY=part` asks those whose name contains `part`, `SHOW=1` prints both answers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use kubewhy::dump;
use kubewhy_diagnosis::ask::{Answer, Ask};
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_diagnosis::{Inquiry, Report, Snapshot, Step, Target};
use kubewhy_kubernetes::Cluster;
use kubewhy_sandbox::{Clock, Sandbox};
use serde::Deserialize;
use tokio::runtime::Builder;

#[derive(Deserialize)]
struct Expect {
    target: ExpectTarget,
    now: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ExpectTarget {
    kind: String,
    name: String,
    namespace: Option<String>,
}

/// Recordings whose answers differ for a good reason: what the files leave open, an API that serves them calls absent.
const DIFFERENT: &[(&str, &str)] = &[
    ("live-csi-driver-missing-inline", "no CSIDriver and no CSINode is in the files"),
    ("thread-csi-driver-missing-hcloud", "no CSIDriver and no CSINode is in the files"),
    ("thread-csi-driver-missing-rbd", "no CSIDriver and no CSINode is in the files"),
    ("thread-dependency-unreachable-nginx", "the Service is in the files, its EndpointSlices are not"),
    ("thread-pvc-provisioning-failed-rook", "the StorageClass is not in the files"),
    ("thread-terminating-network-teardown-calico", "the Node is not in the files"),
    ("thread-terminating-network-teardown-grpc", "the Node is not in the files"),
    ("thread-terminating-runtime-hung", "the Node is not in the files"),
    ("thread-untolerated-taint-mixed", "the PersistentVolumeClaim is not in the files"),
];

fn recordings() -> Vec<PathBuf> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).expect("recordings").map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|folder| folder.join("expect.json").exists() && name(folder).contains(&only));
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().display().to_string()
}

/// The answer through the API, and what was read for it.
async fn from_api(cluster: &Cluster, target: Target, now: Timestamp) -> (Report, Vec<(Ask, Answer)>) {
    let mut inquiry = Inquiry::new(target, now);
    let (mut answers, mut read) = (Vec::new(), Vec::new());
    loop {
        match inquiry.step(answers) {
            Step::Needs(asks) => {
                answers = cluster.answer(asks).await;
                read.extend(answers.clone());
            }
            Step::Done(report) => return (*report, read),
        }
    }
}

/// What an answer is, in short: its first finding, or the state where there is none.
fn gist(report: &Report) -> String {
    let first = report.findings.first().map(|ranked| {
        let code: &str = ranked.finding.code.into();
        format!("{code} at {}", serde_json::to_string(&ranked.finding.root).expect("a root is JSON"))
    });
    let error = report.error.as_ref().map(|error| error.code);
    format!("{:?}: {}", report.status, first.or_else(|| error.map(str::to_owned)).unwrap_or_default())
}

fn tell(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// An API server that could not be reached answers nothing, and whatever serves its recording answers.
fn was_unreachable(snapshot: &Snapshot) -> bool {
    snapshot.objects(Kind::Cluster).any(|it| matches!(it, Object::Cluster(cluster) if cluster.unreachable.is_some()))
}

/// How often the answers agree, and where they do not.
#[derive(Default)]
struct Tally {
    agree: usize,
    unserved: usize,
    wrong: Vec<String>,
}

async fn compare(folder: &Path, tally: &mut Tally) {
    let recording = name(folder);
    let text = std::fs::read_to_string(folder.join("expect.json")).expect("expect.json");
    let expect: Expect = serde_json::from_str(&text).expect("expect.json");
    let snapshot = dump::read(folder).expect("a dump");
    let now = expect.now.or_else(|| snapshot.newest_time()).expect("a clock");
    if was_unreachable(&snapshot) {
        tally.unserved += 1;
        return;
    }
    let sandbox = Sandbox::new(Clock::fixed(now));
    let loaded = dump::load(folder, &sandbox).expect("a dump");
    let ExpectTarget { kind, name, namespace } = expect.target;
    let foreign = || snapshot.kinds().find(|known| known.name() == kind);
    let kind = Kind::from_name(&kind).or_else(foreign).expect("a kind that is read, or one of the dump");
    let target = Target { cluster: "lab".to_owned(), context: None, kind, namespace, name };
    let from_files = kubewhy_diagnosis::explain(&snapshot, target.clone(), now);
    let cluster = Cluster::new(kube::Client::new(sandbox.service(), "default"), "lab");
    let (from_api, read) = from_api(&cluster, target, now).await;
    if std::env::var_os("SHOW").is_some() {
        for report in [&from_files, &from_api] {
            tell(&serde_json::to_string_pretty(report).expect("JSON"));
        }
    }
    // A recording without a metrics server is one of a cluster that serves no figures.
    let of_metrics = |ask: &Ask| {
        matches!(ask, Ask::Get { kind, .. } | Ask::List { kind, .. } if kind.group() == Kind::PodMetrics.group())
    };
    let refused = |answer: &Answer| matches!(answer, Answer::Failed(_) | Answer::Forbidden(_));
    let failed = read.iter().filter(|(ask, answer)| refused(answer) && !of_metrics(ask));
    tally.wrong.extend(failed.map(|(ask, answer)| format!("{recording}: {ask}: {answer:?}")));
    tally.wrong.extend(loaded.caveats.iter().map(|caveat| format!("{recording}: {caveat}")));
    let (files, api) = (gist(&from_files), gist(&from_api));
    match DIFFERENT.iter().find(|(name, _)| *name == recording) {
        Some((_, why)) if files == api => {
            tally.wrong.push(format!("{recording}: agrees now, take its note away: {why}"));
        }
        Some(_) => {}
        None if files == api => tally.agree += 1,
        None => {
            let (first, second) = (from_files.summary.plain(), from_api.summary.plain());
            tally.wrong.push(format!("{recording}: {files}\n    {first}\n  but served {api}\n    {second}"));
        }
    }
}

#[test]
fn a_served_recording_gets_the_answer_that_its_files_get() {
    let folders = recordings();
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Tally::default());
    let work = || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut tally = Tally::default();
        while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
            runtime.block_on(compare(folder, &mut tally));
        }
        let mut total = total.lock().expect("no thread panicked");
        total.agree += tally.agree;
        total.unserved += tally.unserved;
        total.wrong.extend(tally.wrong);
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let Tally { agree, unserved, mut wrong } = total.into_inner().expect("no thread panicked");
    wrong.sort();
    tell(&format!(
        "served recordings: {agree} of {} get the same answer, {} another for a known reason, {unserved} of a server that did not answer",
        folders.len(),
        DIFFERENT.len()
    ));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
