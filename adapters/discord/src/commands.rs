//! The registration of the commands: only where they differ from those that were registered last.

use kubewhy_chat::Memory;
use reqwest::Method;
use serde_json::Value;

use crate::api::codes::MISSING_ACCESS;
use crate::api::{Api, Call, Failure};
use crate::check::invitation;
use crate::registration;

/// Registers the commands in the servers that are served; with none, for all.
pub(crate) async fn register(api: &Api, memory: &dyn Memory, application: u64, guilds: &[u64]) {
    let commands = registration::commands();
    let fingerprint = registration::fingerprint(&commands);
    let Ok(body) = serde_json::to_value(&commands) else { return };
    let targets: Vec<Option<u64>> =
        if guilds.is_empty() { vec![None] } else { guilds.iter().copied().map(Some).collect() };
    for guild in targets {
        let key = key(application, guild);
        if memory.recall(&key).await.as_deref() == Some(&fingerprint) {
            tracing::debug!(guild, "the discord commands are registered already");
            continue;
        }
        match put(api, application, guild, body.clone()).await {
            Ok(()) => {
                memory.keep(&key, &fingerprint).await;
                tracing::info!(guild, commands = commands.len(), "the discord commands were registered");
            }
            Err(failure) if failure.code() == Some(MISSING_ACCESS) => tracing::error!(
                guild,
                "the bot may not register its commands in this server: invite it with {}",
                invitation(application)
            ),
            Err(failure) => {
                tracing::error!(guild, error = %failure, "failed to register the discord commands; the next start tries again");
            }
        }
    }
}

async fn put(api: &Api, application: u64, guild: Option<u64>, body: Value) -> Result<(), Failure> {
    let path = match guild {
        Some(guild) => format!("applications/{application}/guilds/{guild}/commands"),
        None => format!("applications/{application}/commands"),
    };
    let body = if guild.is_some() { of_one_server(body) } else { body };
    api.send(Call::new(Method::PUT, path, "register the commands").body(body)).await
}

/// The same without what Discord only takes for commands that are not bound to a server.
fn of_one_server(mut commands: Value) -> Value {
    for command in commands.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        command.remove("contexts");
        command.remove("integration_types");
    }
    commands
}

/// The key under which the last registration is kept.
pub(crate) fn key(application: u64, guild: Option<u64>) -> String {
    let guild = guild.map_or_else(|| "global".to_owned(), |guild| guild.to_string());
    format!("discord-commands:{application}:{guild}")
}
