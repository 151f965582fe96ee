//! Messages that mention the bot, and direct messages.

use jiff::Timestamp;
use kubewhy_chat::{Delivery, Input, Request};
use serenity::model::channel::{Message, MessageType};
use serenity::model::id::GuildId;

use super::Intake;
use crate::places::Spot;
use crate::posting::READ_CHANNEL;
use crate::way::{Manner, Way};

impl Intake {
    pub(super) async fn message(&self, message: &Message, me: u64) {
        let Some(line) = line(message, me) else { return };
        let (id, channel) = (message.id.get(), message.channel_id.get());
        let spot = match message.guild_id {
            Some(_) => self.line.places.look(channel, READ_CHANNEL, &self.line.api).await,
            None => Spot { id: channel, parent: None, direct: true },
        };
        let member = message.member.as_deref();
        let who = self.person(
            &message.author,
            member.and_then(|member| member.nick.as_deref()),
            message.guild_id,
            member.map(|member| member.roles.as_slice()),
        );
        let way = Way {
            guild: message.guild_id.map(GuildId::get),
            channel,
            threaded: spot.parent.is_some(),
            asker: message.author.id.get(),
            manner: Manner::Message { message: id },
        };
        let delivery = Delivery {
            id: format!("discord:{id}"),
            request: Request { who, place: spot.below(id), input: Input::Line(line) },
            address: way.write(),
            received_at: Timestamp::now(),
        };
        let acceptance = self.inbox.accept(delivery.clone()).await;
        self.settle(&delivery, acceptance).await;
    }
}

/// What a message asks the bot, if anything: nothing that a program wrote, and in a server only what mentions the bot.
fn line(message: &Message, me: u64) -> Option<String> {
    let written_by_program = message.author.bot || message.author.system || message.webhook_id.is_some();
    if written_by_program || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply) {
        return None;
    }
    match message.guild_id {
        Some(_) => without_mention(&message.content, me),
        None => Some(without_mention(&message.content, me).unwrap_or_else(|| message.content.trim().to_owned()))
            .filter(|line| !line.is_empty()),
    }
}

/// The words without the bot's name; `None` where they do not mention it.
fn without_mention(words: &str, me: u64) -> Option<String> {
    let (before, after) =
        [format!("<@{me}>"), format!("<@!{me}>")].iter().find_map(|mention| words.split_once(mention.as_str()))?;
    Some(format!("{} {}", before.trim(), after.trim()).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::without_mention;

    #[test]
    fn the_name_of_the_bot_is_no_part_of_the_question() {
        for (words, expected) in [
            ("<@7> why cart", Some("why cart")),
            ("<@!7>  why cart ", Some("why cart")),
            ("why cart <@7>", Some("why cart")),
            ("hey <@7> why <@8>", Some("hey why <@8>")),
            ("<@7>", Some("")),
            ("why cart", None),
            ("<@77> why", None),
            ("<@&7> why", None),
        ] {
            assert_eq!(without_mention(words, 7).as_deref(), expected, "{words}");
        }
    }
}
