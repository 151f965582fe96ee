//! Causes of the stage "admission".

pub(crate) mod admission_policy_denied;
pub(crate) mod admission_webhook_denied;
pub(crate) mod admission_webhook_unavailable;
pub(crate) mod api_version_removed;
pub(crate) mod invalid_pod_spec;
pub(crate) mod limit_range_violated;
pub(crate) mod pod_security_violation;
pub(crate) mod priority_class_missing;
pub(crate) mod quota_exceeded;
pub(crate) mod quota_requires_requests;
pub(crate) mod rbac_forbidden;
pub(crate) mod runtime_class_missing;
pub(crate) mod service_account_missing;
pub(crate) mod spec_field_ignored;
