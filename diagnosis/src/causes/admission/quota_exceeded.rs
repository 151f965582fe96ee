//! `quota-exceeded`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::quota_full;
use crate::facts::refusal::{self, Refused};
use crate::finding::{Action, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::parse::refusal::{Excess, ExcessOf, Why};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The namespace has a `ResourceQuota`, and the pod (or the claim, or the job) would exceed it. The object is never made.
    /// ## Signals
    /// `FailedCreate` on the ReplicaSet, StatefulSet, DaemonSet, Job or CronJob, and the condition `ReplicaFailure`, with
    /// `exceeded quota: NAME, requested: R=V, used: R=V, limited: R=V`; `insufficient quota to consume: R`,
    /// `insufficient quota to match these scopes: [...]`, `status unknown for quota: NAME`.
    /// Of a ResourceQuota that is asked about itself: `.status.used` has reached `.status.hard` (a warning).
    /// ## Look-alikes
    /// `quota-requires-requests`: the quota has room, and the template lacks requests or limits. `limit-range-violated`
    /// bounds one pod, not the sum of all. `cluster-out-of-capacity`: the pod exists and no node has room for it.
    /// ## Fixes
    /// Free what is not needed (finished pods, unused claims, replicas), ask for less in the template, or raise the quota.
    /// The controller tries again by itself, after some minutes at worst.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go;
    /// <https://kubernetes.io/docs/concepts/policy/resource-quotas/>
    QuotaExceeded, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = quota_full::of(case)?;
    for refused in refusal::of(case)? {
        match &refused.why {
            Why::Quota(excess) => found.push(exceeded(case, &refused, excess)?),
            Why::QuotaUnready { quota, text } => found.push(unready(case, &refused, quota.as_deref(), text)),
            _ => {}
        }
    }
    Ok(found)
}

/// One resource with its arithmetic.
struct Sum<'m> {
    of: &'m ExcessOf,
    asked: Amount,
    used: Amount,
    limit: Amount,
}

impl<'m> Sum<'m> {
    fn of(of: &'m ExcessOf) -> Self {
        let read = |text: &str| Amount::parse(text).unwrap_or_default();
        Self { of, asked: read(&of.asked), used: read(&of.used), limit: read(&of.limit) }
    }

    fn over(&self) -> Amount {
        self.used + self.asked - self.limit
    }

    fn sentence(&self) -> Text {
        let resource = self.of.resource.as_str();
        let left = self.limit - self.used;
        let left = if left > Amount::ZERO { left } else { Amount::ZERO };
        text![
            code(resource),
            ": ",
            code(self.used.show(resource)),
            " of ",
            code(self.limit.show(resource)),
            " are used, ",
            code(left.show(resource)),
            " are left, ",
            code(self.asked.show(resource)),
            " more are asked for: ",
            code(self.over().show(resource)),
            " too much. "
        ]
    }
}

fn exceeded(case: &Case<'_>, refused: &Refused, excess: &Excess) -> Result<Finding, Needs> {
    let quota = case.neighbour(Kind::ResourceQuota, &excess.quota);
    let read = case.get::<ResourceQuota>(case.namespace(), &excess.quota);
    let users = heaviest(case, excess);
    let owner = refusal::owner(case)?;
    let sums: Vec<Sum<'_>> = excess.resources.iter().map(Sum::of).collect();
    let read = read?;
    let users = users?;
    let resources: Vec<&str> = excess.resources.iter().map(|it| it.resource.as_str()).collect();
    let mut explanation = refused.sentence(case);
    for sum in &sums {
        explanation.push(sum.sentence());
    }
    let mut finding = refused
        .finding(case, Code::QuotaExceeded)
        .root(quota.clone())
        .title(title(&quota, &sums))
        .explain(explanation)
        .also(users);
    match &read {
        Read::Found(now) => {
            let (fits, evidence) = present(&quota, now, &sums);
            finding = finding.evidence(evidence);
            if fits {
                let again = text!["The quota has room for it now: the controller will try again within minutes."];
                finding = finding.severity(Severity::Warning).also(again);
            }
        }
        Read::Absent => {
            finding = finding.also(text![
                "Namespace ",
                name(case.namespace().unwrap_or_default()),
                " has no ResourceQuota of that name: it was deleted since, or the quota spans several namespaces (ClusterResourceQuota of OpenShift)."
            ]);
        }
        Read::Unreadable => {}
    }
    Ok(fixes(case, finding, &owner, excess, &resources))
}

