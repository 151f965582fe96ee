//! A conversation as a person or a script has it: `kubewhy demo` and `kubewhy chat` in a pipe, and the picture of it that the
//! README shows.

#![expect(clippy::panic, reason = "a test fails by a panic")]

mod picture;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use kubewhy::demo::{Demo, TOUR};
use kubewhy::desk::{Asked, Desk, Outcome, Served, Whereabouts};
use kubewhy_chat::{Input, Message};
use kubewhy_console::{Details, View};
use kubewhy_core::commands::Capabilities;
use kubewhy_core::resolve::Wanted;

/// The time at which the demo's clock stands still.
const AT: &str = "2026-11-21T03:16:00Z";

fn kubewhy(arguments: &[&str], script: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubewhy"))
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("the script is taken");
    child.wait_with_output().expect("it ends")
}

/// What stands between the echo of a line and the next.
fn answer_to<'t>(line: &str, text: &'t str) -> &'t str {
    let (_, after) = text.split_once(&format!("\n> {line}\n")).unwrap_or_else(|| panic!("no echo of {line:?}: {text}"));
    after.split_once("\n> ").map_or(after, |(answer, _)| answer)
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_script_is_answered_line_by_line_in_plain_text() {
    let script = "why deploy push -n store\nlogs deploy booking -n store\nfix pod kafka-1 -n data\n1\nscan in store\nquit\nhelp\n";
    let text = text(&kubewhy(&["demo", "--at", AT], script));
    assert!(text.starts_with("kubewhy demo: ") && !text.contains('\u{1b}'), "{text}");
    let why = answer_to("why deploy push -n store", &text);
    assert!(why.starts_with("✖ failing: ") && why.contains("push-keys"), "{why}");
    assert!(why.contains("secret-missing") && why.contains("$ kubectl -n store "), "code and commands: {why}");
    let logs = answer_to("logs deploy booking -n store", &text);
    assert!(logs.contains("container app of Pod store/booking-") && logs.lines().count() > 5, "{logs}");
    let plan = answer_to("1", &text);
    assert!(plan.starts_with("Plan: ") && plan.contains("Confirming a plan comes with remediation"), "{plan}");
    assert!(plan.contains("Nothing was changed"), "{plan}");
    assert!(answer_to("scan in store", &text).contains("things are broken"), "{text}");
    assert!(!text.contains("> help"), "nothing is answered after quit: {text}");
}

#[test]
fn a_demo_without_a_script_greets_and_ends() {
    let text = text(&kubewhy(&["demo", "--at", AT], ""));
    let stages = text.lines().filter(|line| line.contains(" why ") && line.starts_with("  ")).count();
    assert_eq!(stages, TOUR.len(), "each story of the tour is there: {text}");
    for stage in ["scheduling", "image", "dependency", "creation", "init", "hooks", "readiness", "liveness", "exit"] {
        assert!(text.contains(&format!("\n  {stage} ")), "{stage}: {text}");
    }
}

#[test]
fn more_is_broken_later() {
    let at_start = text(&kubewhy(&["demo", "--at", AT], ""));
    let later = text(&kubewhy(&["demo", "--at", AT, "--after", "6m"], ""));
    let broken = |text: &str| {
        let (_, after) = text.split_once(" pods, ").expect("a count");
        after.split_once(' ').and_then(|(number, _)| number.parse::<usize>().ok()).expect("a number")
    };
    assert!(broken(&later) > broken(&at_start), "{at_start}\n{later}");
}

#[test]
fn secrets_in_logs_do_not_reach_the_chat() {
    let text = text(&kubewhy(&["demo", "--at", AT], "scan everywhere\nlogs deploy checkout -n store\n"));
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("connected to") && !text.contains("S3ss10ns"), "{text}");
}

#[test]
fn mistakes_are_told_and_the_conversation_goes_on() {
    let script = "logs\nwhy pdo push\nwhy pus\nwhy gizmo x\nlogs deploy push -n store\nwhy pod x on prod\nhistory push\n99\nwhy deploy push -n store\n";
    let text = text(&kubewhy(&["demo", "--at", AT], script));
    for line in
        ["logs", "why pdo push", "why gizmo x", "logs deploy push -n store", "why pod x on prod", "history push"]
    {
        let answer = answer_to(line, &text);
        assert!(answer.starts_with("! not done: "), "{line}: {answer}");
        assert!(answer.lines().count() > 1, "what to do is said: {answer}");
    }
    assert!(answer_to("why pus", &text).contains("push"), "a prefix finds it: {text}");
    assert!(answer_to("why deploy push -n store", &text).starts_with("✖ failing"), "{text}");
}

#[test]
fn a_dump_can_be_talked_about() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/198-secret-key-absent-env");
    let case = case.display().to_string();
    let text = text(&kubewhy(&["chat", "--from", &case], "why mailer\nwhy deploy web\nwhy\n"));
    assert!(answer_to("why mailer", &text).contains("has no key \"smtp-password\""), "{text}");
    assert!(answer_to("why deploy web", &text).starts_with("! not done"), "{text}");
}

