//! What a question costs the cluster: exact counts over all questions of the demo, each to a desk that knows nothing yet.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use axum::http::Request;
use jiff::SignedDuration;
use kube::Client;
use kube::client::Body;
use kubewhy::desk::{Asked, Desk, Outcome, Served, Whereabouts};
use kubewhy::source::{Clock, Source};
use kubewhy_chat::Input;
use kubewhy_core::commands::Capabilities;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_kubernetes::Cluster;
use kubewhy_sandbox::Sandbox;
use kubewhy_sandbox::scenario::Player;
use tower::ServiceExt as _;

use crate::questions::{object, questions};

/// What was asked of the cluster since it was last looked at: paths with their queries.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<String>>>);

impl Ledger {
    fn client(&self, sandbox: &Sandbox) -> Client {
        let ledger = self.clone();
        let service = sandbox.service().map_request(move |request: Request<Body>| {
            let asked = request.uri().path_and_query().expect("a path").to_string();
            ledger.0.lock().expect("nobody panics with it").push(asked);
            request
        });
        Client::new(service, "default")
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panics with it"))
    }
}

/// What one question cost.
struct Cost {
    question: String,
    requests: Vec<String>,
}

impl Cost {
    /// Those that were sent before in the same question.
    fn repeated(&self) -> Vec<&String> {
        let mut seen = BTreeSet::new();
        self.requests.iter().filter(|request| !seen.insert(*request)).collect()
    }

    /// Lists of all there is of a kind in all namespaces.
    fn of_the_whole_cluster(&self) -> Vec<&String> {
        self.requests.iter().filter(|request| is_of_the_whole_cluster(request)).collect()
    }
}

fn is_of_the_whole_cluster(request: &str) -> bool {
    let (path, query) = request.split_once('?').unwrap_or((request, ""));
    let mut segments = path.trim_start_matches('/').split('/');
    let versions = if segments.next() == Some("api") { 1 } else { 2 };
    let rest: Vec<&str> = segments.skip(versions).collect();
    let [plural] = rest.as_slice() else { return false };
    let is_namespaced = Kind::from_word(plural).is_none_or(Kind::is_namespaced);
    is_namespaced && !["fieldSelector", "labelSelector"].iter().any(|selector| query.contains(selector))
}

/// Asks all questions of the demo, each in these words, at its own time.
fn costs(words: impl Fn(Kind, Option<&str>, &str) -> String) -> Vec<Cost> {
    let runtime = Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
    let start = "2026-11-20T10:00:00Z".parse().expect("a time");
    let clock = kubewhy_sandbox::Clock::fixed(start);
    let sandbox = Sandbox::new(clock.clone());
    let mut player = Player::new(sandbox.clone(), kubewhy::demo::scenarios().expect("they can be read"));
    let ledger = Ledger::default();
    let client = {
        let _guard = runtime.enter();
        ledger.client(&sandbox)
    };
    let now = clock.clone();
    let source =
        Source::Cluster { cluster: Cluster::new(client, "demo"), runtime, clock: Clock::new(move || now.now()) };
    let desk = Desk::new(Served { source, context: None }, Capabilities::chat());
    let grant = desk.everything();
    let mut costs = Vec::new();
    for asked in questions(&kubewhy::demo::scenarios().expect("they can be read")) {
        clock.set(start + SignedDuration::try_from(asked.at).expect("a span"));
        player.advance(clock.now()).expect("everything is played");
        let (kind, namespace, name) = object(&asked.ask, &sandbox);
        let question = words(kind, namespace.as_deref(), &name);
        let input = Input::Line(format!("why {question}"));
        let outcome = desk.answer(&input, &Asked { about: None, place: Whereabouts::Open, grant: &grant });
        assert!(matches!(outcome, Outcome::Reply(_)), "{question}: {outcome:?}");
        costs.push(Cost { question: format!("{}: {question}", asked.story), requests: ledger.take() });
    }
    costs
}

/// The counts as `(median, most)`, and the dearest question with its requests.
fn summary(costs: &[Cost]) -> (usize, usize, String) {
    let mut counts: Vec<usize> = costs.iter().map(|cost| cost.requests.len()).collect();
    counts.sort_unstable();
    let dearest = costs.iter().max_by_key(|cost| cost.requests.len()).expect("there are questions");
    let told = format!("{}\n{}", dearest.question, dearest.requests.join("\n"));
    let count = |place: usize| *counts.get(place).expect("there are questions");
    (count(counts.len() / 2), count(counts.len() - 1), told)
}

fn whole(kind: Kind, namespace: Option<&str>, name: &str) -> String {
    let namespace = namespace.map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    format!("{} {name}{namespace}", kind.kubectl_name())
}

/// Says what was counted, also where the test passes, and what was dear; with `SHOW=1` all that was asked.
fn tell(which: &str, costs: &[Cost]) -> (usize, usize, String) {
    for cost in costs.iter().filter(|_| std::env::var_os("SHOW").is_some()) {
        let _ =
            writeln!(std::io::stderr(), "{} {}\n  {}", cost.requests.len(), cost.question, cost.requests.join("\n  "));
    }
    let (median, most, dearest) = summary(costs);
    let all = costs.len();
    let _ = writeln!(std::io::stderr(), "{which}: {all} questions, median {median} requests, most {most}: {dearest}");
    (median, most, dearest)
}

fn nothing_wasted(costs: &[Cost]) {
    for cost in costs {
        let (repeated, whole) = (cost.repeated(), cost.of_the_whole_cluster());
        assert!(repeated.is_empty(), "{}: {repeated:?} were sent before", cost.question);
        assert!(whole.is_empty(), "{}: {whole:?} are of the whole cluster", cost.question);
    }
}

#[test]
fn a_question_that_names_kind_and_namespace_costs_few_requests_and_none_twice() {
    let costs = costs(whole);
    nothing_wasted(&costs);
    let (median, most, dearest) = tell("kind and namespace", &costs);
    assert!(costs.len() > 150 && median <= 5 && most <= 10, "median {median}, most {most}: {dearest}");
}

#[test]
fn a_bare_name_costs_one_round_more_and_no_list_of_all_there_is() {
    let costs = costs(|_, _, name| name.to_owned());
    nothing_wasted(&costs);
    let (median, most, dearest) = tell("bare name", &costs);
    assert!(median <= 8 && most <= 16, "median {median}, most {most}: {dearest}");
}
