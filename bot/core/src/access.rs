//! Who may ask what, from where: decided here and nowhere else.
//!
//! By default everyone of the workspace may ask about what the clusters' configuration allows; guests, people of other
//! workspaces, programs and people of whom nothing could be found out may not. Nobody may repair anything. What lives in no
//! namespace (nodes, volumes, the cluster itself, cluster-wide custom resources) may be asked about where all namespaces of its
//! cluster may be; a namespace itself where it is one of those that may be.

use std::collections::BTreeSet;

use kubewhy_chat::{Identity, Person, Place, Standing};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_text::{Text, name, text};
use serde::{Deserialize, Serialize};

use crate::UserError;

/// What the configuration says of access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Who may ask.
    pub ask: Ask,
    /// Whether guests and people of other workspaces count as members.
    pub guests: Guests,
    /// Who may see log tails.
    pub logs: Logs,
    /// The groups.
    pub groups: Vec<Group>,
    /// The people who are named.
    pub people: Vec<Member>,
    /// The clusters that are served.
    pub clusters: Vec<ClusterScope>,
    /// What single channels are about.
    pub channels: Vec<ChannelScope>,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Everyone of the workspace.
    #[default]
    Workspace,
    /// Members of the groups.
    Groups,
}

/// Whether guests count as members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guests {
    /// They may ask nothing.
    #[default]
    Refused,
    /// They may ask like members.
    Welcome,
}

/// Who may see log tails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Logs {
    /// Everyone who may ask.
    All,
    /// Members of the groups.
    #[default]
    Groups,
    /// Nobody: logs are not even read.
    Off,
}

/// A group of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name here.
    pub name: String,
    /// The groups of platforms whose members belong to it: `slack:S0123`, `discord:987`.
    pub platform_groups: BTreeSet<String>,
}

/// A person who is named in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The name here.
    pub name: String,
    /// The identities on platforms: `slack:T01:U01`, `discord:1234`.
    pub ids: BTreeSet<String>,
    /// The names of the groups.
    pub groups: BTreeSet<String>,
}

/// A cluster and what may be asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterScope {
    /// Its name.
    pub name: String,
    /// Its namespaces.
    pub namespaces: Namespaces,
}

/// Which namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// All that can be read.
    #[default]
    All,
    /// These.
    Only(BTreeSet<String>),
}

/// What a channel is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelScope {
    /// The channel: `slack:C0123456`.
    pub channel: String,
    /// The names of its clusters; empty = all.
    pub clusters: BTreeSet<String>,
    /// Its namespaces.
    pub namespaces: Namespaces,
}

/// What a person may ask in a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The clusters and their namespaces.
    pub clusters: Vec<ClusterScope>,
    /// Why log tails are not for this person, where they are not.
    pub no_logs: Option<UserError>,
}

impl Namespaces {
    /// Whether one is among them.
    pub fn has(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(namespace),
        }
    }

    /// Those that are among both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) => other.clone(),
            (_, Self::All) => self.clone(),
            (Self::Only(ours), Self::Only(theirs)) => Self::Only(ours.intersection(theirs).cloned().collect()),
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Only(these) if these.is_empty())
    }
}

impl Grant {
    /// All of these clusters, logs too: for a person at a terminal, who asks with an own kubeconfig.
    pub fn everything<'n>(clusters: impl IntoIterator<Item = &'n str>) -> Self {
        let whole = |name: &str| ClusterScope { name: name.to_owned(), namespaces: Namespaces::All };
        Self { clusters: clusters.into_iter().map(whole).collect(), no_logs: None }
    }

    /// What may be asked of a cluster.
    pub fn cluster(&self, name: &str) -> Option<&ClusterScope> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }
}

impl Policy {
    /// What a person may ask in a place.
    ///
    /// # Errors
    /// Where it is nothing; the error says why, and who may.
    pub fn grant(&self, who: &Person, identity: &Identity, place: &Place) -> Result<Grant, UserError> {
        let member = self.people.iter().find(|member| member.ids.contains(&who.id));
        self.belongs(member, identity.standing)?;
        let groups = self.groups_of(member, identity);
        if self.ask == Ask::Groups && groups.is_empty() {
            return Err(self.only_groups(text!["you may not ask here"]));
        }
        let no_logs = match self.logs {
            Logs::Off => Some(UserError::new(text!["log tails are shown to nobody here"]).next(text![
                "They are switched off in the configuration; kubectl logs shows them to whom the cluster lets."
            ])),
            Logs::Groups if groups.is_empty() => Some(self.only_groups(text!["log tails are not for you here"])),
            Logs::Groups | Logs::All => None,
        };
        let clusters = self.clusters_of(place);
        if clusters.is_empty() {
            return Err(UserError::new(text!["this channel is about no cluster that is served"])
                .next(text!["Whoever runs the bot can give it one: [[channels]] in its configuration."]));
        }
        Ok(Grant { clusters, no_logs })
    }

