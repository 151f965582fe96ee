//! Pages of a list: the token that names the next one.

use serde_json::{Value, json};

use crate::status::Status;

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The revision of the first page; `None` after that one expired and the client goes on regardless.
    pub(super) revision: Option<u64>,
    /// Namespace and name of the last object of the page before.
    pub(super) after: (String, String),
}

impl Start {
    /// Makes the token. Its form is nobody's business but the server's.
    pub(super) fn encode(&self) -> String {
        let revision = self.revision.map_or(json!(-1), Value::from);
        let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": [self.after.0, self.after.1]});
        token.to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a token.
    ///
    /// # Errors
    /// 400 for what never was one.
    pub(super) fn decode(token: &str) -> Result<Self, Status> {
        let wrong = |why: &str| Status::bad_request(format!("invalid continue token: continue key is not valid{why}"));
        let digits: Option<Vec<u32>> = token.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len().is_multiple_of(2)).ok_or_else(|| wrong(""))?;
        let bytes = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |high, low| high * 16 + low));
        let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| wrong(""))?;
        if token.get("v").and_then(Value::as_str) != Some("meta.k8s.io/v1") {
            return Err(wrong(": server does not recognize this encoded version"));
        }
        let part = |at: &str| token.pointer(at).and_then(Value::as_str).map(ToOwned::to_owned);
        let (Some(namespace), Some(name)) = (part("/start/0"), part("/start/1")) else {
            return Err(wrong(": encoded start key empty (version meta.k8s.io/v1)"));
        };
        let revision = match token.get("rv").and_then(Value::as_i64) {
            Some(-1) => None,
            Some(revision) if revision > 0 => u64::try_from(revision).ok(),
            _ => return Err(wrong(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
        };
        Ok(Self { revision, after: (namespace, name) })
    }
}

/// The refusal for a page whose revision is no longer known, with a token to go on regardless.
pub(super) fn expired(start: &Start) -> Status {
    let mut status = Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    let regardless = Start { revision: None, after: start.after.clone() };
    status.continue_token = Some(regardless.encode());
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_page() {
        for revision in [Some(7), None] {
            let start = Start { revision, after: ("a".to_owned(), "b".to_owned()) };
            assert_eq!(Start::decode(&start.encode()).expect("a token"), start);
        }
    }

    #[test]
    fn what_never_was_a_token_is_refused() {
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        for token in [
            "x",
            "0",
            "zz",
            "\u{e4}",
            &hex("{}"),
            &hex("[1]"),
            &hex(r#"{"v":"meta.k8s.io/v1","rv":0,"start":["a","b"]}"#),
        ] {
            assert_eq!(Start::decode(token).expect_err(token).code, 400, "{token}");
        }
    }
}
