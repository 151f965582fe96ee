//! The generated roles, enforced: nothing that is asked for is denied, and nothing that is allowed lies unused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use kubewhy::demo::scenarios;
use kubewhy::dump;
use kubewhy_diagnosis::ask::{Ask, Filter};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::reads::asked;
use kubewhy_diagnosis::{Inquiry, Step, Target, scan};
use kubewhy_kubernetes::{Bounds, Cluster, Logs, Secrets};
use kubewhy_sandbox::scenario::Player;
use kubewhy_sandbox::{Clock, Rule, Sandbox};
use serde_json::Value;

use crate::{folder, snapshot};

fn printed(settings: &str) -> String {
    let folder = folder();
    let path = folder.path().join("kubewhy.toml");
    std::fs::write(&path, settings).expect("a folder that can be written to");
    let output = Command::new(env!("CARGO_BIN_EXE_kubewhy"))
        .args(["print", "rbac", "--config"])
        .arg(&path)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn rules(manifests: &str) -> Vec<Rule> {
    let documents: Vec<Value> = manifests
        .split("---\n")
        .skip(1)
        .map(|document| serde_saphyr::from_str(document).expect("YAML that is valid"))
        .collect();
    assert!(documents.iter().all(|document| document["apiVersion"].is_string()));
    documents.iter().flat_map(Rule::of_role).collect()
}

/// Verb and resource of everything that rules allow.
fn allowed(rules: &[Rule]) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for rule in rules {
        for verb in &rule.verbs {
            for group in &rule.groups {
                all.extend(rule.resources.iter().map(|resource| (verb.clone(), group.clone(), resource.clone())));
            }
        }
    }
    all
}

async fn explain(cluster: &Cluster, target: Target, now: Timestamp) {
    let mut inquiry = Inquiry::new(target, now);
    let mut answers = Vec::new();
    while let Step::Needs(asks) = inquiry.step(answers) {
        answers = cluster.answer(asks).await;
    }
}

/// Asks about the cluster and every object of every kind that can be asked about, as `why` and a scan do.
async fn ask_everything(cluster: &Cluster, bounds: &Bounds, now: Timestamp) {
    let whole =
        Target { cluster: "demo".into(), context: None, kind: Kind::Cluster, namespace: None, name: "demo".into() };
    explain(cluster, whole, now).await;
    // Who may ask about some namespaces alone asks about nothing that lives in none.
    let everywhere = bounds.namespaces.is_empty();
    let may_ask = |kind: &Kind| asked(*kind).list && (everywhere || kind.is_namespaced());
    for kind in Kind::ALL.iter().copied().filter(may_ask) {
        let names = cluster.names(kind, None).await;
        if names.is_empty() {
            let namespace = cluster.names(Kind::Namespace, None).await.pop().map(|(_, name)| name);
            let namespace = namespace.filter(|_| kind.is_namespaced());
            if namespace.is_none() && !everywhere {
                continue;
            }
            cluster.answer(vec![Ask::Get { kind, namespace, name: "nobody".to_owned() }]).await;
        }
        // What is scanned is asked about object by object; of other kinds, some stand for all.
        let most = if scan::KINDS.contains(&kind) { usize::MAX } else { 3 };
        for (namespace, name) in names.into_iter().take(most) {
            let target = Target { cluster: "demo".to_owned(), context: None, kind, namespace, name };
            explain(cluster, target, now).await;
        }
    }
    let lists = scan::KINDS.map(|kind| Ask::List { kind, namespace: None, filter: Filter::All });
    cluster.answer(lists.to_vec()).await;
}

/// Cases that the demo does not play: kinds that few clusters use.
const RARE: [&str; 11] = [
    "runtime-class-missing/job.yaml",
    "runtime-handler-missing/containerd.yaml",
    "runtime-handler-missing/class-deleted.yaml",
    "resource-claim-failed/absent.yaml",
    "resource-claim-failed/not-allocated.yaml",
    "apiservice-unavailable/namespace-cannot-be-deleted.yaml",
    "ingress-backend-missing/no-class-and-no-default.yaml",
    "node-certificate-expired/client-pending.yaml",
    "node-memory-pressure/measured.yaml",
    "oom-limit/near-it-again.yaml",
    "../../bot/tests/config/claim-template.yaml",
];

