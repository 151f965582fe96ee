//! The JSON of messages that go out. All of them are made here, so that none of them can call anybody by accident.

use serde_json::{Map, Value, json};
use serenity::builder::{CreateActionRow, CreateEmbed};

use crate::api::Attachment;
use crate::limits;
use crate::render::Screen;

/// Links in the words are not unfolded.
const SUPPRESS_EMBEDS: u64 = 1 << 2;
/// Only the asker sees it.
pub(crate) const EPHEMERAL: u64 = 1 << 6;

/// A message on its way out.
#[derive(Clone)]
pub(crate) struct Outgoing<'a> {
    content: String,
    embeds: &'a [CreateEmbed],
    components: &'a [CreateActionRow],
    files: Vec<Attachment<'a>>,
    called: Option<u64>,
    extra: Map<String, Value>,
    flags: u64,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn screen(screen: &'a Screen) -> Self {
        Self {
            content: screen.content.clone(),
            embeds: &screen.embeds,
            components: &screen.components,
            files: screen.files.iter().map(|file| Attachment { name: &file.name, bytes: &file.bytes }).collect(),
            called: None,
            extra: Map::new(),
            flags: 0,
        }
    }

    /// Plain words of ours.
    pub(crate) fn words(words: String) -> Self {
        Self {
            content: words,
            embeds: &[],
            components: &[],
            files: Vec::new(),
            called: None,
            extra: Map::new(),
            flags: 0,
        }
    }

    /// The same, seen by nobody but the asker.
    pub(crate) fn ephemeral(mut self) -> Self {
        self.flags |= EPHEMERAL;
        self
    }

    /// The same, with a person called by it.
    pub(crate) fn calling(mut self, user: Option<u64>) -> Self {
        if let Some(user) = user {
            self.called = self.put_name(user).then_some(user);
        }
        self
    }

    /// The same, with the name of a person above it who is not called by it.
    pub(crate) fn naming(mut self, user: u64) -> Self {
        self.put_name(user);
        self
    }

    /// The same, as a reply to a message of that channel, if it is still there.
    pub(crate) fn replying(mut self, message: u64) -> Self {
        let reference = json!({ "message_id": message.to_string(), "fail_if_not_exists": false });
        self.extra.insert("message_reference".to_owned(), reference);
        self
    }

    /// The same, shown once however often it is posted within some minutes.
    pub(crate) fn once(mut self, key: &str, index: usize) -> Self {
        self.extra.insert("nonce".to_owned(), nonce(key, index).into());
        self.extra.insert("enforce_nonce".to_owned(), true.into());
        self
    }

    pub(crate) fn files(&self) -> &[Attachment<'a>] {
        &self.files
    }

    /// The body of the call.
    pub(crate) fn body(&self) -> Value {
        let mut flags = self.flags;
        if self.embeds.is_empty() {
            // With embeds of our own the flag would hide those; links in them are not unfolded.
            flags |= SUPPRESS_EMBEDS;
        }
        let users: Vec<String> = self.called.iter().map(ToString::to_string).collect();
        let mut body = json!({
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            "allowed_mentions": { "parse": [], "users": users, "roles": [], "replied_user": false },
            "flags": flags,
        });
        if let Value::Object(body) = &mut body {
            body.extend(self.extra.clone());
            let files = self.files.iter().enumerate();
            body.insert(
                "attachments".to_owned(),
                files.map(|(index, file)| json!({ "id": index, "filename": file.name })).collect(),
            );
        }
        body
    }

    fn put_name(&mut self, user: u64) -> bool {
        let named = format!("<@{user}>");
        let line = if self.content.is_empty() { named } else { format!("{named} {}", self.content) };
        let fits = limits::length(&line) <= limits::CONTENT;
        if fits {
            self.content = line;
        }
        fits
    }
}

/// At most 25 characters that are the same for each attempt to post the same thing.
fn nonce(key: &str, index: usize) -> String {
    // FNV-1a: the standard library's hash may change from release to release, and a restart must find the same.
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}-{index}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Outgoing, nonce};
    use crate::render::Screen;

    #[test]
    fn a_message_calls_nobody_unless_it_is_told_to() {
        let screen = Screen { content: "@everyone <@5> <@&6>".to_owned(), ..Screen::default() };
        let body = Outgoing::screen(&screen).naming(7).body();
        assert_eq!(body["allowed_mentions"], json!({ "parse": [], "users": [], "roles": [], "replied_user": false }));
        assert_eq!(body["content"], "<@7> @everyone <@5> <@&6>");
        let body = Outgoing::screen(&screen).calling(Some(7)).body();
        assert_eq!(body["allowed_mentions"]["users"], json!(["7"]));
        assert_eq!(body["allowed_mentions"]["parse"], json!([]));
    }

    #[test]
    fn a_name_that_does_not_fit_is_left_out_and_then_calls_nobody() {
        let screen = Screen { content: "x".repeat(2_000), ..Screen::default() };
        let body = Outgoing::screen(&screen).calling(Some(7)).body();
        assert_eq!(body["content"].as_str().unwrap().len(), 2_000);
        assert_eq!(body["allowed_mentions"]["users"], json!([]));
    }

    #[test]
    fn links_are_not_unfolded_and_our_own_embeds_are_shown() {
        let flags = |screen: &Screen| Outgoing::screen(screen).body()["flags"].as_u64().unwrap();
        assert_eq!(flags(&Screen { content: "https://example.com".to_owned(), ..Screen::default() }), 4);
        let embeds = vec![serenity::builder::CreateEmbed::new().title("x")];
        assert_eq!(flags(&Screen { embeds, ..Screen::default() }), 0);
    }

    #[test]
    fn a_nonce_is_short_and_tells_parts_apart() {
        assert_eq!(nonce("discord:1", 0), nonce("discord:1", 0));
        assert_ne!(nonce("discord:1", 0), nonce("discord:1", 1));
        assert_ne!(nonce("discord:1", 0), nonce("discord:2", 0));
        assert!(nonce("discord:18446744073709551615", 9_999).len() <= 25);
    }
}
