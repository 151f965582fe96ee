//! `limit-range-violated`.

use k8s_openapi::api::core::v1::LimitRange;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::refusal::{self, Refused};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::parse::refusal::{LimitBreach, Why};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A `LimitRange` of the namespace bounds the size of one container, pod or claim, and the template lies outside.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `maximum R usage per Container is V, but limit is W`,
    /// `minimum R usage per Pod is V, but request is W`, `... No limit is specified`, `... No request is specified`,
    /// `R max limit to request ratio per Container is V, but provided ratio is W`; several as a list in brackets.
    /// ## Look-alikes
    /// `quota-exceeded` bounds the sum of all pods. `quota-requires-requests`: a quota demands values that are lacking.
    /// `request-exceeds-largest-node`: the pod exists, and no node is large enough.
    /// ## Fixes
    /// Bring the template within the bounds, or change the `LimitRange`.
    /// ## Source
    /// plugin/pkg/admission/limitranger/admission.go; <https://kubernetes.io/docs/concepts/policy/limit-range/>
    LimitRangeViolated, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::Limits(breaches) = &refused.why {
            found.push(explain(case, &refused, breaches)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, refused: &Refused, breaches: &[LimitBreach]) -> Result<Finding, Needs> {
    let ranges = case.list::<LimitRange>(case.namespace(), Filter::All);
    let owner = refusal::owner(case)?;
    let ranges = ranges?.found().unwrap_or_default();
    let holder = breaches.first().and_then(|breach| ranges.iter().find(|range| holds(range, breach)));
    let holder =
        holder.map(|range| case.neighbour(Kind::LimitRange, range.metadata.name.as_deref().unwrap_or_default()));
    let said = breaches.iter().map(sentence);
    let mut explanation = refused.sentence(case);
    for one in said {
        explanation.push(one);
        explanation.push(" ");
    }
    let by = holder.as_ref().map(|holder| text!["The bound stands in LimitRange ", name(holder.path()), "."]);
    let title = match breaches.first() {
        Some(first) => {
            text![short(first), holder.as_ref().map(|holder| text![" (LimitRange ", name(holder.path()), ")"])]
        }
        None => text!["a LimitRange does not let the pods through"],
    };
    let evidence = holder.as_ref().zip(breaches.first()).map(|(holder, breach)| bound_evidence(holder, breach));
    let within =
        Fix::disruptive(text!["bring ", wanted(breaches), " within the bounds"]).commands(refusal::edit(case, &owner));
    let mut change = Fix::safe(text!["or change the bound"]).command(case.kubectl(["describe", "limits"]));
    if let Some(holder) = &holder {
        change = change.command(case.kubectl(["edit", "limitrange", &holder.name]));
    }
    Ok(refused
        .finding(case, Code::LimitRangeViolated)
        .title(title)
        .explain(explanation)
        .also(by)
        .evidence(evidence)
        .fix(within)
        .fix(change))
}

fn holds(range: &LimitRange, breach: &LimitBreach) -> bool {
    let allowed = Amount::parse(&breach.allowed);
    range.spec.iter().flat_map(|spec| &spec.limits).filter(|item| item.type_ == breach.of).any(|item| {
        let list = match breach.bound {
            "minimum" => item.min.as_ref(),
            "maximum" => item.max.as_ref(),
            _ => item.max_limit_request_ratio.as_ref(),
        };
        let bound = Amount::in_list(list, &breach.resource);
        bound.is_some() && bound == allowed
    })
}

fn bound_evidence(holder: &ObjectRef, breach: &LimitBreach) -> Evidence {
    let field = match breach.bound {
        "minimum" => "min",
        "maximum" => "max",
        _ => "maxLimitRequestRatio",
    };
    Evidence::field(holder, &format!(".spec.limits[{}].{field}.{}", breach.of, breach.resource), breach.allowed.clone())
}

/// `memory limit 2Gi is above the maximum of 1Gi for a Container`
fn short(breach: &LimitBreach) -> Text {
    let of = match breach.of.as_str() {
        "Pod" => "pod",
        "PersistentVolumeClaim" => "claim",
        _ => "container",
    };
    let what = text![code(breach.resource.clone()), " ", if breach.field == "request" { "request" } else { "limit" }];
    match (&breach.got, breach.bound) {
        (Some(got), "minimum") => {
            text![
                what,
                " ",
                code(got.clone()),
                " is below the minimum of ",
                code(breach.allowed.clone()),
                " for a ",
                of
            ]
        }
        (Some(got), "maximum") => {
            text![
                what,
                " ",
                code(got.clone()),
                " is above the maximum of ",
                code(breach.allowed.clone()),
                " for a ",
                of
            ]
        }
        (Some(got), _) => text![
            code(breach.resource.clone()),
            " limit is ",
            code(ratio(got)),
            " times its request, and at most ",
            code(breach.allowed.clone()),
            " times is allowed for a ",
            of
        ],
        (None, _) => text![
            "a ",
            of,
            " sets no ",
            what,
            ", and the LimitRange bounds it (",
            if breach.bound == "minimum" { "at least " } else { "at most " },
            code(breach.allowed.clone()),
            ")"
        ],
    }
}

fn ratio(got: &str) -> String {
    if got.contains('.') { got.trim_end_matches('0').trim_end_matches('.').to_owned() } else { got.to_owned() }
}

fn sentence(breach: &LimitBreach) -> Text {
    text!["The ", short(breach), "."]
}

fn wanted(breaches: &[LimitBreach]) -> Text {
    let mut fields: Vec<String> = breaches
        .iter()
        .map(|breach| {
            format!("resources.{}.{}", if breach.field == "request" { "requests" } else { "limits" }, breach.resource)
        })
        .collect();
    fields.dedup();
    Text::names(fields, 6)
}
