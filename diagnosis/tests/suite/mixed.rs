//! A cluster with fifty planted roots and a thousand symptoms: a scan has to name each root once, and to tell which symptoms
//! are whose. The roots are fixtures, each in a namespace of its own; what they break is multiplied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use kubewhy_diagnosis::Snapshot;
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::scan::{Scan, scan};
use regex::{Captures, Regex};
use serde_json::{Value, json};

/// What breaks many workloads at once: each copy of the fixture's target is a workload of its own.
const SHARED: [&str; 18] = [
    "secret-missing/env-from",
    "configmap-missing/env",
    "secret-key-missing/env",
    "quota-exceeded/compute",
    "configmap-missing/volume",
    "admission-webhook-unavailable/no-endpoints",
    "priority-class-missing/nearest",
    "service-account-missing/nearest",
    "registry-unreachable/dns",
    "registry-unreachable/refused",
    "registry-unreachable/timeout",
    "image-pull-secret-missing/absent",
    "storage-class-missing/pod",
    "pvc-provisioning-failed/driver",
    "node-kubelet-down/pod-on-silent-node",
    "service-no-endpoints/client-is-refused",
    "scaled-to-zero/client-is-refused",
    "app-config-error/peer-of-the-asked-one",
];

/// Faults of a template: each copy of the fixture's pod is one more pod of one Deployment, behind a Service.
const OF_TEMPLATE: [&str; 32] = [
    "app-config-error/unknown-flag",
    "app-config-error/refused-variable",
    "app-config-error/nginx-directive",
    "app-config-error/unbound-variable-127",
    "app-config-error/module-missing",
    "image-not-found/tag",
    "image-not-found/crio",
    "image-not-found/moved",
    "oom-limit/jvm-with-room",
    "oom-limit/limit-range-exit-0",
    "app-panic/go-nil-pointer",
    "app-panic/dotnet-abort-134",
    "app-panic/termination-message",
    "command-not-found/containerd",
    "command-not-found/shell",
    "command-not-found/runc-quoted",
    "no-command/",
    "exec-format-error/",
    "working-dir-missing/",
    "run-as-non-root-violation/",
    "invalid-image-name/",
    "image-platform-mismatch/",
    "image-never-pull/",
    "heap-exhausted/",
    "port-in-use/",
    "app-permission-denied/",
    "killed-by-signal/",
    "process-completed/",
    "shell-misuse/",
    "command-not-executable/",
    "security-profile-missing/",
    "liveness-probe-killing/timeout",
];

const WORKLOADS_OF_SHARED: usize = 13;
const PODS_OF_TEMPLATE: usize = 16;
const NOW: &str = "2026-11-20T12:00:00Z";

/// A planted root and what it breaks.
struct Planted {
    fixture: String,
    code: String,
    /// Kind, namespace, name of everything that is visibly wrong, and under which workload a scan tells it.
    symptoms: Vec<(Thing, Thing)>,
}

type Thing = (String, String, String);

impl Planted {
    /// The codes under which the root may be told: a webhook that is down for want of its Service is told under either.
    fn codes(&self) -> Vec<&str> {
        let mut codes = vec![self.code.as_str()];
        if self.code == "admission-webhook-unavailable" {
            codes.push("service-no-endpoints");
        }
        codes
    }
}

#[derive(Default)]
struct Mixed {
    snapshot: Snapshot,
    planted: Vec<Planted>,
    nodes: BTreeSet<String>,
}

