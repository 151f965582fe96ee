//! What comes in, read leniently: nothing of it is ours, and a field that is odd must not lose a click.

mod command;
mod event;
mod interaction;
mod markup;
mod words;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kubewhy_chat::{Input, Person, Place};
use serde_json::Value;

use crate::way::{self, Way, is_id, is_time, person_id};

pub(crate) use command::command;
pub(crate) use event::event;
pub(crate) use interaction::{interaction, is_submission};

/// Something that a person sent.
pub(crate) struct Incoming {
    /// The same for each repetition.
    pub(crate) id: String,
    pub(crate) who: Person,
    pub(crate) place: Place,
    pub(crate) input: Input,
    pub(crate) way: Way,
}

/// What a payload is.
pub(crate) enum Heard {
    /// Something that a person sent.
    Question(Box<Incoming>),
    /// It is known, and meant for nobody here: our own message, another bot's, an edit.
    Idle,
    /// The app was removed, or its tokens were revoked.
    Farewell,
    /// It is not known, or cannot be read.
    Strange(&'static str),
}

/// Words at a path of a payload; empty ones are none.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str).filter(|words| !words.is_empty())
}

/// The id of what came under `key`: the same for each repetition, and another where something else comes under that key.
fn delivery_id(key: &str, payload: &Value) -> String {
    // Made without a random key, so that it is the same after a restart.
    let mut hasher = DefaultHasher::new();
    payload.to_string().hash(&mut hasher);
    way::id(&format!("{key}:{:016x}", hasher.finish()))
}

/// The first of several paths at which an id stands.
fn id_at<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| at(value, path).filter(|id| is_id(id)))
}

/// The first of several paths at which the time of a message stands.
fn time_at<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| at(value, path).filter(|time| is_time(time)))
}

fn somebody(team: &str, user: &str, name: Option<&str>) -> Person {
    Person { id: person_id(team, user), name: name.unwrap_or(user).to_owned(), identity: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Heard, command, event, interaction, markup};
    use crate::way::{channel, person};

    /// JSON of any form, with the words that are looked for among its keys.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            prop::sample::select(vec![
                "C1",
                "U1",
                "T1",
                "1.1",
                "0c:pod x",
                "why",
                "button",
                "im",
                "message",
                "app_mention"
            ])
            .prop_map(Value::from),
        ];
        let keys = prop::sample::select(vec![
            "type",
            "event",
            "user",
            "id",
            "team",
            "team_id",
            "channel",
            "channel_id",
            "user_id",
            "text",
            "ts",
            "actions",
            "value",
            "message",
            "view",
            "state",
            "values",
            "private_metadata",
            "container",
            "blocks",
            "elements",
            "channel_type",
            "callback_id",
            "trigger_id",
            "attachments",
        ]);
        leaf.prop_recursive(4, 64, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keys.clone(), inner), 0..10).prop_map(|fields| fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Value>()),
            ]
        })
    }

    fn is_sound(heard: &Heard) -> bool {
        let Heard::Question(incoming) = heard else { return true };
        person(&incoming.who.id).is_some() && incoming.id.len() > "slack:".len()
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_read_or_passed_over(payload in anything(), kind in 0..4_usize) {
            let mut payload = payload;
            let kinds = ["block_actions", "message_action", "view_submission", "shortcut"];
            if let Some(fields) = payload.as_object_mut() {
                fields.insert("type".to_owned(), json!(kinds[kind]));
            }
            prop_assert!(is_sound(&command(&payload, "e1")));
            prop_assert!(is_sound(&event(&payload, None)));
            prop_assert!(is_sound(&interaction(&payload, "e1")));
        }

        #[test]
        fn a_command_of_anybody_names_person_and_channel(user in "[A-Z0-9<>!|:]{0,6}", room in "[CDG0-9<>]{0,6}", text in ".*") {
            let payload = json!({"team_id": "T1", "user_id": user, "channel_id": room, "text": text});
            if let Heard::Question(incoming) = command(&payload, "e1") {
                prop_assert!(person(&incoming.who.id).is_some());
                prop_assert!(channel(&incoming.place.channel).is_some());
            }
        }

        #[test]
        fn what_was_typed_survives_slacks_escapes(typed in "[^<>&]*[<>&]?[^<>&]*") {
            let escaped = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(markup::plain(&escaped), typed);
        }

        #[test]
        fn markup_never_breaks_off(marked in "[<>|&@#!a-z;:/ ]{0,60}") {
            let _ = markup::plain(&marked);
            let _ = markup::without_mention(&marked, None);
            let _ = markup::without_mention(&marked, Some("a"));
        }
    }
}
