//! Permissions: the bits, and how roles and overwrites of a channel add up.

use crate::id::Id;
use crate::world::{Overwrite, Role};

/// Everything is allowed, in every channel.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// May put reactions on messages.
pub const ADD_REACTIONS: u64 = 1 << 6;
/// May see the channel; without it Discord answers 50001.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// May post in the channel (not in its threads).
pub const SEND_MESSAGES: u64 = 1 << 11;
/// May delete messages of others.
pub const MANAGE_MESSAGES: u64 = 1 << 13;
/// May post embeds.
pub const EMBED_LINKS: u64 = 1 << 14;
/// May post files.
pub const ATTACH_FILES: u64 = 1 << 15;
/// May read what was said before.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// May ping `@everyone`, `@here` and every role.
pub const MENTION_EVERYONE: u64 = 1 << 17;
/// May use application commands.
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
/// May archive, lock, rename and delete threads.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// May open public threads.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// May open private threads.
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
/// May post in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// Manages the guild.
pub const MANAGE_GUILD: u64 = 1 << 5;

/// What a usual member may do.
pub const MEMBER: u64 = ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS;

/// All permissions: what an owner or an administrator has.
pub const ALL: u64 = (1 << 50) - 1;

/// What of a person counts for permissions.
pub(crate) struct Holder<'a> {
    pub(crate) user: Id,
    pub(crate) guild: Id,
    pub(crate) is_owner: bool,
    pub(crate) roles: &'a [Id],
}

/// Adds up what somebody may do in a guild, before any channel's overwrites.
pub(crate) fn in_guild(holder: &Holder<'_>, roles: &[Role]) -> u64 {
    if holder.is_owner {
        return ALL;
    }
    let bits = roles
        .iter()
        .filter(|role| role.id == holder.guild || holder.roles.contains(&role.id))
        .fold(0, |bits, role| bits | role.permissions);
    if bits & ADMINISTRATOR == 0 { bits } else { ALL }
}

/// Adds up what somebody may do in a channel: overwrites of everyone, of roles, of the person, in this order.
pub(crate) fn in_channel(holder: &Holder<'_>, roles: &[Role], overwrites: &[Overwrite]) -> u64 {
    let base = in_guild(holder, roles);
    if base == ALL {
        return ALL;
    }
    let apply = |bits: u64, chosen: &dyn Fn(&Overwrite) -> bool| {
        let (allow, deny) = overwrites
            .iter()
            .filter(|overwrite| chosen(overwrite))
            .fold((0, 0), |(allow, deny), overwrite| (allow | overwrite.allow, deny | overwrite.deny));
        (bits & !deny) | allow
    };
    let bits = apply(base, &|overwrite| overwrite.id == holder.guild);
    let bits = apply(bits, &|overwrite| overwrite.id != holder.guild && holder.roles.contains(&overwrite.id));
    apply(bits, &|overwrite| overwrite.id == holder.user)
}