fn thing(kind: &str, namespace: &str, name: &str) -> Thing {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

fn text_of<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The fixture's text with the expectation cut off, its clock moved to ours, its namespace and its nodes made its own.
fn read(fixture: &str, own: &str) -> (Vec<Value>, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = if fixture.ends_with('/') {
        let mut files: Vec<_> = std::fs::read_dir(folder.join(fixture))
            .expect("a folder")
            .map(|file| file.expect("a file").path())
            .collect();
        files.sort();
        let fits = |file: &&std::path::PathBuf| {
            let text = std::fs::read_to_string(file).expect("a fixture");
            text.contains("target: Pod ")
                && text.matches("kind: Pod\n").count() == 1
                && !text.contains("\nkind: Deployment")
        };
        files.iter().find(fits).unwrap_or_else(|| panic!("no fixture of {fixture} is of one pod")).clone()
    } else {
        folder.join(format!("{fixture}.yaml"))
    };
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let header = text.split("\n---").next().unwrap_or_default();
    let options = || serde_saphyr::options! { strict_booleans: true };
    let header: Vec<Value> = serde_saphyr::from_multiple_with_options(header, options()).expect("a header");
    let expect = &header[0]["expect"];
    let target = text_of(expect, "/target").to_owned();
    let at: Option<Timestamp> = expect["at"].as_str().map(|at| at.parse().expect("a time"));
    let times = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").expect("a regex");
    let newest = times.find_iter(&text).filter_map(|it| it.as_str().parse::<Timestamp>().ok()).max();
    let at = at.or(newest).expect("a clock");
    let shift: SignedDuration = NOW.parse::<Timestamp>().expect("a time").duration_since(at);
    let moved = times.replace_all(&text, |it: &Captures<'_>| match it[0].parse::<Timestamp>() {
        Ok(time) => (time + shift).to_string(),
        Err(_) => it[0].to_owned(),
    });
    let namespace = target.split_once(' ').and_then(|(_, path)| path.split_once('/')).map_or("", |(ns, _)| ns);
    let renamed = word(namespace).replace_all(&moved, own).into_owned();
    let parse = |text: &str| -> Vec<Value> {
        serde_saphyr::from_multiple_with_options(text, options()).unwrap_or_else(|error| panic!("{fixture}: {error}"))
    };
    let mut nodes = BTreeSet::new();
    for document in parse(&renamed) {
        let is_node = text_of(&document, "/kind") == "Node";
        nodes.insert(text_of(&document, if is_node { "/metadata/name" } else { "/spec/nodeName" }).to_owned());
    }
    nodes.remove("");
    let renamed = nodes
        .iter()
        .fold(renamed, |text, node| word(node).replace_all(&text, format!("{node}-{own}").as_str()).into_owned());
    let documents = parse(&renamed);
    let target = target.split_once('/').map_or("", |(_, name)| name).to_owned();
    (documents.into_iter().skip(1).collect(), target)
}

fn word(word: &str) -> Regex {
    Regex::new(&format!(r"\b{}\b", regex::escape(word))).expect("a regex")
}

/// The document under another name; names that only begin like it are others'.
fn renamed(document: &Value, from: &Regex, to: &str) -> Value {
    let text = document.to_string().replace("cart-run", "cart_run");
    let text = from.replace_all(&text, to).replace("cart_run", "cart-run");
    serde_json::from_str(&text).expect("JSON stays JSON")
}

impl Mixed {
    fn new() -> Self {
        let mut mixed = Self::default();
        for (index, fixture) in SHARED.iter().enumerate() {
            mixed.plant_shared(fixture, &format!("shared{index}"));
        }
        for (index, fixture) in OF_TEMPLATE.iter().enumerate() {
            mixed.plant_template(fixture, &format!("team{index}"));
        }
        mixed.add_nodes();
        mixed
    }

    /// A document of a fixture: an object or a log.
    fn add(&mut self, document: &Value) {
        if let Some(log) = document.get("log") {
            let previous = log.get("previous").and_then(Value::as_bool) == Some(true);
            let instance = if previous { Instance::Previous } else { Instance::Current };
            let (namespace, pod, container) =
                (text_of(log, "/namespace"), text_of(log, "/pod"), text_of(log, "/container"));
            self.snapshot.add_log(namespace, pod, container, instance, text_of(document, "/text"));
            return;
        }
        self.nodes.extend(document.pointer("/spec/nodeName").and_then(Value::as_str).map(str::to_owned));
        self.snapshot.add_value(document.clone());
    }

