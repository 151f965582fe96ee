//! Views: modals in a stack of three, and the home of a person.

use serde_json::{Map, Value, json};

use crate::api::Refusal;
use crate::blocks;
use crate::state::State;

/// A view that a person has open, or the home.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) root: String,
    pub(crate) previous: Option<String>,
    pub(crate) content: Value,
    pub(crate) hash: String,
    pub(crate) home: bool,
    /// What the app found wrong with the last submission, by block.
    pub(crate) errors: Option<Value>,
    /// What stands in its fields: by block and action.
    pub(crate) values: Value,
    order: u64,
}

/// As many modals lie on top of each other.
const STACK: usize = 3;

impl State {
    /// The modals that a person has open, the topmost last.
    pub(crate) fn stack(&self, user: &str) -> Vec<&View> {
        let mut stack: Vec<&View> = self.views.values().filter(|view| view.user == user && !view.home).collect();
        stack.sort_by_key(|view| view.order);
        stack
    }

    /// Opens a modal for a person, above those that are open where `above`.
    pub(crate) fn open_view(&mut self, user: &str, content: Value, above: bool) -> Result<Value, Refusal> {
        checked(&content, "modal")?;
        if !above {
            let open: Vec<String> = self.stack(user).into_iter().map(|view| view.id.clone()).collect();
            for id in open {
                self.views.remove(&id);
            }
        }
        let stack = self.stack(user);
        if above && stack.len() >= STACK {
            return Err("push_limit_reached".into());
        }
        let previous = stack.last().map(|view| view.id.clone());
        let root = stack.first().map(|view| view.id.clone());
        let id = self.add_view(user, content, false, root, previous);
        Ok(json!({ "view": self.view_json(&id) }))
    }

    fn add_view(
        &mut self,
        user: &str,
        content: Value,
        home: bool,
        root: Option<String>,
        previous: Option<String>,
    ) -> String {
        let id = self.id("V");
        let hash = self.view_hash();
        let mut view = View {
            id: id.clone(),
            user: user.to_owned(),
            root: root.unwrap_or_else(|| id.clone()),
            previous,
            content: Value::Null,
            hash,
            home,
            errors: None,
            values: json!({}),
            order: 0,
        };
        self.set_content(&mut view, content);
        view.order = view.id.trim_start_matches('V').parse().unwrap_or_default();
        self.views.insert(id.clone(), view);
        id
    }

    fn set_content(&mut self, view: &mut View, mut content: Value) {
        for block in content.get_mut("blocks").and_then(Value::as_array_mut).into_iter().flatten() {
            let number = self.id("");
            blocks::name(block, number.parse().unwrap_or(0));
        }
        view.content = content;
        view.errors = None;
        view.values = blocks::initial_values(&view.content);
    }

    fn view_hash(&mut self) -> String {
        format!("{}.{}", self.clock.seconds(), self.secret())
    }

    /// Replaces the content of a view.
    pub(crate) fn update_view(&mut self, id: &str, content: Value, hash: Option<&str>) -> Result<Value, Refusal> {
        let Some(view) = self.views.get(id) else {
            return Err("not_found".into());
        };
        checked(&content, if view.home { "home" } else { "modal" })?;
        if hash.is_some_and(|hash| hash != view.hash) {
            return Err("hash_conflict".into());
        }
        let mut view = view.clone();
        view.hash = self.view_hash();
        self.set_content(&mut view, content);
        self.views.insert(id.to_owned(), view);
        Ok(json!({ "view": self.view_json(id) }))
    }

    /// Shows a home to a person.
    pub(crate) fn publish_view(&mut self, user: &str, content: Value, hash: Option<&str>) -> Result<Value, Refusal> {
        checked(&content, "home")?;
        let home = self.views.values().find(|view| view.home && view.user == user).map(|view| view.id.clone());
        match home {
            Some(id) => self.update_view(&id, content, hash),
            None => {
                let id = self.add_view(user, content, true, None, None);
                Ok(json!({ "view": self.view_json(&id) }))
            }
        }
    }

