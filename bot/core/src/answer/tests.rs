//! Messages of real reports: those of the fixtures of `diagnosis`.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kubewhy_chat::{Block, Message, Press, Style};
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::finding::Action;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::scan::Scan;
use kubewhy_diagnosis::{Change, Snapshot, Target, TargetError, explain};
use serde_json::Value;

use super::*;
use crate::commands::{self, Command, parse};
use crate::remedy;
use crate::resolve::{Candidate, resolve};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../diagnosis/fixtures")
}

/// The report that a fixture leads to.
fn fixture(path: &str) -> Report {
    let text = std::fs::read_to_string(fixtures().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let options = serde_saphyr::options! { strict_booleans: true };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple_with_options(&text, options).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut snapshot = Snapshot::default();
    let mut expect = Value::Null;
    for mut document in documents {
        let field = |log: &Value, key: &str| log[key].as_str().unwrap_or_default().to_owned();
        if let Some(first) = document.get_mut("expect") {
            expect = first.take();
        } else if let Some(log) = document.get("log") {
            let instance = if log["previous"] == true { Instance::Previous } else { Instance::Current };
            let words = document["text"].as_str().unwrap_or_default();
            snapshot.add_log(&field(log, "namespace"), &field(log, "pod"), &field(log, "container"), instance, words);
        } else {
            snapshot.add_value(document);
        }
    }
    let target = expect["target"].as_str().expect("a target");
    let (kind, name) = target.split_once(' ').or_else(|| target.split_once('/')).expect("KIND NAME");
    let foreign = snapshot.kinds().find(|known| matches!(known, Kind::Foreign(_)) && known.name() == kind);
    let kind = foreign.or_else(|| Kind::from_word(kind)).unwrap_or_else(|| panic!("{target}"));
    let (namespace, name) =
        name.split_once('/').map_or((None, name), |(namespace, name)| (Some(namespace.to_owned()), name));
    let at = expect["at"].as_str().and_then(|at| at.parse().ok());
    let now = at.or_else(|| snapshot.newest_time()).expect("a time");
    explain(
        &snapshot,
        Target { cluster: "prod".to_owned(), context: None, kind, namespace, name: name.to_owned() },
        now,
    )
}

/// The reports of all fixtures by their paths; worked out once.
fn all_fixtures() -> &'static [(String, Report)] {
    static ALL: LazyLock<Vec<(String, Report)>> = LazyLock::new(read_all);
    &ALL
}

fn read_all() -> Vec<(String, Report)> {
    let mut paths = Vec::new();
    for folder in std::fs::read_dir(fixtures()).expect("the fixtures").flatten().filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
            paths.push(file.path().strip_prefix(fixtures()).expect("below").display().to_string());
        }
    }
    paths.sort();
    paths.retain(|path| Path::new(path).extension().is_some_and(|extension| extension == "yaml"));
    assert!(paths.len() > 300, "{} fixtures", paths.len());
    paths
        .into_iter()
        .map(|path| {
            let report = fixture(&path);
            (path, report)
        })
        .collect()
}

fn chat() -> Extras {
    Extras::chat(Capabilities::console())
}

fn buttons(message: &Message) -> Vec<(String, String)> {
    let line = |press: &Press| match press {
        Press::Command(line) => line.clone(),
        Press::Token(token) => panic!("a token: {token}"),
        Press::Link(link) => panic!("a link: {link}"),
    };
    message.presses().map(|(label, press)| (label.plain(), line(press))).collect()
}

