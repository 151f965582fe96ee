//! Whether the bot can answer in a channel.

use kubewhy_chat::{Check, CheckFinding};
use kubewhy_text::{Text, code, name, own, quoted, text};
use serde::Deserialize;
use serenity::model::channel::ChannelType;
use serenity::model::id::{GuildId, RoleId};

use super::permissions::{Guild, NEEDED, Overwrite, granted};
use super::{Bot, invitation, said};
use crate::api::codes::{MISSING_ACCESS, UNKNOWN_CHANNEL};
use crate::api::{Api, Call, Failure};
use crate::places::number;

#[derive(Deserialize)]
struct Channel {
    #[serde(rename = "type")]
    kind: ChannelType,
    name: Option<String>,
    guild_id: Option<GuildId>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    roles: Vec<RoleId>,
}

/// Looks whether the bot can answer in a channel.
pub(super) async fn check(api: &Api, bot: &Bot, guilds: &[u64], id: &str) -> Check {
    let what = text!["discord channel ", name(id.to_owned())];
    let finding = match number(id) {
        Some(number) => look(api, bot, guilds, number).await.unwrap_or_else(|failure| failed(&failure, bot)),
        None => CheckFinding::Wrong {
            problem: Text::from("it is no channel of Discord"),
            remedy: text!["write it as ", code("discord:NUMBER"), ": the number is what Copy Channel ID gives"],
        },
    };
    Check { what, finding }
}

async fn look(api: &Api, bot: &Bot, guilds: &[u64], id: u64) -> Result<CheckFinding, Failure> {
    let channel: Channel = api.call(Call::get(format!("channels/{id}"), "read a channel")).await?;
    let Some(guild_id) = channel.guild_id.map(GuildId::get) else {
        return Ok(CheckFinding::Fine(Text::from("it is a direct message")));
    };
    if !guilds.is_empty() && !guilds.contains(&guild_id) {
        return Ok(CheckFinding::Wrong {
            problem: text!["it belongs to server ", name(guild_id.to_string()), ", which is not served"],
            remedy: text!["add the server to ", code("[discord] guilds"), ", or take the channel out"],
        });
    }
    if !matches!(channel.kind, ChannelType::Text | ChannelType::News) {
        return Ok(CheckFinding::Doubtful {
            problem: Text::from("it is no text channel: answers cannot have threads there"),
            remedy: Text::from("take a text channel"),
        });
    }
    let guild: Guild = api.call(Call::get(format!("guilds/{guild_id}"), "read a server")).await?;
    let path = format!("guilds/{guild_id}/members/{}", bot.id);
    let member: Member = api.call(Call::get(path, "look up the bot in a server")).await?;
    let granted = granted(&guild, guild_id, bot.id, &member.roles, &channel.permission_overwrites);
    let lacking: Vec<&str> =
        NEEDED.iter().filter(|(permission, _)| !granted.contains(*permission)).map(|(_, name)| *name).collect();
    if lacking.is_empty() {
        let shown = text![quoted(channel.name.unwrap_or_default()), " of ", quoted(guild.name)];
        return Ok(CheckFinding::Fine(text!["the bot can answer in channel ", shown]));
    }
    Ok(CheckFinding::Wrong {
        problem: text!["the bot lacks: ", own(lacking.join(", "))],
        remedy: text![
            "grant it to the bot's role in the channel's settings under Permissions, or invite the bot again: ",
            code(invitation(bot.application))
        ],
    })
}

fn failed(failure: &Failure, bot: &Bot) -> CheckFinding {
    let remedy = match failure.code() {
        Some(UNKNOWN_CHANNEL) => Text::from("look whether the number is right and the channel still there"),
        Some(MISSING_ACCESS) => text![
            "grant the bot's role View Channel there, or invite the bot to its server: ",
            code(invitation(bot.application))
        ],
        _ => Text::from("try again"),
    };
    CheckFinding::Wrong { problem: said(failure), remedy }
}
