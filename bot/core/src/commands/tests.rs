use kubewhy_chat::{Message, Tone};
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::finding::Action;
use proptest::prelude::*;

use super::*;
use crate::answer::{self, Clusters, Extras, Surface};
use crate::resolve::ResolveError;

pub(super) fn wanted(kind: Option<Kind>, name: &str, namespace: Option<&str>) -> Wanted {
    Wanted { kind, name: name.to_owned(), namespace: namespace.map(str::to_owned), ..Wanted::default() }
}

pub(super) fn pod_cart() -> Wanted {
    wanted(Some(Kind::Pod), "cart", Some("shop"))
}

fn explain(object: Wanted) -> Command {
    Command::Explain(Explain { object })
}

pub(super) fn ok(line: &str) -> Command {
    parse(line, None).unwrap_or_else(|error| panic!("{line}: {error}"))
}

pub(super) fn in_thread(line: &str) -> Command {
    parse(line, Some(&pod_cart())).unwrap_or_else(|error| panic!("{line}: {error}"))
}

pub(super) fn error(line: &str) -> UserError {
    match parse(line, None) {
        Err(error) => error,
        Ok(command) => panic!("{line}: {command:?}"),
    }
}

#[test]
fn one_question_may_be_asked_in_many_ways() {
    for line in [
        "why pod cart -n shop",
        "/why pod cart -n shop",
        "/why pod cart in shop",
        "@kubewhy why pod cart in shop?",
        "<@U012AB> pod cart in shop",
        "<@!99> why po/cart -n=shop",
        "kubewhy why pods/cart --namespace shop",
        "kubectl why pod cart --namespace=shop",
        "Why POD Cart IN shop",
        "why -n shop pod cart",
        "why in shop pod cart",
        "pod cart -nshop",
        "why pod shop/cart",
        "why `pod/cart` -n “shop”",
        "why\u{a0}pod\u{3000}ca\u{200b}rt —namespace shop",
        "why is my pod cart not ready in shop ?",
        "why is pod cart still crashing in namespace shop?",
        "explain pod cart -n shop",
        "why Pod shop/cart",
        "why pod cart ns shop",
        "why pod cart in the shop namespace please",
        "what is wrong with pod cart in shop?",
    ] {
        assert_eq!(ok(line), explain(pod_cart()), "{line}");
    }
    assert_eq!(ok("why cart"), explain(wanted(None, "cart", None)));
    assert_eq!(ok("why shop/cart"), explain(wanted(None, "cart", Some("shop"))));
    assert_eq!(ok("why deployments.apps/cart"), explain(wanted(Some(Kind::Deployment), "cart", None)));
    assert_eq!(ok("why ns shop -n other"), explain(wanted(Some(Kind::Namespace), "shop", None)));
    let on = ok("why deploy cart on admin@prod");
    assert_eq!(on.wanted().and_then(|wanted| wanted.cluster).as_deref(), Some("admin@prod"));
}

#[test]
fn a_command_word_after_a_kind_is_a_name() {
    assert_eq!(ok("why pod help"), explain(wanted(Some(Kind::Pod), "help", None)));
    assert_eq!(ok("why pod/logs"), explain(wanted(Some(Kind::Pod), "logs", None)));
    assert_eq!(ok("why pod in"), explain(wanted(Some(Kind::Pod), "in", None)));
    assert_eq!(ok("why deploy job -n in"), explain(wanted(Some(Kind::Deployment), "job", Some("in"))));
    assert_eq!(ok("why help"), Command::Help(Help { about: None }));
    assert_eq!(ok("explain logs"), explain(wanted(None, "logs", None)));
    // A namespace that is called like a kind.
    assert_eq!(ok(&ok("previous in pod").to_string()), explain(wanted(None, "previous", Some("pod"))));
}

