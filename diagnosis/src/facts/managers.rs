//! Who set a field, and when: what managed fields tell.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Who set a field.
pub(crate) struct Setter {
    /// The field manager: `kubectl-scale`, `helm`, `keda`, `argocd-controller`.
    pub(crate) who: String,
    /// When.
    pub(crate) at: Option<Timestamp>,
}

/// Who set a field last, by its path in managed fields: `["f:spec", "f:replicas"]`.
pub(crate) fn of_field(meta: &ObjectMeta, path: &[&str]) -> Option<Setter> {
    let entries = meta.managed_fields.iter().flatten().filter(|entry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        fields.and_then(|fields| path.iter().try_fold(fields, |value, key| value.get(key))).is_some()
    });
    let newest = entries.max_by_key(|entry| entry.time.as_ref().map(|time| time.0))?;
    Some(Setter {
        who: newest.manager.clone().unwrap_or_else(|| "an unnamed client".to_owned()),
        at: newest.time.as_ref().map(|time| time.0),
    })
}
