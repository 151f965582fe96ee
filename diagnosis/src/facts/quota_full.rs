//! A `ResourceQuota` that is asked about itself: what of it is used up.

use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kubewhy_text::{Text, name, own, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::finding::{Fix, Severity};
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::Needs;

/// A resource of which nothing is left.
struct Full {
    resource: String,
    used: Amount,
    hard: Amount,
}

/// Says what is used up; the next object that needs some of it is refused.
pub(crate) fn of(case: &Case<'_>) -> Verdict {
    let Some(quota) = case.subject_as::<ResourceQuota>() else { return Ok(Vec::new()) };
    let full = full(&quota);
    let Some(first) = full.first() else { return Ok(Vec::new()) };
    let me = case.reference();
    let show =
        |one: &Full| format!("{}: {} of {}", one.resource, one.used.show(&one.resource), one.hard.show(&one.resource));
    let names = Text::names(full.iter().map(|one| one.resource.clone()), 4);
    let mut finding = case
        .finding(Code::QuotaExceeded)
        .severity(Severity::Warning)
        .root(me.clone().with_detail(&first.resource))
        .title(text!["ResourceQuota ", name(me.path()), " is used up: ", own(show(first))])
        .explain(text![
            "Of ",
            names,
            " nothing is left in namespace ",
            name(case.namespace().unwrap_or_default()),
            ": what is there runs on, and whatever needs more is refused when it is created.",
        ])
        .also(holders(case, &first.resource)?);
    for one in &full {
        finding = finding.evidence(case.field(&format!(".status.used[{}]", one.resource), show(one)));
    }
    Ok(vec![
        finding
            .fix(Fix::safe(text!["see what uses it, and delete or shrink what is not needed"]).command(case.kubectl([
                "describe",
                "resourcequota",
                case.name(),
            ])))
            .fix(Fix::safe(text!["or raise the quota"]).command(case.kubectl(["edit", "resourcequota", case.name()]))),
    ])
}

fn full(quota: &ResourceQuota) -> Vec<Full> {
    let status = quota.status.as_ref();
    let hard = status.and_then(|status| status.hard.as_ref());
    let used = status.and_then(|status| status.used.as_ref());
    hard.into_iter()
        .flatten()
        .filter_map(|(resource, hard)| {
            let (hard, used) = (Amount::of(hard), Amount::in_list(used, resource)?);
            // A hard limit of nothing forbids a kind on purpose.
            let is_full = used >= hard && used.units() > 0;
            is_full.then(|| Full { resource: resource.clone(), used, hard })
        })
        .collect()
}

/// Which pods hold the most of it, where pods do.
fn holders(case: &Case<'_>, resource: &str) -> Result<Option<Text>, Needs> {
    let (of_limits, plain) = match resource.split_once('.') {
        Some(("requests", rest)) => (false, rest),
        Some(("limits", rest)) => (true, rest),
        _ if matches!(resource, "cpu" | "memory" | "ephemeral-storage") => (false, resource),
        _ => return Ok(None),
    };
    let all = case.list::<Pod>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let mut held: Vec<(Amount, String)> = all
        .iter()
        .filter(|pod| !pods::is_finished(pod))
        .filter_map(|pod| {
            let containers = pod.spec.as_ref()?.containers.iter();
            let amounts = containers.filter_map(|container| {
                let resources = container.resources.as_ref()?;
                let list = if of_limits { resources.limits.as_ref() } else { resources.requests.as_ref() };
                Amount::in_list(list, plain)
            });
            Some((amounts.max()?, pod.metadata.name.clone()?))
        })
        .collect();
    held.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let most: Vec<String> =
        held.into_iter().take(3).map(|(amount, pod)| format!("{pod} ({})", amount.show(resource))).collect();
    Ok((!most.is_empty()).then(|| text!["The largest are pods ", Text::names(most, 3), "."]))
}
