//! Changing a message that stands there.

use kubewhy_chat::{ChatError, Message, Posted};
use serde::{Deserialize, Serialize};
use slack_morphism::prelude::SlackMessageContent;

use crate::api::Care;
use crate::line::Line;
use crate::render::render;
use crate::way::{self, is_time};

#[derive(Serialize)]
struct Update<'u> {
    channel: &'u str,
    ts: &'u str,
    link_names: bool,
    parse: &'static str,
    #[serde(flatten)]
    content: SlackMessageContent,
}

#[derive(Deserialize)]
struct Updated {}

impl Line {
    /// Replaces the first screen of a message.
    pub(crate) async fn edit(&self, posted: &Posted, message: &Message) -> Result<(), ChatError> {
        let channel = way::channel(&posted.place.channel).filter(|_| is_time(&posted.id));
        let Some(channel) = channel else { return Err(ChatError::Gone { code: "not_editable".to_owned() }) };
        let mut content = render(message).first.content();
        // What is left out stays as it was: the bar of the colour before would remain below the new words.
        content.blocks.get_or_insert_default();
        content.attachments.get_or_insert_default();
        let update = Update { channel, ts: &posted.id, link_names: false, parse: "none", content };
        self.pace.edit().await?;
        let updated = self.api.post::<_, Updated>("chat.update", Care::Repeatable, &update).await;
        updated.map(|_| ()).map_err(|failure| failure.into_chat("edit a message", channel))
    }
}
