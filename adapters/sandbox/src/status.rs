//! The `Status` objects with which an API server refuses: codes, reasons, messages and details as Kubernetes words them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// A refusal (or, rarely, a success without an object) as the `Status` of `meta/v1`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason, such as `NotFound`.
    pub reason: Cow<'static, str>,
    /// The sentence people read.
    pub message: String,
    /// What the refusal is about.
    pub details: Option<Box<Details>>,
    /// The `continue` token in the metadata, which only an expired page has.
    pub continue_token: Option<String>,
}

/// What a [`Status`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The object's name.
    pub name: String,
    /// The object's API group.
    pub group: String,
    /// The plural of the resource or, where Kubernetes does so, its kind.
    pub kind: String,
    /// The object's UID.
    pub uid: String,
    /// The single causes.
    pub causes: Vec<Cause>,
    /// After how many seconds asking again makes sense; 0 is not shown.
    pub retry_after_seconds: u32,
}

/// One cause among a [`Status`]' details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The machine-readable cause, such as `FieldValueInvalid`.
    pub reason: Cow<'static, str>,
    /// The sentence people read.
    pub message: String,
    /// The path of the field, where it is one field.
    pub field: String,
}

impl Cause {
    /// A value that does not fit, with the value as it was sent.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid".into(),
            message: format!("Invalid value: {}: {detail}", shown(value)),
            field: field.into(),
        }
    }

    /// A value that must be there and is not.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired".into(), message, field: field.into() }
    }

    /// A value that must not be set here.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueForbidden".into(), message: format!("Forbidden: {detail}"), field: field.into() }
    }

    /// A value outside a closed set.
    pub fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|one| format!("\"{one}\"")).collect();
        Self {
            reason: "FieldValueNotSupported".into(),
            message: format!("Unsupported value: {}: supported values: {}", shown(value), supported.join(", ")),
            field: field.into(),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

/// Writes a resource as Kubernetes' messages do: `pods`, `deployments.apps`.
pub fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

impl Status {
    /// Makes a refusal without details.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), message: message.into(), details: None, continue_token: None }
    }

    /// Adds what the refusal is about.
    #[must_use]
    pub fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        let details = self.details.get_or_insert_default();
        group.clone_into(&mut details.group);
        kind.clone_into(&mut details.kind);
        name.clone_into(&mut details.name);
        self
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// Adds after how many seconds asking again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 403: not allowed, for the reason given; without a name it is about the whole resource.
    pub fn forbidden(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let resource = qualified(group, plural);
        let message = match (plural, name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{resource} is forbidden: {why}"),
            _ => format!("{resource} \"{name}\" is forbidden: {why}"),
        };
        Self::new(403, "Forbidden", message).about(group, plural, name)
    }

    /// 404: there is no such object.
    pub fn not_found(group: &str, plural: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", qualified(group, plural));
        Self::new(404, "NotFound", message).about(group, plural, name)
    }

    /// 404: there is no such path. Served as plain text, as an API server does.
    pub fn no_such_path() -> Self {
        Self::new(404, "", "404 page not found")
    }

    /// 404: the group is served, and this is nothing in it.
    pub fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").about("", "", "")
    }

    /// 405: the path is served, and not for this.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).about("", "", "")
    }

    /// 405: the resource has no such verb.
    pub fn method_not_supported(group: &str, plural: &str, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind \"{}\"", qualified(group, plural));
        Self::new(405, "MethodNotAllowed", message).about(group, plural, "")
    }

    /// 406: none of the media types the client accepts is spoken here.
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json";
        Self::new(406, "NotAcceptable", message)
    }

    /// 409: the name is taken by an object that is on its way out.
    pub fn still_exists(group: &str, plural: &str, name: &str) -> Self {
        let mut status = Self::already_exists(group, plural, name);
        status.message.insert_str(0, "object is being deleted: ");
        status
    }

    /// 409: the name is taken.
    pub fn already_exists(group: &str, plural: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", qualified(group, plural));
        Self::new(409, "AlreadyExists", message).about(group, plural, name)
    }

    /// 409: a precondition does not hold.
    pub fn conflict(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", qualified(group, plural));
        Self::new(409, "Conflict", message).about(group, plural, name)
    }

    /// 409: the object was changed since the version the writer knows.
    pub fn modified(group: &str, plural: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(group, plural, name, why)
    }

    /// 410: the version asked for is no longer kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 410: a resource version older than what is kept.
    pub fn too_old(asked: u64, oldest: u64) -> Self {
        Self::expired(format!("too old resource version: {asked} ({oldest})"))
    }

    /// 504: a resource version the server has not reached.
    pub fn too_large(asked: u64, current: u64) -> Self {
        Self::new(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}"))
            .because(Cause {
                reason: "ResourceVersionTooLarge".into(),
                message: "Too large resource version".to_owned(),
                field: String::new(),
            })
            .retry_after(1)
    }

    /// 415: the body's media type is not spoken here.
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 422: the object breaks the rules of its kind.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let mut sentences: Vec<String> = Vec::new();
        for sentence in causes.iter().map(|one| format!("{}: {}", one.field, one.message)) {
            // A cause that was found twice is told once.
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        let why = match sentences.as_slice() {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {why}", qualified(group, kind));
        let mut status = Self::new(422, "Invalid", message).about(group, kind, name);
        status.details.get_or_insert_default().causes = causes;
        status
    }

    /// 429: later.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        let status = Self::new(429, "TooManyRequests", message);
        if retry_after_seconds == 0 { status } else { status.retry_after(retry_after_seconds) }
    }

    /// 500: the server failed.
    pub fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let cause = Cause { message: message.clone(), ..Cause::default() };
        Self::new(500, "InternalError", format!("Internal error occurred: {message}")).because(cause)
    }

    /// A `Status` as a server sends it after an uneventful deletion.
    pub fn success(group: &str, plural: &str, name: &str, uid: &str) -> Value {
        let mut details = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", plural), ("uid", uid)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.into());
            }
        }
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
    }

    /// The JSON a client receives.
    pub fn to_value(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".to_owned(), token.as_str().into());
        }
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata,
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        let Value::Object(fields) = &mut status else { return status };
        if !self.reason.is_empty() {
            fields.insert("reason".to_owned(), self.reason.as_ref().into());
        }
        if let Some(details) = &self.details {
            fields.insert("details".to_owned(), details.to_value());
        }
        status
    }
}

impl Details {
    fn to_value(&self) -> Value {
        let Self { name, group, kind, uid, causes, retry_after_seconds } = self;
        let mut fields = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", kind), ("uid", uid)] {
            if !value.is_empty() {
                fields.insert(key.to_owned(), value.as_str().into());
            }
        }
        if !causes.is_empty() {
            fields.insert("causes".to_owned(), causes.iter().map(Cause::to_value).collect());
        }
        if *retry_after_seconds > 0 {
            fields.insert("retryAfterSeconds".to_owned(), (*retry_after_seconds).into());
        }
        Value::Object(fields)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let Self { reason, message, field } = self;
        let mut fields = Map::new();
        for (key, value) in [("reason", reason.as_ref()), ("message", message), ("field", field)] {
            if !value.is_empty() {
                fields.insert(key.to_owned(), value.into());
            }
        }
        Value::Object(fields)
    }
}