    fn belongs(&self, member: Option<&Member>, standing: Standing) -> Result<(), UserError> {
        let refused = |wrong: Text| Err(UserError::new(wrong).next(self.who_may()));
        match standing {
            Standing::Member => Ok(()),
            Standing::Guest | Standing::External if self.guests == Guests::Welcome || member.is_some() => Ok(()),
            Standing::Guest => refused(text!["guests may not ask here"]),
            Standing::External => refused(text!["people of other workspaces may not ask here"]),
            Standing::Bot => refused(text!["programs may not ask here"]),
            Standing::Unknown if member.is_some() => Ok(()),
            Standing::Unknown => {
                Err(UserError::new(text!["it could not be found out whether you belong to this workspace"]).next(
                    text![
                        "Ask again in a minute. Where it stays so, whoever runs the bot sees why with kubewhy check."
                    ],
                ))
            }
        }
    }

    fn groups_of<'p>(&'p self, member: Option<&'p Member>, identity: &Identity) -> BTreeSet<&'p str> {
        let by_platform = self
            .groups
            .iter()
            .filter(|group| !group.platform_groups.is_disjoint(&identity.groups))
            .map(|group| group.name.as_str());
        let by_name = member.into_iter().flat_map(|member| member.groups.iter().map(String::as_str));
        by_platform.chain(by_name).collect()
    }

    /// The clusters of a place, each with the namespaces that both the cluster and the channel allow.
    fn clusters_of(&self, place: &Place) -> Vec<ClusterScope> {
        let channel = self.channels.iter().find(|channel| channel.channel == place.channel);
        let of_channel = |cluster: &&ClusterScope| {
            channel.is_none_or(|channel| channel.clusters.is_empty() || channel.clusters.contains(&cluster.name))
        };
        let narrowed = |cluster: &ClusterScope| ClusterScope {
            name: cluster.name.clone(),
            namespaces: match channel {
                Some(channel) => cluster.namespaces.and(&channel.namespaces),
                None => cluster.namespaces.clone(),
            },
        };
        self.clusters.iter().filter(of_channel).map(narrowed).filter(|cluster| !cluster.namespaces.is_none()).collect()
    }

    /// The channels of the configuration in which a namespace of a cluster may be asked about.
    pub fn channels_for(&self, cluster: &str, namespace: &str) -> Vec<&str> {
        let is_about = |channel: &&ChannelScope| {
            let scopes = self.clusters_of(&Place { channel: channel.channel.clone(), thread: None });
            scopes.iter().any(|scope| scope.name == cluster && scope.namespaces.has(namespace))
        };
        self.channels.iter().filter(is_about).map(|channel| channel.channel.as_str()).collect()
    }

    fn only_groups(&self, wrong: Text) -> UserError {
        UserError::new(wrong).next(self.members_of_groups())
    }

    fn who_may(&self) -> Text {
        match self.ask {
            Ask::Workspace => text!["Members of the workspace may."],
            Ask::Groups => self.members_of_groups(),
        }
    }

    fn members_of_groups(&self) -> Text {
        if self.groups.is_empty() {
            return text![
                "Nobody may yet: no group is configured. Whoever runs the bot can add one: [[access.groups]]."
            ];
        }
        let groups = Text::names(self.groups.iter().map(|group| group.name.clone()), 5);
        text!["Members of ", groups, " may."]
    }
}

/// Says that what lives in no namespace is not for this place: nodes, volumes, classes and the cluster itself show what all
/// namespaces share, so that they are for those alone who may ask about all of them.
pub fn not_cluster_wide(cluster: &ClusterScope, kind: Kind) -> UserError {
    let error = UserError::new(text!["a ", kind.name(), " belongs to no namespace, and is not asked about here"]);
    match &cluster.namespaces {
        Namespaces::Only(these) => error.next(text!["Here: what is in ", Text::names(these.iter().cloned(), 10), "."]),
        Namespaces::All => error,
    }
}

/// Says that a namespace is not for this place.
pub fn not_this_namespace(policy: Option<&Policy>, cluster: &ClusterScope, namespace: &str) -> UserError {
    let error = UserError::new(text!["namespace ", name(namespace), " is not asked about here"]);
    let elsewhere: Vec<&str> = policy.map(|policy| policy.channels_for(&cluster.name, namespace)).unwrap_or_default();
    if !elsewhere.is_empty() {
        return error.next(text!["It is in ", Text::names(elsewhere.iter().copied(), 3), "."]);
    }
    match &cluster.namespaces {
        Namespaces::Only(these) => error.next(text!["Here: ", Text::names(these.iter().cloned(), 10), "."]),
        Namespaces::All => error,
    }
}

#[cfg(test)]
mod tests;
