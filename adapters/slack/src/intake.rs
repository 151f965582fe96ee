//! From an envelope to the inbox, and back to an acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kubewhy_chat::{Acceptance, Delivery, Form, Inbox, Message, Reply, Request, Tone};
use kubewhy_text::text;
use serde_json::{Value, json};
use slack_morphism::prelude::SlackApiViewsOpenRequest;
use tokio::time::timeout;

use crate::line::Line;
use crate::payload::{self, Heard, Incoming};
use crate::render;
use crate::respond::Response;
use crate::way::{Carried, Spot, Way};

/// How long storing a delivery may take: Slack waits for 3 s, and what was not stored must not be acknowledged.
const STORING: Duration = Duration::from_millis(2_700);
/// How long a form can be opened after a click.
const OPENING: Duration = Duration::from_millis(2_900);

/// Takes what arrives on the sockets.
pub(crate) struct Intake {
    pub(crate) line: Arc<Line>,
    pub(crate) inbox: Arc<dyn Inbox>,
    /// Told when the app was removed or its tokens were revoked.
    pub(crate) farewell: tokio::sync::Notify,
}

/// An envelope, as far as every kind of it has the same form.
pub(crate) struct Envelope {
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) body: Value,
}

/// What is sent back, and what is done after that.
#[derive(Default)]
pub(crate) struct Taken {
    /// The acknowledgement; none where Slack shall deliver it once more.
    pub(crate) acknowledgement: Option<String>,
    pub(crate) then: Option<BoxFuture<'static, ()>>,
}

impl Envelope {
    /// Reads a frame; `None` where it is no envelope at all.
    pub(crate) fn read(frame: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(frame).ok()?;
        let word = |key: &str| body.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        Some(Self { kind: word("type").unwrap_or_default(), id: word("envelope_id"), body })
    }

    fn payload(&self) -> &Value {
        self.body.get("payload").unwrap_or(&Value::Null)
    }

    fn takes_payload(&self) -> bool {
        self.body.get("accepts_response_payload").and_then(Value::as_bool).unwrap_or(false)
    }

    fn acknowledgement(&self, payload: Option<Value>) -> Option<String> {
        let id = self.id.as_ref()?;
        let frame = match payload {
            Some(payload) => json!({"envelope_id": id, "payload": payload}),
            None => json!({"envelope_id": id}),
        };
        Some(frame.to_string())
    }
}

impl Intake {
    /// Has an envelope stored. Nothing else happens before the acknowledgement was sent.
    pub(crate) async fn take(self: Arc<Self>, envelope: Envelope) -> Taken {
        let id = envelope.id.as_deref().unwrap_or_default();
        let payload = envelope.payload();
        let heard = match envelope.kind.as_str() {
            "slash_commands" => payload::command(payload, id),
            "events_api" => payload::event(payload, self.line.known_me()),
            "interactive" => payload::interaction(payload, id),
            _ => Heard::Strange("an envelope of another kind"),
        };
        let acknowledged = || Taken { acknowledgement: envelope.acknowledgement(None), then: None };
        match heard {
            Heard::Question(incoming) => self.store(&envelope, *incoming).await,
            Heard::Idle => acknowledged(),
            Heard::Farewell => {
                self.farewell.notify_one();
                acknowledged()
            }
            Heard::Strange(what) => {
                self.line.pass_over(what);
                acknowledged()
            }
        }
    }

    async fn store(self: &Arc<Self>, envelope: &Envelope, incoming: Incoming) -> Taken {
        let Incoming { id, who, place, input, way } = incoming;
        let channel = crate::way::channel(&place.channel).unwrap_or_default().to_owned();
        let spot = Spot { channel, thread: place.thread.clone(), way: way.clone() };
        let request = Request { who, place, input };
        let delivery = Delivery { id, request, address: way.into_address(), received_at: Timestamp::now() };
        let Ok(acceptance) = timeout(STORING, self.inbox.accept(delivery)).await else {
            tracing::error!(envelope = envelope.kind, "a delivery of Slack could not be stored in time");
            return Taken::default();
        };
        let bare = envelope.acknowledgement(None);
        match acceptance {
            Acceptance::Accepted(_) | Acceptance::Duplicate => Taken { acknowledgement: bare, then: None },
            Acceptance::Refused(reply) => self.refuse(envelope, spot, &reply),
            Acceptance::Form(form) => self.open(envelope, spot, *form),
        }
    }

