//! What arrives from Discord: deliveries are kept by the inbox first, then acknowledged, both within a moment.

mod acknowledgements;
mod autocomplete;
mod interaction;
mod message;

use std::collections::BTreeSet;
use std::sync::Arc;

use kubewhy_chat::{Identity, Inbox, Person, Standing};
use serenity::model::application::Interaction;
use serenity::model::channel::Message;
use serenity::model::id::{GuildId, RoleId};
use serenity::model::user::User;

pub(crate) use self::acknowledgements::{Acknowledgement, Acknowledgements};
use crate::posting::Line;

/// Something that arrived.
#[derive(Debug)]
pub(crate) enum Incoming {
    Interaction(Box<Interaction>),
    Message(Box<Message>),
}

/// Takes what arrives.
pub(crate) struct Intake {
    pub(crate) line: Arc<Line>,
    pub(crate) inbox: Arc<dyn Inbox>,
    /// The servers that are served; with none, all.
    pub(crate) guilds: Arc<[u64]>,
}

impl Intake {
    /// Takes one of them; `me` is the bot itself.
    pub(crate) async fn take(&self, incoming: Incoming, me: u64) {
        match incoming {
            Incoming::Interaction(interaction) => match *interaction {
                Interaction::Command(command) => self.command(&command).await,
                Interaction::Autocomplete(command) => self.autocomplete(&command).await,
                Interaction::Component(component) => self.component(&component).await,
                Interaction::Modal(modal) => self.form(&modal).await,
                _ => {}
            },
            Incoming::Message(message) => self.message(&message, me).await,
        }
    }

    fn person(&self, user: &User, nick: Option<&str>, guild: Option<GuildId>, roles: Option<&[RoleId]>) -> Person {
        let name = nick.or(user.global_name.as_deref()).unwrap_or(&user.name);
        let standing = standing(user.bot, guild.map(GuildId::get), roles.is_some(), &self.guilds);
        let groups = match (standing, roles) {
            (Standing::Member, Some(roles)) => groups(roles),
            _ => BTreeSet::new(),
        };
        Person {
            id: format!("discord:{}", user.id.get()),
            name: name.to_owned(),
            identity: Some(Identity { standing, groups }),
        }
    }
}

/// The roles as groups.
pub(crate) fn groups(roles: &[RoleId]) -> BTreeSet<String> {
    roles.iter().map(|role| format!("discord:{}", role.get())).collect()
}

/// How somebody belongs to the servers that are served.
fn standing(bot: bool, guild: Option<u64>, member: bool, served: &[u64]) -> Standing {
    match guild {
        _ if bot => Standing::Bot,
        None => Standing::Guest,
        Some(guild) if !served.is_empty() && !served.contains(&guild) => Standing::External,
        Some(_) if member => Standing::Member,
        Some(_) => Standing::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Standing;

    use super::standing;

    #[test]
    fn somebody_without_a_server_that_is_served_is_no_member() {
        for (bot, guild, member, served, expected) in [
            (false, Some(1), true, &[1][..], Standing::Member),
            (false, Some(1), true, &[], Standing::Member),
            (false, Some(2), true, &[1], Standing::External),
            (false, None, false, &[1], Standing::Guest),
            (false, None, false, &[], Standing::Guest),
            (false, Some(1), false, &[1], Standing::Unknown),
            (true, Some(1), true, &[1], Standing::Bot),
        ] {
            assert_eq!(standing(bot, guild, member, served), expected, "{bot} {guild:?} {member} {served:?}");
        }
    }
}
