//! What a policy asks of a pod, read from its words, and the commands that give it that.

use kubewhy_text::{Text, code, name, text};
use serde_json::json;

use crate::case::Case;
use crate::facts::refusal;
use crate::finding::{Fix, ObjectRef};

/// What a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Demand {
    /// Requests or limits of containers: those named, else all.
    Resources { limits: bool, requests: bool, containers: Vec<String> },
    /// Labels of the pod; none where the words name no key.
    Labels(Vec<String>),
    /// Annotations of the pod.
    Annotations(Vec<String>),
    /// A user other than root.
    NonRoot,
    /// No privileged container.
    Unprivileged,
    /// A root file system that cannot be written.
    ReadOnlyRoot,
    /// Probes.
    Probes,
    /// An image with a tag of its own.
    Tag,
    /// An image from a registry that is let in.
    Registry,
}

impl Demand {
    /// Takes another demand in where both ask for the same thing; tells whether it did.
    fn absorb(&mut self, other: &Self) -> bool {
        let (
            Self::Resources { limits, requests, containers },
            Self::Resources { limits: more_limits, requests: more_requests, containers: more },
        ) = (&mut *self, other)
        else {
            return self == other;
        };
        *limits |= more_limits;
        *requests |= more_requests;
        containers.extend(more.iter().cloned());
        containers.dedup();
        true
    }
}

/// Reads the words of a policy, and the expression of its rule where that is known.
fn read(words: &str, expression: Option<&str>) -> Option<Demand> {
    let lower = words.to_ascii_lowercase();
    let has = |any: &[&str]| any.iter().any(|part| lower.contains(part));
    let sized = has(&["resource", "cpu", "memory", "limits", "requests"]);
    let (limits, requests) = (has(&["limit"]), has(&["request"]));
    let asked = ["limits", "requests", "resource limit", "resource request"].iter().any(|it| lower.contains(it))
        || ["cpu", "memory"].iter().any(|it| has(&[&format!("{it} limit"), &format!("{it} request")]));
    // A size that is there and too large is another matter than one that lacks.
    let too_large = has(&["higher than", "greater than", "exceed", "maximum", "ratio"]);
    if sized && asked && too_large {
        return None;
    }
    if sized && asked {
        return Some(Demand::Resources { limits, requests, containers: containers(words) });
    }
    let keys = |of: &str| {
        let told = keys(words, of);
        if told.is_empty() { expression.map(|it| keys_in_expression(it, of)).unwrap_or_default() } else { told }
    };
    if has(&["annotation"]) {
        return Some(Demand::Annotations(keys("annotation")));
    }
    if has(&["label"]) {
        return Some(Demand::Labels(keys("label")));
    }
    if has(&["runasnonroot", "non-root", "nonroot", "run as root", "running as root", "runasuser"]) {
        return Some(Demand::NonRoot);
    }
    if has(&["readonlyrootfilesystem", "read-only root", "readonly root"]) {
        return Some(Demand::ReadOnlyRoot);
    }
    if has(&["privileged"]) && !has(&["escalation"]) {
        return Some(Demand::Unprivileged);
    }
    if has(&["probe"]) {
        return Some(Demand::Probes);
    }
    if has(&["latest", "image tag", "mutable tag", "tag is required"]) {
        return Some(Demand::Tag);
    }
    has(&["registry", "registries", "image repo", "allowed repos", "invalid image repo"]).then_some(Demand::Registry)
}

/// `container <app>`, `Container 'app'`, ...: the containers that the words name.
fn containers(words: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in words.split("ontainer ").skip(1) {
        let quoted = rest.strip_prefix(['<', '\'', '"', '`']);
        let named = quoted.and_then(|rest| rest.split(['>', '\'', '"', '`']).next());
        if let Some(named) = named.filter(|named| !named.is_empty() && !found.iter().any(|it| it == named)) {
            found.push(named.to_owned());
        }
    }
    found
}

fn is_key(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    !word.is_empty() && word.chars().all(plain) && edge(word.chars().next()) && edge(word.chars().next_back())
}