fn words(blocks: &[Block]) -> String {
    let words = blocks.iter().flat_map(|block| match block {
        Block::Heading(text) | Block::Paragraph(text) | Block::Context(text) => vec![text.plain()],
        Block::Steps(texts) | Block::Points(texts) => texts.iter().map(Text::plain).collect(),
        Block::Facts(facts) => facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect(),
        Block::Quote(quote) => vec![format!("{} > {}", quote.source, quote.words)],
        Block::Code(code) => vec![code.clone()],
        Block::Commands(commands) => commands.clone(),
        Block::Table(_) | Block::Image(_) | Block::Buttons(_) | Block::Choice(_) => Vec::new(),
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_screen_is_short_and_the_thread_holds_everything() {
    for (path, report) in all_fixtures() {
        let message = super::report(report, &chat());
        assert_eq!(message.headline, report.summary, "{path}");
        assert_eq!(message.tone, tone(report.status), "{path}");
        let steps: usize =
            message.blocks.iter().map(|block| if let Block::Steps(steps) = block { steps.len() } else { 0 }).sum();
        assert!(steps <= 3 && message.blocks.len() <= 7, "{path}: {} blocks", message.blocks.len());
        let quotes = message.thread.iter().filter(|block| matches!(block, Block::Quote(_))).count();
        assert_eq!(quotes, report.findings.iter().map(|ranked| ranked.finding.evidence.len()).sum::<usize>(), "{path}");
        let below = words(&message.thread);
        for ranked in &report.findings {
            assert!(below.contains(ranked.finding.code.as_str()), "{path}: {}", ranked.finding.code);
            for command in ranked.finding.fixes.iter().flat_map(|fix| &fix.commands) {
                assert!(below.contains(command.as_str()), "{path}: {command}");
            }
        }
        for caveat in &report.caveats {
            assert!(below.contains(&*kubewhy_text::printable(caveat)), "{path}: {caveat}");
        }
    }
}

#[test]
fn every_button_of_every_answer_is_a_line_that_is_understood() {
    for (path, report) in all_fixtures() {
        for clusters in [Clusters::One, Clusters::Several] {
            let extras = Extras { clusters, ..chat() };
            let message = super::report(report, &extras);
            for (label, line) in buttons(&message) {
                let command = parse(&line, None).unwrap_or_else(|error| panic!("{path}: {label}: {line}: {error}"));
                assert_eq!(command.to_string(), line, "{path}: {label}");
                let cluster = command.wanted().and_then(|wanted| wanted.cluster);
                let expected = if clusters == Clusters::Several { Some("prod".to_owned()) } else { None };
                assert!(command.wanted().is_none() || cluster == expected, "{path}: {line}");
            }
        }
    }
}

#[test]
fn every_remedy_that_is_offered_has_a_plan_with_objects_cost_and_command() {
    let mut seen = std::collections::BTreeSet::new();
    for (path, report) in all_fixtures() {
        for action in plan::offered(report) {
            seen.insert(action);
            let message = plan_preview(report, action, &chat()).unwrap_or_else(|error| panic!("{path}: {error}"));
            let shown = words(&message.blocks);
            let word: &str = action.into();
            assert!(message.headline.plain().contains(word), "{path}: {}", message.headline);
            let does =
                shown.contains(remedy::effect(action)) || shown.contains("does: The number of replicas becomes ");
            assert!(does && shown.contains(remedy::loss(action)), "{path}: {shown}");
            assert!(
                shown.contains("Nothing was changed") && shown.contains("comes with remediation"),
                "{path}: {shown}"
            );
            assert!(
                message.blocks.iter().any(|block| matches!(block, Block::Commands(lines) if !lines.is_empty())),
                "{path}: {word}"
            );
            assert!(message.presses().next().is_none(), "{path}: a plan cannot be confirmed yet");
        }
    }
    assert!(seen.len() >= 12, "only {seen:?} have fixtures");
}

#[test]
fn a_plan_names_its_objects_and_what_speaks_against_it() {
    let plan = |path: &str, action: Action| {
        let report = fixture(path);
        let message = plan_preview(&report, action, &chat()).unwrap_or_else(|error| panic!("{path}: {error}"));
        format!("{}\n{}", message.headline, words(&message.blocks))
    };
    let forced = plan("terminating-node-lost/statefulset.yaml", Action::ForceDeletePod);
    for part in ["data-loss", "StatefulSet", "machine is off", "--force", "Pod "] {
        assert!(forced.contains(part), "{part}: {forced}");
    }
    let (path, report) =
        all_fixtures().iter().find(|(path, _)| path.starts_with("image-not-found/earlier")).expect("one");
    assert_eq!(plan::offered(report), [Action::Undo], "{path}");
    let undo = plan(path, Action::Undo);
    for part in ["Deployment ", "disruptive", "kubectl", "rollout undo", "Argo CD"] {
        assert!(undo.contains(part), "{part}: {undo}");
    }
}

#[test]
fn an_action_that_is_not_offered_is_refused_with_those_that_are() {
    let report = fixture("volume-multi-attach/one-pod.yaml");
    let offered = plan::offered(&report);
    let other = remedy::ALL.into_iter().find(|action| !offered.contains(action)).expect("one that is not offered");
    let error = plan_preview(&report, other, &chat()).expect_err("not offered");
    assert_eq!(error.lines.len(), offered.len());
    for line in &error.lines {
        assert!(matches!(parse(line, None), Ok(Command::Fix(_))), "{line}");
    }
}

#[test]
fn what_can_lose_data_stands_out_and_ends_in_dots() {
    let mut dangers = 0;
    for (path, report) in all_fixtures() {
        for block in super::report(report, &chat()).blocks {
            let Block::Buttons(buttons) = block else { continue };
            for button in buttons
                .iter()
                .filter(|button| matches!(&button.press, Press::Command(line) if line.starts_with("fix ")))
            {
                assert!(button.label.plain().ends_with('…'), "{path}");
                dangers += usize::from(button.style == Style::Danger);
            }
        }
    }
    assert!(dangers > 0);
}

#[test]
fn what_is_healthy_is_said_to_be_healthy_and_nothing_else() {
    let report = fixture("healthy/claim-bound.yaml");
    let message = super::report(&report, &chat());
    assert_eq!((message.tone, message.blocks.len()), (kubewhy_chat::Tone::Healthy, 1), "{:?}", message.blocks);
    assert!(message.presses().next().is_none());
    let below = words(&message.thread);
    assert!(!below.contains("Fix") && !below.contains("Changed"), "{below}");
}

#[test]
fn what_happened_to_other_nodes_stands_in_the_thread() {
    let mut report = fixture("secret-key-missing/env.yaml");
    let change = |kind: Kind, name: &str| Change {
        at: "2026-11-21T03:00:00Z".parse().expect("a time"),
        object: ObjectRef::new(kind, None, name),
        what: text!["changed"],
    };
    report.changed = vec![change(Kind::Node, "worker-9"), change(Kind::Deployment, "cart")];
    let message = super::report(&report, &chat());
    let first = words(&message.blocks);
    assert!(first.contains("Changed: Deployment cart, ") && !first.contains("worker-9"), "{first}");
    assert!(words(&message.thread).contains("Node worker-9: changed"), "nothing is kept back");
    report.findings[0].finding.title = text!["Node ", name("worker-9"), " does not answer."];
    assert!(words(&super::report(&report, &chat()).blocks).contains("Changed: Node worker-9, "));
}

#[test]
fn words_of_the_cluster_are_never_our_own() {
    let mut report = fixture("secret-key-missing/env.yaml");
    let hostile = "<!channel> @everyone [x](http://evil)".to_owned();
    report.caveats = vec![hostile.clone()];
    report.target.cluster.clone_from(&hostile);
    report.error = Some(TargetError { code: "failed", message: hostile.clone(), next: vec![hostile.clone()] });
    let mut messages = vec![super::report(&report, &chat()), super::report(&report, &Extras::default())];
    report.error = None;
    messages.push(super::report(&report, &chat()));
    let scan = Scan::new(vec![report], vec![hostile]);
    messages.push(super::scan(&scan, &chat()));
    for message in messages {
        for text in texts(&message) {
            for span in text.spans() {
                let is_ours = matches!(span, kubewhy_text::Span::Own(words) if words.contains("everyone"));
                assert!(!is_ours, "{text:?}");
            }
        }
    }
}

fn texts(message: &Message) -> Vec<Text> {
    let mut texts = vec![message.headline.clone()];
    for block in message.blocks.iter().chain(&message.thread) {
        match block {
            Block::Heading(text) | Block::Paragraph(text) | Block::Context(text) => texts.push(text.clone()),
            Block::Steps(more) | Block::Points(more) => texts.extend(more.iter().cloned()),
            Block::Facts(facts) => facts.iter().for_each(|fact| texts.extend([fact.name.clone(), fact.value.clone()])),
            Block::Quote(quote) => texts.push(quote.source.clone()),
            Block::Choice(choice) => texts.extend(choice.options.iter().map(|(label, _)| label.clone())),
            Block::Buttons(buttons) => texts.extend(buttons.iter().map(|button| button.label.clone())),
            Block::Code(_) | Block::Commands(_) | Block::Table(_) | Block::Image(_) => {}
        }
    }
    texts
}

#[test]
fn a_scan_lists_each_root_once_and_asks_about_it() {
    let reports = vec![
        fixture("secret-key-missing/env.yaml"),
        fixture("image-not-found/tag.yaml"),
        fixture("healthy/claim-bound.yaml"),
    ];
    let scan = Scan::new(reports, vec!["nodes could not be read: forbidden".to_owned()]);
    let message = super::scan(&scan, &chat());
    assert_eq!(message.headline.plain(), "2 things are broken");
    assert!(words(&message.blocks).contains("forbidden"));
    let lines: Vec<String> = buttons(&message).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| matches!(parse(line, None), Ok(Command::Explain(_)))), "{lines:?}");
    let nothing = super::scan(&Scan::new(Vec::new(), Vec::new()), &chat());
    assert_eq!((nothing.tone, nothing.blocks.len()), (kubewhy_chat::Tone::Healthy, 0));
    let unread = super::scan(&Scan::new(Vec::new(), vec!["pods could not be read".to_owned()]), &chat());
    assert_eq!(unread.tone, kubewhy_chat::Tone::Unknown, "what was not read is not healthy");
}

#[test]
fn a_scan_of_a_broken_cluster_stays_readable_and_leaves_nothing_out() {
    let mut report = fixture("secret-key-missing/env.yaml");
    let mut reports = Vec::new();
    for number in 0..50 {
        let root = ObjectRef::new(Kind::Secret, Some("shop"), &format!("secret-{number}"));
        report.findings.iter_mut().for_each(|ranked| ranked.finding.root = Some(root.clone()));
        report.summary = text!["Secret ", name(root.path()), " lacks a key"];
        reports.push(report.clone());
    }
    let scan = Scan::new(reports, Vec::new());
    let message = super::scan(&scan, &chat());
    assert_eq!(message.headline.plain(), "50 things are broken");
    assert!(words(&message.blocks).contains("and 40 more") && message.presses().count() == 10);
    let below = words(&message.thread);
    assert!((0..50).all(|number| below.contains(&format!("shop/secret-{number} "))), "{below}");
    let explained = message.thread.iter().filter(|block| matches!(block, Block::Context(_))).count();
    assert_eq!(explained, 20);
}

#[test]
fn a_scan_begins_with_what_breaks_most() {
    let report = |kind: Kind, target: &str, pods: Option<(usize, usize)>| {
        let mut report = fixture("secret-key-missing/env.yaml");
        let root = ObjectRef::new(Kind::Secret, Some("shop"), target.trim_end_matches("-too"));
        report.findings.iter_mut().for_each(|ranked| ranked.finding.root = Some(root.clone()));
        (report.target.kind, report.target.name, report.pods) = (kind, target.to_owned(), pods);
        report
    };
    let scan = Scan::new(
        vec![
            report(Kind::PersistentVolumeClaim, "a", None),
            report(Kind::Pod, "b", None),
            report(Kind::Deployment, "c", Some((1, 3))),
            report(Kind::Deployment, "d", Some((1, 1))),
            report(Kind::StatefulSet, "e", Some((3, 3))),
            report(Kind::PersistentVolumeClaim, "f-too", None),
            report(Kind::Deployment, "f", None),
        ],
        Vec::new(),
    );
    let order: Vec<&str> = scan.roots.iter().map(|root| root.affects[0].name.as_str()).collect();
    assert_eq!(order, ["f", "e", "d", "c", "b", "a"], "and the workload stands before its claim");
}

#[test]
fn several_matches_become_a_menu_of_the_same_command() {
    let candidates: Vec<Candidate> = ["shop", "test"]
        .map(|namespace| Candidate {
            kind: Kind::Deployment,
            namespace: Some(namespace.to_owned()),
            name: "cart".to_owned(),
            cluster: None,
        })
        .to_vec();
    let command = parse("logs cart previous", None).expect("a command");
    let error = resolve(&command.wanted().expect("an object"), &candidates).expect_err("two");
    let message = unresolved(&error, &command, &chat());
    let lines: Vec<String> = buttons(&message).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["logs deployment cart -n shop previous", "logs deployment cart -n test previous"]);

    let slip = parse("why crat", None).expect("a command");
    let error = resolve(&slip.wanted().expect("an object"), &candidates).expect_err("none");
    let message = unresolved(&error, &slip, &chat());
    assert_eq!(message.tone, kubewhy_chat::Tone::Refused);
    assert_eq!(buttons(&message)[0].1, "why deployment cart -n shop");

    let lost = Command::Explain(commands::Explain { object: Wanted { name: "hlep".to_owned(), ..Wanted::default() } });
    let error = resolve(&lost.wanted().expect("an object"), &candidates).expect_err("none");
    assert_eq!(buttons(&unresolved(&error, &lost, &chat()))[0].1, "help");
}
