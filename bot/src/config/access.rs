//! `[access]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use kubewhy_core::access::{Ask, Logs as LogReaders};

use super::platform::{self, DiscordId};
use super::review::{Review, repeated, shown};

/// `[access]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawAccess {
    ask: Ask,
    logs: LogReaders,
    guests: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<RawGroup>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<RawPerson>,
}

/// An entry of `[[access.groups]]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawGroup {
    pub(super) name: String,
    slack_user_groups: Vec<String>,
    discord_roles: Vec<DiscordId>,
    kubernetes_groups: Vec<String>,
}

/// An entry of `[[access.people]]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPerson {
    name: String,
    slack: String,
    discord: DiscordId,
    kubernetes_user: String,
    groups: Vec<String>,
}

/// Who may ask and see what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Who may ask.
    pub ask: Ask,
    /// Who may see the tails of logs.
    pub logs: LogReaders,
    /// Whether guests and external persons count as members.
    pub guests: bool,
    /// The groups by whose membership a person may more.
    pub groups: Vec<Group>,
    /// The persons that are known by name.
    pub people: Vec<Person>,
}

/// A group of persons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name; unlike that of every other.
    pub name: String,
    /// Slack's user groups whose members are in it, as [`kubewhy_chat::Identity`] writes them: `slack:S0123`.
    pub slack_user_groups: Vec<String>,
    /// Discord's roles whose holders are in it, as [`kubewhy_chat::Identity`] writes them: `discord:987`.
    pub discord_roles: Vec<String>,
    /// The cluster's groups that stand for it in a `SubjectAccessReview`.
    pub kubernetes_groups: Vec<String>,
}

/// A person that is known by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The name; unlike that of every other.
    pub name: String,
    /// The account on Slack, as [`kubewhy_chat::Person`] writes it: `slack:T01:U01`.
    pub slack: Option<String>,
    /// The account on Discord, as [`kubewhy_chat::Person`] writes it: `discord:1234`.
    pub discord: Option<String>,
    /// The cluster's user that stands for the person in a `SubjectAccessReview`.
    pub kubernetes_user: Option<String>,
    /// The groups the person is in, whatever the platforms say; names of [`Group`]s.
    pub groups: Vec<String>,
}

pub(super) fn resolve(raw: &RawAccess, review: &mut Review) -> Access {
    let RawAccess { ask, logs, guests, groups, people } = raw;
    if groups.is_empty() && *ask == Ask::Groups {
        review.warning("access.ask", "is \"groups\" and there is no group: nobody may ask", "add [[access.groups]]");
    }
    if groups.is_empty() && *logs == LogReaders::Groups {
        review.warning(
            "access.logs",
            "is \"groups\" and there is no group: nobody may see the tails of logs",
            "add [[access.groups]], or write logs = \"all\" or \"off\"",
        );
    }
    let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    names(review, "access.groups", &known);
    names(review, "access.people", &people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>());
    let access = Access {
        ask: *ask,
        logs: *logs,
        guests: *guests,
        groups: groups.iter().enumerate().map(|(index, raw)| group(index, raw, review)).collect(),
        people: people.iter().enumerate().map(|(index, raw)| person(index, raw, &known, review)).collect(),
    };
    once_each(&access.people, "slack", |person| person.slack.as_deref(), review);
    once_each(&access.people, "discord", |person| person.discord.as_deref(), review);
    access
}

fn group(index: usize, raw: &RawGroup, review: &mut Review) -> Group {
    let RawGroup { name, slack_user_groups, discord_roles, kubernetes_groups } = raw;
    let key = format!("access.groups[{index}]");
    for (at, id) in slack_user_groups.iter().enumerate() {
        if !platform::is_slack_id(id, "S") {
            review.problem(
                &format!("{key}.slack_user_groups[{at}]"),
                format!("{} is no user group's id", shown(id)),
                "write the id (S and capital letters and digits) from the user group's menu \"Copy group ID\"",
            );
        }
    }
    for (at, id) in discord_roles.iter().enumerate() {
        if platform::discord_id(id).is_none() {
            let key = format!("{key}.discord_roles[{at}]");
            review.problem(&key, format!("{} is no role's id", shown(id)), platform::DISCORD_ID_FIX);
        }
    }
    for (at, group) in kubernetes_groups.iter().enumerate() {
        if group == "system:masters" {
            review.warning(
                &format!("{key}.kubernetes_groups[{at}]"),
                "is \"system:masters\", to which a cluster allows everything",
                "name a group that has the RoleBindings its people need",
            );
        }
    }
    Group {
        name: name.clone(),
        slack_user_groups: slack_user_groups.iter().map(|id| format!("slack:{id}")).collect(),
        discord_roles: discord_roles.iter().map(|id| format!("discord:{}", &**id)).collect(),
        kubernetes_groups: kubernetes_groups.clone(),
    }
}

fn person(index: usize, raw: &RawPerson, groups: &[&str], review: &mut Review) -> Person {
    let RawPerson { name, slack, discord, kubernetes_user, groups: member_of } = raw;
    let key = format!("access.people[{index}]");
    let is_account = |(team, user): (&str, &str)| {
        (platform::is_slack_id(team, "T") || platform::is_slack_id(team, "E"))
            && (platform::is_slack_id(user, "U") || platform::is_slack_id(user, "W"))
    };
    if !slack.is_empty() && !slack.split_once(':').is_some_and(is_account) {
        review.problem(
            &format!("{key}.slack"),
            format!("{} is no account", shown(slack)),
            "write the workspace's id and the member's, such as \"T01ABC:U01ABC\" (profile, menu, \"Copy member ID\")",
        );
    }
    if !discord.is_empty() && platform::discord_id(discord).is_none() {
        review.problem(
            &format!("{key}.discord"),
            format!("{} is no account's id", shown(discord)),
            platform::DISCORD_ID_FIX,
        );
    }
    if slack.is_empty() && discord.is_empty() {
        review.problem(
            &key,
            "has neither slack nor discord",
            "write the person's account, such as slack = \"T01ABC:U01ABC\"",
        );
    }
    for (at, group) in member_of.iter().enumerate() {
        if !groups.contains(&group.as_str()) {
            review.unknown_reference(&format!("{key}.groups[{at}]"), group, "[[access.groups]]", groups);
        }
    }
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Person {
        name: name.clone(),
        slack: given(slack).map(|account| format!("slack:{account}")),
        discord: given(discord).map(|account| format!("discord:{account}")),
        kubernetes_user: given(kubernetes_user),
        groups: member_of.clone(),
    }
}

/// Each entry has a name, and no two the same.
fn names(review: &mut Review, list: &str, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            review.problem(&format!("{list}[{index}].name"), "is missing", "write name = \"...\"");
        }
    }
    for index in repeated(names.iter().copied()) {
        let name = names.get(index).copied().unwrap_or_default();
        let key = format!("{list}[{index}].name");
        review.problem(&key, format!("{} is there twice", shown(name)), "give each entry a name of its own");
    }
}

/// Two entries for one account would make it two persons, who could confirm each other's plans.
fn once_each(people: &[Person], field: &str, account: impl Fn(&Person) -> Option<&str>, review: &mut Review) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, person) in people.iter().enumerate() {
        let Some(id) = account(person) else { continue };
        if let Some(other) = first.insert(id, &person.name) {
            review.problem(
                &format!("access.people[{index}].{field}"),
                format!("is the account of {} too", shown(other)),
                "keep it with one person",
            );
        }
    }
}
