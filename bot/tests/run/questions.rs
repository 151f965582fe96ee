//! What the demo's stories are asked, and about which objects.

use std::time::Duration;

use kubewhy_diagnosis::kind::Kind;
use kubewhy_sandbox::Sandbox;
use kubewhy_sandbox::scenario::{Ask, Scenario};

/// A question of a story.
pub(crate) struct Question {
    /// The story's name.
    pub(crate) story: String,
    /// How long after the start of everything it is asked.
    pub(crate) at: Duration,
    /// The question.
    pub(crate) ask: Ask,
}

/// The questions of these stories in the order of their times.
pub(crate) fn questions<'s>(scenarios: impl IntoIterator<Item = &'s Scenario>) -> Vec<Question> {
    let of_story = |scenario: &'s Scenario| {
        scenario.asks().iter().map(|ask| Question {
            story: scenario.name().to_owned(),
            at: scenario.begins() + ask.after(),
            ask: ask.clone(),
        })
    };
    let mut questions: Vec<Question> = scenarios.into_iter().flat_map(of_story).collect();
    questions.sort_by_key(|question| question.at);
    questions
}

/// `pod cart -n shop`: the object of that name, else the first pod whose name begins so, as kind, namespace and name.
pub(crate) fn object(ask: &Ask, sandbox: &Sandbox) -> (Kind, Option<String>, String) {
    let mut words = ask.why.split_whitespace();
    let kind = words.next().and_then(Kind::from_word).expect("a question begins with a kind");
    let mut name = words.next().expect("a question names an object").to_owned();
    let rest: Vec<&str> = words.collect();
    let namespace = match rest.as_slice() {
        ["-n", namespace] => Some((*namespace).to_owned()),
        rest => {
            assert!(rest.is_empty() && !kind.is_namespaced(), "\"{}\" is no question", ask.why);
            None
        }
    };
    let found = sandbox.get(kind.api_version(), kind.name(), namespace.as_deref().unwrap_or_default(), &name);
    if found.is_none() && kind == Kind::Pod {
        let pods = sandbox.list("v1", "Pod", namespace.as_deref());
        let names = pods.iter().filter_map(|pod| pod.pointer("/metadata/name")?.as_str());
        let prefix = format!("{name}-");
        name = names.filter(|other| other.starts_with(&prefix)).min().map_or(name, str::to_owned);
    }
    (kind, namespace, name)
}
