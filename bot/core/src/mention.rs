//! The objects that somebody's message names: an alert, a stack trace, a line of `kubectl`. For the shortcut "Why?".

use std::collections::BTreeMap;

use kubewhy_diagnosis::kind::Kind;

use crate::resolve::{Wanted, kind_of, may_be_kind, place};

/// The most objects that are taken from a message.
const MOST: usize = 10;

/// How much of a message is looked at, in characters.
const LONGEST: usize = 20_000;

/// The longest name that Kubernetes allows, in bytes.
const LONGEST_NAME: usize = 253;

/// Verbs of kubectl behind which an object of any kind stands, also of one that only the cluster knows.
const TAKES_ANY_KIND: [&str; 8] = ["get", "describe", "edit", "delete", "patch", "annotate", "label", "wait"];

/// The labels of alerts that name an object, and its kind; the more special before the general.
const LABELS: [(&str, Kind); 12] = [
    ("pod", Kind::Pod),
    ("pod_name", Kind::Pod),
    ("deployment", Kind::Deployment),
    ("statefulset", Kind::StatefulSet),
    ("daemonset", Kind::DaemonSet),
    ("job_name", Kind::Job),
    ("cronjob", Kind::CronJob),
    ("replicaset", Kind::ReplicaSet),
    ("persistentvolumeclaim", Kind::PersistentVolumeClaim),
    ("horizontalpodautoscaler", Kind::HorizontalPodAutoscaler),
    ("poddisruptionbudget", Kind::PodDisruptionBudget),
    ("persistentvolume", Kind::PersistentVolume),
];

/// Finds the objects that a message names, the surest first: lines of `kubectl`, then `KIND/NAME` and `Kind NAME`, then labels
/// (`pod="cart"`), then names that are made like those of pods. Only what is named; whether it exists, nobody has asked yet.
pub fn mentioned(text: &str) -> Vec<Wanted> {
    let text: String = text.chars().take(LONGEST).collect();
    let lines: Vec<Vec<String>> = text.lines().map(words).collect();
    let labels = labels(&lines);
    let namespace = labels.get("namespace").or_else(|| labels.get("exported_namespace")).filter(|name| is_name(name));
    let mut found: Vec<Wanted> = Vec::new();
    let mut add = |wanted: Wanted| {
        let known = found.iter().any(|other| other.kind == wanted.kind && other.name == wanted.name);
        if !known && found.len() < MOST {
            found.push(wanted);
        }
    };
    for line in &lines {
        kubectl(line).into_iter().for_each(&mut add);
    }
    let mut weak = Vec::new();
    for line in lines.iter().filter(|line| !line.iter().any(|word| word == "kubectl")) {
        let (found, unsure) = pairs(line, namespace);
        found.into_iter().for_each(&mut add);
        weak.extend(unsure);
    }
    for (label, kind) in LABELS {
        if let Some(name) = labels.get(label).filter(|name| is_name(name)) {
            add(wanted(Some(kind), name, namespace.map(String::as_str)));
        }
    }
    for word in lines.iter().flatten() {
        if let Some((namespace, name)) = word.split_once('/').filter(|(before, name)| is_name(before) && is_pods(name))
        {
            add(wanted(None, name, Some(namespace)));
        } else if is_pods(word) {
            add(wanted(None, word, namespace.map(String::as_str)));
        }
    }
    weak.into_iter().for_each(&mut add);
    // A pod that was named with its kind is not named once more without.
    let kinds: Vec<String> =
        found.iter().filter(|wanted| wanted.kind.is_some()).map(|wanted| wanted.name.clone()).collect();
    found.retain(|wanted| wanted.kind.is_some() || !kinds.contains(&wanted.name));
    found
}

fn wanted(kind: Option<Kind>, name: &str, namespace: Option<&str>) -> Wanted {
    let namespace = namespace.filter(|_| kind.is_none_or(Kind::is_namespaced)).map(str::to_owned);
    Wanted { kind, name: name.to_owned(), namespace, ..Wanted::default() }
}

