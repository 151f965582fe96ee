//! The object in the body of a write.

use serde_json::{Value, error::Category};

use super::{Request, shape};
use crate::object::{as_map, meta, set_meta, text};
use crate::patch::type_name;
use crate::resources::Resource;
use crate::status::{Cause, Status};

/// Media types that a refusal names: a real server's, though the last is not understood here.
const ACCEPTED: [&str; 3] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// Reads a JSON or YAML body.
///
/// # Errors
/// 415 for another media type, 400 for what cannot be read.
pub(super) fn parse(request: &Request, kind: &str) -> Result<Value, Status> {
    let media_type = request.content_type.split(';').next().unwrap_or_default().trim();
    let read = match media_type {
        "" | "application/json" => serde_json::from_slice(&request.body).map_err(|error| match error.classify() {
            Category::Eof => "unexpected end of JSON input".to_owned(),
            _ => error.to_string(),
        }),
        "application/yaml" => serde_saphyr::from_slice(&request.body).map_err(|error| error.to_string()),
        _ => return Err(Status::unsupported_media_type(&ACCEPTED)),
    };
    let unrecognized = |why: &str| {
        let summary = summary(&request.body);
        Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({summary})"))
    };
    match read {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(other) => {
            let found = type_name(&other);
            Err(unrecognized(&format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type \
                 struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                 \"json:\\\"kind,omitempty\\\"\" }}"
            )))
        }
        Err(why) => Err(unrecognized(&format!("couldn't get version/kind; json parse error: {why}"))),
    }
}

/// Reads an object of the request's own resource: right version, right kind, right types, right namespace.
///
/// # Errors
/// 400 where it is something else.
pub(super) fn object(request: &Request) -> Result<Value, Status> {
    let resource = &request.resource;
    let mut object = parse(request, &resource.kind)?;
    check_kind(resource, &mut object, &request.body)?;
    super::fields::check(request, &mut object)?;
    shape::check(resource, &object)?;
    place(request, &mut object)?;
    Ok(object)
}

/// Refuses objects of another kind, and says the kind where the body does not.
pub(super) fn check_kind(resource: &Resource, object: &mut Value, body: &[u8]) -> Result<(), Status> {
    let (wanted, kind) = (resource.api_version(), text(object, "/kind").to_owned());
    let version = text(object, "/apiVersion").to_owned();
    if kind.is_empty() && resource.custom.is_some() {
        let (text, summary) = (String::from_utf8_lossy(body), summary(body));
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{text}' ({summary})",
            resource.kind
        )));
    }
    if kind != resource.kind && resource.custom.is_some() {
        let cause = Cause::invalid("kind", &kind.as_str().into(), &format!("must be {}", resource.kind));
        return Err(Status::invalid(&resource.group, &kind, meta(object, "name"), vec![cause]));
    }
    if !kind.is_empty() && kind != resource.kind {
        let short = version.rsplit('/').next().unwrap_or_default();
        return Err(another_kind(&resource.group, &resource.kind, &kind, short));
    }
    if !version.is_empty() && version != wanted {
        if resource.custom.is_some() {
            return Err(Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({wanted})"
            )));
        }
        let short = version.rsplit('/').next().unwrap_or_default();
        return Err(Status::bad_request(format!(
            "{kind} in version \"{short}\" cannot be handled as a {kind}: no kind \"{kind}\" is registered for version \
             \"{version}\" in scheme \"pkg/runtime/scheme.go:110\""
        )));
    }
    let fields = as_map(object);
    fields.insert("apiVersion".to_owned(), wanted.into());
    fields.insert("kind".to_owned(), resource.kind.as_ref().into());
    Ok(())
}

/// The refusal for an object of a built-in kind where another is wanted.
fn another_kind(group: &str, wanted: &str, kind: &str, version: &str) -> Status {
    let internal = match group.split('.').next() {
        Some("") | None => "core",
        Some(group) => group,
    };
    Status::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {wanted}: converting ({version}.{kind}) to \
         ({internal}.{wanted}): unknown conversion"
    ))
}

/// Refuses another kind than the one that a subresource takes; none said is fine.
///
/// # Errors
/// 400 in the words of a conversion.
pub(super) fn check_posted(object: &Value, group: &str, wanted: &str) -> Result<(), Status> {
    let (kind, version) = (text(object, "/kind"), text(object, "/apiVersion"));
    if kind.is_empty() || kind == wanted {
        return Ok(());
    }
    Err(another_kind(group, wanted, kind, version.rsplit('/').next().unwrap_or_default()))
}

/// Gives an object the namespace of the path.
pub(super) fn place(request: &Request, object: &mut Value) -> Result<(), Status> {
    let wanted = request.namespace().unwrap_or_default();
    let found = meta(object, "namespace");
    if !found.is_empty() && !wanted.is_empty() && found != wanted {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message));
    }
    set_meta(object, "namespace", wanted);
    Ok(())
}

/// The beginning of a body, as refusals show it.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let start = body.get(..SHOWN).unwrap_or(body);
    let more = if body.len() > SHOWN { " ..." } else { "" };
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(start)),
        Some(_) => {
            let digits: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}{more}", digits.concat())
        }
    }
}