    /// Shows a refusal to who asked: in the acknowledgement where it can hold one.
    fn refuse(self: &Arc<Self>, envelope: &Envelope, spot: Spot, reply: &Reply) -> Taken {
        let line = Arc::clone(&self.line);
        let mut rendering = render::render(&reply.message);
        if envelope.kind != "slash_commands" || !envelope.takes_payload() {
            let then = async move {
                if let Err(error) = line.whisper(&spot, rendering, None).await {
                    tracing::warn!(%error, "a refusal could not be shown in Slack");
                }
            };
            return Taken { acknowledgement: envelope.acknowledgement(None), then: Some(then.boxed()) };
        }
        let first = serde_json::to_value(Response::ephemeral(rendering.first.content(), None)).ok();
        let then = (!rendering.thread.is_empty()).then(|| {
            rendering.first = rendering.thread.remove(0);
            async move {
                if let Err(error) = line.whisper(&spot, rendering, None).await {
                    tracing::warn!(%error, "the rest of a refusal could not be shown in Slack");
                }
            }
            .boxed()
        });
        Taken { acknowledgement: envelope.acknowledgement(first), then }
    }

    /// Opens a form: in place of the one that was just sent, or with what the click allows for three seconds.
    fn open(self: &Arc<Self>, envelope: &Envelope, spot: Spot, form: Form) -> Taken {
        if payload::is_submission(envelope.payload()) && envelope.takes_payload() {
            let view = render::view(&form, &carried(&form, &spot));
            let update = json!({"response_action": "update", "view": view});
            return Taken { acknowledgement: envelope.acknowledgement(Some(update)), then: None };
        }
        let line = Arc::clone(&self.line);
        let then = async move {
            let Err(why) = line.open_form(&spot, &form).await else { return };
            tracing::warn!(error = why, "a form could not be opened in Slack");
            let late = Message::new(
                Tone::Refused,
                text!["The form could not be opened in time. Nothing was done; try it again."],
            );
            if let Err(error) = line.whisper(&spot, render::render(&late), None).await {
                tracing::warn!(%error, "that a form was not opened could not be shown in Slack");
            }
        };
        Taken { acknowledgement: envelope.acknowledgement(None), then: Some(then.boxed()) }
    }
}

impl Line {
    /// Opens a form; the error says why it is not open, in words without a secret.
    pub(crate) async fn open_form(&self, spot: &Spot, form: &Form) -> Result<(), String> {
        let Some(trigger) = spot.way.trigger.clone() else { return Err("nothing was clicked".to_owned()) };
        let request = SlackApiViewsOpenRequest::new(trigger.into(), render::view(form, &carried(form, spot)));
        self.api.post_within("views.open", OPENING, &request).await.map_err(|failure| failure.to_string())
    }
}

/// What a form carries to find its way back.
fn carried(form: &Form, spot: &Spot) -> String {
    let carried = Carried {
        token: form.token.clone(),
        channel: spot.channel.clone(),
        thread: spot.thread.clone(),
        // A form has a trigger of its own.
        way: Way { trigger: None, ..spot.way.clone() },
    };
    serde_json::to_string(&carried).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn anything_with_an_id_can_be_acknowledged() {
        for frame in [r#"{"envelope_id":"e1"}"#, r#"{"type":7,"envelope_id":"e1","payload":[]}"#] {
            let envelope = Envelope::read(frame).expect("it is JSON");
            assert_eq!(envelope.acknowledgement(None).as_deref(), Some(r#"{"envelope_id":"e1"}"#));
        }
        assert!(Envelope::read("not JSON").is_none());
        assert_eq!(Envelope::read("[1]").and_then(|envelope| envelope.acknowledgement(None)), None);
    }
}