/// The words of a line: spaces, quotation marks and brackets divide. `=` and `/` do not, labels and paths are read later.
fn words(line: &str) -> Vec<String> {
    let clean = kubewhy_text::printable(line);
    let divides = |c: char| c.is_whitespace() || "\"'`“”‘’«»(){}[]<>,;|\\*".contains(c);
    clean
        .split(divides)
        .map(|word| word.trim_end_matches(['.', ':', '!', '?']).trim_start_matches(':'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Lower case, digits, hyphens, dots; no address, no version, no number.
pub(crate) fn is_name(word: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !word.is_empty()
        && word.len() <= LONGEST_NAME
        && word.chars().all(|c| edge(c) || c == '-' || c == '.')
        && word.starts_with(edge)
        && word.ends_with(edge)
        && word.contains(|c: char| c.is_ascii_lowercase())
}

/// The letters that Kubernetes makes suffixes of: no vowels, so that no words come out.
fn is_suffix(part: &str) -> bool {
    part.len() == 5 && part.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
}

/// The hash of a pod template: the same letters, eight to ten.
fn is_hash(part: &str) -> bool {
    (6..=10).contains(&part.len())
        && part.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
        && part.contains(|c: char| c.is_ascii_digit())
}

/// Tells whether a name is made like a Deployment's pod: `cart-7c9d5f6b8-x2x4q`.
fn is_pods(word: &str) -> bool {
    let mut parts = word.rsplit('-');
    let (last, hash, rest) = (parts.next(), parts.next(), parts.next());
    is_name(word) && !word.contains('.') && last.is_some_and(is_suffix) && hash.is_some_and(is_hash) && rest.is_some()
}

/// Labels of alerts, `name=value` and `name: value`; the first of each.
fn labels(lines: &[Vec<String>]) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut add = |name: &str, value: &str| {
        labels.entry(name.to_ascii_lowercase()).or_insert_with(|| value.to_owned());
    };
    for line in lines {
        for (at, word) in line.iter().enumerate() {
            let next = line.get(at + 1).map(String::as_str);
            match (word.split_once('='), next) {
                (None, Some("=")) => {
                    if let Some(value) = line.get(at + 2) {
                        add(word, value);
                    }
                }
                (Some((name, value)), next) => add(name, next.filter(|_| value.is_empty()).unwrap_or(value)),
                // `namespace: shop`, `"namespace": "shop"`, `in namespace shop`; the colon was cut from the word before.
                (None, Some(value)) if word.eq_ignore_ascii_case("namespace") || is_label(word) => {
                    let value = value.trim_start_matches(['=', ':', '~']);
                    if !value.is_empty() {
                        add(word, value);
                    }
                }
                _ => {}
            }
        }
    }
    labels
}

/// Labels whose names nobody uses as a word of a sentence.
fn is_label(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "pod_name" | "job_name" | "exported_namespace")
}

/// `kubectl -n shop describe pod cart-7c9-x`, `kubectl logs deploy/cart -n shop`.
fn kubectl(line: &[String]) -> Vec<Wanted> {
    let Some(at) = line.iter().position(|word| word == "kubectl" || word == "k" || word == "oc") else {
        return Vec::new();
    };
    let (mut namespace, mut plain) = (None, Vec::new());
    let mut words = line.iter().skip(at + 1).map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word.split_once('=').filter(|_| word.starts_with('-')) {
            Some(("-n" | "--namespace", value)) => namespace = Some(value),
            Some(_) => {}
            None if word == "-n" || word == "--namespace" => namespace = words.next(),
            // `kubectl logs -f` follows, and `-p` shows the run before; elsewhere a file and a patch come behind them.
            None if plain.first() == Some(&"logs") && matches!(word, "-f" | "-p") => {}
            None if takes_value(word) => {
                words.next();
            }
            None if word == "--" => break,
            None if word.starts_with("-n") && word.len() > 2 && !word.starts_with("--") => namespace = word.get(2..),
            None if word.starts_with('-') => {}
            None => plain.push(word),
        }
    }
    let namespace = namespace.filter(|namespace| is_name(namespace));
    let [verb, objects @ ..] = plain.as_slice() else { return Vec::new() };
    let has_second_verb = matches!(*verb, "rollout" | "set" | "top");
    let objects = objects.get(usize::from(has_second_verb)..).unwrap_or_default();
    let found: Vec<Wanted> = objects.iter().filter_map(|word| with_slash(word, namespace)).collect();
    if !found.is_empty() {
        return found;
    }
    match (*verb, objects) {
        // These take a pod without its kind.
        ("logs" | "exec" | "attach" | "port-forward" | "debug", [name, ..]) if is_name(name) => {
            vec![wanted(Some(Kind::Pod), name, namespace)]
        }
        (verb, [kind, names @ ..]) => {
            let word = Some(*kind).filter(|kind| TAKES_ANY_KIND.contains(&verb) && may_be_kind(kind));
            let (kind, word) = (kind_of(kind), word.map(str::to_owned));
            if kind.is_none() && word.is_none() {
                return Vec::new();
            }
            let meant = names.iter().filter(|name| is_name(name)).map(|name| wanted(kind, name, namespace));
            meant.map(|wanted| Wanted { word: word.clone().filter(|_| kind.is_none()), ..wanted }).collect()
        }
        _ => Vec::new(),
    }
}

