//! The form a client accepts: the object, its metadata only, or a table.

use crate::call::Query;
use crate::status::Status;
use crate::table::Include;

/// How objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are.
    Object,
    /// As `PartialObjectMetadata`.
    Metadata,
    /// As rows of a table.
    Table(Include),
}

/// The media types that a refusal names: a real server's, though only the first is written here.
const SPOKEN: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

impl Form {
    /// The first form of an `Accept` header that is spoken here.
    ///
    /// # Errors
    /// 406 where none is, 400 for a table with an unknown `includeObject`.
    pub(crate) fn of(accept: &str, query: &Query, collection: bool) -> Result<Self, Status> {
        if accept.trim().is_empty() {
            return Ok(Self::Object);
        }
        let mut spoken = false;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "*/*" | "text/plain") {
                continue;
            }
            spoken = true;
            let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
            let parameter =
                |name: &str| parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value);
            let meta = parameter("g") == "meta.k8s.io" && parameter("v") == "v1";
            match parameter("as") {
                "" => return Ok(Self::Object),
                "Table" if meta => return Ok(Self::Table(Include::parse(query.get("includeObject"))?)),
                "PartialObjectMetadataList" if meta && collection => return Ok(Self::Metadata),
                "PartialObjectMetadata" if meta && (!collection || query.flag("watch")) => return Ok(Self::Metadata),
                _ => {}
            }
        }
        if spoken {
            let message = format!("only the following media types are accepted: {SPOKEN}");
            return Err(Status::new(406, "NotAcceptable", message));
        }
        let message = format!("406: Not Acceptable\n\nAvailable representations: {SPOKEN}");
        Err(Status::new(406, "NotAcceptable", message).about("", "", ""))
    }
}