fn title(quota: &ObjectRef, sums: &[Sum<'_>]) -> Text {
    let worst = sums.iter().find(|sum| sum.over() > Amount::ZERO).or(sums.first());
    let Some(sum) = worst else { return text!["ResourceQuota ", name(quota.path()), " is exceeded"] };
    let resource = sum.of.resource.as_str();
    text![
        "ResourceQuota ",
        name(quota.path()),
        " leaves no room for ",
        code(resource),
        ": ",
        code(sum.used.show(resource)),
        " of ",
        code(sum.limit.show(resource)),
        " used, ",
        code(sum.asked.show(resource)),
        " more asked for"
    ]
}

/// Whether it would fit now, and the numbers as they stand.
fn present(quota: &ObjectRef, now: &ResourceQuota, sums: &[Sum<'_>]) -> (bool, Option<Evidence>) {
    let Some(status) = &now.status else { return (false, None) };
    let mut said = Vec::new();
    let mut fits = !sums.is_empty();
    for sum in sums {
        let resource = sum.of.resource.as_str();
        let hard = Amount::in_list(status.hard.as_ref(), resource);
        let used = Amount::in_list(status.used.as_ref(), resource);
        let (Some(hard), Some(used)) = (hard, used) else { return (false, None) };
        fits &= used + sum.asked <= hard;
        said.push(format!("{resource}: used {} of {}", used.show(resource), hard.show(resource)));
    }
    (fits, Some(Evidence::field(quota, ".status", said.join(", "))))
}

fn fixes(case: &Case<'_>, finding: Finding, owner: &ObjectRef, excess: &Excess, resources: &[&str]) -> Finding {
    let storage = resources.iter().any(|it| it.contains("storage") || it.contains("persistentvolumeclaims"));
    let kinds = if storage { "pvc" } else { "pods" };
    let free = Fix::risking_data(text!["free what is not needed: see what the namespace holds, and delete it"])
        .command(case.kubectl(["describe", "quota", &excess.quota]))
        .command(case.kubectl(["get", kinds]));
    let free = if storage { free } else { Fix { safety: crate::finding::Safety::Disruptive, ..free } };
    let raise = excess.resources.first().map(|first| {
        let sum = Sum::of(first);
        let needed = sum.used + sum.asked;
        let hard = serde_json::json!({"spec": {"hard": {&first.resource: needed.show(&first.resource)}}});
        Fix::safe(text![
            "raise ",
            code(first.resource.clone()),
            " of the quota to at least ",
            code(needed.show(&first.resource))
        ])
        .command(case.kubectl([
            "patch",
            "resourcequota",
            &excess.quota,
            "--type",
            "merge",
            "-p",
            &hard.to_string(),
        ]))
    });
    let scalable = matches!(owner.kind.as_ref(), "Deployment" | "ReplicaSet" | "StatefulSet");
    let made = refusal::counts(case).map(|(there, _)| there).filter(|there| scalable && *there > 0);
    let fewer = made.map(|there| {
        Fix::disruptive(text!["or be content with the ", there, " that exist"])
            .command(case.kubectl(["scale", &refusal::target(owner), &format!("--replicas={there}")]))
            .remedy(Action::Scale)
    });
    finding.fix(raise).fix(free).fix(fewer)
}

/// Who uses most of the first resource, where the pods of the namespace tell it.
fn heaviest(case: &Case<'_>, excess: &Excess) -> Result<Option<Text>, Needs> {
    let Some(first) = excess.resources.first() else { return Ok(None) };
    let resource = first.resource.as_str();
    let measured =
        ["pods", "count/pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
    if !measured.contains(&resource) {
        return Ok(None);
    }
    let Read::Found(all) = case.list::<Pod>(case.namespace(), Filter::All)? else { return Ok(None) };
    let mut users: BTreeMap<String, (Amount, usize)> = BTreeMap::new();
    for pod in all.iter().filter(|pod| !pods::is_finished(pod) || resource == "count/pods") {
        let entry = users.entry(owner_of(pod)).or_default();
        *entry = (entry.0 + uses(pod, resource), entry.1 + 1);
    }
    let mut users: Vec<_> = users.into_iter().filter(|(_, (amount, _))| *amount > Amount::ZERO).collect();
    users.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    if users.is_empty() {
        return Ok(None);
    }
    let mut most = text!["Most of it is used by "];
    for (index, (user, (amount, count))) in users.into_iter().take(3).enumerate() {
        if index > 0 {
            most.push(", ");
        }
        most.push(text![
            name(user),
            " (",
            code(amount.show(resource)),
            " in ",
            count,
            if count == 1 { " pod)" } else { " pods)" }
        ]);
    }
    most.push(".");
    Ok(Some(most))
}

fn owner_of(pod: &Arc<Pod>) -> String {
    let owner = pod.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    owner.map_or_else(
        || format!("Pod {}", pod.metadata.name.as_deref().unwrap_or_default()),
        |owner| format!("{} {}", owner.kind, owner.name),
    )
}

fn uses(pod: &Pod, resource: &str) -> Amount {
    let (limits, resource) = match resource.split_once('.') {
        Some((bound, resource)) => (bound == "limits", resource),
        None if resource.ends_with("pods") => return Amount::whole(1),
        None => (false, resource),
    };
    let containers = pods::spec(pod).into_iter().flat_map(|spec| &spec.containers);
    let amounts = containers.filter_map(|container| {
        let resources = container.resources.as_ref()?;
        Amount::in_list(if limits { resources.limits.as_ref() } else { resources.requests.as_ref() }, resource)
    });
    amounts.sum()
}

fn unready(case: &Case<'_>, refused: &Refused, quota: Option<&str>, words: &str) -> Finding {
    let about = match quota {
        Some(quota) => {
            text!["ResourceQuota ", name(case.neighbour(Kind::ResourceQuota, quota).path()), " cannot be counted yet"]
        }
        None => text!["no ResourceQuota of namespace ", name(case.namespace().unwrap_or_default()), " admits the pods"],
    };
    let why = match quota {
        Some(_) => {
            text!["The quota controller has not filled in the quota's status, so nothing that it counts is admitted."]
        }
        None => text![
            "The cluster admits such pods only where a quota covers them (as for the system priority classes outside kube-system)."
        ],
    };
    let finding = refused
        .finding(case, Code::QuotaExceeded)
        .title(about)
        .explain(refused.sentence(case))
        .also(text!["It says ", kubewhy_text::quoted(words), "."])
        .also(why);
    let root = quota.map(|quota| case.neighbour(Kind::ResourceQuota, quota));
    let finding = match root {
        Some(root) => finding.root(root),
        None => finding,
    };
    finding.fix(
        Fix::safe(text!["see the quotas of the namespace, and add or repair the one that has to cover the pods"])
            .command(case.kubectl(["describe", "quota"])),
    )
}
