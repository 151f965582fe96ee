//! Pages of a list: the token that names the next one.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::status::Status;

/// The version of the token's form.
const VERSION: &str = "meta.k8s.io/v1";

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The revision of the first page; `None` after that one expired and the client goes on regardless.
    pub(super) revision: Option<u64>,
    /// Namespace and name of the last object of the page before.
    pub(super) after: (String, String),
}

impl Start {
    /// Makes the token, in the form of a real server: the key of the object behind the page, below the collection's.
    pub(super) fn encode(&self, namespace: Option<&str>) -> String {
        let revision = self.revision.map_or(json!(-1), Value::from);
        let (of, name) = &self.after;
        let start = if namespace.is_some() || of.is_empty() { format!("{name}\0") } else { format!("{of}/{name}\0") };
        URL_SAFE_NO_PAD.encode(json!({"v": VERSION, "rv": revision, "start": start}).to_string())
    }

    /// Reads a token.
    ///
    /// # Errors
    /// 400 for what never was one.
    pub(super) fn decode(token: &str, namespace: Option<&str>) -> Result<Self, Status> {
        let wrong = |why: &str| Status::bad_request(format!("invalid continue token: continue key is not valid{why}"));
        let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| wrong(""))?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| wrong(""))?;
        if token.get("v").and_then(Value::as_str) != Some(VERSION) {
            return Err(wrong(": server does not recognize this encoded version "));
        }
        let start = token.get("start").and_then(Value::as_str).unwrap_or_default();
        if start.is_empty() {
            return Err(wrong(": encoded start key empty (version meta.k8s.io/v1)"));
        }
        let start = start.trim_end_matches('\0').trim_start_matches('/');
        let (of, name) = start.split_once('/').unwrap_or((namespace.unwrap_or_default(), start));
        let revision = match token.get("rv").and_then(Value::as_i64) {
            Some(-1) => None,
            Some(revision) if revision > 0 => u64::try_from(revision).ok(),
            _ => return Err(wrong(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
        };
        Ok(Self { revision, after: (of.to_owned(), name.to_owned()) })
    }
}

/// The refusal for a page whose revision is no longer known, with a token to go on regardless.
pub(super) fn expired(start: &Start, namespace: Option<&str>) -> Status {
    let mut status = Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    let regardless = Start { revision: None, after: start.after.clone() };
    status.continue_token = Some(regardless.encode(namespace));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_page() {
        for (revision, namespace, after) in
            [(Some(7), None, ("a", "b")), (None, Some("a"), ("a", "b")), (Some(7), None, ("", "node"))]
        {
            let start = Start { revision, after: (after.0.to_owned(), after.1.to_owned()) };
            assert_eq!(Start::decode(&start.encode(namespace), namespace).expect("a token"), start);
        }
    }

    #[test]
    fn what_never_was_a_token_is_refused() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for token in [
            "x",
            "0",
            "zz",
            "\u{e4}",
            &encode("{}"),
            &encode("[1]"),
            &encode(r#"{"v":"meta.k8s.io/v1","rv":5}"#),
            &encode(r#"{"v":"meta.k8s.io/v1","rv":0,"start":"a"}"#),
        ] {
            assert_eq!(Start::decode(token, None).expect_err(token).code, 400, "{token}");
        }
    }
}