fn takes_value(flag: &str) -> bool {
    matches!(
        flag,
        "-c" | "--container"
            | "--context"
            | "-l"
            | "--selector"
            | "-o"
            | "--output"
            | "-f"
            | "--filename"
            | "--tail"
            | "--since"
            | "-p"
            | "--patch"
            | "--type"
            | "--kubeconfig"
            | "--cluster"
            | "--field-selector"
    )
}

/// The kind that a word of a sentence names: one of the usual, since many others are words of their own (`event`, `role`).
fn usual(word: &str) -> Option<Kind> {
    kind_of(word).filter(|kind| place(*kind).is_some())
}

/// `pod/cart`, `deployments.apps/cart`.
fn with_slash(word: &str, namespace: Option<&str>) -> Option<Wanted> {
    let (kind, name) = word.split_once('/')?;
    let kind = usual(kind)?;
    is_name(name).then(|| wanted(Some(kind), name, namespace))
}

/// `KIND/NAME`, and `Pod shop/cart`, `pod cart-7c9`, `Deployment "cart"` in a sentence; apart, those that may be a verb and
/// what it is done to.
fn pairs(line: &[String], namespace: Option<&String>) -> (Vec<Wanted>, Vec<Wanted>) {
    let namespace = namespace.map(String::as_str);
    let (mut found, mut weak) = (Vec::new(), Vec::new());
    for (at, word) in line.iter().enumerate() {
        if let Some(one) = with_slash(word, namespace) {
            found.push(one);
            continue;
        }
        let Some((kind, next)) = usual(word).zip(line.get(at + 1)) else { continue };
        if let Some((namespace, name)) =
            next.split_once('/').filter(|(namespace, name)| is_name(namespace) && is_name(name))
        {
            found.push(wanted(Some(kind), name, Some(namespace)));
        } else if is_name(next) && !is_version(next) && (next.contains('-') || word == kind.name()) {
            // In a sentence, what follows "pod" is mostly a word; a name shows itself by a hyphen, or by the kind being written
            // as Kubernetes writes it. "deploy" is a verb too.
            let one = wanted(Some(kind), next, namespace);
            if word.eq_ignore_ascii_case("deploy") { weak.push(one) } else { found.push(one) }
        }
    }
    (found, weak)
}

