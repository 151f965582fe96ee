//! The manifest from which Slack makes the app: <https://docs.slack.dev/reference/app-manifest>.

use serde_json::{Value, json};

/// The name under which the message shortcut comes back.
pub const SHORTCUT: &str = "why";

/// What the app may do, each with what needs it.
const SCOPES: [&str; 12] = [
    "app_mentions:read", // questions in threads, where Slack has no slash commands
    "channels:history",  // whether a message was posted, after a failure of Slack
    "channels:read",     // whether the bot is in a channel
    "chat:write",        // answers
    "commands",          // the slash command and the message shortcut
    "files:write",       // pictures, and what is too long for a message
    "groups:history",    // the same as channels:history in private channels
    "groups:read",       // the same as channels:read in private channels
    "im:history",        // questions in a direct message
    "im:write",          // answers in one
    "usergroups:read",   // which groups a person is in
    "users:read",        // whether a person is a guest or from outside
];

/// The manifest of the app whose slash command is `command`, for Socket Mode.
pub fn manifest(command: &str) -> Value {
    json!({
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "kubewhy",
            "description": "Why it does not work in Kubernetes, and what to do",
            "long_description": LONG_DESCRIPTION,
            "background_color": "#1b3a57",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": false,
                "messages_tab_enabled": true,
                "messages_tab_read_only_enabled": false,
            },
            "bot_user": {"display_name": "kubewhy", "always_online": true},
            "slash_commands": [{
                "command": command,
                "description": "Why something does not work in the cluster",
                "usage_hint": "pod NAME | deploy NAME | NAME in NAMESPACE | help",
                // Names are taken as they are typed: nothing in them stands for a person or a channel.
                "should_escape": false,
            }],
            "shortcuts": [{
                "name": "Why?",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": "Explains the object that this message names",
            }],
        },
        "oauth_config": {"scopes": {"bot": SCOPES}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_mention", "message.im"]},
            "interactivity": {"is_enabled": true},
            "org_deploy_enabled": false,
            "socket_mode_enabled": true,
            "token_rotation_enabled": false,
        },
    })
}

/// Slack wants at least 174 characters.
const LONG_DESCRIPTION: &str = "kubewhy looks at the objects, events and logs of a Kubernetes cluster and tells why something \
    does not work: the cause first, then the evidence with its source, then what to do about it. It is deterministic, there is \
    no language model in it. It runs in your own cluster, connects by Socket Mode, and changes nothing unless you allow it.";

#[cfg(test)]
mod tests {
    use slack_morphism::prelude::SlackAppManifest;

    use super::*;

    #[test]
    fn the_manifest_is_one_and_names_the_command_of_the_config() {
        let manifest = manifest("/kw");
        assert_eq!(manifest["features"]["slash_commands"][0]["command"], "/kw");
        let read: SlackAppManifest = serde_json::from_value(manifest).expect("it has the form of a manifest");
        assert_eq!(read.settings.and_then(|settings| settings.socket_mode_enabled), Some(true));
        let long = read.display_information.long_description.unwrap_or_default();
        assert!((174..=4_000).contains(&long.len()), "{}", long.len());
        assert!(read.display_information.description.unwrap_or_default().len() <= 140);
        assert!(!long.contains("  "), "{long}");
    }
}
