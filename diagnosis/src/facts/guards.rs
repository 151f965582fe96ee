//! Admission webhooks that stop what they guard: they may not be passed by, and nobody answers behind their Service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kubewhy_text::{Text, code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::reader::{Needs, Read, Reader};

/// How many Services of webhooks are looked at for the whole cluster.
const LOOKED_AT: usize = 5;

/// A webhook that has to be asked.
struct Guard {
    webhook: String,
    index: usize,
    namespace: String,
    service: String,
    /// What it guards: `CREATE, UPDATE of pods`.
    guards: String,
}

/// The configurations with a webhook that has to be asked and has nobody behind it.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn unanswered(reader: &Reader<'_>) -> Result<Vec<Object>, Needs> {
    let validating = reader.list::<ValidatingWebhookConfiguration>(None, Filter::All);
    let mutating = reader.list::<MutatingWebhookConfiguration>(None, Filter::All);
    let validating = validating?.found().unwrap_or_default();
    let mutating = mutating?.found().unwrap_or_default();
    let all: Vec<Object> = validating
        .into_iter()
        .map(Object::ValidatingWebhookConfiguration)
        .chain(mutating.into_iter().map(Object::MutatingWebhookConfiguration))
        .collect();
    let mut looked_at = BTreeSet::new();
    let mut found = Vec::new();
    let mut needs = None;
    for object in all {
        for guard in guards(&object) {
            let key = (guard.namespace.clone(), guard.service.clone());
            if looked_at.len() >= LOOKED_AT && !looked_at.contains(&key) {
                continue;
            }
            looked_at.insert(key);
            match is_empty(reader, &guard) {
                Ok(true) => {
                    found.push(object.clone());
                    break;
                }
                Ok(false) => {}
                Err(lacking) => needs = Some(lacking),
            }
        }
    }
    needs.map_or(Ok(found), Err)
}

fn guards(object: &Object) -> Vec<Guard> {
    match object {
        Object::ValidatingWebhookConfiguration(it) => {
            let hooks = it.webhooks.iter().flatten().enumerate();
            hooks
                .filter_map(|(index, hook)| {
                    guard(index, &hook.name, hook.failure_policy.as_deref(), &hook.client_config, hook.rules.as_deref())
                })
                .collect()
        }
        Object::MutatingWebhookConfiguration(it) => {
            let hooks = it.webhooks.iter().flatten().enumerate();
            hooks
                .filter_map(|(index, hook)| {
                    guard(index, &hook.name, hook.failure_policy.as_deref(), &hook.client_config, hook.rules.as_deref())
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn guard(
    index: usize,
    webhook: &str,
    policy: Option<&str>,
    client: &WebhookClientConfig,
    rules: Option<&[RuleWithOperations]>,
) -> Option<Guard> {
    let service = client.service.as_ref().filter(|_| policy != Some("Ignore"))?;
    let rules = rules.filter(|rules| !rules.is_empty())?;
    let words = |of: fn(&RuleWithOperations) -> Option<&Vec<String>>| {
        let words: BTreeSet<String> = rules.iter().filter_map(of).flatten().cloned().collect();
        words.into_iter().take(6).collect::<Vec<_>>().join(", ")
    };
    let guards = format!("{} of {}", words(|rule| rule.operations.as_ref()), words(|rule| rule.resources.as_ref()));
    Some(Guard {
        webhook: webhook.to_owned(),
        index,
        namespace: service.namespace.clone(),
        service: service.name.clone(),
        guards,
    })
}

/// Nobody is ready behind the Service.
fn is_empty(reader: &Reader<'_>, guard: &Guard) -> Result<bool, Needs> {
    let labels = BTreeMap::from([("kubernetes.io/service-name".to_owned(), guard.service.clone())]);
    let filter = Filter::Labels(Selector::labels(&labels));
    let Read::Found(slices) = reader.list::<EndpointSlice>(Some(&guard.namespace), filter)? else { return Ok(false) };
    let mut endpoints = slices.iter().flat_map(|slice: &Arc<EndpointSlice>| &slice.endpoints);
    let ready =
        endpoints.any(|endpoint| endpoint.conditions.as_ref().is_none_or(|conditions| conditions.ready != Some(false)));
    Ok(!ready)
}

/// The finding on a configuration that stops what it guards.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn on_configuration(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for guard in guards(case.object()) {
        if is_empty(case, &guard)? {
            found.push(explain(case, &guard));
        }
    }
    found.truncate(1);
    Ok(found)
}

fn explain(case: &Case<'_>, guard: &Guard) -> Finding {
    let service = ObjectRef::new(Kind::Service, Some(&guard.namespace), &guard.service);
    let kind = case.object().kind().name();
    let target = format!("{}/{}", kind.to_lowercase(), case.name());
    let body = format!(r#"[{{"op":"replace","path":"/webhooks/{}/failurePolicy","value":"Ignore"}}]"#, guard.index);
    let held: Text = text![
        "It stands in ",
        kubewhy_text::own(kind),
        " ",
        name(case.name()),
        " with failurePolicy ",
        code("Fail"),
        ": while it does not answer, ",
        code(guard.guards.clone()),
        " is refused for everybody whom its rules concern."
    ];
    case.finding(Code::AdmissionWebhookUnavailable)
        .root(case.reference())
        .via(service.clone())
        .title(text![
            "admission webhook ",
            name(guard.webhook.clone()),
            " (Service ",
            name(service.path()),
            ") has no endpoints, and what it guards cannot be written"
        ])
        .explain(text![
            "The API server has to ask webhook ",
            name(guard.webhook.clone()),
            " before it lets something through, and nobody is ready behind its Service. "
        ])
        .also(held)
        .evidence(case.field(&format!(".webhooks[{}]", guard.index), format!("failurePolicy Fail, calls {service}")))
        .evidence(Evidence {
            source: format!("EndpointSlices of {service}"),
            text: "no ready endpoint".to_owned(),
            at: None,
        })
        .fix(
            Fix::safe(text!["bring back what runs behind Service ", name(service.path())])
                .command(case.kubectl_in(&guard.namespace, ["describe", "service", guard.service.as_str()]))
                .command(case.kubectl_in(&guard.namespace, ["get", "pods", "-o", "wide"])),
        )
        .fix(
            Fix::disruptive(text![
                "until then, let writes through without its check (a protection less), and set it back afterwards"
            ])
            .command(case.kubectl_cluster(["patch", target.as_str(), "--type=json", "-p", body.as_str()])),
        )
        .caused_in(service)
}
