//! `admission-webhook-unavailable`.

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kubewhy_text::{Text, code, name, quoted, text};
use serde_json::json;
use std::collections::BTreeMap;

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::guards;
use crate::facts::refusal::{self, Refused};
use crate::facts::webhook::{self, Holder};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::refusal::{Outage, Transport, Why};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The API server has to ask an admission webhook before it makes a pod, cannot reach it (or does not trust its
    /// certificate), and the webhook's failurePolicy is Fail: nothing that the webhook guards can be created.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `failed calling webhook "NAME": failed to call webhook: Post "https://SVC.NS.svc:443/...": ...`
    /// and `connection refused`, `context deadline exceeded`, `no endpoints available for service`, `service "..." not found`,
    /// `x509: certificate signed by unknown authority`, `certificate has expired`, `EOF`.
    /// ## Look-alikes
    /// `admission-webhook-denied`: the webhook answered, and said no. `tls-certificate-invalid`: a certificate that an app
    /// meets at run time. `dependency-unreachable`: the app itself cannot reach a peer.
    /// ## Fixes
    /// Bring the webhook's Service and pods back, or repair its certificate. Until then failurePolicy Ignore (or deleting the
    /// configuration) lets objects through without the check: a protection less.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/util/webhook/error.go, pkg/admission/plugin/webhook/mutating/dispatcher.go;
    /// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy>
    AdmissionWebhookUnavailable, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = guards::on_configuration(case)?;
    for refused in refusal::of(case)? {
        if let Why::WebhookUnavailable(outage) = &refused.why {
            found.push(explain(case, &refused, outage)?);
        }
    }
    Ok(found)
}

/// The Service of the webhook, as it stands.
struct Backend {
    reference: ObjectRef,
    sentence: Text,
    evidence: Option<Evidence>,
    /// Nobody is ready behind it: why, it tells itself.
    empty: bool,
}

fn explain(case: &Case<'_>, refused: &Refused, outage: &Outage) -> Result<Finding, Needs> {
    let holder = webhook::holder(case, &outage.webhook);
    let called = outage.service.clone();
    let backend = called.as_ref().map(|(namespace, service)| backend(case, namespace, service));
    let holder = holder?;
    let service = called.or_else(|| holder.as_ref().and_then(|holder| holder.service.clone()));
    let backend = match (backend, &service) {
        (Some(backend), _) => Some(backend?),
        (None, Some((namespace, service))) => Some(self::backend(case, namespace, service)?),
        (None, None) => None,
    };
    let at = match (&service, &outage.host) {
        (Some((namespace, service)), _) => text![" (Service ", name(format!("{namespace}/{service}")), ")"],
        (None, Some(host)) => text![" (", name(host.clone()), ")"],
        (None, None) => Text::default(),
    };
    let root = match (&holder, &backend) {
        (Some(holder), _) => holder.reference.clone(),
        (None, Some(backend)) => backend.reference.clone(),
        (None, None) => ObjectRef::virtual_("Webhook", &outage.webhook),
    };
    let held = holder.as_ref().map(|holder| {
        text![
            "It stands in ",
            kubewhy_text::own(holder.reference.kind.clone()),
            " ",
            name(holder.reference.name.clone()),
            " with failurePolicy ",
            code(holder.failure_policy.clone()),
            ": while it does not answer, nothing that it guards can be created."
        ]
    });
    let mut finding = refused
        .finding(case, Code::AdmissionWebhookUnavailable)
        .root(root)
        .title(text!["admission webhook ", name(outage.webhook.clone()), at, " ", short(outage, holder.as_ref())])
        .explain(text![
            refused.sentence(case),
            "The API server has to ask webhook ",
            name(outage.webhook.clone()),
            " first, and the call failed: ",
            quoted(outage.text.clone()),
            ". "
        ])
        .also(meaning(outage, holder.as_ref()));
    if let Some(backend) = backend {
        finding = finding.also(backend.sentence).evidence(backend.evidence);
        if backend.empty {
            finding = finding.explained_by(backend.reference.clone());
        }
        if !finding.root.as_ref().is_some_and(|root| root.is_same_object(&backend.reference)) {
            finding = finding.via(backend.reference);
        }
    }
    finding = finding.also(held).evidence(holder.as_ref().map(|holder| holder.evidence.clone()));
    finding = finding.fix(repair(case, outage, service.as_ref(), holder.as_ref()));
    Ok(finding.fix(bypass(case, outage, holder.as_ref())))
}