    /// Parts of a fixture: what belongs to the target, and what is there once.
    fn split(documents: Vec<Value>, target: &str) -> (Vec<Value>, Vec<Value>) {
        documents.into_iter().partition(|document| {
            let owned = matches!(text_of(document, "/kind"), "Deployment" | "ReplicaSet")
                && word(target).is_match(text_of(document, "/metadata/name"));
            let about = text_of(document, "/involvedObject/name");
            owned
                || text_of(document, "/metadata/name") == target && text_of(document, "/kind") == "Pod"
                || about == target
                || text_of(document, "/log/pod") == target
        })
    }

    fn plant_shared(&mut self, fixture: &str, own: &str) {
        let (documents, target) = read(fixture, own);
        let (copied, once) = Self::split(documents, &target);
        for document in &once {
            self.add(document);
        }
        let name = word(&target);
        let mut symptoms = Vec::new();
        for copy in 0..WORKLOADS_OF_SHARED {
            let workload = format!("{target}-{copy}");
            let documents: Vec<Value> = copied.iter().map(|document| renamed(document, &name, &workload)).collect();
            let has_workload = documents.iter().any(|document| text_of(document, "/kind") == "Deployment");
            if has_workload {
                for document in &documents {
                    self.add(document);
                }
                for document in
                    documents.iter().filter(|it| matches!(text_of(it, "/kind"), "Deployment" | "ReplicaSet"))
                {
                    let of = thing(text_of(document, "/kind"), own, text_of(document, "/metadata/name"));
                    symptoms.push((of, thing("Deployment", own, &workload)));
                }
                continue;
            }
            let pod = documents.iter().find(|document| text_of(document, "/kind") == "Pod").expect("a pod").clone();
            self.add_deployment(own, &workload, &pod, 1);
            let podname = format!("{workload}-0");
            let name = word(&workload);
            for document in &documents {
                self.add(&belonging(renamed(document, &name, &podname), own, &workload));
            }
            symptoms.push((thing("Deployment", own, &workload), thing("Deployment", own, &workload)));
            symptoms.push((thing("Pod", own, &podname), thing("Deployment", own, &workload)));
        }
        self.planted.push(Planted { fixture: fixture.to_owned(), code: code_of(fixture), symptoms });
    }