    /// A view as the Web API and payloads show it.
    pub(crate) fn view_json(&self, id: &str) -> Value {
        let Some(view) = self.views.get(id) else {
            return Value::Null;
        };
        let app = &self.world.app;
        let mut json = json!({
            "id": view.id, "team_id": self.world.team.id, "app_id": app.id, "app_installed_team_id": self.world.team.id,
            "bot_id": app.bot_id, "root_view_id": view.root, "previous_view_id": view.previous, "hash": view.hash,
            "state": { "values": view.values }, "external_id": "", "private_metadata": "", "callback_id": "",
            "clear_on_close": false, "notify_on_close": false, "close": null, "submit": null, "submit_disabled": false,
        });
        if let (Some(fields), Some(content)) = (json.as_object_mut(), view.content.as_object()) {
            fields.extend(content.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        json
    }

    /// Does what the app answered to a submission.
    pub(crate) fn conclude_submission(&mut self, user: &str, view: &str, payload: Option<&Value>) {
        let action = payload.and_then(|payload| payload.get("response_action")).and_then(Value::as_str);
        let content = payload.and_then(|payload| payload.get("view")).cloned();
        let done = match (action, content) {
            (None, _) => {
                self.views.remove(view);
                Ok(Value::Null)
            }
            (Some("clear"), _) => {
                let open: Vec<String> = self.stack(user).into_iter().map(|view| view.id.clone()).collect();
                for id in open {
                    self.views.remove(&id);
                }
                Ok(Value::Null)
            }
            (Some("errors"), _) => self.show_errors(view, payload.and_then(|payload| payload.get("errors"))),
            (Some("update"), Some(content)) => self.update_view(view, content, None),
            (Some("push"), Some(content)) => self.open_view(user, content, true),
            _ => Err("invalid_response_action".into()),
        };
        if let Err(refusal) = done {
            let code = refusal.code();
            self.warn(user, &code);
        }
    }

    fn show_errors(&mut self, view: &str, errors: Option<&Value>) -> Result<Value, Refusal> {
        let Some(errors) = errors.and_then(Value::as_object).filter(|errors| !errors.is_empty()) else {
            return Err("invalid_errors".into());
        };
        let Some(view) = self.views.get_mut(view) else {
            return Err("not_found".into());
        };
        let inputs = blocks::inputs(&view.content);
        let known = |block: &String| inputs.iter().any(|input| input.block == *block);
        if !errors.keys().all(known) {
            return Err("invalid_errors".into());
        }
        view.errors = Some(Value::Object(errors.clone()));
        Ok(Value::Null)
    }
}

/// Whether a view is one that Slack would show.
fn checked(content: &Value, kind: &str) -> Result<(), Refusal> {
    let empty = Map::new();
    let fields = content.as_object().unwrap_or(&empty);
    let mut problems = Vec::new();
    if fields.get("type").and_then(Value::as_str) != Some(kind) {
        problems.push(format!("must be one of: {kind} [json-pointer:/view/type]"));
    }
    let blocks = fields.get("blocks").and_then(Value::as_array);
    match blocks {
        None => problems.push("missing required field: blocks [json-pointer:/view]".to_owned()),
        Some(list) => {
            let surface = if kind == "home" { blocks::Surface::Home } else { blocks::Surface::Modal };
            problems.extend(blocks::problems(list, surface, "/view/blocks"));
        }
    }
    if kind == "modal" {
        if !fields.contains_key("title") {
            problems.push("missing required field: title [json-pointer:/view]".to_owned());
        }
        for key in ["title", "submit", "close"] {
            if let Some(text) = fields.get(key).filter(|text| !text.is_null()) {
                blocks::plain_text(text, 24, &format!("/view/{key}"), &mut problems);
            }
        }
        let asks =
            blocks.is_some_and(|list| list.iter().any(|block| block.get("type").is_some_and(|kind| kind == "input")));
        if asks && fields.get("submit").is_none_or(Value::is_null) {
            problems.push("submit is required when an input is in the blocks [json-pointer:/view]".to_owned());
        }
    }
    for (key, limit) in [("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)] {
        let length = fields.get(key).and_then(Value::as_str).map_or(0, |text| text.chars().count());
        if length > limit {
            problems.push(format!("must be less than {} characters [json-pointer:/view/{key}]", limit + 1));
        }
    }
    if content.to_string().len() > 250_000 {
        return Err("view_too_large".into());
    }
    if problems.is_empty() { Ok(()) } else { Err(Refusal::with_messages("invalid_arguments", &problems)) }
}
