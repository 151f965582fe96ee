//! Who there is: the app itself, users, groups, the team.

use serde_json::{Value, json};

use crate::api::Answer;
use crate::api::conversations::page;
use crate::call::Arguments;
use crate::state::State;
use crate::world::{User, UserGroup, UserKind};

pub(crate) fn auth_test(state: &mut State, _arguments: &Arguments) -> Answer {
    let (app, team) = (&state.world.app, &state.world.team);
    Ok(json!({
        "url": format!("https://{}.slack.com/", team.domain), "team": team.name, "user": app.name, "team_id": team.id,
        "user_id": app.bot_user, "bot_id": app.bot_id, "is_enterprise_install": false,
    }))
}

pub(crate) fn user_info(state: &mut State, arguments: &Arguments) -> Answer {
    match arguments.text("user").and_then(|id| state.user(&id)) {
        Some(user) => Ok(json!({ "user": state.user_json(user) })),
        None => Err("user_not_found".into()),
    }
}

pub(crate) fn user_list(state: &mut State, arguments: &Arguments) -> Answer {
    let all = state.world.users.iter().map(|user| state.user_json(user)).collect();
    let mut answer = page(arguments, "members", all)?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("cache_ts".to_owned(), state.clock.seconds().into());
    }
    Ok(answer)
}

pub(crate) fn group_list(state: &mut State, arguments: &Arguments) -> Answer {
    let disabled = arguments.flag("include_disabled");
    let users = arguments.flag("include_users");
    let groups: Vec<Value> = state
        .world
        .groups
        .iter()
        .filter(|group| disabled || !group.disabled)
        .map(|group| state.group_json(group, users))
        .collect();
    Ok(json!({ "usergroups": groups }))
}

pub(crate) fn group_users(state: &mut State, arguments: &Arguments) -> Answer {
    let disabled = arguments.flag("include_disabled");
    let id = arguments.text("usergroup").unwrap_or_default();
    match state.world.groups.iter().find(|group| group.id == id && (disabled || !group.disabled)) {
        Some(group) => Ok(json!({ "users": group.users })),
        None => Err("no_such_subteam".into()),
    }
}

pub(crate) fn team_info(state: &mut State, _arguments: &Arguments) -> Answer {
    let team = &state.world.team;
    Ok(json!({ "team": {
        "id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "url": format!("https://{}.slack.com/", team.domain),
        "icon": { "image_default": true, "image_34": "https://a.slack-edge.com/34.png" },
    } }))
}

pub(crate) fn bot_info(state: &mut State, arguments: &Arguments) -> Answer {
    let app = &state.world.app;
    match arguments.text("bot") {
        Some(bot) if bot != app.bot_id => Err("bot_not_found".into()),
        _ => Ok(json!({ "bot": {
            "id": app.bot_id, "deleted": false, "name": app.name, "updated": 1_700_000_000, "app_id": app.id,
            "user_id": app.bot_user, "icons": { "image_36": "https://a.slack-edge.com/36.png" },
        } })),
    }
}

impl State {
    /// A user as the Web API shows it.
    pub(crate) fn user_json(&self, user: &User) -> Value {
        let kind = user.kind;
        let team = user.team.as_ref().unwrap_or(&self.world.team.id);
        let guest = matches!(kind, UserKind::Guest | UserKind::SingleChannelGuest);
        let mut json = json!({
            "id": user.id, "team_id": team, "name": user.name, "deleted": kind == UserKind::Deactivated, "color": "9f69e7",
            "real_name": user.name, "tz": "Europe/Amsterdam", "tz_label": "Central European Time", "tz_offset": 3_600,
            "profile": {
                "real_name": user.name, "display_name": user.name, "real_name_normalized": user.name, "team": team,
                "display_name_normalized": user.name, "avatar_hash": "g0", "status_text": "", "status_emoji": "",
                "image_48": "https://secure.gravatar.com/avatar/48.png",
            },
            "is_admin": kind == UserKind::Admin, "is_owner": false, "is_primary_owner": false, "is_restricted": guest,
            "is_ultra_restricted": kind == UserKind::SingleChannelGuest, "is_bot": kind == UserKind::Bot,
            "is_app_user": false, "updated": 1_700_000_000, "is_email_confirmed": true,
        });
        if let Some(fields) = json.as_object_mut().filter(|_| kind == UserKind::External) {
            fields.insert("is_stranger".to_owned(), true.into());
            for unknown in ["is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted"] {
                fields.remove(unknown);
            }
        }
        json
    }

    fn group_json(&self, group: &UserGroup, users: bool) -> Value {
        let mut json = json!({
            "id": group.id, "team_id": self.world.team.id, "is_usergroup": true, "is_subteam": true, "name": group.handle,
            "description": "", "handle": group.handle, "is_external": false, "date_create": 1_700_000_000,
            "date_update": 1_700_000_000, "date_delete": if group.disabled { 1_700_000_001 } else { 0 }, "auto_type": null,
            "auto_provision": false, "enterprise_subteam_id": "", "created_by": "U0ANNA", "updated_by": "U0ANNA",
            "deleted_by": null, "prefs": { "channels": [], "groups": [] }, "user_count": group.users.len(),
            "channel_count": 0,
        });
        if let Some(fields) = json.as_object_mut().filter(|_| users) {
            fields.insert("users".to_owned(), group.users.clone().into());
        }
        json
    }
}