    fn plant_template(&mut self, fixture: &str, own: &str) {
        let (documents, target) = read(fixture, own);
        let (copied, once) = Self::split(documents, &target);
        for document in once.iter().filter(|document| text_of(document, "/kind") != "ReplicaSet") {
            self.add(document);
        }
        let workload = "api".to_owned();
        let pod = copied.iter().find(|document| text_of(document, "/kind") == "Pod");
        let pod = pod.unwrap_or_else(|| panic!("{fixture} has no pod {target}")).clone();
        self.add_deployment(own, &workload, &pod, PODS_OF_TEMPLATE);
        let deployment = thing("Deployment", own, &workload);
        let mut symptoms = vec![(deployment.clone(), deployment.clone())];
        let name = word(&target);
        for copy in 0..PODS_OF_TEMPLATE {
            let podname = format!("api-7d9f-{copy}");
            for document in &copied {
                self.add(&belonging(renamed(document, &name, &podname), own, &workload));
            }
            symptoms.push((thing("Pod", own, &podname), deployment.clone()));
        }
        let meta = json!({"name": "api", "namespace": own, "creationTimestamp": "2026-11-19T10:00:00Z"});
        self.add(&json!({"apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {"selector": {"app": "api"}, "clusterIP": "10.96.0.99", "ports": [{"port": 80, "targetPort": 8080}]}}));
        self.add(&json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "api-x", "namespace": own, "labels": {"kubernetes.io/service-name": "api"}},
            "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": false}}], "ports": [{"port": 8080}]}));
        symptoms.push((thing("Service", own, "api"), thing("Service", own, "api")));
        self.planted.push(Planted { fixture: fixture.to_owned(), code: code_of(fixture), symptoms });
    }

    /// A Deployment that wants `replicas` such pods and has none ready, with its `ReplicaSet`.
    fn add_deployment(&mut self, namespace: &str, name: &str, pod: &Value, replicas: usize) {
        let mut spec = pod["spec"].clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("nodeName");
        }
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": spec});
        let created = "2026-11-19T10:00:00Z";
        self.add(&json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "uid": format!("d-{namespace}-{name}"), "generation": 1, "creationTimestamp": created},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
            "status": {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "unavailableReplicas": replicas,
                "conditions": [{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                    "lastTransitionTime": created, "lastUpdateTime": created}]}}));
        self.add(&json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": format!("{name}-7d9f"), "namespace": namespace, "uid": format!("r-{namespace}-{name}"), "creationTimestamp": created,
                "labels": {"app": name, "pod-template-hash": "7d9f"}, "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": format!("d-{namespace}-{name}"), "controller": true}]},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
            "status": {"replicas": replicas, "observedGeneration": 1}}));
    }

    /// Nodes that pods run on and that no fixture describes are well, with a kubelet that has just spoken.
    fn add_nodes(&mut self) {
        use kubewhy_diagnosis::ask::{Answer, Ask};
        use kubewhy_diagnosis::kind::Kind;
        for node in std::mem::take(&mut self.nodes) {
            let ask = Ask::Get { kind: Kind::Node, namespace: None, name: node.clone() };
            if !matches!(self.snapshot.answer(&ask), Answer::Object(_)) {
                let quiet = |type_: &str, status: &str, reason: &str| {
                    json!({"type": type_, "status": status, "reason": reason,
                        "lastHeartbeatTime": "2026-11-20T11:59:00Z", "lastTransitionTime": "2026-11-01T10:00:00Z"})
                };
                self.add(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "creationTimestamp": "2026-11-01T10:00:00Z"},
                    "status": {"allocatable": {"cpu": "16", "memory": "64Gi", "pods": "250"}, "capacity": {"cpu": "16", "memory": "64Gi", "pods": "250"},
                        "conditions": [quiet("Ready", "True", "KubeletReady"), quiet("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                            quiet("DiskPressure", "False", "KubeletHasNoDiskPressure"), quiet("PIDPressure", "False", "KubeletHasSufficientPID")]}}));
                self.add(&json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": node, "namespace": "kube-node-lease"},
                    "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": "2026-11-20T11:59:55.000000Z"}}));
            }
        }
    }
}

/// The code that the root is planted under.
fn code_of(fixture: &str) -> String {
    fixture.split('/').next().unwrap_or_default().to_owned()
}

/// A pod under its Deployment's `ReplicaSet`.
fn belonging(mut document: Value, namespace: &str, workload: &str) -> Value {
    if text_of(&document, "/kind") == "Pod" {
        let meta = document["metadata"].as_object_mut().expect("metadata");
        meta.insert("labels".to_owned(), json!({"app": workload, "pod-template-hash": "7d9f"}));
        meta.insert(
            "ownerReferences".to_owned(),
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{workload}-7d9f"),
                "uid": format!("r-{namespace}-{workload}"), "controller": true}]),
        );
    }
    document
}

/// Which report of a scan tells of a thing.
fn labels(scan: &Scan) -> BTreeMap<Thing, usize> {
    let mut labels = BTreeMap::new();
    for (index, root) in scan.roots.iter().enumerate() {
        for object in &root.affects {
            let of = thing(&object.kind, object.namespace.as_deref().unwrap_or_default(), &object.name);
            labels.entry(of).or_insert(index);
        }
    }
    labels
}