/// The keys that the words name: quoted ones after the word (`labels: {"owner", "team"}`, ``The label `app` is``), else
/// the one right after it, if it looks like a key (`the label cost-center`), or right before it (`cost-center label`).
fn keys(words: &str, of: &str) -> Vec<String> {
    let lower = words.to_ascii_lowercase();
    let Some(rest) = lower.find(of).and_then(|start| words.get(start + of.len()..)) else { return Vec::new() };
    let before = lower.find(of).and_then(|start| words.get(..start)).unwrap_or_default();
    let quoted = |text: &str| -> Vec<String> {
        let parts = text.split(['"', '\'', '`', '<', '>']).skip(1).step_by(2);
        parts.map(|key| key.trim().to_owned()).filter(|key| is_key(key)).collect()
    };
    let after = quoted(rest);
    if !after.is_empty() {
        return after;
    }
    let telling = |word: &&str| is_key(word) && word.contains(['-', '/', '.', '_']);
    let trimmed = |word: &'_ str| -> usize { word.trim_end_matches([',', ';', ':', '.']).len() };
    let next = rest.trim_start_matches(['s', ':']).split_whitespace().next();
    let next = next.and_then(|word| word.get(..trimmed(word))).filter(telling);
    let previous =
        quoted(before).pop().or_else(|| before.split_whitespace().next_back().filter(telling).map(str::to_owned));
    next.map(str::to_owned).or(previous).into_iter().collect()
}

