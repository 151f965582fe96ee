//! A message as a bot sends it: parsed, and checked against every limit.

use serde_json::Value;

use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::state::message::{COMPONENTS_V2, SETTABLE};
use crate::validate::component::components;
use crate::validate::embed::{self, embeds};
use crate::validate::{at, flag, list, number};

/// A file of a request.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// The `n` of `files[n]`.
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// What a bot wants a message to be; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) content: Option<String>,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Vec<Value>>,
    /// `attachments` of the body: names of new files, and which old ones stay.
    pub(crate) described: Option<Vec<Value>>,
    pub(crate) files: Vec<File>,
    pub(crate) flags: Option<u64>,
    pub(crate) nonce: Option<Value>,
    pub(crate) enforce_nonce: bool,
    pub(crate) reference: Option<Id>,
    pub(crate) fail_without_reference: bool,
    pub(crate) allowed_mentions: Option<Value>,
    /// Somebody notified without being named: the author of the message this replies to.
    pub(crate) also_pings: Option<Id>,
}

impl Draft {
    /// Checks a body; `path` is where it stands in the request (`data` in callbacks).
    ///
    /// # Errors
    /// 50035 with what is wrong where, 40005 for too large a file.
    pub(crate) fn parse(body: &Value, files: Vec<File>, path: &str, file_limit: u64) -> Answered<Self> {
        let mut form = Form::default();
        let flags = number(body, "flags");
        let second_version = flags.is_some_and(|flags| flags & COMPONENTS_V2 != 0);
        form.text(&at(path, "content"), body.get("content"), 0, 2_000);
        let given = |key: &str| body.get(key).filter(|value| value.is_array()).map(|_| list(body, key));
        let cleared = |key: &str| body.get(key).is_some_and(Value::is_null).then(Vec::new);
        let embeds = given("embeds").map(|list| embeds(&mut form, &at(path, "embeds"), list));
        let components =
            given("components").map(|list| components(&mut form, &at(path, "components"), list, second_version));
        check_mentions(&mut form, &at(path, "allowed_mentions"), body.get("allowed_mentions"));
        check_nonce(&mut form, &at(path, "nonce"), body.get("nonce"));
        if second_version && body.get("content").is_some_and(|content| !content.is_null() && content != "") {
            let text = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2";
            form.wrong(&at(path, "content"), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text);
        }
        let described = given("attachments").map(<[Value]>::to_vec);
        form.count(&at(path, "attachments"), files.len().max(described.as_ref().map_or(0, Vec::len)), 0, 10);
        form.finish()?;
        if files.iter().any(|file| file.bytes.len() as u64 > file_limit) {
            return Err(Refusal::too_large());
        }
        let content = body.get("content").filter(|content| !content.is_object());
        Ok(Self {
            content: content.map(|content| content.as_str().unwrap_or_default().trim().to_owned()),
            embeds: embeds.or_else(|| cleared("embeds")),
            components: components.or_else(|| cleared("components")),
            described,
            files,
            flags: flags.map(|flags| flags & SETTABLE),
            nonce: body.get("nonce").filter(|nonce| !nonce.is_null()).cloned(),
            enforce_nonce: flag(body, "enforce_nonce"),
            reference: body.get("message_reference").and_then(|reference| number(reference, "message_id")).map(Id),
            fail_without_reference: body
                .get("message_reference")
                .and_then(|reference| reference.get("fail_if_not_exists"))
                .is_none_or(|fails| fails != &Value::Bool(false)),
            allowed_mentions: body.get("allowed_mentions").cloned(),
            also_pings: None,
        })
    }

    /// Says whether a new message of this draft would show nothing.
    pub(crate) fn is_empty(&self) -> bool {
        let no_embeds = self.embeds.iter().flatten().all(embed::is_empty);
        let no_components = self.components.as_ref().is_none_or(Vec::is_empty);
        self.content.as_ref().is_none_or(String::is_empty) && no_embeds && no_components && self.files.is_empty()
    }
}

fn check_mentions(form: &mut Form, path: &str, allowed: Option<&Value>) {
    let Some(allowed) = allowed.filter(|allowed| !allowed.is_null()) else { return };
    for (place, kind) in list(allowed, "parse").iter().enumerate() {
        if !matches!(kind.as_str(), Some("users" | "roles" | "everyone")) {
            let text = "Value must be one of ('users', 'roles', 'everyone').";
            form.wrong(&at(path, format!("parse.{place}")), "BASE_TYPE_CHOICES", text);
        }
    }
    for kind in ["users", "roles"] {
        let ids = list(allowed, kind);
        form.count(&at(path, kind), ids.len(), 0, 100);
        if !ids.is_empty() && list(allowed, "parse").iter().any(|parsed| parsed == kind) {
            let text = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            form.wrong(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text);
        }
    }
}

fn check_nonce(form: &mut Form, path: &str, nonce: Option<&Value>) {
    match nonce {
        None | Some(Value::Null | Value::Number(_)) => {}
        Some(Value::String(text)) => form.length(path, text, 0, 25),
        Some(_) => form.wrong(path, "NONCE_TYPE_INVALID", "Only strings and integers may be used as a nonce."),
    }
}
