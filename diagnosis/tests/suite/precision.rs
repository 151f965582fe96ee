//! What is well is called well: a scan of each recording of a real cluster, against what was broken there on purpose.

use kubewhy_diagnosis::finding::ObjectRef;
use kubewhy_diagnosis::scan::scan;
use kubewhy_diagnosis::{Report, explain};
use serde::Deserialize;

use crate::recordings::Recording;

#[derive(Deserialize)]
struct Broken {
    /// What else is broken in the recording, on purpose: kind, namespace and name as a report names them.
    #[serde(default)]
    also_broken: Vec<String>,
}

/// Tells whether a report speaks of what was broken on purpose: in the namespace of the case, or by the same root.
fn is_of_the_case(report: &Report, namespace: Option<&str>, roots: &[ObjectRef], also: &[String]) -> bool {
    let lead = report.lead().expect("a failing report has a lead");
    let same_root = roots.iter().any(|root| root.is_same_object(lead.root()));
    let chain = roots.iter().any(|root| lead.chain.iter().any(|link| link.is_same_object(root)));
    let here = namespace.is_some() && report.target.namespace.as_deref() == namespace;
    same_root || chain || here || also.iter().any(|name| *name == report.target.reference().to_string())
}

#[test]
fn a_scan_calls_no_bystander_broken() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut bystanders, mut wrong) = (0, Vec::new());
    for recording in Recording::all(&only) {
        let (name, snapshot, target, now) =
            (recording.name(), &recording.snapshot, recording.target(), recording.now());
        let text = std::fs::read_to_string(recording.folder.join("expect.json")).expect("expect.json");
        let broken: Broken = serde_json::from_str(&text).expect("expect.json");
        let report = explain(snapshot, target.clone(), now);
        let roots: Vec<ObjectRef> = report.findings.iter().map(|finding| finding.root().clone()).collect();
        let namespace = target.namespace.as_deref().filter(|_| !recording.is_healthy());
        let scan = scan(snapshot, None, now);
        bystanders +=
            kubewhy_diagnosis::kind::Kind::ALL.iter().map(|kind| snapshot.objects(*kind).count()).sum::<usize>();
        for root in scan.roots.iter().filter(|root| root.report.is_failing()) {
            if !is_of_the_case(&root.report, namespace, &roots, &broken.also_broken) {
                wrong.push(format!(
                    "{name}: {} is called broken: {}",
                    root.report.target.reference(),
                    root.report.summary
                ));
            }
        }
    }
    crate::tell!("precision: {} wrong words over {bystanders} objects of the recordings", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