#[test]
fn why_alone_is_what_is_broken_and_in_a_thread_its_object() {
    let here = Command::Scan(Scan { scope: Scope::Here, place: Place::default() });
    for line in ["", "why", "/why", "@kubewhy", "scan", "why?", "/", "what is broken?", "whats wrong"] {
        assert_eq!(ok(line), here, "{line}");
    }
    let shop = Place { namespace: Some("shop".to_owned()), cluster: None };
    for line in [
        "scan shop",
        "scan in shop",
        "why in shop",
        "why -n shop",
        "scan -n shop",
        "scan ns shop",
        "what's broken in shop?",
    ] {
        assert_eq!(ok(line), Command::Scan(Scan { scope: Scope::Named, place: shop.clone() }), "{line}");
    }
    for line in ["scan -A", "scan all", "scan cluster", "why -A", "scan everywhere"] {
        assert_eq!(ok(line), Command::Scan(Scan { scope: Scope::Everywhere, place: Place::default() }), "{line}");
    }
    assert!(error("scan -A in shop").to_string().contains("which of them"));
    for (line, shown) in
        [("scan cluster on prod", "scan everywhere on prod"), ("scan shop on prod", "scan -n shop on prod")]
    {
        assert_eq!(ok(line).to_string(), shown);
    }

    let thread = pod_cart();
    let in_thread = |line: &str| parse(line, Some(&thread)).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(in_thread("why"), explain(pod_cart()));
    assert_eq!(in_thread("scan"), here);
    assert_eq!(in_thread("why in shop"), Command::Scan(Scan { scope: Scope::Named, place: shop.clone() }));
    assert_eq!(in_thread("why deploy mailer"), explain(wanted(Some(Kind::Deployment), "mailer", None)));
    assert!(
        matches!(in_thread("logs previous"), Command::Logs(Logs { object, instance: Instance::Previous, .. }) if object == thread)
    );
    assert!(
        matches!(in_thread("fix --action undo"), Command::Fix(Fix { object, action: Some(Action::Undo) }) if object == thread)
    );
    assert!(matches!(in_thread("timeline"), Command::Timeline(Timeline { object }) if object == thread));
    assert!(matches!(in_thread("precheck replicas=3"), Command::Precheck(Precheck { object, .. }) if object == thread));
}

#[test]
fn a_question_mark_alone_asks_for_help() {
    assert_eq!(ok("?"), Command::Help(Help { about: None }));
    assert_eq!(parse("?", Some(&pod_cart())), Ok(Command::Help(Help { about: None })));
}

#[test]
fn what_comes_later_is_understood_and_said_to_come_later() {
    let silence = ok("silence deploy cart for 2h because x");
    assert_eq!(ok("ack #12"), Command::Acknowledge(Acknowledge { incident: Some(12) }));
    assert!(matches!(ok("debug pod cart for 30m"), Command::Debug(Debug { length: Some(_), .. })));
    assert_eq!(ok("audit"), Command::Audit(Audit { object: None }));
    assert!(matches!(ok("history pod cart"), Command::History(_)));
    assert!(matches!(ok("incidents in shop"), Command::Incidents(_)));
    let here = Capabilities::console();
    assert_eq!(silence.availability(&here), Availability::ComesWith(Feature::Incidents));
    assert_eq!(ok("why cart").availability(&here), Availability::Here);
    let refusal = not_here(&ok("audit"), Feature::Remediation);
    assert!(
        refusal.to_string().contains("remediation") && refusal.to_string().contains("why deployment/audit"),
        "{refusal}"
    );
    assert_eq!(refusal.message().tone, Tone::Refused);
    let refusal = not_here(&ok("precheck deploy x replicas=2"), Feature::Precheck).to_string();
    assert!(refusal.starts_with("\"precheck\" is not here yet"), "{refusal}");
}

/// What is said to a line whose words nothing follows, not even a kind that the cluster has.
fn refused(line: &str) -> Message {
    match parse(line, None) {
        Err(error) => error.message(),
        Ok(command) => {
            let word = command.wanted().and_then(|wanted| wanted.word).unwrap_or_else(|| panic!("{line}: {command:?}"));
            let extras = Extras { surface: Surface::Chat(Capabilities::console()), clusters: Clusters::One };
            answer::unresolved(&ResolveError::unknown(&word), &command, &extras)
        }
    }
}

