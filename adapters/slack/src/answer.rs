//! Answers to deliveries: where and to whom a reply says.

use kubewhy_chat::{ChatError, Delivery, Posted, Reply, Visibility};

use crate::line::Line;
use crate::render::{Rendering, Screen, render};
use crate::way::{Spot, is_time, place};

/// How often the rest of an answer waits for its turn.
const MOST_TURNS: usize = 5;
/// What who asked reads below an answer for which the channel has no room; mrkdwn.
const TOO_MANY: &str = "Slack takes no more messages here at the moment, so only you see this.";

impl Line {
    /// Answers a delivery.
    pub(crate) async fn answer(&self, delivery: &Delivery, reply: &Reply) -> Result<Posted, ChatError> {
        let Some(spot) = Spot::of(delivery) else {
            return Err(ChatError::Invalid { action: "answer what is not Slack's", code: "no_address".to_owned() });
        };
        if let Some(form) = &reply.form {
            match self.open_form(&spot, form).await {
                Ok(()) => {
                    return Ok(Posted { place: place(&spot.channel, spot.thread.as_deref()), id: "form".to_owned() });
                }
                Err(why) => tracing::debug!(why, "a form is answered by its message"),
            }
        }
        let rendering = render(&reply.message);
        if reply.visibility == Visibility::OnlyAsker && !spot.is_direct() {
            return self.whisper(&spot, rendering, None).await;
        }
        let thread = spot.thread.as_deref();
        let may_be_answered = delivery.received_at < self.started_at;
        if let Some(posted) = self.posted_before(&spot.channel, thread, &delivery.id, may_be_answered).await? {
            let root = posted.place.thread.as_deref().unwrap_or(&posted.id);
            self.say_missing_below(&spot.channel, root, &rendering, &delivery.id).await;
            return Ok(posted);
        }
        match self.say(&spot, &rendering, &delivery.id).await {
            Err(ChatError::NoChannel { code, .. }) => {
                tracing::info!(chat.channel = spot.channel, code, "the channel cannot be answered: only who asked is");
                let note = self.how_to_invite(&code);
                self.whisper(&spot, rendering, Some(note)).await
            }
            // It certainly does not stand in the channel, and who asked is not left without an answer.
            Err(ChatError::Throttled { .. }) => {
                tracing::info!(
                    chat.channel = spot.channel,
                    "the channel takes no more messages: only who asked is answered"
                );
                self.whisper(&spot, rendering, Some(TOO_MANY.to_owned())).await
            }
            said => said,
        }
    }

    /// Says it in the channel, or in the thread.
    async fn say(&self, spot: &Spot, rendering: &Rendering, key: &str) -> Result<Posted, ChatError> {
        let first = rendering.first.content();
        let thread = spot.thread.as_deref();
        let (sent, thread) = match self.send(&spot.channel, thread, first.clone(), Some(key)).await {
            // The question was deleted meanwhile.
            Err(ChatError::Gone { .. }) if thread.is_some() => {
                (self.send(&spot.channel, None, first, Some(key)).await?, None)
            }
            sent => (sent?, thread),
        };
        let root = thread.unwrap_or(&sent.ts);
        self.say_below(&sent.channel, root, rendering, key).await;
        Ok(Posted { place: place(&sent.channel, Some(root)), id: sent.ts.clone() })
    }

    /// Says the rest in the thread. The first screen stands there already, so that nothing of this fails the whole.
    pub(crate) async fn say_below(&self, channel: &str, root: &str, rendering: &Rendering, key: &str) {
        if !is_time(root) {
            tracing::warn!(
                chat.channel = channel,
                "Slack did not say where the message stands: nothing is said below it"
            );
            return;
        }
        for (index, screen) in rendering.thread.iter().enumerate() {
            let key = format!("{key}/{index}");
            if let Err(error) = self.say_patiently(channel, root, screen, &key).await {
                tracing::warn!(%error, chat.channel = channel, "the rest of an answer could not be posted in Slack");
                return;
            }
        }
        for file in &rendering.files {
            if let Err(error) = self.share(channel, root, file).await {
                tracing::warn!(%error, chat.channel = channel, "a file of an answer could not be shared in Slack");
            }
        }
    }

    /// Says in the thread what a run before this one did not come to. Files have no key, and are not shared a second time.
    async fn say_missing_below(&self, channel: &str, root: &str, rendering: &Rendering, key: &str) {
        for (index, screen) in rendering.thread.iter().enumerate() {
            let key = format!("{key}/{index}");
            if matches!(self.find(channel, Some(root), &key).await, Ok(Some(_))) {
                continue;
            }
            if let Err(error) = self.say_patiently(channel, root, screen, &key).await {
                tracing::warn!(%error, chat.channel = channel, "the rest of an answer could not be posted in Slack");
                return;
            }
        }
    }

    /// Says it in the thread, where need be after many others have had their turn in that channel.
    async fn say_patiently(&self, channel: &str, root: &str, screen: &Screen, key: &str) -> Result<(), ChatError> {
        let mut said = self.send(channel, Some(root), screen.content(), Some(key)).await;
        for _ in 0..MOST_TURNS {
            if !matches!(said, Err(ChatError::Throttled { .. })) {
                break;
            }
            said = self.send(channel, Some(root), screen.content(), Some(key)).await;
        }
        said.map(|_| ())
    }

    /// What who asked reads below an answer that the channel does not get; mrkdwn.
    fn how_to_invite(&self, code: &str) -> String {
        if code.contains("archived") {
            return "The channel is archived, so only you see this.".to_owned();
        }
        let name = self.known_me().map(|me| me.user.as_str()).filter(|name| is_name(name)).unwrap_or("kubewhy");
        let command = Some(self.command.as_str()).filter(|command| command.strip_prefix('/').is_some_and(is_name));
        let command = command.unwrap_or("/why");
        format!(
            "I am not in this channel, so only you see this. Invite me with `/invite @{name}`; then `{command}` answers here."
        )
    }
}

/// Whether it is a name as Slack gives them to bots; nothing else is put into markup.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '.'))
}
