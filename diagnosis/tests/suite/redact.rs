//! What must not leave the engine does not, and what is no secret stays.

mod examples;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use examples::{Example, NEAR_MISSES, hex, mixed};
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::redact::{MARK, formats, redact, redact_object, redact_value};
use kubewhy_diagnosis::{Report, Snapshot, Target, explain};
use proptest::prelude::*;
use serde_json::{Value, json};

fn every() -> Vec<Example> {
    examples::all().into_iter().chain(examples::named()).collect()
}

/// The example in the places where secrets turn up.
fn surroundings(text: &str) -> Vec<String> {
    let json = Value::from(text).to_string();
    let nested = Value::from(json!({ "msg": text }).to_string()).to_string();
    vec![
        text.to_owned(),
        format!("2026-11-21T14:02:39Z INFO loading {text} now"),
        format!("got '{text}' from the environment"),
        format!("got \"{text}\" from the environment"),
        format!("{{\"level\":\"info\",\"value\":{json}}}"),
        format!("{{\"line\":{nested}}}"),
        format!("level=info v={json} caller=main.go:17"),
        format!("GET https://api.example/v1?v={text}"),
        format!("export VALUE={text}"),
        format!("first line\n{text}\nlast line\n"),
        format!("a\r\n\t{text}\r\n"),
        format!("args: [\"--value\", {json}]"),
        format!("Ünïcödé → {text} ←"),
    ]
}