/// Homogeneity, completeness and their harmonic mean (Rosenberg and Hirschberg 2007) of pairs of truth and prediction.
fn v_measure(pairs: &[(usize, usize)]) -> (f64, f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a thousand symptoms")]
    let count = |n: usize| n as f64;
    let total = count(pairs.len());
    let (mut truth, mut told, mut both) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for pair in pairs {
        *truth.entry(pair.0).or_insert(0_usize) += 1;
        *told.entry(pair.1).or_insert(0_usize) += 1;
        *both.entry(*pair).or_insert(0_usize) += 1;
    }
    let entropy = |counts: &BTreeMap<usize, usize>| -> f64 {
        counts.values().map(|n| -(count(*n) / total) * (count(*n) / total).ln()).sum()
    };
    let given = |by: &dyn Fn(&(usize, usize)) -> usize| -> f64 {
        both.iter().map(|(pair, n)| -(count(*n) / total) * (count(*n) / count(by(pair))).ln()).sum()
    };
    let homogeneity = 1.0 - given(&|pair| told[&pair.1]) / entropy(&truth);
    let completeness = 1.0 - given(&|pair| truth[&pair.0]) / entropy(&told);
    (homogeneity, completeness, 2.0 * homogeneity * completeness / (homogeneity + completeness))
}

#[test]
fn a_scan_of_a_thousand_symptoms_names_the_fifty_roots() {
    let mixed = Mixed::new();
    let now: Timestamp = NOW.parse().expect("a time");
    let scan = scan(&mixed.snapshot, None, now);
    let labels = labels(&scan);
    let mut pairs = Vec::new();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (truth, planted) in mixed.planted.iter().enumerate() {
        let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
        let mut lost = 0;
        for (symptom, told_under) in &planted.symptoms {
            let told = labels.get(symptom).or_else(|| labels.get(told_under));
            // A symptom that no report tells of is a cluster of its own.
            let told = told.copied().unwrap_or_else(|| {
                lost += 1;
                10_000 + pairs.len()
            });
            *votes.entry(told).or_default() += 1;
            pairs.push((truth, told));
        }
        let best = votes.iter().max_by_key(|(_, n)| **n).map(|(told, _)| *told).unwrap_or_default();
        let lead = scan.roots.get(best).and_then(|root| root.report.lead());
        let code = lead.map_or("nothing", |lead| lead.finding.code.as_str());
        let root = lead.map(|lead| format!("{:?}", lead.root().to_string())).unwrap_or_default();
        if lead.is_none() || !used.insert(best) || lost > 0 || votes.len() > 1 || !planted.codes().contains(&code) {
            wrong.push(format!(
                "{}: told as {code} at {root} by {} reports, {lost} of {} symptoms untold",
                planted.fixture,
                votes.len(),
                planted.symptoms.len()
            ));
        }
    }
    let extra: Vec<String> = (0..scan.roots.len())
        .filter(|index| !used.contains(index))
        .filter_map(|index| scan.roots[index].report.lead().map(|lead| (index, lead)))
        .map(|(index, lead)| {
            format!("{} {} ({})", lead.finding.code, lead.root(), scan.roots[index].report.target.name)
        })
        .collect();
    let (homogeneity, completeness, v) = v_measure(&pairs);
    crate::tell!(
        "scan: {} of {} planted roots named, {} symptoms, {} reports, homogeneity {homogeneity:.3}, completeness {completeness:.3}, V-measure {v:.3}",
        mixed.planted.len() - wrong.len(),
        mixed.planted.len(),
        pairs.len(),
        scan.roots.len()
    );
    let told = format!("{}\nbeyond the planted: {extra:#?}", wrong.join("\n"));
    assert!(
        mixed.planted.len() == 50 && pairs.len() >= 1000,
        "{} roots, {} symptoms",
        mixed.planted.len(),
        pairs.len()
    );
    assert!(wrong.is_empty() && extra.is_empty(), "{told}");
    assert!(v > 0.99, "V-measure {v}");
}
