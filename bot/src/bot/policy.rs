//! From the configuration to the policy of access.

use std::collections::BTreeSet;

use kubewhy_core::access::{ChannelScope, ClusterScope, Group, Guests, Member, Namespaces, Policy};

use crate::config::{self, Settings};

/// The policy over the clusters that are served.
pub(crate) fn policy<'n>(settings: &Settings, clusters: impl IntoIterator<Item = &'n str>) -> Policy {
    let access = &settings.access;
    let scope = |name: &str| ClusterScope {
        name: name.to_owned(),
        namespaces: settings
            .clusters
            .iter()
            .find(|cluster| cluster.name == name)
            .map_or(Namespaces::All, |cluster| namespaces(&cluster.namespaces)),
    };
    Policy {
        ask: access.ask,
        guests: if access.guests { Guests::Welcome } else { Guests::Refused },
        logs: access.logs,
        groups: access.groups.iter().map(group).collect(),
        people: access.people.iter().map(member).collect(),
        clusters: clusters.into_iter().map(scope).collect(),
        channels: settings.channels.iter().map(channel).collect(),
    }
}

fn group(group: &config::Group) -> Group {
    let platform_groups = group.slack_user_groups.iter().chain(&group.discord_roles).cloned().collect();
    Group { name: group.name.clone(), platform_groups }
}

fn member(person: &config::Person) -> Member {
    let ids = person.slack.iter().chain(&person.discord).cloned().collect();
    Member { name: person.name.clone(), ids, groups: person.groups.iter().cloned().collect() }
}

fn channel(channel: &config::Channel) -> ChannelScope {
    ChannelScope {
        channel: channel.channel.clone(),
        clusters: channel.clusters.iter().cloned().collect(),
        namespaces: namespaces(&channel.namespaces),
    }
}

fn namespaces(these: &[String]) -> Namespaces {
    if these.is_empty() { Namespaces::All } else { Namespaces::Only(these.iter().cloned().collect::<BTreeSet<_>>()) }
}
