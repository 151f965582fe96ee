//! `[remediation]`.

use serde::{Deserialize, Serialize};

use super::platform;
use super::raw::Raw;
use super::review::Review;

/// The actions that can be allowed.
const ACTIONS: [&str; 17] = [
    "cordon",
    "debug-copy",
    "delete-failed-pods",
    "delete-job",
    "delete-node",
    "delete-pod",
    "delete-volume-attachment",
    "evict-pod",
    "force-delete-pod",
    "remove-finalizers",
    "restart",
    "resume",
    "scale",
    "suspend",
    "taint-out-of-service",
    "uncordon",
    "undo",
];

/// How many persons can be asked to confirm.
const APPROVALS: std::ops::RangeInclusive<u32> = 1..=2;

/// `[remediation]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRemediation {
    enabled: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow: Vec<RawAllow>,
}

/// An entry of `[[remediation.allow]]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawAllow {
    actions: Vec<String>,
    namespaces: Vec<String>,
    groups: Vec<String>,
    approvals: u32,
}

impl Default for RawAllow {
    fn default() -> Self {
        Self { actions: Vec::new(), namespaces: Vec::new(), groups: Vec::new(), approvals: *APPROVALS.start() }
    }
}

/// Which repairs are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remediation {
    /// Whether there are repairs at all.
    pub enabled: bool,
    /// What is allowed to whom.
    pub allow: Vec<Allow>,
}

/// Some actions in some namespaces for some groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The actions' names.
    pub actions: Vec<String>,
    /// The namespaces; empty = none.
    pub namespaces: Vec<String>,
    /// Names of groups; empty = none.
    pub groups: Vec<String>,
    /// How many persons have to confirm, 1 or 2.
    pub approvals: u32,
}

pub(super) fn resolve(raw: &Raw, review: &mut Review) -> Remediation {
    let RawRemediation { enabled, allow } = &raw.remediation;
    if *enabled {
        review.warning(
            "remediation.enabled",
            "repairs are not built yet: nothing is offered, and nothing can change a cluster",
            "write enabled = false meanwhile",
        );
    }
    let groups: Vec<&str> = raw.access.groups.iter().map(|group| group.name.as_str()).collect();
    let allow = allow.iter().enumerate().map(|(index, raw)| one(index, raw, &groups, review)).collect();
    Remediation { enabled: *enabled, allow }
}

fn one(index: usize, raw: &RawAllow, known_groups: &[&str], review: &mut Review) -> Allow {
    let RawAllow { actions, namespaces, groups, approvals } = raw;
    let key = format!("remediation.allow[{index}]");
    for (at, action) in actions.iter().enumerate() {
        if !ACTIONS.contains(&action.as_str()) {
            review.unknown_reference(&format!("{key}.actions[{at}]"), action, "the actions", &ACTIONS);
        }
    }
    for (field, list) in [("actions", actions), ("namespaces", namespaces), ("groups", groups)] {
        if list.is_empty() {
            review.warning(&format!("{key}.{field}"), "is empty: the entry allows nothing", "name at least one");
        }
    }
    platform::namespaces(review, &format!("{key}.namespaces"), namespaces);
    for (at, group) in groups.iter().enumerate() {
        if !known_groups.contains(&group.as_str()) {
            review.unknown_reference(&format!("{key}.groups[{at}]"), group, "[[access.groups]]", known_groups);
        }
    }
    if !APPROVALS.contains(approvals) {
        review.problem(
            &format!("{key}.approvals"),
            format!("{approvals} persons cannot be asked"),
            "write 1, or 2 for a second person",
        );
    }
    Allow { actions: actions.clone(), namespaces: namespaces.clone(), groups: groups.clone(), approvals: *approvals }
}