/// `v1.2`, `1.2.3-rc1`.
fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        mentioned(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_of_kubectl_names_its_object() {
        for (line, object) in [
            ("kubectl -n shop describe pod cart-7c9-x", "pod cart-7c9-x -n shop"),
            ("$ kubectl get po/cart -nshop -o yaml", "pod cart -n shop"),
            ("kubectl logs cart-0 -c app --namespace=shop --previous", "pod cart-0 -n shop"),
            ("kubectl --context prod rollout status deployment cart -n shop", "deployment cart -n shop"),
            ("kubectl exec -it cart-0 -n shop -- ls pod/other", "pod cart-0 -n shop"),
            ("`kubectl delete job.batch/report -n shop`", "job report -n shop"),
            ("kubectl logs -f -p cart-0 -n shop", "pod cart-0 -n shop"),
            ("kubectl describe certificate.cert-manager.io web -n shop", "certificate.cert-manager.io web -n shop"),
            ("kubectl get node worker-1 -o yaml", "node worker-1"),
        ] {
            assert_eq!(shown(line), [object], "{line}");
        }
        assert!(shown("kubectl config use-context prod").is_empty());
        assert!(shown("kubectl get nodes").is_empty());
        assert!(shown("kubectl get pods -n shop").is_empty());
    }

    #[test]
    fn an_alert_names_its_pod_and_namespace() {
        let alert = "[FIRING:1] KubePodCrashLooping\nLabels:\n - alertname = KubePodCrashLooping\n - namespace = shop\n - pod = cart-7c9d5f6b8-x2x4q\n - container = app";
        assert_eq!(shown(alert), ["pod cart-7c9d5f6b8-x2x4q -n shop"]);
        let labels =
            r#"{alertname="KubeDeploymentReplicasMismatch", deployment="cart", namespace="shop", severity="warning"}"#;
        assert_eq!(shown(labels), ["deployment cart -n shop"]);
        let summary = "Pod shop/cart-7c9d5f6b8-x2x4q (app) is in waiting state (reason: \"CrashLoopBackOff\").";
        assert_eq!(shown(summary), ["pod cart-7c9d5f6b8-x2x4q -n shop"]);
    }

    #[test]
    fn names_in_sentences_and_traces_are_found() {
        assert_eq!(
            shown("anybody knows why shop/cart-7c9d5f6b8-x2x4q is down?"),
            ["shop/cart-7c9d5f6b8-x2x4q"
                .split_once('/')
                .map(|(namespace, name)| format!("{name} -n {namespace}"))
                .expect("a slash")]
        );
        assert_eq!(shown("see pod/cart-7c9-x please"), ["pod cart-7c9-x"]);
        assert_eq!(shown("after deploy prod-eu, pod cart-0 is down"), ["pod cart-0", "deployment prod-eu"]);
        assert_eq!(
            shown("Error from server: Back-off restarting failed container app in pod web-5d4f7c9b68-abcde_x"),
            Vec::<String>::new()
        );
        assert_eq!(shown("deployment \"cart-api\" exceeded its progress deadline"), ["deployment cart-api"]);
        assert_eq!(shown("host=cart-7c9d5f6b8-x2x4q level=error\ncart-7c9d5f6b8-x2x4q again").len(), 1);
    }

    #[test]
    fn a_message_about_nothing_names_nothing() {
        for text in [
            "",
            "the pod is broken, please help",
            "https://example.com/pods/list and 10.0.0.1/24",
            "deploy failed: version 1.2.3, see jobs",
            "deploy v1.2.3 to prod, job 2.0-rc1",
            "we have 3 pods and a job to do",
        ] {
            assert_eq!(shown(text), Vec::<String>::new(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_found_is_a_name_that_kubernetes_allows(
            text in "(kubectl|pod|pods/|-n|namespace=|shop/|[a-z0-9é./=-]{0,12}|.{0,6}| |\n){0,30}"
        ) {
            let found = mentioned(&text);
            prop_assert!(found.len() <= MOST);
            for wanted in found {
                prop_assert!(is_name(&wanted.name) && wanted.namespace.as_deref().is_none_or(is_name), "{wanted:?}");
            }
        }
    }
}
