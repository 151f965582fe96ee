//! Buttons, menus, forms and the shortcut on a message.

use std::collections::BTreeMap;

use kubewhy_chat::{Input, Press};
use serde_json::Value;

use super::words::words;
use super::{Heard, Incoming, at, delivery_id, id_at, somebody, time_at};
use crate::manifest::SHORTCUT;
use crate::way::{Carried, Way, id, place};

/// Reads what a click or a form sends.
pub(crate) fn interaction(payload: &Value, envelope: &str) -> Heard {
    let ids = (id_at(payload, &["/user/team_id", "/team/id", "/user/enterprise_id"]), id_at(payload, &["/user/id"]));
    let (Some(team), Some(user)) = ids else { return Heard::Strange("a click of nobody") };
    let name = at(payload, "/user/username").or_else(|| at(payload, "/user/name"));
    let asked = match at(payload, "/type") {
        Some("block_actions") => pressed(payload),
        Some("message_action") if at(payload, "/callback_id") == Some(SHORTCUT) => pointed(payload),
        Some("view_submission") => filled(payload),
        Some("view_closed") => return Heard::Idle,
        _ => Err(Heard::Strange("an interaction of another kind")),
    };
    let Asked { channel, thread, looks_at, input, response_url } = match asked {
        Ok(asked) => asked,
        Err(heard) => return heard,
    };
    Heard::Question(Box::new(Incoming {
        id: at(payload, "/trigger_id").map_or_else(|| id(envelope), |trigger| delivery_id(trigger, payload)),
        who: somebody(team, user, name),
        place: place(&channel, thread.as_deref()),
        input,
        way: Way {
            user: user.to_owned(),
            response_url: at(payload, "/response_url").map(ToOwned::to_owned).or(response_url),
            trigger: at(payload, "/trigger_id").map(ToOwned::to_owned),
            thread: looks_at,
        },
    }))
}

/// Whether it is a form that was filled in: its acknowledgement can hold the next one.
pub(crate) fn is_submission(payload: &Value) -> bool {
    at(payload, "/type") == Some("view_submission")
}

struct Asked {
    channel: String,
    /// Where the answer belongs.
    thread: Option<String>,
    /// The thread in which the message was clicked, if it stands in one.
    looks_at: Option<String>,
    input: Input,
    response_url: Option<String>,
}

/// A button, or an entry of a menu.
fn pressed(payload: &Value) -> Result<Asked, Heard> {
    let action = payload.pointer("/actions/0").unwrap_or(&Value::Null);
    let Some(value) = at(action, "/value").or_else(|| at(action, "/selected_option/value")) else {
        // A link is opened by Slack, which tells us all the same.
        return Err(if at(action, "/type") == Some("button") { Heard::Idle } else { Heard::Strange("an odd control") });
    };
    let Some(press) = Press::decode(value) else { return Err(Heard::Strange("a button that is not ours")) };
    let Some(channel) = id_at(payload, &["/channel/id", "/container/channel_id"]) else {
        return Err(Heard::Strange("a button outside a channel"));
    };
    // What only one person sees has no thread of its own.
    let is_ephemeral = payload.pointer("/container/is_ephemeral").and_then(Value::as_bool).unwrap_or(false);
    let below = time_at(payload, &["/message/thread_ts", "/container/thread_ts"]);
    let own = time_at(payload, &["/message/ts", "/container/message_ts"]).filter(|_| !is_ephemeral);
    Ok(Asked {
        channel: channel.to_owned(),
        thread: below.or(own).map(ToOwned::to_owned),
        looks_at: below.filter(|below| Some(*below) != own).map(ToOwned::to_owned),
        input: Input::Press(press),
        response_url: None,
    })
}

/// "Why?" on somebody's message.
fn pointed(payload: &Value) -> Result<Asked, Heard> {
    let (Some(channel), Some(message)) = (id_at(payload, &["/channel/id"]), payload.get("message")) else {
        return Err(Heard::Strange("a shortcut without a message"));
    };
    let (below, own) = (time_at(message, &["/thread_ts"]), time_at(message, &["/ts"]));
    Ok(Asked {
        channel: channel.to_owned(),
        thread: below.or(own).map(ToOwned::to_owned),
        looks_at: below.filter(|below| Some(*below) != own).map(ToOwned::to_owned),
        input: Input::Shortcut(words(message)),
        response_url: None,
    })
}

/// A form that was filled in.
fn filled(payload: &Value) -> Result<Asked, Heard> {
    let carried =
        at(payload, "/view/private_metadata").and_then(|carried| serde_json::from_str::<Carried>(carried).ok());
    let Some(carried) = carried else { return Err(Heard::Strange("a form that is not ours")) };
    let blocks = payload.pointer("/view/state/values").and_then(Value::as_object);
    let values: BTreeMap<String, String> = blocks
        .into_iter()
        .flatten()
        .filter_map(|(field, actions)| Some((field.clone(), entered(actions.as_object()?.values().next()?))))
        .collect();
    Ok(Asked {
        channel: carried.channel,
        thread: carried.thread,
        looks_at: carried.way.thread,
        input: Input::Form { token: carried.token, values },
        response_url: carried.way.response_url,
    })
}

