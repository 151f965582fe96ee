//! The command line as a person and a script see it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings")
}

fn kubewhy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubewhy"))
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env("HOME", "/nonexistent")
        .output()
        .expect("the binary runs")
}

fn from(case: &str) -> String {
    recordings().join(case).display().to_string()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_broken_workload_is_explained_and_ends_with_1() {
    let output = kubewhy(&["why", "deploy", "mailer", "-n", "lab-198", "--from", &from("198-secret-key-absent-env")]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("✖ failing: Secret lab-198/smtp has no key \"smtp-password\""), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn a_healthy_workload_ends_with_0_and_says_only_that() {
    let case = from("248-healthy-after-bad-rollout");
    let output = kubewhy(&["why", "deployment/web", "-n", "lab-248", "--from", &case, "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), json["status"].as_str()), (Some(0), Some("healthy")), "{json:#}");
    assert_eq!(json["findings"], Value::Array(Vec::new()));
}

#[test]
fn a_name_alone_finds_the_workload_before_its_pods() {
    let output = kubewhy(&["why", "mailer", "--from", &from("198-secret-key-absent-env"), "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["target"]["kind"], "Deployment", "{json:#}");
}

#[test]
fn a_target_that_is_not_there_ends_with_3_and_the_nearest_names() {
    let case = from("198-secret-key-absent-env");
    let output = kubewhy(&["why", "deploy", "maler", "-n", "lab-198", "--from", &case, "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(json["status"], "unknown");
    assert!(json["error"]["next"][0].as_str().is_some_and(|next| next.contains("mailer")), "{json:#}");
}

/// A dump with a node, a Service, a custom resource and what defines it.
fn mixed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let objects = r#"
apiVersion: v1
kind: Node
metadata: {name: worker-1, creationTimestamp: 2026-11-01T09:00:00Z}
status: {conditions: [{type: Ready, status: "True", lastHeartbeatTime: 2026-11-20T10:00:00Z, lastTransitionTime: 2026-11-01T09:00:00Z}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {type: ExternalName, externalName: cart.example.com}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions: [{name: v1, served: true, storage: true}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: x, namespace: shop, creationTimestamp: 2026-11-20T09:00:00Z}
status: {conditions: [{type: Ready, status: "False", reason: BackendGone, message: no such bucket, lastTransitionTime: 2026-11-20T09:00:00Z}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:Node"}
"#;
    std::fs::write(folder.path().join("objects.yaml"), objects).expect("a file");
    folder
}

#[test]
fn any_kind_may_be_asked_about_in_a_dump() {
    let folder = mixed();
    let dump = folder.path().display().to_string();
    for (target, kind, name) in [
        (&["node", "worker-1"][..], "Node", "worker-1"),
        (&["no/worker-1"], "Node", "worker-1"),
        (&["worker-1"], "Node", "worker-1"),
        (&["svc", "cart"], "Service", "cart"),
        (&["services", "cart", "-n", "shop"], "Service", "cart"),
        (&["clusterrole", "system:Node"], "ClusterRole", "system:Node"),
        (&["widget", "x"], "Widget", "x"),
        (&["wd", "x", "-n", "shop"], "Widget", "x"),
        (&["widgets.v1.example.com/x"], "Widget", "x"),
        (&["cluster", "prod"], "Cluster", "prod"),
    ] {
        let mut arguments = vec!["why"];
        arguments.extend(target);
        arguments.extend(["--from", &dump, "-o", "json"]);
        let output = kubewhy(&arguments);
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (json["target"]["kind"].as_str(), json["target"]["name"].as_str()),
            (Some(kind), Some(name)),
            "{json:#}"
        );
        assert!(json["error"].is_null(), "{target:?}: {json:#}");
    }
    for arguments in [&["cluster"][..], &["cluster", ""]] {
        let output = kubewhy(&[&["why"], arguments, &["--from", &dump, "-o", "json"]].concat());
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(json["target"]["kind"], "Cluster", "{json:#}");
        assert!(json["target"]["name"].as_str().is_some_and(|name| !name.is_empty()), "{json:#}");
    }
}

#[test]
fn a_custom_resource_is_explained_by_its_own_words_and_recorded_as_it_is() {
    let folder = mixed();
    let dump = folder.path().display().to_string();
    let output = kubewhy(&["why", "widget", "x", "--from", &dump]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("BackendGone") && text.contains("no such bucket"), "{text}");
    let case = folder.path().join("case").display().to_string();
    let recorded = kubewhy(&["record", "widget", "x", "--from", &dump, "-o", &case]);
    assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
    assert!(Path::new(&case).join("shop/widgets.example.com.json").exists(), "{}", stdout(&recorded));
    let again =
        kubewhy(&["why", "widget.example.com", "x", "-n", "shop", "--from", &case, "--at", "2026-11-20T10:00:00Z"]);
    assert_eq!(again.status.code(), Some(1), "{}{}", stdout(&again), stderr(&again));
}

#[test]
fn a_kind_that_nothing_knows_is_wrong_usage_and_brings_the_nearest() {
    let folder = mixed();
    let dump = folder.path().display().to_string();
    let output = kubewhy(&["why", "widgit", "x", "--from", &dump, "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), json["error"]["code"].as_str()), (Some(2), Some("unknown-kind")), "{json:#}");
    assert!(
        json["error"]["next"].as_array().is_some_and(|next| next.contains(&Value::from("widget.example.com"))),
        "{json:#}"
    );
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_do() {
    let unknown = kubewhy(&["why", "gizmo", "x", "--from", &from("198-secret-key-absent-env")]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("deployment"), "{}", stderr(&unknown));
    assert_eq!(kubewhy(&["why"]).status.code(), Some(2));
    assert_eq!(kubewhy(&["catalogue", "quota-exceded"]).status.code(), Some(2));
}

#[test]
fn no_cluster_ends_with_3_and_names_the_ways_out() {
    let output = kubewhy(&["why", "pod", "x"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("--from"), "{}", stderr(&output));
}

#[test]
fn a_scan_gives_one_report_per_root() {
    let output = kubewhy(&["scan", "-n", "lab-198", "--from", &from("198-secret-key-absent-env"), "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(1), "{json:#}");
    let reports = json["reports"].as_array().expect("reports");
    assert_eq!(reports.len(), 1, "{json:#}");
    assert_eq!(reports[0]["findings"][0]["code"], "secret-key-missing");
}

#[test]
fn a_scan_for_a_person_names_root_object_and_first_fix() {
    for (format, mark) in [("text", "secret-key-missing"), ("markdown", "`secret-key-missing`")] {
        let output = kubewhy(&["scan", "-n", "lab-198", "--from", &from("198-secret-key-absent-env"), "-o", format]);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in ["1 thing is broken", "mailer", "Fix: ", mark] {
            assert!(text.contains(part), "{format}: {part}: {text}");
        }
    }
    let nothing = kubewhy(&["scan", "-n", "lab-248", "--from", &from("248-healthy-after-bad-rollout")]);
    assert_eq!((nothing.status.code(), stdout(&nothing).as_str()), (Some(0), "✔ healthy: nothing is broken\n"));
}

/// What a person reads about one recording of each kind of trouble. The files are rewritten where they were stale.
#[test]
fn answers_read_as_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut stale = Vec::new();
    for case in ANSWERS {
        let expect = std::fs::read(recordings().join(case).join("expect.json")).expect("what the recording expects");
        let expect: Value = serde_json::from_slice(&expect).expect("JSON");
        let word = |field: &str| expect["target"][field].as_str().unwrap_or_default().to_owned();
        let path = from(case);
        let (kind, name, namespace) = (word("kind"), word("name"), word("namespace"));
        let mut arguments = vec!["why", &kind, &name, "-n", &namespace, "--from", &path];
        if let Some(at) = expect["at"].as_str() {
            arguments.extend(["--at", at]);
        }
        let output = kubewhy(&arguments);
        let answer = stdout(&output);
        assert!(!answer.is_empty(), "{case}: {}", stderr(&output));
        // How long it took is another each time.
        let (head, _) = answer.rsplit_once(" reads, ").unwrap_or_else(|| panic!("{case}: {answer}"));
        let answer = format!("{head} reads, 12 ms)\n");
        let path = folder.join(format!("{case}.txt"));
        if std::fs::read_to_string(&path).unwrap_or_default() != answer {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, answer).expect("the file can be written");
            stale.push(case);
        }
    }
    assert!(stale.is_empty(), "{stale:?} were stale and have been rewritten; read and commit them");
}

const ANSWERS: [&str; 12] = [
    "023-init-typo",
    "028-secret-volume-absent",
    "038-gpu-request",
    "064-job-deadline",
    "067-sigterm-ignored",
    "102-image-repository-missing",
    "248-healthy-after-bad-rollout",
    "351d-statefulset-after-node-loss",
    "lab2-quota-exceeded-cronjob",
    "lab2-terminating-node-lost-pod",
    "live-evicted-ephemeral-limit-emptydir",
    "live-oom-limit",
];

#[test]
fn a_recording_replays_to_the_same_answer() {
    let folder = tempfile();
    let case = from("198-secret-key-absent-env");
    let recorded = kubewhy(&["record", "deploy", "mailer", "-n", "lab-198", "--from", &case, "-o", &folder]);
    assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
    let at = "2026-11-21T12:00:00Z";
    let answer = |dump: &str| {
        let output = kubewhy(&["why", "deploy", "mailer", "-n", "lab-198", "--from", dump, "--at", at, "-o", "json"]);
        let mut json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        for field in ["elapsed_ms", "requests", "caveats"] {
            json[field] = Value::Null;
        }
        json["target"]["cluster"] = Value::Null;
        json
    };
    assert_eq!(answer(&case), answer(&folder));
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

fn tempfile() -> String {
    let folder = std::env::temp_dir().join(format!("kubewhy-record-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder.display().to_string()
}

#[test]
fn broken_dumps_are_answered_with_an_error_or_a_caveat() {
    let folder = std::env::temp_dir().join(format!("kubewhy-dump-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.display().to_string();
    let empty = kubewhy(&["why", "pod", "x", "--from", &path]);
    assert_eq!(empty.status.code(), Some(3));
    assert!(stderr(&empty).contains("no Kubernetes object"), "{}", stderr(&empty));
    std::fs::write(folder.join("pods.json"), r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","name"#)
        .expect("a file");
    assert_eq!(kubewhy(&["why", "pod", "x", "--from", &path]).status.code(), Some(3));
    std::fs::write(
        folder.join("more.yaml"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: y}\nstatus: {phase: Running}\n",
    )
    .expect("a file");
    let output = kubewhy(&["why", "pod", "x", "--from", &path, "-o", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(json["caveats"].to_string().contains("pods.json could not be parsed"), "{json:#}");
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

#[test]
fn called_as_a_kubectl_plugin_it_is_why() {
    let link = std::env::temp_dir().join(format!("kubewhy-plugin-{}", std::process::id()));
    std::fs::create_dir_all(&link).expect("a folder");
    let plugin = link.join("kubectl-why");
    let _ = std::fs::remove_file(&plugin);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubewhy"), &plugin).expect("a link");
    let case = from("198-secret-key-absent-env");
    let output =
        Command::new(&plugin).args(["deploy", "mailer", "-n", "lab-198", "--from", &case]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    std::fs::remove_dir_all(&link).expect("the folder can be removed");
}

#[test]
fn help_catalogue_completions_and_manual_are_there() {
    for arguments in [
        &["--help"][..],
        &["why", "--help"],
        &["catalogue"],
        &["catalogue", "secret-key-missing"],
        &["completions", "bash"],
        &["man"],
    ] {
        let output = kubewhy(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stdout.len() > 200, "{arguments:?}: {}", stdout(&output));
    }
}

/// The README shows what its `why` prints; this test rewrites it and fails where it was stale.
#[test]
fn the_readme_shows_what_its_command_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let line = readme.lines().find_map(|line| line.strip_prefix("cargo run --release -- why ")).expect("its command");
    let output = Command::new(env!("CARGO_BIN_EXE_kubewhy"))
        .arg("why")
        .args(line.split_whitespace())
        .current_dir(root)
        .output()
        .expect("the binary runs");
    let answer = stdout(&output);
    let (before, rest) = readme.split_once("```text\n").expect("a block of output");
    let (_, after) = rest.split_once("```").expect("its end");
    // How long it took is another each time.
    let answer = answer.rsplit_once(" reads, ").map_or(answer.clone(), |(head, _)| format!("{head} reads, 12 ms)\n"));
    let current = format!("{before}```text\n{answer}```{after}");
    if current != readme {
        std::fs::write(&path, &current).expect("README.md can be written");
    }
    assert!(current == readme, "README.md was stale and has been rewritten; commit it");
}
