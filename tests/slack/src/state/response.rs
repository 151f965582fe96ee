//! What the app answers to a payload: with an acknowledgement, or over a response URL.

use serde_json::Value;

use crate::api::chat::{Purpose, content_of};
use crate::call::Arguments;
use crate::state::State;
use crate::state::message::{Author, Content, Draft};
use crate::state::socket::Awaits;

impl State {
    /// Does what an acknowledgement asks for.
    pub(crate) fn take_response(&mut self, envelope: &str, awaits: Awaits, payload: Option<Value>) {
        match awaits {
            Awaits::Nothing | Awaits::Press { .. } => {}
            Awaits::Options => {
                self.suggestions.insert(envelope.to_owned(), payload.unwrap_or(Value::Null));
            }
            Awaits::Submission { user, view } => self.conclude_submission(&user, &view, payload.as_ref()),
            Awaits::Answer { user, channel, command } => {
                let empty = payload.as_ref().and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
                let Some(payload) = payload.filter(|_| !empty) else {
                    return;
                };
                let arguments = Arguments::of(payload);
                if self.respond(&arguments, &user, &channel, None).is_err() {
                    self.warn_of_command(&user, &channel, &command, "invalid_command_response");
                }
            }
        }
    }

    /// What Slack shows to a person whose command went wrong.
    pub(crate) fn warn_of_command(&mut self, user: &str, channel: &str, command: &str, why: &str) {
        self.warn(user, why);
        let content = Content { text: format!("{command} failed with the error \"{why}\""), ..Content::default() };
        self.post(Draft::new(channel, Author::Slackbot, content).only_for(user));
    }

    /// Answers a person: in the channel or to that person only; or replaces or deletes the message that was acted on.
    pub(crate) fn respond(
        &mut self,
        arguments: &Arguments,
        user: &str,
        channel: &str,
        original: Option<&str>,
    ) -> Result<(), String> {
        if let Some(original) = original {
            if arguments.flag("delete_original") {
                self.delete(channel, original);
                return Ok(());
            }
            if arguments.flag("replace_original") {
                let content = content_of(arguments, Purpose::Response).map_err(|refusal| refusal.code())?;
                if self.message(channel, original).is_none() {
                    return Err("message_not_found".to_owned());
                }
                self.edit(channel, original, content);
                return Ok(());
            }
        }
        let content = content_of(arguments, Purpose::Response).map_err(|refusal| refusal.code())?;
        let thread = arguments.text("thread_ts");
        if let Some(thread) = &thread
            && self.message(channel, thread).is_none()
        {
            return Err("thread_not_found".to_owned());
        }
        let draft = Draft::new(channel, Author::App, content).in_thread(thread);
        let in_channel = arguments.text("response_type").as_deref() == Some("in_channel");
        self.post(if in_channel { draft } else { draft.only_for(user) });
        Ok(())
    }
}
