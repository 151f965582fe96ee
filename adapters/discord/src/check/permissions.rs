//! What the bot may do in a channel, computed as Discord does:
//! <https://discord.com/developers/docs/topics/permissions#permission-overwrites>.

use serde::Deserialize;
use serenity::model::Permissions;
use serenity::model::id::{GenericId, RoleId, UserId};

/// A server, as far as permissions go.
#[derive(Deserialize)]
pub(super) struct Guild {
    pub(super) name: String,
    owner_id: UserId,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    id: RoleId,
    permissions: Permissions,
}

/// What a channel says beyond the server's roles.
#[derive(Clone, Deserialize)]
pub(super) struct Overwrite {
    id: GenericId,
    #[serde(rename = "type")]
    kind: u8,
    allow: Permissions,
    deny: Permissions,
}

const ROLE: u8 = 0;
const MEMBER: u8 = 1;

/// What the bot needs, with the name that a person finds in Discord.
pub(super) const NEEDED: [(Permissions, &str); 7] = [
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::ATTACH_FILES, "Attach Files"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
    (Permissions::CREATE_PUBLIC_THREADS, "Create Public Threads"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
];

/// All of them.
pub(super) fn needed() -> Permissions {
    NEEDED.iter().fold(Permissions::empty(), |all, (one, _)| all | *one)
}

/// What somebody with these roles may do in a channel.
pub(super) fn granted(
    guild: &Guild,
    guild_id: u64,
    user: u64,
    roles: &[RoleId],
    overwrites: &[Overwrite],
) -> Permissions {
    let held = |id: u64| id == guild_id || roles.iter().any(|role| role.get() == id);
    let base = guild.roles.iter().filter(|role| held(role.id.get()));
    let mut permissions = base.fold(Permissions::empty(), |all, role| all | role.permissions);
    if guild.owner_id.get() == user || permissions.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    let mut apply = |chosen: &dyn Fn(&Overwrite) -> bool| {
        let (mut allow, mut deny) = (Permissions::empty(), Permissions::empty());
        for overwrite in overwrites.iter().filter(|overwrite| chosen(overwrite)) {
            allow |= overwrite.allow;
            deny |= overwrite.deny;
        }
        permissions = (permissions - deny) | allow;
    };
    apply(&|it| it.kind == ROLE && it.id.get() == guild_id);
    apply(&|it| it.kind == ROLE && it.id.get() != guild_id && held(it.id.get()));
    apply(&|it| it.kind == MEMBER && it.id.get() == user);
    permissions
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use serenity::model::Permissions;
    use serenity::model::id::RoleId;

    use super::{Guild, NEEDED, Overwrite, granted, needed};

    const VIEW: u64 = 1 << 10;
    const SEND: u64 = 1 << 11;

    fn guild(everyone: u64, role: u64, owner: &str) -> Guild {
        serde_json::from_value(json!({
            "name": "ops", "owner_id": owner,
            "roles": [
                { "id": "1", "permissions": everyone.to_string() },
                { "id": "2", "permissions": role.to_string() },
                { "id": "3", "permissions": (1u64 << 3).to_string() },
            ],
        }))
        .unwrap()
    }

    fn overwrites(all: &[(&str, u8, u64, u64)]) -> Vec<Overwrite> {
        let list: Vec<Value> = all
            .iter()
            .map(|(id, kind, allow, deny)| {
                json!({ "id": id, "type": kind, "allow": allow.to_string(), "deny": deny.to_string() })
            })
            .collect();
        serde_json::from_value(Value::Array(list)).unwrap()
    }

    fn bits(guild: &Guild, roles: &[u64], list: &[(&str, u8, u64, u64)]) -> u64 {
        let roles: Vec<RoleId> = roles.iter().copied().map(RoleId::new).collect();
        granted(guild, 1, 9, &roles, &overwrites(list)).bits()
    }

    #[test]
    fn roles_add_up_and_the_narrower_overwrite_wins() {
        let guild = guild(VIEW, SEND, "8");
        assert_eq!(bits(&guild, &[], &[]), VIEW);
        assert_eq!(bits(&guild, &[2], &[]), VIEW | SEND);
        assert_eq!(bits(&guild, &[2], &[("1", 0, 0, VIEW)]), SEND);
        assert_eq!(bits(&guild, &[2], &[("1", 0, 0, VIEW), ("2", 0, VIEW, 0)]), VIEW | SEND);
        assert_eq!(bits(&guild, &[2], &[("2", 0, VIEW, 0), ("9", 1, 0, SEND)]), VIEW);
        assert_eq!(bits(&guild, &[2], &[("4", 0, 0, SEND), ("5", 1, 0, SEND)]), VIEW | SEND);
    }

    #[test]
    fn the_owner_and_an_administrator_may_do_everything() {
        let all = Permissions::all().bits();
        assert_eq!(bits(&guild(0, 0, "9"), &[], &[("1", 0, 0, VIEW)]), all);
        assert_eq!(bits(&guild(0, 0, "8"), &[3], &[("1", 0, 0, VIEW)]), all);
    }

    #[test]
    fn each_permission_is_named_once() {
        assert_eq!(needed().bits().count_ones() as usize, NEEDED.len());
    }
}