#[test]
fn any_kind_may_be_asked_about() {
    for (line, shown) in [
        ("why svc cart", "why service cart"),
        ("why no worker-1", "why node worker-1"),
        ("why clusterrole system:Node", "why clusterrole system:Node"),
        ("why widget x in shop", "why widget x -n shop"),
        ("why HTTPRoute shop/x", "why HTTPRoute x -n shop"),
        ("is my widgets.example.com x ready?", "why widgets.example.com x"),
        ("why certificate.v1.cert-manager.io/x", "why certificate.v1.cert-manager.io x"),
        ("why cluster", "why cluster"),
        ("is the cluster broken?", "why cluster"),
        ("why cluster on prod", "why cluster on prod"),
        ("why cluster prod", "why cluster prod"),
        ("why cluster/prod", "why cluster prod"),
        ("explain logs cart", "why explain logs cart"),
        ("tell widget x", "tell me when widget x"),
    ] {
        assert_eq!(ok(line).to_string(), shown, "{line}");
        assert_eq!(ok(shown), ok(line), "{line}");
    }
    assert_eq!(
        ok("why cluster").wanted().map(|wanted| (wanted.kind, wanted.name)),
        Some((Some(Kind::Cluster), String::new()))
    );
    assert_eq!(
        ok("why widget x").wanted().map(|wanted| (wanted.kind, wanted.word)),
        Some((None, Some("widget".to_owned())))
    );
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    for (line, meant) in [
        ("lgos pod cart", "logs pod cart"),
        ("why deploi cart", "why deployment cart"),
        ("why deploymnt/cart", "why deployment/cart"),
        ("why statefullset db", "why statefulset db"),
        ("catalogue secret-key-mising", "catalogue secret-key-missing"),
        ("help silnce", "help silence"),
        ("why shop cart", "why shop/cart"),
        ("logs shop cart", "logs shop/cart"),
        ("restart deploy cart -n shop", "fix deploy cart -n shop --action restart"),
        ("rollback cart now", "fix cart now --action undo"),
    ] {
        let message = refused(line);
        let offered: Vec<String> = message.presses().map(|press| format!("{press:?}")).collect();
        assert!(offered.iter().any(|press| press.contains(&format!("\"{meant}\""))), "{line}: {message:?}");
        assert_eq!(message.tone, Tone::Refused);
    }
    assert!(format!("{:?}", refused("why gizmo cart")).contains("statefulset"));
    assert!(error("why pod").to_string().contains("which pod"));
    assert!(error("why pod cart extra").to_string().contains("extra"));
    assert!(error("why pod a/b/c").to_string().contains("no name"));
    assert!(error("why pod cart -n a in b").to_string().contains("two namespaces"));
    assert!(error("why pod cart -n").to_string().contains("missing after"));
    let hostile = error(&format!("why pod {}", "é<!channel>".repeat(500)));
    assert!(hostile.to_string().len() < 400, "{hostile}");
}

#[test]
fn every_example_works_and_every_word_is_one_commands() {
    for spec in ALL {
        let command = ok(spec.example);
        assert_eq!(command.spec().word, spec.word, "{}", spec.example);
    }
    let mut words: Vec<&str> = ALL.iter().flat_map(|spec| spec.aliases.iter().copied().chain([spec.word])).collect();
    words.sort_unstable();
    let all = words.len();
    words.dedup();
    assert_eq!(words.len(), all, "a word names two commands");
    assert!(words.iter().all(|word| Kind::from_word(word).is_none()), "a command is called like a kind");
}

fn lines() -> impl Strategy<Value = String> {
    let words = ALL.iter().flat_map(|spec| spec.aliases.iter().copied().chain([spec.word]));
    let words: Vec<String> = words
        .chain([
            "why",
            "/why",
            "@kubewhy",
            "pod",
            "deploy/cart",
            "cart",
            "in",
            "on",
            "-n",
            "-nshop",
            "--namespace=",
            "previous",
            "container",
            "for",
            "2h",
            "2",
            "because",
            "x=y",
            "image=a=b",
            "replicas=-1",
            "#7",
            "#",
            "-",
            "--",
            "/",
            "a/b/c",
            "?",
            "is",
            "not",
            "last",
            "oom-limit",
            "--action",
            "delete-pod",
            "\u{200b}",
            "“",
            "é",
            "-A",
            "all",
            "<@U1>",
            "=",
            "pods",
            "cluster",
            "cluster/is",
            "Widget",
            "widgets.example.com/x",
        ])
        .map(str::to_owned)
        .collect();
    let word = prop_oneof![4 => prop::sample::select(words), 1 => ".{0,12}"];
    prop::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_makes_the_parser_panic(line in prop_oneof![lines(), ".{0,200}"], threaded in any::<bool>()) {
        let thread = pod_cart();
        let _ = parse(&line, threaded.then_some(&thread)).map_err(|error| error.message());
    }

    #[test]
    fn what_a_command_is_shown_as_means_the_same_command(line in lines()) {
        if let Ok(command) = parse(&line, None) {
            let shown = command.to_string();
            prop_assert_eq!(parse(&shown, None), Ok(command), "{}", shown);
        }
    }
}
