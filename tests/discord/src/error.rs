//! What the REST API answers when it refuses, in Discord's words and numbers.

use serde_json::{Map, Value, json};

/// A refusal: status, Discord's code and text, and for forms what is wrong where.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The result of every route.
pub(crate) type Answered<T> = Result<T, Refusal>;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $text:literal;)+) => {
        impl Refusal {
            $($(#[$doc])* pub(crate) fn $name() -> Self { Self::new($status, $code, $text) })+
        }
    };
}

refusals! {
    unauthorized = 401 0 "401: Unauthorized";
    not_found = 404 0 "404: Not Found";
    method_not_allowed = 405 0 "405: Method Not Allowed";
    unknown_application = 404 10_002 "Unknown Application";
    unknown_channel = 404 10_003 "Unknown Channel";
    unknown_guild = 404 10_004 "Unknown Guild";
    unknown_member = 404 10_007 "Unknown Member";
    unknown_message = 404 10_008 "Unknown Message";
    unknown_user = 404 10_013 "Unknown User";
    unknown_emoji = 400 10_014 "Unknown Emoji";
    unknown_webhook = 404 10_015 "Unknown Webhook";
    unknown_interaction = 404 10_062 "Unknown interaction";
    unknown_command = 404 10_063 "Unknown application command";
    too_many_reactions = 400 30_010 "Maximum number of reactions reached (20)";
    too_many_commands = 400 30_032 "Maximum number of application commands reached (100)";
    too_many_command_creates = 400 30_034 "Max number of daily application command creates has been reached (200)";
    too_many_old_edits =
        429 30_046 "Maximum number of edits to messages older than 1 hour reached. Try again later.";
    too_large = 413 40_005 "Request entity too large";
    already_answered = 400 40_060 "Interaction has already been acknowledged.";
    missing_access = 403 50_001 "Missing Access";
    cannot_edit_other = 403 50_005 "Cannot edit a message authored by another user";
    empty_message = 400 50_006 "Cannot send an empty message";
    cannot_message_user = 403 50_007 "Cannot send messages to this user";
    not_in_this_channel = 400 50_008 "Cannot send messages in a non-text channel";
    missing_permissions = 403 50_013 "Missing Permissions";
    wrong_channel_kind = 400 50_024 "Cannot execute action on this channel type";
    invalid_webhook_token = 401 50_027 "Invalid Webhook Token";
    invalid_form = 400 50_035 "Invalid Form Body";
    thread_archived = 400 50_083 "Thread is archived";
    invalid_json = 400 50_109 "The request body contains invalid JSON.";
    reply_needs_history = 400 160_002 "Cannot reply without permission to read message history";
    thread_exists = 400 160_004 "A thread has already been created for this message";
    thread_locked = 400 160_005 "Thread is locked";
    too_many_threads = 400 160_006 "Maximum number of active threads reached";
}

impl Refusal {
    fn new(status: u16, code: u32, text: &str) -> Self {
        Self { status, body: json!({"message": text, "code": code}) }
    }

    /// Discord's code, 0 for those without one.
    pub(crate) fn code(&self) -> u64 {
        self.body.get("code").and_then(Value::as_u64).unwrap_or(0)
    }
}

/// Collects what is wrong with a form, each at its path.
#[derive(Debug, Default)]
pub(crate) struct Form {
    wrong: Vec<(Vec<String>, &'static str, String)>,
}

impl Form {
    /// Notes that the value at `path` (dots between keys and places) is wrong.
    pub(crate) fn wrong(&mut self, path: &str, code: &'static str, text: impl Into<String>) {
        let path = path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        self.wrong.push((path, code, text.into()));
    }

    /// Notes that a value is absent.
    pub(crate) fn required(&mut self, path: &str) {
        self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Checks the length of a text in characters.
    pub(crate) fn length(&mut self, path: &str, text: &str, least: usize, most: usize) {
        let length = text.chars().count();
        if length == 0 && least > 0 {
            self.required(path);
        } else if length > most && least == 0 {
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
        } else if length > most || length < least {
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", format!("Must be between {least} and {most} in length."));
        }
    }

    /// Checks the number of elements of a list.
    pub(crate) fn count(&mut self, path: &str, count: usize, least: usize, most: usize) {
        if count < least || count > most {
            let text = format!("Must be between {least} and {most} in length.");
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", text);
        }
    }

    /// Checks a text that must be there.
    pub(crate) fn text(&mut self, path: &str, value: Option<&Value>, least: usize, most: usize) {
        match value {
            None | Some(Value::Null) if least > 0 => self.required(path),
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => self.length(path, text, least, most),
            Some(_) => self.wrong(path, "BASE_TYPE_BAD_STRING", "Only string values are allowed."),
        }
    }

    /// Answers with everything noted.
    ///
    /// # Errors
    /// 50035 with the nested `_errors` Discord writes.
    pub(crate) fn finish(self) -> Answered<()> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        let mut refusal = Refusal::invalid_form();
        let mut errors = Value::Object(Map::new());
        for (path, code, text) in self.wrong {
            place(&mut errors, &path, json!({"code": code, "message": text}));
        }
        if let Value::Object(body) = &mut refusal.body {
            body.insert("errors".to_owned(), errors);
        }
        Err(refusal)
    }
}

fn place(node: &mut Value, path: &[String], wrong: Value) {
    let Value::Object(map) = node else { return };
    let Some((first, rest)) = path.split_first() else {
        let list = map.entry("_errors").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(wrong);
        }
        return;
    };
    place(map.entry(first.clone()).or_insert_with(|| Value::Object(Map::new())), rest, wrong);
}
