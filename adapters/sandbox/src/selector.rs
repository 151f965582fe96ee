//! Which objects a request selects: by labels and by fields.

mod fields;
mod labels;

use serde_json::Value;

use crate::call::Query;
use crate::resources::Resource;
use crate::status::Status;

pub(crate) use labels::Labels;

/// Labels and fields of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Labels,
    fields: fields::Fields,
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    /// 400 for what cannot be read and for fields that the kind cannot be selected by.
    pub(crate) fn of(resource: &Resource, query: &Query) -> Result<Self, Status> {
        let labels = Labels::parse(query.get("labelSelector")).map_err(Status::bad_request)?;
        let fields = fields::Fields::parse(resource, query.get("fieldSelector")).map_err(Status::bad_request)?;
        Ok(Self { labels, fields })
    }

    /// Whether everything is selected.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// Whether an object, in the version that is kept, is selected.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.fields.matches(object) && self.labels.matches(object.pointer("/metadata/labels"))
    }
}
