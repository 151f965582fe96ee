//! What Slack vouches for about a person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubewhy_chat::{ChatError, Identity, Person, Standing};
use serde::Deserialize;

use crate::api::Failure;
use crate::line::Line;
use crate::way;

/// The user groups by the persons in them, in Slack's ids.
pub(crate) type Groups = BTreeMap<String, BTreeSet<String>>;

#[derive(Deserialize)]
struct Found {
    user: User,
}

/// A person, as far as it matters here. What is absent is no.
#[derive(Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "that is how Slack says it")]
struct User {
    id: String,
    team_id: Option<String>,
    deleted: bool,
    is_bot: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    is_stranger: bool,
    enterprise_user: Option<Enterprise>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Enterprise {
    teams: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    usergroups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    date_delete: i64,
}

impl Line {
    /// What Slack vouches for about a person; kept for minutes.
    pub(crate) async fn identity(&self, person: &Person) -> Result<Identity, ChatError> {
        if let Some(known) = self.identities.get(&person.id).await {
            return Ok(known);
        }
        let asked = self.ask(&person.id).await;
        let identity = asked.map_err(|failure| failure.into_chat("look a person up", ""))?;
        self.identities.insert(person.id.clone(), identity.clone()).await;
        Ok(identity)
    }

    async fn ask(&self, id: &str) -> Result<Identity, Failure> {
        let Some((team, user)) = way::person(id) else { return Ok(Identity::default()) };
        let own_team = self.me().await?.team_id.clone();
        let standing = match self.api.get::<Found>("users.info", &[("user", user)]).await {
            Ok(found) => standing(&found.user, team, &own_team),
            Err(failure) if failure.code().is_some_and(|code| code.starts_with("user_not_")) => {
                let is_own = team == own_team;
                return Ok(Identity {
                    standing: if is_own { Standing::Unknown } else { Standing::External },
                    groups: BTreeSet::new(),
                });
            }
            Err(failure) => return Err(failure),
        };
        let groups = match standing {
            // Groups grant rights, and only members of this workspace have some.
            Standing::Member | Standing::Guest => self.groups_of(user).await?,
            Standing::External | Standing::Bot | Standing::Unknown => BTreeSet::new(),
        };
        Ok(Identity { standing, groups })
    }

    async fn groups_of(&self, user: &str) -> Result<BTreeSet<String>, Failure> {
        let asked = self.groups.try_get_with((), async {
            let listed: Listed = self.api.get("usergroups.list", &[("include_users", "true")]).await?;
            Ok::<_, Failure>(Arc::new(by_person(listed)))
        });
        match asked.await {
            Ok(groups) => Ok(groups.get(user).cloned().unwrap_or_default()),
            Err(failure) => match failure.code() {
                // A plan without user groups, or a bot without that scope: nobody is in any.
                Some(code) => {
                    tracing::warn!(code, "the user groups of Slack cannot be read: nobody counts as a member of any");
                    Ok(BTreeSet::new())
                }
                None => Err(Failure::clone(&failure)),
            },
        }
    }
}

fn by_person(listed: Listed) -> Groups {
    let mut groups = Groups::new();
    for group in listed.usergroups.into_iter().filter(|group| group.date_delete == 0) {
        for user in group.users {
            groups.entry(user).or_default().insert(way::id(&group.id));
        }
    }
    groups
}

/// The first of these that holds. Whoever comes from another workspace stays external, whatever else is said.
fn standing(user: &User, team: &str, own_team: &str) -> Standing {
    let is_of_own = |team: &str| {
        let elsewhere = user.enterprise_user.as_ref();
        team == own_team || elsewhere.is_some_and(|enterprise| enterprise.teams.iter().any(|team| team == own_team))
    };
    if user.is_bot || user.id == "USLACKBOT" {
        Standing::Bot
    } else if user.deleted {
        Standing::Unknown
    } else if user.is_stranger || !is_of_own(user.team_id.as_deref().unwrap_or(team)) || !is_of_own(team) {
        Standing::External
    } else if user.is_restricted || user.is_ultra_restricted {
        Standing::Guest
    } else {
        Standing::Member
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Standing;
    use serde_json::{Value, json};

    use super::{Listed, User, by_person, standing};

    fn stands(user: Value, team: &str) -> Standing {
        let user: User = serde_json::from_value(user).expect("a person");
        standing(&user, team, "T1")
    }

    #[test]
    fn who_belongs_and_who_does_not() {
        for (user, team, expected) in [
            (json!({"id": "U1", "team_id": "T1"}), "T1", Standing::Member),
            (json!({"id": "U1"}), "T1", Standing::Member),
            (json!({"id": "U1", "team_id": "T1", "is_restricted": true}), "T1", Standing::Guest),
            (json!({"id": "U1", "team_id": "T1", "is_ultra_restricted": true}), "T1", Standing::Guest),
            (json!({"id": "U1", "team_id": "T2"}), "T2", Standing::External),
            (json!({"id": "U1", "team_id": "T1"}), "T2", Standing::External),
            (json!({"id": "U1", "team_id": "T2"}), "T1", Standing::External),
            (json!({"id": "U1", "team_id": "T1", "is_stranger": true}), "T1", Standing::External),
            (json!({"id": "U1", "team_id": "T2", "is_restricted": true}), "T2", Standing::External),
            (json!({"id": "U1", "team_id": "T1", "is_bot": true}), "T1", Standing::Bot),
            (json!({"id": "USLACKBOT", "team_id": "T1"}), "T1", Standing::Bot),
            (json!({"id": "U1", "team_id": "T1", "deleted": true}), "T1", Standing::Unknown),
            (json!({"id": "U1", "team_id": "T3", "enterprise_user": {"teams": ["T3", "T1"]}}), "T3", Standing::Member),
        ] {
            assert_eq!(stands(user.clone(), team), expected, "{user} of {team}");
        }
    }

    #[test]
    fn a_group_that_was_disabled_grants_nothing() {
        let listed: Listed = serde_json::from_value(json!({"usergroups": [
            {"id": "S1", "users": ["U1", "U2"], "date_delete": 0},
            {"id": "S2", "users": ["U1"], "date_delete": 1_700_000_000},
            {"id": "S3"},
        ]}))
        .expect("a list");
        let groups = by_person(listed);
        assert_eq!(groups["U1"].iter().collect::<Vec<_>>(), ["slack:S1"]);
        assert_eq!(groups.len(), 2);
    }
}