/// What is said in a conversation about the demo, without its greeting.
fn said(lines: &[&str]) -> Vec<String> {
    let demo = Demo::start(Duration::ZERO, Some(AT.parse().expect("a time"))).expect("the demo plays");
    let desk = Desk::new(Served { source: demo.source(), context: None }, Capabilities::console());
    let mut about = None;
    lines.iter().map(|line| kubewhy_console::render(&answer(&desk, line, &mut about), &View::default())).collect()
}

#[test]
fn the_object_of_the_answer_before_is_meant_only_where_a_name_is_missing() {
    let said = said(&["why deploy push -n store", "logs", "why in corp-dns", "fix", "why"]);
    assert!(said[1].contains("store/push-"), "{said:?}");
    assert!(said[2].starts_with("✖ failing: 1 thing is broken"), "{said:?}");
    assert!(said[3].contains("Deployment store/push"), "{said:?}");
    assert!(said[4].contains(" things are broken"), "{said:?}");
}

#[test]
fn a_pasted_line_of_kubectl_is_answered_and_not_run() {
    let said =
        said(&["$ kubectl delete pod kafka-1 -n data", "kubectl logs deploy/newsletter -n store", "why kafka-1"]);
    assert!(said[0].starts_with("✖ failing: Pod data/kafka-1 cannot go"), "{said:?}");
    assert!(said[1].contains("The last 4 lines of container app"), "{said:?}");
    assert!(said[2].starts_with("✖ failing: Pod data/kafka-1 cannot go"), "it is still there: {said:?}");
}

#[test]
fn of_a_log_only_the_runs_are_offered_that_there_were() {
    let said = said(&[
        "logs pod backfill-2026-11 -n data",
        "logs pod backfill-2026-11 -n data previous",
        "logs ns shop",
        "logs deploy surveys -n store",
        "logs deploy planner -n fleet",
        "logs deploy newsletter -n store",
        "logs deploy checkout -n store",
    ]);
    assert!(!said[0].contains("The run before"), "{said:?}");
    assert!(said[1].contains("has not been restarted") && said[1].contains("[1] logs pod"), "{said:?}");
    assert!(said[2].contains("Namespace shop has no log of its own"), "{said:?}");
    assert!(said[3].contains("[1] why deployment surveys -n store"), "{said:?}");
    assert!(said[4].contains("has not started (its pod is on no node yet)"), "{said:?}");
    assert!(said[5].contains("[1] The run before"), "{said:?}");
    // It waits to be started again, so that its last run is what is shown.
    assert!(said[6].contains("panic: ") && !said[6].contains("The run before"), "{said:?}");
}

#[test]
fn what_is_on_its_way_is_not_said_to_fail() {
    let said = said(&["why deploy vector-index -n search"]).concat();
    assert!(said.starts_with("… pending: ") && said.contains("1 of 1 pod is not ready yet"), "{said}");
}

#[test]
fn a_chat_without_a_cluster_says_what_is_missing() {
    let output = kubewhy(&["chat"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--from"), "{output:?}");
}

/// The README shows a conversation; this test draws it anew and fails where the picture was stale.
#[test]
fn the_picture_in_the_readme_is_what_the_demo_shows() {
    let at = AT.parse().expect("a time");
    let demo = Demo::start(Duration::ZERO, Some(at)).expect("the demo plays");
    let desk = Desk::new(Served { source: demo.source(), context: None }, Capabilities::console());
    let view = View { width: 104, colour: true, details: Details::Below, now: Some(at), ..View::default() };
    let mut screen = String::new();
    for line in ["why deploy push -n store", "why pod kafka-1 -n data", "3"] {
        let command = if line == "3" { "fix pod kafka-1 -n data --action force-delete-pod" } else { line };
        screen.extend(["\u{1b}[1m> ", line, "\u{1b}[0m\n"]);
        screen.push_str(&kubewhy_console::render(&answer(&desk, command, &mut None), &view));
        screen.push('\n');
    }
    let later = Demo::start(Duration::from_mins(6), Some(at)).expect("the demo plays");
    let known: Vec<String> = roots(&demo);
    let news = roots(&later).into_iter().find(|root| !known.contains(root)).expect("something broke since");
    let source = later.source();
    let scan = source.scan(None, None, source.clock());
    let root = scan.roots.iter().find(|root| root.report.summary.plain() == news).expect("it is there");
    screen.push_str(&kubewhy_console::render(&desk.news(&root.report), &view));
    let drawn = picture::draw("A conversation with kubewhy demo in a terminal", screen.trim_end());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/demo.svg");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != drawn {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs/");
        std::fs::write(&path, &drawn).expect("the picture can be written");
    }
    assert!(committed == drawn, "docs/demo.svg was stale and has been drawn anew; commit it");
}

fn answer(desk: &Desk, line: &str, about: &mut Option<Wanted>) -> Message {
    let grant = desk.everything();
    let asked = Asked { about: about.as_ref(), place: Whereabouts::Open, grant: &grant };
    match desk.answer(&Input::Line(line.to_owned()), &asked) {
        Outcome::Reply(answered) => {
            *about = answered.about.or(about.take());
            answered.reply.message
        }
        other => panic!("{line} is answered: {other:?}"),
    }
}

fn roots(demo: &Demo) -> Vec<String> {
    let source = demo.source();
    let scan = source.scan(None, None, source.clock());
    scan.roots.iter().map(|root| root.report.summary.plain()).collect()
}
