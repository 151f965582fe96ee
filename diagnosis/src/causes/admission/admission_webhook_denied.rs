//! `admission-webhook-denied`.

use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::demands;
use crate::facts::refusal::{self, Refused};
use crate::facts::webhook;
use crate::finding::{Finding, Fix};
use crate::parse::refusal::{Denial, Why};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// An admission webhook (a policy engine such as Kyverno or Gatekeeper, a service mesh, an operator) was asked about the
    /// pod and said no. The pod is never made.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `admission webhook "NAME" denied the request: MESSAGE`, or
    /// `... denied the request without explanation`; Kyverno lists policies and rules, Gatekeeper `[constraint] text`.
    /// ## Look-alikes
    /// `admission-webhook-unavailable`: the webhook could not be asked. `admission-policy-denied`: a
    /// ValidatingAdmissionPolicy, no webhook. `pod-security-violation`: built-in Pod Security.
    /// ## Fixes
    /// Change what the message names in the template; where the rule is wrong, change the policy or except the namespace.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go;
    /// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>
    AdmissionWebhookDenied, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::WebhookDenied(denial) = &refused.why {
            found.push(explain(case, &refused, denial)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, refused: &Refused, denial: &Denial) -> Result<Finding, Needs> {
    let holder = webhook::holder(case, &denial.webhook);
    let owner = refusal::owner(case)?;
    let holder = holder?;
    let engine = engine(&denial.webhook);
    let first = denial.rules.first();
    let mut explanation = refused.sentence(case);
    explanation.push(text!["Webhook ", name(denial.webhook.clone())]);
    if let Some(holder) = &holder {
        explanation.push(text![
            " (",
            kubewhy_text::own(holder.reference.kind.clone()),
            " ",
            name(holder.reference.name.clone()),
            ")"
        ]);
    }
    explanation.push(if engine.is_some() { ", a policy engine," } else { "" });
    explanation.push(" was asked and said no. ");
    for rule in denial.rules.iter().take(4) {
        explanation.push(text!["Policy ", name(rule.policy.clone())]);
        explanation.push(rule.rule.as_ref().map(|rule| text![", rule ", name(rule.clone())]));
        explanation.push(text![": ", quoted(rule.text.clone()), ". "]);
    }
    if denial.rules.is_empty() {
        explanation.push(match denial.message.as_str() {
            "" => text!["It gave no reason."],
            message => text!["It says ", quoted(message), "."],
        });
    }
    let title = match first {
        Some(rule) => text!["policy ", name(rule.policy.clone()), " refuses the pods: ", quoted(rule.text.clone())],
        None if denial.message.is_empty() => {
            text!["admission webhook ", name(denial.webhook.clone()), " refuses the pods without a reason"]
        }
        None => text![
            "admission webhook ",
            name(denial.webhook.clone()),
            " refuses the pods: ",
            quoted(denial.message.clone())
        ],
    };
    let said: Vec<&str> = match denial.rules.as_slice() {
        [] => vec![denial.message.as_str()],
        rules => rules.iter().map(|rule| rule.text.as_str()).collect(),
    };
    let given = demands::fixes(case, &owner, &said, None);
    // What was not understood is left to the person, in the policy's own words.
    let repair = given.is_empty().then(|| {
        let what = said.first().filter(|words| !words.is_empty()).map(|words| text![": ", quoted(*words)]);
        Fix::disruptive(text!["change in the template what the message names", what])
            .commands(refusal::edit(case, &owner))
    });
    let mut look = Fix::safe(match engine {
        Some(_) => text!["read the policy; where it is wrong, change it or except this namespace"],
        None => text!["read what the webhook guards, and ask its owner where the refusal is wrong"],
    });
    let names: Vec<&str> = denial.rules.iter().map(|rule| rule.policy.as_str()).collect();
    for command in commands(case, engine, &names) {
        look = look.command(command);
    }
    if let Some(holder) = &holder {
        let kind = holder.reference.kind.to_ascii_lowercase();
        look = look.command(case.kubectl_cluster(["get", &kind, &holder.reference.name, "-o", "yaml"]));
    } else if look.commands.is_empty() {
        let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
        look = look.command(case.kubectl_cluster(["get", kinds]));
    }
    let finding = refused.finding(case, Code::AdmissionWebhookDenied).title(title).explain(explanation);
    let finding = finding.evidence(holder.map(|holder| holder.evidence));
    Ok(given.into_iter().fold(finding, Finding::fix).fix(repair).fix(look))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Kyverno,
    Gatekeeper,
    Other,
}

fn engine(webhook: &str) -> Option<Engine> {
    [
        ("kyverno", Engine::Kyverno),
        ("gatekeeper", Engine::Gatekeeper),
        ("kubewarden", Engine::Other),
        ("polaris", Engine::Other),
        ("datree", Engine::Other),
        ("openpolicyagent", Engine::Other),
        ("ImagePolicyWebhook", Engine::Other),
    ]
    .iter()
    .find(|(part, _)| webhook.contains(part))
    .map(|(_, engine)| *engine)
}

fn commands(case: &Case<'_>, engine: Option<Engine>, policies: &[&str]) -> Vec<String> {
    match engine {
        Some(Engine::Kyverno) => {
            let mut all: Vec<String> = policies
                .iter()
                .take(3)
                .map(|policy| case.kubectl_cluster(["get", "clusterpolicy", policy, "-o", "yaml"]))
                .collect();
            all.push(case.kubectl(["get", "policies.kyverno.io"]));
            all
        }
        Some(Engine::Gatekeeper) => vec![case.kubectl_cluster(["get", "constraints"])],
        Some(Engine::Other) | None => Vec::new(),
    }
}