#[test]
fn every_form_goes_in_every_surrounding_and_its_mark_names_it() {
    let examples = every();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for example in &examples {
        for text in surroundings(&example.text) {
            tried += 1;
            let clean = redact(&text);
            let escaped = Value::from(example.secret.as_str()).to_string();
            if clean.contains(&example.secret) || clean.contains(escaped.trim_matches('"')) {
                wrong.push(format!("{} stays: {clean}", example.kind));
            } else if !clean.contains(MARK) {
                wrong.push(format!("{} has no mark: {clean}", example.kind));
            }
        }
        let clean = redact(&example.text);
        if !clean.contains(&format!("{MARK}{}]", example.kind)) {
            wrong.push(format!("{} is called something else: {clean}", example.kind));
        }
    }
    let kinds: BTreeSet<&str> = formats().map(|format| format.kind).collect();
    let shown: BTreeSet<&str> = examples.iter().map(|example| example.kind).collect();
    crate::tell!(
        "redaction: {} kinds in {} patterns, {} examples, {tried} texts, {} wrong",
        kinds.len(),
        formats().count(),
        examples.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kinds.len() >= 80, "{} kinds", kinds.len());
    assert_eq!(kinds.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new(), "kinds without an example");
    assert!(formats().all(|format| format.source.starts_with("https://")));
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let wrong: Vec<String> = NEAR_MISSES
        .iter()
        .filter_map(|text| match redact(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(clean) => Some(format!("{text} -> {clean}")),
        })
        .collect();
    crate::tell!("redaction: {} near misses, {} redacted", NEAR_MISSES.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Other lengths and placeholders of every bare form: cut short, or a row of one letter as manuals have it.
#[test]
fn a_row_of_one_letter_behind_a_prefix_is_no_token() {
    for text in ["ghp_", "glpat-", "npm_", "hf_", "AKIA", "xoxb-", "dop_v1_", "hvs.", "sk-ant-api03-"] {
        for filler in ["x", "X", "0", "*", "."] {
            let text = format!("set it to {text}{} first", filler.repeat(36));
            assert!(matches!(redact(&text), Cow::Borrowed(_)), "{text}");
        }
    }
}

#[test]
fn names_hosts_and_users_stay() {
    for (text, clean) in [
        ("postgres://app:hunter2@db.shop:5432/shop", "postgres://app:[redacted: url password]@db.shop:5432/shop"),
        ("password=hunter2 user=app", "password=[redacted: password] user=app"),
        ("{\"client_secret\":\"aB3dE9fG1hJ7\",\"id\":7}", "{\"client_secret\":\"[redacted: secret]\",\"id\":7}"),
        ("--password hunter2 --user app", "--password [redacted: password] --user app"),
        ("cfg{password=hunter2, host=db}", "cfg{password=[redacted: password], host=db}"),
    ] {
        assert_eq!(redact(text), clean);
    }
    let token = ["ghp", "_", &mixed(36)].concat();
    assert_eq!(
        redact(&format!("password={token}")),
        "password=[redacted: github token]",
        "the form says more than the name"
    );
}

fn key(lines: usize) -> String {
    let body: Vec<String> = (0..lines).map(|n| mixed(64 + n).split_off(n)).collect();
    ["-----BEGIN RSA ", "PRIVATE KEY-----\n", &body.join("\n"), "\naB3dE9==\n-----END RSA ", "PRIVATE KEY-----"]
        .concat()
}

#[test]
fn private_keys_go_in_one_piece_escaped_prefixed_and_cut_at_either_end() {
    let key = key(12);
    let lines: Vec<&str> = key.lines().collect();
    let body = &lines[1..lines.len() - 1];
    let stamped = |lines: &[&str]| {
        let lines = lines.iter().map(|line| format!("2026-11-21T14:02:39.1Z stderr F {line}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let cut_end = lines[..8].join("\n");
    let cut_start = lines[4..].join("\n");
    for (what, text) in [
        ("whole", format!("loading\n{key}\nloaded the key of shop\n")),
        ("escaped", format!("{{\"private_key\":\"{}\\n\",\"user\":\"app\"}}", key.replace('\n', "\\n"))),
        ("twice escaped", format!("{{\\\"k\\\":\\\"{}\\\"}}", key.replace('\n', "\\\\n"))),
        ("with times", format!("{}\n2026-11-21T14:02:40.1Z stderr F loaded", stamped(&lines))),
        ("with Windows line ends", key.replace('\n', "\r\n")),
        ("without its end", format!("{cut_end}\nloaded the key of shop")),
        ("with times, without its end", format!("{}\n2026-11-21T14:02:40.1Z stderr F loaded", stamped(&lines[..8]))),
        ("without its start", format!("{cut_start}\nloaded the key of shop")),
        ("with times, without its start", stamped(&lines[4..])),
        ("in one line", key.replace('\n', " ")),
    ] {
        let clean = redact(&text);
        assert!(!body.iter().any(|line| clean.contains(line)), "{what}: {clean}");
        assert!(clean.contains("[redacted: private key]"), "{what}: {clean}");
        assert_eq!(redact(&clean), clean, "{what}");
        for stays in ["loaded", "loading", "\"user\":\"app\""].iter().filter(|stays| text.contains(**stays)) {
            assert!(clean.contains(*stays), "{what} took {stays}: {clean}");
        }
    }
    let certificate = key.replace("RSA PRIVATE KEY", "CERTIFICATE");
    assert!(matches!(redact(&certificate), Cow::Borrowed(_)), "a certificate is public");
}

/// Texts that hold pieces of everything that calls for a look.
fn texts() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = every().into_iter().map(|example| example.text).collect();
    let triggers: Vec<String> =
        formats().flat_map(|format| format.triggers).map(|trigger| (*trigger).to_owned()).collect();
    let glue =
        ["=", ": ", " ", "\n", "\\n", "\"", "'", "\\\"", "@", "://", MARK, "]", "password", "token", "{", "é", "\u{0}"];
    let piece = prop_oneof![
        proptest::sample::select(pieces),
        proptest::sample::select(triggers),
        proptest::sample::select(glue.map(str::to_owned).to_vec()),
        proptest::sample::select(glue.map(str::to_owned).to_vec()),
        any::<String>(),
        "[a-zA-Z0-9=:/@\"' \\\\\n.-]{0,24}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_redacted_once_and_for_all(text in texts()) {
        let once = redact(&text).into_owned();
        let again = redact(&once);
        prop_assert_eq!(again.as_ref(), once.as_str());
    }

    #[test]
    fn a_text_without_a_trigger_comes_back_as_it_is(text in "[ -~&&[^a-zA-Z:=@$+]]{0,200}") {
        prop_assert!(matches!(redact(&text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn the_password_of_a_user_goes_and_a_way_to_sign_in_stays() {
    for line in
        [r#"{"addr":"redis:6379","auth":"default:S3ss10ns-not-real"}"#, r#"{\"auth\":\"default:S3ss10ns-not-real\"}"#]
    {
        let clean = redact(line);
        assert!(clean.contains("default:[redacted: password]") && !clean.contains("S3ss10ns"), "{clean}");
    }
    for line in [r#"{"auth":"oauth2:github"}"#, r#"{"auth":"basic:enabled"}"#, r#"{"auth":"ldap:/etc/ldap.conf"}"#] {
        assert_eq!(redact(line), line);
    }
}

#[test]
fn a_long_line_takes_time_in_proportion() {
    // The worst that is known: a line that is all triggers. A quadratic look would take minutes here.
    for piece in [
        "password=",
        "token: ",
        "://a:b",
        "BEGIN PRIVATE KEY ",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJ.",
        "AKIA",
        "tokentoken",
    ] {
        let text = piece.repeat(60_000 / piece.len());
        let clean = redact(&text);
        assert!(clean.len() < text.len() * 4, "{piece}");
    }
}

// Everything that is recorded or rebuilt from real clusters.

fn files(folder: &Path, extensions: &[&str], files_found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, extensions, files_found);
        } else if extensions.iter().any(|extension| path.extension().is_some_and(|has| has == *extension)) {
            files_found.push(path);
        }
    }
}

/// They hold no secret: whoever recorded them took them out, and none has been found since.
#[test]
fn real_logs_and_objects_lose_nothing_but_secrets() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("../tests/recordings"), &["log", "yaml"], &mut found);
    files(&root.join("fixtures"), &["yaml"], &mut found);
    found.sort();
    let (mut lines, mut redacted) = (0, Vec::new());
    for file in &found {
        let text = String::from_utf8_lossy(&std::fs::read(file).expect("a file")).into_owned();
        lines += text.lines().count();
        redacted.extend(differences(&text).into_iter().map(|line| format!("{}: {line}", file.display())));
    }
    crate::tell!("redaction: {} files of real clusters, {lines} lines, {} redacted", found.len(), redacted.len());
    assert!(redacted.is_empty(), "{}", redacted.join("\n"));
    assert!(lines > 1_000_000, "{lines} lines");
}

/// The lines that redaction changes, whether it sees them one by one or all at once.
fn differences(text: &str) -> Vec<String> {
    let mut changed: Vec<String> =
        text.lines().filter(|line| redact(line) != *line).map(|line| format!("{line} -> {}", redact(line))).collect();
    if let Cow::Owned(clean) = redact(text)
        && changed.is_empty()
    {
        changed.push(clean.lines().find(|line| line.contains(MARK)).unwrap_or_default().to_owned());
    }
    changed
}

#[test]
fn logs_of_popular_software_stay_as_they_are() {
    let text = include_str!("redact/benign.log");
    let changed = differences(text);
    crate::tell!("redaction: {} lines of popular software, {} redacted", text.lines().count(), changed.len());
    assert!(text.lines().count() >= 300);
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

// The engine as a whole.

/// A crashing pod that carries a secret wherever a pod can.
fn leaking(secret: &str, text: &str) -> Snapshot {
    let container = json!({"name": "app", "image": "cart:1", "env": [{"name": "SETTING", "value": text}],
        "args": ["--value", text], "command": ["/app"]});
    let message = format!("panic: cannot start with {text}");
    let ended = json!({"terminated": {"exitCode": 1, "reason": "Error", "message": message,
        "startedAt": "2026-11-20T10:04:20Z", "finishedAt": "2026-11-20T10:04:30Z"}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cart-7c9", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-11-20T10:00:00Z",
            "annotations": {"note": text}},
        "spec": {"nodeName": "node-1", "containers": [container]},
        "status": {"phase": "Running", "startTime": "2026-11-20T10:00:00Z", "conditions": [
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": text}],
            "containerStatuses": [{"name": "app", "ready": false, "restartCount": 5, "image": "cart:1", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": format!("back-off 5m0s restarting {text}")}}, "lastState": ended}]}});
    let event = |name: &str, reason: &str, words: String| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"}, "type": "Warning",
        "reason": reason, "message": words, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-7c9", "uid": "u1"},
        "source": {"component": "kubelet"}, "firstTimestamp": "2026-11-20T10:00:00Z", "lastTimestamp": "2026-11-20T10:04:40Z", "count": 4})
    };
    let log = format!(
        "starting\nERROR cannot connect: {text}\npanic: {text}\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:17\n"
    );
    let mut snapshot = Snapshot::default();
    snapshot.add_value(pod);
    snapshot.add_value(event("e1", "BackOff", format!("Back-off restarting failed container {text}")));
    snapshot.add_value(event("e2", "FailedMount", format!("MountVolume.SetUp failed for volume \"v\": {text}")));
    snapshot.add_value(event("e3", "Unhealthy", format!("Readiness probe failed: {text}")));
    snapshot.add_log("shop", "cart-7c9", "app", Instance::Previous, &log);
    snapshot.add_log("shop", "cart-7c9", "app", Instance::Current, &log);
    snapshot.add_caveat(format!("a file could not be read: {text}"));
    assert!(!secret.is_empty());
    snapshot
}

fn cart() -> Target {
    Target {
        cluster: "test".into(),
        context: None,
        kind: Kind::Pod,
        namespace: Some("shop".into()),
        name: "cart-7c9".into(),
    }
}

/// Everything that a reader of any kind gets from a report.
fn everything(report: &Report) -> String {
    let mut all = format!("{}{report:?}", serde_json::to_string(report).expect("JSON"));
    all.push_str(&report.summary.markdown());
    for ranked in &report.findings {
        all.push_str(&ranked.finding.title.plain());
        all.push_str(&ranked.finding.explanation.markdown());
        for evidence in &ranked.finding.evidence {
            all.push_str(&evidence.text);
        }
    }
    all
}

#[test]
fn no_report_shows_a_secret_that_its_pod_carries() {
    let now = "2026-11-20T10:05:00Z".parse().expect("a time");
    let mut marks = 0;
    let examples = every();
    for example in &examples {
        let snapshot = leaking(&example.secret, &example.text);
        let report = explain(&snapshot, cart(), now);
        let all = everything(&report);
        let escaped = Value::from(example.secret.as_str()).to_string();
        assert!(
            !all.contains(&example.secret),
            "{}: {}",
            example.kind,
            serde_json::to_string_pretty(&report).expect("JSON")
        );
        assert!(!all.contains(escaped.trim_matches('"')), "{}", example.kind);
        assert!(report.lead().is_some(), "{}: {}", example.kind, report.summary);
        marks += all.matches(MARK).count();
    }
    crate::tell!("redaction: {} pods that carry a secret, 0 shown, {marks} marks in their reports", examples.len());
    assert!(marks >= examples.len(), "{marks} marks: the words around the secrets were not told");
}

#[test]
fn what_a_renderer_drops_hides_no_secret() {
    let now = "2026-11-20T10:05:00Z".parse().expect("a time");
    let token = ["ghp", "_", &mixed(36)].concat();
    for gap in ["\u{200b}", "\u{202e}", "\u{ad}", "\u{1}"] {
        let (start, end) = token.split_at(9);
        let torn = [start, gap, end].concat();
        let report = explain(&leaking(&torn, &torn), cart(), now);
        let shown = serde_json::to_string(&report).expect("JSON");
        assert!(!shown.contains(&token), "{shown}");
    }
}

/// The last line of a key says nothing of what it is; the log around it does.
#[test]
fn a_line_of_a_private_key_is_known_from_its_log() {
    let now = "2026-11-20T10:05:00Z".parse().expect("a time");
    let key = key(6);
    let report = explain(&leaking("key", &key), cart(), now);
    let all = everything(&report);
    for line in key.lines().filter(|line| line.len() == 64) {
        assert!(!all.contains(line), "{all}");
    }
}

#[test]
fn saved_objects_hold_names_and_no_values() {
    let mut pod = json!({"kind": "Pod", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration":
        "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}]}}"}},
        "spec": {"containers": [{"args": ["--password", "hunter2", "--v", "3"],
            "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "REGION", "value": "eu"},
            {"name": "API_TOKEN_FILE", "value": "/run/secrets/token"}, {"name": "URL", "value": "postgres://app:hunter2@db/shop"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "cart-db", "key": "token"}}}]}]}});
    let before = pod.clone();
    redact_object(&mut pod);
    let text = pod.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    for stays in
        ["DB_PASSWORD", "\"eu\"", "postgres://app:[redacted: url password]@db/shop", "/run/secrets/token", "cart-db"]
    {
        assert!(text.contains(stays), "{stays} went: {text}");
    }
    let mut map = json!({"kind": "ConfigMap", "data": {"password": "hunter2", "region": "eu"}});
    redact_object(&mut map);
    assert_eq!(map["data"], json!({"password": "", "region": "eu"}));
    let mut secret = json!({"kind": "Secret", "data": {"anything": "aHVudGVyMg=="}, "stringData": {"x": "y"}});
    redact_object(&mut secret);
    assert_eq!((&secret["data"]["anything"], &secret["stringData"]["x"]), (&json!(""), &json!("")));
    let mut tree = before;
    redact_value(&mut tree);
    let once = tree.clone();
    redact_value(&mut tree);
    assert_eq!(tree, once);
}

#[test]
fn the_library_says_where_each_form_is_documented() {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for format in formats() {
        kinds.entry(format.kind).or_default().insert(format.source);
        assert!(!format.triggers.is_empty() && !hex(1).is_empty(), "{}", format.kind);
    }
    assert!(kinds.values().all(|sources| !sources.is_empty()));
}
