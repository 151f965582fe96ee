//! The lines of `kubewhy check` about Discord.

mod channel;
mod permissions;

use kubewhy_chat::{Check, CheckFinding};
use kubewhy_text::{Text, code, name, own, quoted, text};
use serde::Deserialize;
use serenity::model::id::{ApplicationId, GuildId, UserId};

use crate::api::{Api, Call, Failure};
use crate::gateway::probe;

/// The address that invites the bot with all that it needs.
pub(crate) fn invitation(application: u64) -> String {
    let permissions = permissions::needed().bits();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={permissions}"
    )
}

#[derive(Deserialize)]
struct Me {
    id: UserId,
    username: String,
}

#[derive(Deserialize)]
struct Application {
    id: ApplicationId,
}

#[derive(Deserialize)]
struct Joined {
    id: GuildId,
    name: String,
}

/// What is known while checking.
struct Bot {
    id: u64,
    application: u64,
}

/// Looks whether everything that Discord has to grant is granted.
pub(crate) async fn check(api: &Api, guilds: &[u64], channels: &[String]) -> Vec<Check> {
    let mut checks = Vec::new();
    let me: Me = match api.call(Call::get("users/@me", "ask who the bot is")).await {
        Ok(me) => me,
        Err(failure) => return vec![token_failed(&failure)],
    };
    checks.push(fine("discord bot token", text!["it is of the bot ", quoted(me.username)]));
    let application = match api.call::<Application>(Call::get("applications/@me", "ask which application it is")).await
    {
        Ok(application) => application.id.get(),
        // The bot and its application have had the same number since 2016.
        Err(_) => me.id.get(),
    };
    let bot = Bot { id: me.id.get(), application };
    checks.push(sessions(api).await);
    checks.extend(memberships(api, &bot, guilds).await);
    for channel in channels.iter().filter(|channel| channel.starts_with("discord:")) {
        checks.push(channel::check(api, &bot, guilds, channel).await);
    }
    checks
}

fn token_failed(failure: &Failure) -> Check {
    let (problem, remedy) = match failure {
        Failure::Revoked { .. } => (
            Text::from("Discord does not accept it"),
            Text::from(
                "Discord developer portal, your application, page Bot: reset the token, and put the new one where \
                 [discord] token says",
            ),
        ),
        failure => {
            (said(failure), text!["look whether this machine reaches the address in ", code("[discord] api_url")])
        }
    };
    wrong("discord bot token", problem, remedy)
}

async fn sessions(api: &Api) -> Check {
    let what = "discord gateway";
    match probe(api).await.map(|plan| plan.session_start_limit) {
        Ok(Some(limit)) if limit.remaining < limit.total / 4 => doubtful(
            what,
            text!["only ", limit.remaining, " of ", limit.total, " sessions are left for today"],
            text![
                "look for another program that uses this bot token; more are granted in ",
                limit.reset_after / 60_000,
                " min"
            ],
        ),
        Ok(Some(limit)) => fine(what, text![limit.remaining, " of ", limit.total, " sessions are left for today"]),
        Ok(None) => fine(what, Text::from("its address is known")),
        Err(failure) => wrong(what, said(&failure), Text::from("look whether this machine reaches Discord")),
    }
}

async fn memberships(api: &Api, bot: &Bot, guilds: &[u64]) -> Vec<Check> {
    let joined: Vec<Joined> = match api.call(Call::get("users/@me/guilds", "list the servers of the bot")).await {
        Ok(joined) => joined,
        Err(failure) => {
            return vec![wrong("discord servers", said(&failure), Text::from("try again"))];
        }
    };
    let invite = || text!["invite the bot: ", code(invitation(bot.application))];
    if joined.is_empty() {
        return vec![wrong("discord servers", Text::from("the bot is in no server"), invite())];
    }
    if guilds.is_empty() {
        return vec![fine("discord servers", text!["the bot is in ", joined.len(), " and serves all of them"])];
    }
    let checks = guilds.iter().map(|guild| {
        let what = text!["discord server ", name(guild.to_string())];
        match joined.iter().find(|joined| joined.id.get() == *guild) {
            Some(joined) => {
                Check { what, finding: CheckFinding::Fine(text!["the bot is in ", quoted(joined.name.clone())]) }
            }
            None => Check {
                what,
                finding: CheckFinding::Wrong { problem: Text::from("the bot is not in it"), remedy: invite() },
            },
        }
    });
    checks.collect()
}

/// A failure in words for a person.
fn said(failure: &Failure) -> Text {
    match failure {
        Failure::Refused { code, words, status } => {
            text!["Discord refused: ", quoted(words.clone()), " (", *code, ", status ", *status, ")"]
        }
        failure => text![own(failure.to_string())],
    }
}

fn fine(what: &'static str, found: Text) -> Check {
    Check { what: Text::from(what), finding: CheckFinding::Fine(found) }
}

fn doubtful(what: &'static str, problem: Text, remedy: Text) -> Check {
    Check { what: Text::from(what), finding: CheckFinding::Doubtful { problem, remedy } }
}

fn wrong(what: &'static str, problem: Text, remedy: Text) -> Check {
    Check { what: Text::from(what), finding: CheckFinding::Wrong { problem, remedy } }
}
