//! The slash command.

use kubewhy_chat::Input;
use serde_json::Value;

use super::{Heard, Incoming, at, delivery_id, id_at, markup, somebody};
use crate::way::{Way, id, place};

/// Reads a slash command. It cannot stand in a thread.
pub(crate) fn command(payload: &Value, envelope: &str) -> Heard {
    let ids = (
        id_at(payload, &["/team_id", "/enterprise_id"]),
        id_at(payload, &["/user_id"]),
        id_at(payload, &["/channel_id"]),
    );
    let (Some(team), Some(user), Some(channel)) = ids else {
        return Heard::Strange("a command without person or channel");
    };
    let line = markup::plain(at(payload, "/text").unwrap_or_default());
    Heard::Question(Box::new(Incoming {
        id: at(payload, "/trigger_id").map_or_else(|| id(envelope), |trigger| delivery_id(trigger, payload)),
        who: somebody(team, user, at(payload, "/user_name")),
        place: place(channel, None),
        input: Input::Line(line.trim().to_owned()),
        way: Way {
            user: user.to_owned(),
            response_url: at(payload, "/response_url").map(ToOwned::to_owned),
            trigger: at(payload, "/trigger_id").map(ToOwned::to_owned),
            thread: None,
        },
    }))
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Input;
    use serde_json::json;

    use super::{Heard, command};

    #[test]
    fn a_command_is_a_line_wherever_it_was_renamed_to() {
        let payload = json!({
            "command": "/k8s", "text": " pod cart -n shop &amp;&amp; true ", "team_id": "T1", "user_id": "U1", "user_name": "ada",
            "channel_id": "C1", "trigger_id": "1.2.abc", "response_url": "https://hooks.slack.com/commands/1",
        });
        let Heard::Question(incoming) = command(&payload, "e1") else { panic!("it is a question") };
        assert_eq!(incoming.input, Input::Line("pod cart -n shop && true".to_owned()));
        assert_eq!(incoming.who.id, "slack:T1:U1");
        assert_eq!((incoming.place.channel.as_str(), incoming.place.thread), ("slack:C1", None));
    }

    #[test]
    fn a_repetition_is_known_and_another_question_is_none() {
        let asked = |text: &str, trigger: &serde_json::Value, envelope: &str| {
            let payload =
                json!({"text": text, "team_id": "T1", "user_id": "U1", "channel_id": "C1", "trigger_id": trigger});
            let Heard::Question(incoming) = command(&payload, envelope) else { panic!("it is a question") };
            incoming.id
        };
        let trigger = json!("1.2.abc");
        assert_eq!(asked("a", &trigger, "e1"), asked("a", &trigger, "e2"));
        assert_ne!(asked("a", &trigger, "e1"), asked("b", &trigger, "e2"));
        assert_ne!(asked("a", &trigger, "e1"), asked("a", &json!("1.3.abc"), "e2"));
        assert_ne!(asked("a", &json!(null), "e1"), asked("a", &json!(null), "e2"));
        assert!(asked("a", &trigger, "e1").starts_with("slack:1.2.abc:"));
    }

    #[test]
    fn a_command_of_nobody_is_passed_over() {
        assert!(matches!(command(&json!({"text": "x"}), "e1"), Heard::Strange(_)));
        assert!(matches!(command(&json!(7), "e1"), Heard::Strange(_)));
    }
}
