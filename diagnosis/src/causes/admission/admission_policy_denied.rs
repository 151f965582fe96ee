//! `admission-policy-denied`.

use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::demands;
use crate::facts::refusal::{self, Refused};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::refusal::Why;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A `ValidatingAdmissionPolicy` (rules in CEL, evaluated by the API server itself) does not let the pod through.
    /// ## Signals
    /// `FailedCreate` or `ReplicaFailure` with `ValidatingAdmissionPolicy 'P' with binding 'B' denied request: MESSAGE`;
    /// without a message of its own `failed expression: CEL`; a broken policy: `failed to configure policy: ...`.
    /// ## Look-alikes
    /// `admission-webhook-denied`: an engine outside the API server (Kyverno, Gatekeeper) said no.
    /// `pod-security-violation`: the built-in Pod Security levels. A binding with action Warn refuses nothing.
    /// ## Fixes
    /// Change what the message names in the template; where the rule is wrong, change the policy or its binding.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go;
    /// <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>
    AdmissionPolicyDenied, stage Admission, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for refused in refusal::of(case)? {
        if let Why::Policy { policy, binding, message } = &refused.why {
            found.push(explain(case, &refused, policy, binding.as_deref(), message)?);
        }
    }
    Ok(found)
}

fn explain(
    case: &Case<'_>,
    refused: &Refused,
    policy: &str,
    binding: Option<&str>,
    message: &str,
) -> Result<Finding, Needs> {
    let read = case.get::<ValidatingAdmissionPolicy>(None, policy);
    let bound = binding.map(|binding| case.get::<ValidatingAdmissionPolicyBinding>(None, binding));
    let owner = refusal::owner(case)?;
    let read = read?.found();
    let bound = bound.transpose()?.and_then(crate::reader::Read::found);
    let reference = ObjectRef::new(Kind::ValidatingAdmissionPolicy, None, policy);
    let broken = message.starts_with("failed to configure");
    let expression = message.strip_prefix("failed expression: ").map(str::to_owned);
    let validations =
        read.iter().flat_map(|policy| policy.spec.iter().flat_map(|spec| spec.validations.iter().flatten()));
    let rule = validations
        .filter(|rule| {
            rule.message.as_deref().is_some_and(|said| said.trim() == message)
                || expression.as_deref().is_some_and(|expression| rule.expression.trim() == expression.trim())
        })
        .map(|rule| rule.expression.clone())
        .next();
    let given = if broken { Vec::new() } else { demands::fixes(case, &owner, &[message], rule.as_deref()) };
    let rule = rule.map(|rule| Evidence::field(&reference, ".spec.validations[].expression", rule));
    let parameters =
        bound.and_then(|binding| binding.spec.as_ref().and_then(|spec| spec.param_ref.clone())).and_then(|it| it.name);
    let by = binding.map(|binding| text![" through binding ", name(binding)]);
    let says = if broken {
        text![
            "The policy itself is broken: ",
            quoted(message),
            ". Until it is repaired it refuses all that it matches."
        ]
    } else {
        text!["Its rule says ", quoted(message), "."]
    };
    let repair = given.is_empty().then(|| {
        Fix::disruptive(text!["change the template so that it keeps the rule ", quoted(message)])
            .commands(refusal::edit(case, &owner))
    });
    let mut look = Fix::safe(text![
        "read the rule; where it is wrong, change it or its binding (",
        code("validationActions: [Warn]"),
        " lets the pods through with a warning)"
    ])
    .command(case.kubectl_cluster(["get", "validatingadmissionpolicy", policy, "-o", "yaml"]));
    if let Some(binding) = binding {
        look = look.command(case.kubectl_cluster(["edit", "validatingadmissionpolicybinding", binding]));
    }
    let mut finding = refused
        .finding(case, Code::AdmissionPolicyDenied)
        .title(text!["ValidatingAdmissionPolicy ", name(policy), " refuses the pods: ", quoted(message)])
        .explain(text![
            refused.sentence(case),
            "ValidatingAdmissionPolicy ",
            name(policy),
            by,
            " does not let them through. "
        ])
        .also(says)
        .also(parameters.map(|name_| -> Text { text!["Its parameters stand in ", name(name_), "."] }))
        .evidence(rule);
    finding = if broken {
        finding.root(reference).fix(look)
    } else {
        given.into_iter().fold(finding, Finding::fix).fix(repair).fix(look)
    };
    Ok(finding)
}
