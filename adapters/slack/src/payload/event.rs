//! Events: mentions and direct messages.

use kubewhy_chat::Input;
use serde_json::Value;

use super::{Heard, Incoming, at, id_at, markup, somebody, time_at};
use crate::line::Me;
use crate::way::{Way, id, place};

/// Subtypes under which a person's words come, too.
const SPOKEN: &[&str] = &["file_share", "thread_broadcast"];

/// Slack's own program, which reminds people in direct messages.
const SLACKBOT: &str = "USLACKBOT";

/// Reads an event.
pub(crate) fn event(payload: &Value, me: Option<&Me>) -> Heard {
    let Some(event) = payload.get("event") else { return Heard::Strange("an event without an event") };
    match at(event, "/type") {
        Some("app_mention") => said(payload, event, me),
        Some("message") if is_direct(event) => said(payload, event, me),
        Some("message") => Heard::Idle,
        Some("app_uninstalled" | "tokens_revoked") => Heard::Farewell,
        _ => Heard::Strange("an event of another kind"),
    }
}

/// Whether it is a message to the bot alone.
fn is_direct(event: &Value) -> bool {
    match at(event, "/channel_type") {
        Some(kind) => kind == "im",
        None => at(event, "/channel").is_some_and(|channel| channel.starts_with('D')),
    }
}

fn said(payload: &Value, event: &Value, me: Option<&Me>) -> Heard {
    let is_mention = at(event, "/type") == Some("app_mention");
    let is_spoken = at(event, "/subtype").is_none_or(|subtype| is_mention && SPOKEN.contains(&subtype));
    let by_program = at(event, "/bot_id").is_some() || event.get("bot_profile").is_some();
    if !is_spoken || by_program || event.get("hidden").is_some_and(|hidden| hidden == true) {
        return Heard::Idle;
    }
    let ids = (
        id_at(event, &["/user_team", "/source_team", "/team"]).or_else(|| id_at(payload, &["/team_id"])),
        id_at(event, &["/user"]),
        id_at(event, &["/channel"]),
        time_at(event, &["/ts", "/event_ts"]),
    );
    let (Some(team), Some(user), Some(channel), Some(time)) = ids else {
        return Heard::Strange("a message without person, channel or time");
    };
    let us = me.map(|me| me.user_id.as_str()).or_else(|| bot_of(payload));
    if us == Some(user) || user == SLACKBOT {
        return Heard::Idle;
    }
    let text = at(event, "/text").unwrap_or_default();
    let line = if is_mention || us.is_some_and(|us| markup::mentions(text, us)) {
        markup::without_mention(text, us)
    } else {
        markup::plain(text).trim().to_owned()
    };
    // What is asked in a channel is answered below the question; a direct message needs no thread to stay out of the way.
    let own_thread = is_mention.then_some(time);
    let thread = time_at(event, &["/thread_ts"]);
    Heard::Question(Box::new(Incoming {
        // A message is told once under each id; each is wanted whose time is another.
        id: id(&format!("{}:{time}", at(payload, "/event_id").unwrap_or(channel))),
        who: somebody(team, user, None),
        place: place(channel, thread.or(own_thread)),
        input: Input::Line(line),
        way: Way { user: user.to_owned(), response_url: None, trigger: None, thread: thread.map(ToOwned::to_owned) },
    }))
}

/// The bot for which the event was delivered.
fn bot_of(payload: &Value) -> Option<&str> {
    let is_bot = payload.pointer("/authorizations/0/is_bot").and_then(Value::as_bool).unwrap_or(false);
    id_at(payload, &["/authorizations/0/user_id"]).filter(|_| is_bot)
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Input;
    use serde_json::{Value, json};

    use super::{Heard, event};
    use crate::line::Me;

    fn heard(inner: &Value) -> Heard {
        let me = Me {
            user_id: "U0".to_owned(),
            team_id: "T1".to_owned(),
            user: "kubewhy".to_owned(),
            team: String::new(),
            bot_id: None,
        };
        event(&json!({"team_id": "T1", "event_id": "Ev1", "event": inner}), Some(&me))
    }

    fn question(inner: &Value) -> (String, Option<String>, String) {
        let Heard::Question(incoming) = heard(inner) else { panic!("it is a question: {inner}") };
        assert_eq!(incoming.id, "slack:Ev1:1.1");
        let Input::Line(line) = incoming.input else { panic!("it is a line") };
        (incoming.who.id, incoming.place.thread, line)
    }

    #[test]
    fn a_mention_is_answered_in_its_thread() {
        let mut mention =
            json!({"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": "<@U0> pod cart"});
        let expected = ("slack:T1:U1".to_owned(), Some("1.1".to_owned()), "pod cart".to_owned());
        assert_eq!(question(&mention), expected);
        mention["thread_ts"] = json!("0.9");
        mention["user_team"] = json!("T2");
        assert_eq!(question(&mention), ("slack:T2:U1".to_owned(), Some("0.9".to_owned()), "pod cart".to_owned()));
    }

    #[test]
    fn a_direct_message_is_a_question_as_it_stands() {
        let message = json!({"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "ts": "1.1", "text": "pod cart"});
        assert_eq!(question(&message), ("slack:T1:U1".to_owned(), None, "pod cart".to_owned()));
        let mut untold = message;
        untold["channel_type"] = json!(null);
        assert_eq!(question(&untold), ("slack:T1:U1".to_owned(), None, "pod cart".to_owned()));
        untold["channel"] = json!("C1");
        assert!(matches!(heard(&untold), Heard::Idle));
    }

    #[test]
    fn programs_and_edits_start_nothing() {
        let message =
            json!({"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "ts": "1.1", "text": "x"});
        for (key, value) in [
            ("bot_id", json!("B1")),
            ("subtype", json!("message_changed")),
            ("subtype", json!("bot_message")),
            ("user", json!("U0")),
            ("user", json!("USLACKBOT")),
            ("channel_type", json!("channel")),
            ("hidden", json!(true)),
        ] {
            let mut message = message.clone();
            message[key] = value;
            assert!(matches!(heard(&message), Heard::Idle), "{message}");
        }
    }

    #[test]
    fn what_is_not_known_is_strange() {
        for inner in [json!({"type": "team_join"}), json!(null), json!({"type": "app_mention", "user": 7})] {
            assert!(matches!(heard(&inner), Heard::Strange(_)), "{inner}");
        }
    }
}
