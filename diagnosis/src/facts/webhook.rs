//! Which configuration holds an admission webhook.

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};

use crate::ask::Filter;
use crate::case::Case;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

/// A configuration with the webhook that was asked.
pub(crate) struct Holder {
    pub(crate) reference: ObjectRef,
    pub(crate) evidence: Evidence,
    /// The place of the webhook in its list.
    pub(crate) index: usize,
    pub(crate) failure_policy: String,
    pub(crate) timeout: i32,
    /// The Service as namespace and name.
    pub(crate) service: Option<(String, String)>,
    pub(crate) has_bundle: bool,
}

/// The configuration that holds the webhook of that name; `None` where it is gone or cannot be read.
pub(crate) fn holder(case: &Case<'_>, webhook: &str) -> Result<Option<Holder>, Needs> {
    let validating = case.list::<ValidatingWebhookConfiguration>(None, Filter::All);
    let mutating = case.list::<MutatingWebhookConfiguration>(None, Filter::All);
    let (validating, mutating) = (validating?.found().unwrap_or_default(), mutating?.found().unwrap_or_default());
    for configuration in &validating {
        let mut hooks = configuration.webhooks.iter().flatten().enumerate();
        if let Some((index, hook)) = hooks.find(|(_, hook)| hook.name == webhook) {
            let name = configuration.metadata.name.as_deref().unwrap_or_default();
            let reference = ObjectRef::new(Kind::ValidatingWebhookConfiguration, None, name);
            let policy = hook.failure_policy.as_deref();
            return Ok(Some(of(reference, index, &hook.client_config, policy, hook.timeout_seconds)));
        }
    }
    for configuration in &mutating {
        let mut hooks = configuration.webhooks.iter().flatten().enumerate();
        if let Some((index, hook)) = hooks.find(|(_, hook)| hook.name == webhook) {
            let name = configuration.metadata.name.as_deref().unwrap_or_default();
            let reference = ObjectRef::new(Kind::MutatingWebhookConfiguration, None, name);
            let policy = hook.failure_policy.as_deref();
            return Ok(Some(of(reference, index, &hook.client_config, policy, hook.timeout_seconds)));
        }
    }
    Ok(None)
}

fn of(
    reference: ObjectRef,
    index: usize,
    client: &WebhookClientConfig,
    policy: Option<&str>,
    timeout: Option<i32>,
) -> Holder {
    let failure_policy = policy.unwrap_or("Fail").to_owned();
    let timeout = timeout.unwrap_or(10);
    let service = client.service.as_ref().map(|service| (service.namespace.clone(), service.name.clone()));
    let to = service.as_ref().map_or_else(
        || client.url.clone().unwrap_or_default(),
        |(namespace, name)| format!("Service {namespace}/{name}"),
    );
    let text = format!("failurePolicy {failure_policy}, timeoutSeconds {timeout}, calls {to}");
    let evidence = Evidence::field(&reference, &format!(".webhooks[{index}]"), text);
    let has_bundle = client.ca_bundle.as_ref().is_some_and(|bundle| !bundle.0.is_empty());
    Holder { reference, evidence, index, failure_policy, timeout, service, has_bundle }
}