/// What was entered into a field; nothing is an empty value.
fn entered(action: &Value) -> String {
    at(action, "/value").or_else(|| at(action, "/selected_option/value")).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kubewhy_chat::{Input, Press};
    use serde_json::{Value, json};

    use super::{Heard, Incoming, interaction};

    fn incoming(payload: &Value) -> Incoming {
        let Heard::Question(incoming) = interaction(payload, "e1") else { panic!("it is a question: {payload}") };
        *incoming
    }

    fn click(message: &Value, container: &Value) -> Value {
        json!({
            "type": "block_actions", "user": {"id": "U1", "username": "ada", "team_id": "T2"}, "team": {"id": "T1"},
            "channel": {"id": "C1"}, "message": message, "container": container, "trigger_id": "7.8",
            "response_url": "https://hooks.slack.com/actions/1",
            "actions": [{"type": "button", "action_id": "a0", "value": "0c:why pod cart -n shop"}],
        })
    }

    #[test]
    fn a_button_is_pressed_in_the_thread_of_its_message() {
        let root = click(&json!({"ts": "1.1"}), &json!({"type": "message", "message_ts": "1.1"}));
        let pressed = incoming(&root);
        assert_eq!(pressed.input, Input::Press(Press::Command("why pod cart -n shop".to_owned())));
        assert_eq!((pressed.who.id.as_str(), pressed.place.thread.as_deref()), ("slack:T2:U1", Some("1.1")));
        assert_eq!(pressed.way.thread, None, "it was pressed in the channel");
        let reply =
            click(&json!({"ts": "1.5", "thread_ts": "1.1", "metadata": {"event_payload": {"n": 7}}}), &json!({}));
        let replied = incoming(&reply);
        assert_eq!((replied.place.thread.as_deref(), replied.way.thread.as_deref()), (Some("1.1"), Some("1.1")));
    }

    #[test]
    fn a_message_that_one_person_sees_has_no_thread() {
        let ephemeral = click(&json!({"ts": "1.1"}), &json!({"is_ephemeral": true, "message_ts": "1.1"}));
        assert_eq!(incoming(&ephemeral).place.thread, None);
        let in_thread = click(&json!(null), &json!({"is_ephemeral": true, "message_ts": "1.1", "thread_ts": "1.0"}));
        assert_eq!(incoming(&in_thread).place.thread.as_deref(), Some("1.0"));
    }

    #[test]
    fn an_entry_of_a_menu_is_a_button_too() {
        let mut menu = click(&json!({"ts": "1.1"}), &json!({}));
        menu["actions"] = json!([{"type": "static_select", "selected_option": {"value": "3t:0aF"}}]);
        assert_eq!(incoming(&menu).input, Input::Press(Press::Token("0aF".to_owned())));
    }

    #[test]
    fn a_link_or_a_foreign_button_starts_nothing() {
        let mut link = click(&json!({"ts": "1.1"}), &json!({}));
        link["actions"] = json!([{"type": "button", "url": "https://example.com"}]);
        assert!(matches!(interaction(&link, "e1"), Heard::Idle));
        link["actions"] = json!([{"type": "button", "value": "rm -rf"}]);
        assert!(matches!(interaction(&link, "e1"), Heard::Strange(_)));
    }

    #[test]
    fn the_shortcut_reads_the_message_and_answers_below_it() {
        let shortcut = json!({
            "type": "message_action", "callback_id": "why", "user": {"id": "U1", "name": "ada"}, "team": {"id": "T1"},
            "channel": {"id": "C1"}, "trigger_id": "7.8",
            "message": {"ts": "1.1", "text": "", "attachments": [{"text": "Pod shop/cart-7c9"}]},
        });
        let pointed = incoming(&shortcut);
        assert_eq!(pointed.input, Input::Shortcut("Pod shop/cart-7c9".to_owned()));
        assert_eq!(pointed.place.thread.as_deref(), Some("1.1"));
        let mut other = shortcut;
        other["callback_id"] = json!("other");
        assert!(matches!(interaction(&other, "e1"), Heard::Strange(_)));
    }

    #[test]
    fn a_form_comes_back_to_where_it_was_asked_for() {
        let carried = r#"{"f":"0aF","c":"C1","p":"1.1","w":{"u":"U1","r":"https://hooks.slack.com/actions/1"}}"#;
        let form = json!({
            "type": "view_submission", "user": {"id": "U1", "team_id": "T1"}, "trigger_id": "7.9",
            "view": {"private_metadata": carried, "state": {"values": {
                "reason": {"input": {"type": "plain_text_input", "value": "too loud"}},
                "until": {"input": {"type": "plain_text_input", "value": null}},
            }}},
        });
        let filled = incoming(&form);
        let values = [("reason", "too loud"), ("until", "")].map(|(id, value)| (id.to_owned(), value.to_owned()));
        assert_eq!(filled.input, Input::Form { token: "0aF".to_owned(), values: BTreeMap::from(values) });
        assert_eq!((filled.place.channel.as_str(), filled.place.thread.as_deref()), ("slack:C1", Some("1.1")));
        assert_eq!(filled.way.response_url.as_deref(), Some("https://hooks.slack.com/actions/1"));
    }
}