fn short(outage: &Outage, holder: Option<&Holder>) -> Text {
    match outage.fault {
        Transport::Refused => text!["refuses connections"],
        Transport::Timeout => match holder {
            Some(holder) => text!["does not answer in time (timeout ", holder.timeout, " s)"],
            None => text!["does not answer in time (timeout)"],
        },
        Transport::NoEndpoints => text!["has no endpoints: no pod of it is ready"],
        Transport::NoService => text!["cannot be called: its Service does not exist"],
        Transport::NoPort => text!["cannot be called: its Service has no such port"],
        Transport::UnknownAuthority => text!["has a certificate that the caBundle of its configuration does not match"],
        Transport::Expired => text!["has an expired certificate"],
        Transport::WrongName => text!["has a certificate for another name"],
        Transport::Tls => text!["fails the TLS handshake"],
        Transport::Cut => text!["cuts the connection"],
        Transport::NoRoute => text!["cannot be reached: there is no route to it"],
        Transport::UnknownHost => text!["cannot be called: its host name does not resolve"],
        Transport::BadAnswer => text!["answers with an error"],
        Transport::Other => text!["cannot be called"],
    }
}

fn meaning(outage: &Outage, holder: Option<&Holder>) -> Option<Text> {
    Some(match outage.fault {
        Transport::Timeout => text![
            "Its pods are overloaded or hang, or a network policy or firewall drops what the control plane sends to them."
        ],
        Transport::UnknownAuthority if holder.is_some_and(|holder| !holder.has_bundle) => {
            text!["The configuration holds no caBundle, so the API server trusts only public authorities."]
        }
        Transport::UnknownAuthority => text![
            "The webhook's certificate was made anew without the configuration, or the other way round: the two no longer belong together."
        ],
        Transport::Expired => text!["Whatever renews it (cert-manager, the operator itself) has not done so."],
        Transport::WrongName => text![
            "It has to name ",
            code(outage.host.clone().unwrap_or_else(|| "the Service's host".to_owned())),
            " among its alternative names."
        ],
        Transport::Refused => {
            text!["Its pod is up without listening there, is starting, or a leftover address is called."]
        }
        _ => return None,
    })
}

/// The Service and its endpoints.
fn backend(case: &Case<'_>, namespace: &str, service: &str) -> Result<Backend, Needs> {
    let reference = ObjectRef::new(Kind::Service, Some(namespace), service);
    let read = case.get::<Service>(Some(namespace), service);
    let labels = BTreeMap::from([("kubernetes.io/service-name".to_owned(), service.to_owned())]);
    let slices = case.list::<EndpointSlice>(Some(namespace), Filter::Labels(Selector::labels(&labels)));
    let (read, slices) = (read?, slices?);
    let known = match read {
        Read::Found(known) => known,
        Read::Absent => {
            let sentence = text!["Service ", name(reference.path()), " does not exist."];
            let evidence = Evidence::field(&reference, ".metadata", "does not exist");
            return Ok(Backend { reference, sentence, evidence: Some(evidence), empty: false });
        }
        Read::Unreadable => return Ok(Backend { reference, sentence: Text::default(), evidence: None, empty: false }),
    };
    let Read::Found(slices) = slices else {
        return Ok(Backend { reference, sentence: Text::default(), evidence: None, empty: false });
    };
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
    let is_ready = |ready: Option<bool>| ready.unwrap_or(true);
    let ready = endpoints
        .filter(|it| is_ready(it.conditions.as_ref().and_then(|it| it.ready)))
        .map(|it| it.addresses.len())
        .sum::<usize>();
    let evidence = Some(Evidence::field(&reference, " EndpointSlices", format!("{ready} ready endpoints")));
    if ready > 0 {
        let sentence = text![
            "Service ",
            name(reference.path()),
            " has ",
            ready,
            if ready == 1 { " ready endpoint." } else { " ready endpoints." }
        ];
        return Ok(Backend { reference, sentence, evidence, empty: false });
    }
    let selector = known.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
    let mut sentence = text!["Service ", name(reference.path()), " has no ready endpoint"];
    if !selector.is_empty() {
        sentence.push(behind(case, namespace, &selector)?);
    }
    sentence.push(".");
    Ok(Backend { reference, sentence, evidence, empty: true })
}

