//! The manifest from which Slack makes the app.

use serde_json::{Value, json};

/// The manifest of the app whose slash command is `command`, for Socket Mode.
pub fn manifest(command: &str) -> Value {
    json!({
        "display_information": {"name": "kubewhy"},
        "features": {"slash_commands": [{"command": command, "description": "Why it does not work", "should_escape": false}]},
    })
}
