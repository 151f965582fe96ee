//! What Discord vouches for about a person who did not bring it along.

use std::collections::BTreeSet;
use std::time::Duration;

use kubewhy_chat::{ChatError, Identity, Person, Standing};
use moka::future::Cache;
use serde::Deserialize;
use serenity::model::id::{GuildId, RoleId};

use crate::api::codes::{UNKNOWN_MEMBER, UNKNOWN_USER};
use crate::api::{Api, Call, Failure};
use crate::intake::groups;
use crate::places::number;

/// How long an identity is believed.
const LIFE: Duration = Duration::from_mins(5);
/// The most servers that are asked about a person.
const MOST_GUILDS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(10);

/// Identities of the last minutes.
pub(crate) struct Identities {
    known: Cache<u64, Identity>,
    joined: Cache<(), Vec<u64>>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    roles: Vec<RoleId>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    bot: bool,
}

impl Identities {
    pub(crate) fn new() -> Self {
        Self {
            known: Cache::builder().max_capacity(10_000).time_to_live(LIFE).build(),
            joined: Cache::builder().max_capacity(1).time_to_live(LIFE).build(),
        }
    }

    /// What Discord says about a person in the servers that are served; with none, in all that the bot is in.
    pub(crate) async fn of(&self, person: &Person, served: &[u64], api: &Api) -> Result<Identity, ChatError> {
        let user = number(&person.id)
            .ok_or(ChatError::Invalid { action: "look up a person", code: "not of discord".to_owned() })?;
        let asked = self.known.try_get_with(user, self.ask(user, served, api)).await;
        asked.map_err(|failure| Failure::clone(&failure).into_error("look up a person", user))
    }

    async fn ask(&self, user: u64, served: &[u64], api: &Api) -> Result<Identity, Failure> {
        let joined;
        let guilds = if served.is_empty() {
            joined = self.joined(api).await?;
            &joined
        } else {
            served
        };
        let mut identity = Identity { standing: Standing::Guest, groups: BTreeSet::new() };
        for guild in guilds.iter().take(MOST_GUILDS) {
            let call = Call::get(format!("guilds/{guild}/members/{user}"), "look up a member").within(DEADLINE);
            let member: Member = match api.call(call).await {
                Ok(member) => member,
                Err(failure) if matches!(failure.code(), Some(UNKNOWN_MEMBER | UNKNOWN_USER)) => continue,
                Err(failure) => return Err(failure),
            };
            identity.groups.extend(groups(&member.roles));
            let bot = member.user.is_some_and(|user| user.bot);
            identity.standing = if bot { Standing::Bot } else { Standing::Member };
        }
        Ok(identity)
    }

    async fn joined(&self, api: &Api) -> Result<Vec<u64>, Failure> {
        #[derive(Deserialize)]
        struct Guild {
            id: GuildId,
        }
        if let Some(joined) = self.joined.get(&()).await {
            return Ok(joined);
        }
        let call = Call::get("users/@me/guilds", "list the servers of the bot").within(DEADLINE);
        let guilds: Vec<Guild> = api.call(call).await?;
        let joined: Vec<u64> = guilds.iter().map(|guild| guild.id.get()).collect();
        self.joined.insert((), joined.clone()).await;
        Ok(joined)
    }
}
