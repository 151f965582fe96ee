//! The roles that the bot needs in each cluster: the verbs on the resources that it reads, and nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::reads::{Reads, asked, reads};
use serde_json::{Value, json};

use crate::config::{LogReaders, Settings};

/// The name of everything that is made.
const NAME: &str = "kubewhy";
/// The paths by which a cluster says how it is.
const ENDPOINTS: [&str; 3] = ["/livez", "/readyz", "/version"];
/// What nobody can know beforehand.
const CUSTOM: &str = "\
# Custom resources have groups of their own, which no role can name beforehand. For each that kubewhy is to answer about:
# - apiGroups: [\"cert-manager.io\"]
#   resources: [\"*\"]
#   verbs: [\"get\", \"list\"]
";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Which kinds a role is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// All.
    Everything,
    /// Those that live in a namespace.
    Namespaced,
    /// Those that live in none.
    ClusterWide,
}

/// The manifests, for each cluster or for clusters that need the same.
pub(super) fn manifests(settings: &Settings) -> Result<String, String> {
    let mut alike: BTreeMap<BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for cluster in &settings.clusters {
        let namespaces = cluster.namespaces.iter().map(String::as_str).collect();
        alike.entry(namespaces).or_default().push(&cluster.name);
    }
    if alike.is_empty() {
        alike.insert(BTreeSet::new(), Vec::new());
    }
    let mut out = format!(
        "# What kubewhy may read, and nothing more. The namespace \"{NAME}\" has to be there; change its name where the bot runs\n\
         # elsewhere.\n"
    );
    if settings.rbac.secrets {
        out.push_str(
            "# [rbac] secrets = true: \"get\" on secrets lets whoever holds this account read their data. kubewhy asks for their\n\
             # metadata only.\n",
        );
    }
    for (namespaces, clusters) in alike {
        if !clusters.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# For {}.", clusters.join(", "));
        }
        for manifest in one(&namespaces, settings) {
            out.push_str("---\n");
            out.push_str(&serde_saphyr::to_string(&manifest).map_err(|error| error.to_string())?);
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(CUSTOM);
    Ok(out)
}

fn one(namespaces: &BTreeSet<&str>, settings: &Settings) -> Vec<Value> {
    let mut manifests = vec![json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": NAME},
    })];
    if namespaces.is_empty() {
        manifests.push(role("ClusterRole", None, &rules(About::Everything, settings)));
        manifests.push(binding("ClusterRole", None));
        return manifests;
    }
    // Nodes, volumes and classes live in no namespace.
    manifests.push(role("ClusterRole", None, &rules(About::ClusterWide, settings)));
    manifests.push(binding("ClusterRole", None));
    for namespace in namespaces {
        manifests.push(role("Role", Some(namespace), &rules(About::Namespaced, settings)));
        manifests.push(binding("Role", Some(namespace)));
    }
    manifests
}

/// The rules, one for each API group and set of verbs.
fn rules(about: About, settings: &Settings) -> Vec<Value> {
    let mut resources: BTreeMap<(&str, Vec<&str>), BTreeSet<&str>> = BTreeMap::new();
    let mut allow = |group, verbs: Vec<&'static str>, resource| {
        if !verbs.is_empty() {
            resources.entry((group, verbs)).or_default().insert(resource);
        }
    };
    for kind in Kind::ALL.iter().copied().filter(|kind| match about {
        About::Everything => true,
        About::Namespaced => kind.is_namespaced(),
        About::ClusterWide => !kind.is_namespaced(),
    }) {
        allow(kind.group(), verbs(kind, about, settings), kind.plural());
    }
    if about != About::ClusterWide && settings.access.logs != LogReaders::Off {
        allow("", vec!["get"], "pods/log");
    }
    let rules = resources
        .into_iter()
        .map(|((group, verbs), resources)| json!({"apiGroups": [group], "resources": resources, "verbs": verbs}));
    // What the API server says of itself. Discovery needs no rule: everybody who is known may read it.
    let itself = (about != About::Namespaced).then(|| json!({"nonResourceURLs": ENDPOINTS, "verbs": ["get"]}));
    rules.chain(itself).collect()
}

fn verbs(kind: Kind, about: About, settings: &Settings) -> Vec<&'static str> {
    // Secrets are read by their names alone: a list would show all of them to whoever holds the account.
    if kind == Kind::Secret {
        return if settings.rbac.secrets { vec!["get"] } else { Vec::new() };
    }
    let read = reads(kind);
    // Who may ask about some namespaces alone asks about nothing that lives in none.
    let asked = if about == About::ClusterWide { Reads { get: false, list: false } } else { asked(kind) };
    let verbs = [("get", read.get || asked.get), ("list", read.list || asked.list)];
    verbs.into_iter().filter(|(_, read)| *read).map(|(verb, _)| verb).collect()
}

fn role(kind: &str, namespace: Option<&str>, rules: &[Value]) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": kind,
        "metadata": metadata(namespace),
        "rules": rules,
    })
}

fn binding(role: &str, namespace: Option<&str>) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": format!("{role}Binding"),
        "metadata": metadata(namespace),
        "roleRef": {"apiGroup": RBAC, "kind": role, "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
    })
}

fn metadata(namespace: Option<&str>) -> Value {
    match namespace {
        Some(namespace) => json!({"name": NAME, "namespace": namespace}),
        None => json!({"name": NAME}),
    }
}