/// Which pods stand behind the selector.
fn behind(case: &Case<'_>, namespace: &str, selector: &BTreeMap<String, String>) -> Result<Option<Text>, Needs> {
    let selector = Selector::labels(selector);
    let Read::Found(all) = case.list::<Pod>(Some(namespace), Filter::Labels(selector.clone()))? else {
        return Ok(None);
    };
    if all.is_empty() {
        return Ok(Some(text![": no pod has its labels (", code(selector.to_string()), ")"]));
    }
    let sick: Vec<String> =
        all.iter().filter(|pod| !pods::is_true(pod, "Ready")).filter_map(|pod| pod.metadata.name.clone()).collect();
    Ok((!sick.is_empty()).then(|| text![": not ready are its pods ", Text::names(sick, 3)]))
}

fn repair(case: &Case<'_>, outage: &Outage, service: Option<&(String, String)>, holder: Option<&Holder>) -> Fix {
    let title = match outage.fault {
        Transport::UnknownAuthority => {
            text![
                "put the authority that signed the webhook's certificate into ",
                code("caBundle"),
                " of the configuration, or make the certificate anew"
            ]
        }
        Transport::Expired | Transport::WrongName | Transport::Tls => {
            text!["make the webhook's certificate anew, with ", code("caBundle"), " of the configuration"]
        }
        Transport::NoService => text!["bring the webhook's Service back, or delete the leftover webhook configuration"],
        _ => text!["bring the webhook back: look at the pods behind its Service"],
    };
    let mut fix = Fix::safe(title);
    if let Some((namespace, service)) = service {
        fix = fix.command(case.kubectl_in(namespace, ["get", "service,endpointslices,pods", "-o", "wide"]));
        if !matches!(outage.fault, Transport::NoService) {
            fix = fix.command(case.kubectl_in(namespace, ["describe", "service", service]));
        }
    }
    let certificate = matches!(
        outage.fault,
        Transport::UnknownAuthority | Transport::Expired | Transport::WrongName | Transport::Tls
    );
    if let Some(holder) = holder.filter(|_| certificate || service.is_none()) {
        let kind = holder.reference.kind.to_ascii_lowercase();
        fix = fix.command(case.kubectl_cluster(["get", &kind, &holder.reference.name, "-o", "yaml"]));
    }
    if fix.commands.is_empty() {
        fix =
            fix.command(case.kubectl_cluster(["get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"]));
    }
    fix
}

/// Lets objects through without the check, for the time being.
fn bypass(case: &Case<'_>, outage: &Outage, holder: Option<&Holder>) -> Fix {
    let title = text![
        "until then let objects through without this check (failurePolicy Ignore): what webhook ",
        name(outage.webhook.clone()),
        " protects is not protected meanwhile"
    ];
    let Some(holder) = holder else {
        return Fix::disruptive(title)
            .command(case.kubectl_cluster(["get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"]));
    };
    let path = format!("/webhooks/{}/failurePolicy", holder.index);
    let body = json!([{"op": "add", "path": path, "value": "Ignore"}]).to_string();
    let kind = holder.reference.kind.to_ascii_lowercase();
    Fix::disruptive(title).command(case.kubectl_cluster([
        "patch",
        &kind,
        &holder.reference.name,
        "--type",
        "json",
        "-p",
        &body,
    ]))
}