/// The keys in `'cost-center' in object.metadata.labels` or `object.metadata.labels['cost-center']`.
fn keys_in_expression(expression: &str, of: &str) -> Vec<String> {
    if !expression.contains(of) {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    for (index, part) in expression.split(['\'', '"']).enumerate() {
        if index % 2 == 1 && is_key(part) && !found.iter().any(|it| it == part) {
            found.push(part.to_owned());
        }
    }
    found.truncate(4);
    found
}

/// The steps that give the pods what the policy asks for in these words; none where they are not understood.
pub(crate) fn fixes(case: &Case<'_>, owner: &ObjectRef, rules: &[&str], expression: Option<&str>) -> Vec<Fix> {
    let mut demands: Vec<Demand> = Vec::new();
    for demand in rules.iter().filter_map(|words| read(words, expression)) {
        if !demands.iter_mut().any(|known| known.absorb(&demand)) {
            demands.push(demand);
        }
    }
    demands.iter().map(|demand| fix(case, owner, demand)).collect()
}

fn fix(case: &Case<'_>, owner: &ObjectRef, demand: &Demand) -> Fix {
    match demand {
        Demand::Resources { limits, requests, containers } => resources(case, owner, *limits, *requests, containers),
        Demand::Labels(keys) => metadata(case, owner, "labels", keys),
        Demand::Annotations(keys) => metadata(case, owner, "annotations", keys),
        Demand::NonRoot => edit(
            case,
            owner,
            text![
                "let the containers run as another user than root: ",
                code("securityContext: {runAsNonRoot: true, runAsUser: 1000}"),
                " (the image must work as that user)"
            ],
        ),
        Demand::Unprivileged => {
            edit(case, owner, text!["take ", code("privileged: true"), " out of the containers' securityContext"])
        }
        Demand::ReadOnlyRoot => edit(
            case,
            owner,
            text![
                "set ",
                code("readOnlyRootFilesystem: true"),
                " in the containers' securityContext, with an emptyDir where they write"
            ],
        ),
        Demand::Probes => edit(case, owner, text!["give the containers the probes that the policy asks for"]),
        Demand::Tag => {
            edit(case, owner, text!["name the image with a tag of its own (a version), not ", code("latest")])
        }
        Demand::Registry => {
            edit(case, owner, text!["take the image from a registry that the policy lets in, or push it there"])
        }
    }
}

fn edit(case: &Case<'_>, owner: &ObjectRef, words: Text) -> Fix {
    Fix::disruptive(words).commands(refusal::edit(case, owner))
}

/// Tells whether the template in that object can be changed by a command.
fn is_changeable(owner: &ObjectRef) -> bool {
    matches!(owner.kind.as_ref(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "CronJob")
}

fn resources(case: &Case<'_>, owner: &ObjectRef, limits: bool, requests: bool, containers: &[String]) -> Fix {
    let all: Vec<String> = refusal::template(case)
        .and_then(|template| template.spec.as_ref())
        .map(|spec| spec.containers.iter().map(|container| container.name.clone()).collect())
        .unwrap_or_default();
    let known: Vec<String> = containers.iter().filter(|named| all.contains(named)).cloned().collect();
    let containers = if known.is_empty() { all } else { known };
    let what = match (limits, requests) {
        (true, false) => "limits",
        (false, true) => "requests",
        _ => "requests and limits",
    };
    let words = text![
        "give ",
        if containers.len() == 1 { "container " } else { "containers " },
        Text::names(containers.clone(), 4),
        " ",
        what,
        " of cpu and memory (measure what it needs; these are a start)"
    ];
    if !is_changeable(owner) {
        return edit(case, owner, words);
    }
    let target = refusal::target(owner);
    let commands = containers.iter().map(|container| {
        let mut arguments = vec!["set", "resources", target.as_str(), "-c", container.as_str()];
        if requests || !limits {
            arguments.push("--requests=cpu=100m,memory=128Mi");
        }
        if limits || !requests {
            arguments.push("--limits=cpu=500m,memory=256Mi");
        }
        case.kubectl(arguments)
    });
    Fix::disruptive(words).commands(commands)
}

fn metadata(case: &Case<'_>, owner: &ObjectRef, field: &'static str, keys: &[String]) -> Fix {
    let called = (!keys.is_empty()).then(|| text![" ", Text::names(keys.to_vec(), 4)]);
    let words = text![
        "put the ",
        field,
        called,
        " that the policy asks for into ",
        code(format!("spec.template.metadata.{field}")),
        " of ",
        kubewhy_text::own(owner.kind.clone()),
        " ",
        name(owner.name.clone()),
        if keys.is_empty() { "" } else { ", with your value" }
    ];
    if keys.is_empty() || !is_changeable(owner) {
        return edit(case, owner, words);
    }
    // `<value>` is no valid label: the command does nothing until a value is put in.
    let values: serde_json::Map<String, serde_json::Value> =
        keys.iter().map(|key| (key.clone(), json!("<value>"))).collect();
    let mut body = json!({"spec": {"template": {"metadata": {field: values}}}});
    if owner.kind == "CronJob" {
        body = json!({"spec": {"jobTemplate": body}});
    }
    Fix::disruptive(words).commands(refusal::patch(case, owner, "merge", &body))
}

#[cfg(test)]
mod tests {
    use super::{Demand, read};

    fn labels(keys: &[&str]) -> Demand {
        Demand::Labels(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn policies_say_what_they_ask_for() {
        let app = vec!["app".to_owned()];
        let resources = |limits, requests, containers: &[String]| Demand::Resources {
            limits,
            requests,
            containers: containers.to_vec(),
        };
        let cases = [
            ("container <app> has no resource limits", Some(resources(true, false, &app))),
            ("container <app> has no resource requests", Some(resources(false, true, &app))),
            ("container <app> has no cpu limit", Some(resources(true, false, &app))),
            (
                "validation error: CPU and memory resource requests and limits are required. rule validate-resources \
                 failed at path /spec/containers/0/resources/limits/",
                Some(resources(true, true, &[])),
            ),
            ("you must provide labels: {\"owner\", \"team\"}", Some(labels(&["owner", "team"]))),
            (
                "validation error: The label `app.kubernetes.io/name` is required.",
                Some(labels(&["app.kubernetes.io/name"])),
            ),
            ("every pod carries the label cost-center (ask finance)", Some(labels(&["cost-center"]))),
            ("missing required label, requires all of: team", Some(labels(&[]))),
            (
                "Privileged container is not allowed: app, securityContext: {\"privileged\": true}",
                Some(Demand::Unprivileged),
            ),
            ("Using a mutable image tag e.g. 'latest' is not allowed.", Some(Demand::Tag)),
            (
                "container <app> has an invalid image repo <nginx>, allowed repos are [\"r.example.com\"]",
                Some(Demand::Registry),
            ),
            ("container <app> has no memory request", Some(resources(false, true, &app))),
            ("container <app> cpu limit <8> is higher than the maximum allowed of <4>", None),
            ("ask the platform team", None),
        ];
        for (words, demand) in cases {
            assert_eq!(read(words, None), demand, "{words}");
        }
        let expression = "has(object.metadata.labels) && 'payer' in object.metadata.labels";
        assert_eq!(read("a label is missing", Some(expression)), Some(labels(&["payer"])));
    }
}