/// What was denied.
type Denied = BTreeMap<String, u64>;
/// What was allowed and never used: verb, API group, resource.
type Unused = BTreeSet<(String, String, String)>;

/// Asks everything under these rules.
async fn played(rules: &[Rule], bounds: &Bounds) -> (Denied, Unused) {
    let start: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
    let clock = Clock::fixed(start);
    let sandbox = Sandbox::new(clock.clone());
    let mut player = Player::new(sandbox.clone(), scenarios().expect("the demo"));
    sandbox.restrict(rules.to_vec());
    let cluster = Cluster::new(kube::Client::new(sandbox.service(), "default"), "demo").within(bounds.clone());
    for minutes in [20, 90] {
        let at = start.checked_add(SignedDuration::from_mins(minutes)).expect("a time");
        clock.set(at);
        player.advance(at).expect("everything is played");
        ask_everything(&cluster, bounds, at).await;
    }
    let mut used = sandbox.used_access();
    for case in RARE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../diagnosis/fixtures").join(case);
        let now = dump::read(&path).expect("a dump").newest_time().expect("a clock");
        let sandbox = Sandbox::new(Clock::fixed(now));
        dump::load(&path, &sandbox).expect("a dump");
        sandbox.restrict(rules.to_vec());
        let client = kube::Client::new(sandbox.service(), "default");
        ask_everything(&Cluster::new(client, "rare").within(bounds.clone()), bounds, now).await;
        used.extend(sandbox.used_access());
    }
    let mut denied = Denied::new();
    let mut unused = allowed(rules);
    for (used, times) in used {
        if used.allowed {
            unused.remove(&(used.verb, used.group, used.resource));
        } else {
            *denied.entry(format!("{} {} in {:?}", used.verb, used.resource, used.namespace)).or_default() += times;
        }
    }
    (denied, unused)
}

#[tokio::test]
async fn the_role_of_a_whole_cluster_denies_nothing_and_holds_nothing_unused() {
    let manifests = printed("");
    snapshot("rbac.yaml", &manifests);
    let bounds = Bounds { secrets: Secrets::Never, ..Bounds::default() };
    assert_eq!(played(&rules(&manifests), &bounds).await, Default::default(), "denied, unused");
}

#[tokio::test]
async fn roles_of_some_namespaces_with_secrets_and_without_logs_deny_nothing() {
    let manifests = printed(
        "[[clusters]]\nname = \"demo\"\nnamespaces = [\"store\", \"data\"]\n[access]\nlogs = \"off\"\n[rbac]\nsecrets = true\n",
    );
    snapshot("rbac-namespaces.yaml", &manifests);
    let rules = rules(&manifests);
    let namespaces = ["store", "data"].map(str::to_owned).into();
    let (denied, unused) = played(&rules, &Bounds { namespaces, secrets: Secrets::Named, logs: Logs::Never }).await;
    assert_eq!(denied, Denied::new());
    let secrets = ("get".to_owned(), String::new(), "secrets".to_owned());
    assert!(allowed(&rules).contains(&secrets) && !unused.contains(&secrets), "{unused:?}");
}

#[test]
fn nothing_in_a_role_writes_or_reaches_beyond_its_kinds() {
    for settings in ["", "[rbac]\nsecrets = true\n[remediation]\nenabled = true\n"] {
        let rules = rules(&printed(settings));
        assert!(rules.iter().all(|rule| rule.verbs.iter().all(|verb| verb == "get" || verb == "list")));
        let resources: Vec<&String> = rules.iter().flat_map(|rule| &rule.resources).collect();
        assert!(resources.iter().all(|name| !name.contains('*') && *name != "nodes/proxy"), "{resources:?}");
        assert_eq!(resources.iter().any(|name| *name == "secrets"), !settings.is_empty());
        let paths: BTreeSet<&str> = rules.iter().flat_map(|rule| rule.paths.iter().map(String::as_str)).collect();
        assert_eq!(paths, ["/livez", "/readyz", "/version"].into(), "what a cluster says of itself, and no more");
    }
}
