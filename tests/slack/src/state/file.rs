//! Files and their way in: a URL, the bytes, the completion.

use serde_json::{Value, json};

use crate::state::State;

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) declared: usize,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) complete: bool,
    pub(crate) channels: Vec<String>,
    pub(crate) created: u64,
    pub(crate) upload: String,
}

impl State {
    pub(crate) fn file_json(&self, id: &str) -> Option<Value> {
        let file = self.files.get(id)?;
        let extension = file.name.rsplit_once('.').map_or("text", |(_, extension)| extension);
        let team = &self.world.team;
        let host = format!("https://{}.slack.com", team.domain);
        Some(json!({
            "id": file.id, "created": file.created, "timestamp": file.created, "name": file.name, "title": file.title,
            "mimetype": mimetype(extension), "filetype": extension, "pretty_type": extension, "user": self.world.app.bot_user,
            "user_team": team.id, "editable": false, "size": file.declared, "mode": "hosted", "is_external": false,
            "external_type": "", "is_public": true, "public_url_shared": false, "display_as_bot": false, "username": "",
            "url_private": format!("https://files.slack.com/files-pri/{}-{}/{}", team.id, file.id, file.name),
            "permalink": format!("{host}/files/{}/{}/{}", self.world.app.bot_user, file.id, file.name),
            "channels": file.channels, "groups": [], "ims": [], "comments_count": 0, "has_rich_preview": false,
            "file_access": "visible", "shares": {},
        }))
    }
}

fn mimetype(extension: &str) -> &'static str {
    match extension {
        "json" => "application/json",
        "yaml" | "yml" => "application/x-yaml",
        "png" => "image/png",
        "zip" => "application/zip",
        _ => "text/plain",
    }
}
