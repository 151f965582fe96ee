//! Views: filled in, submitted, closed; and menus whose options come from the app.

use serde_json::{Map, Value, json};

use super::press::{act, find};
use super::{Impossible, Person, Sent};
use crate::blocks;
use crate::state::State;
use crate::state::socket::{Awaits, EnvelopeKind};

impl Person<'_> {
    /// Submits the topmost view. A field is named by its label, block id or action id; a menu is given the text or value of
    /// an option.
    ///
    /// # Errors
    /// No view is open, it has no such field or option, or a field that must be filled in is empty.
    pub fn submits(&self, fields: &[(&str, &str)]) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.submit(&self.user, fields))
    }

    /// Closes the topmost view.
    ///
    /// # Errors
    /// No view is open.
    pub fn closes(&self) -> Result<Option<Sent>, Impossible> {
        self.server.shared.change(|state| state.close(&self.user))
    }

    /// Presses a button of the topmost view or of the home.
    ///
    /// # Errors
    /// No view is open, or it has no such button.
    pub fn presses_in_view(&self, button: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.use_in_view(&self.user, button, None))
    }

    /// Chooses an option of a menu of the topmost view or of the home.
    ///
    /// # Errors
    /// No view is open, or it has no such menu or option.
    pub fn chooses_in_view(&self, menu: &str, option: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.use_in_view(&self.user, menu, Some(option)))
    }

    /// Types into a menu of the topmost view whose options come from the app; they are in
    /// [`crate::Slack::suggestions`] when the envelope is acknowledged.
    ///
    /// # Errors
    /// No view is open, or it has no such menu.
    pub fn types_into(&self, menu: &str, text: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.type_into(&self.user, menu, text))
    }
}

impl State {
    /// The topmost view of a person, or the home.
    fn top(&self, user: &str) -> Result<(String, Value), Impossible> {
        self.known(user)?;
        let home = || self.views.values().find(|view| view.home && view.user == user);
        match self.stack(user).last().copied().or_else(home) {
            Some(view) => Ok((view.id.clone(), view.content.clone())),
            None => Err(Impossible::NoSuchView("topmost".to_owned())),
        }
    }

    fn submit(&mut self, user: &str, fields: &[(&str, &str)]) -> Result<Sent, Impossible> {
        let (id, content) = self.top(user)?;
        let inputs = blocks::inputs(&content);
        let mut values = self.views.get(&id).map(|view| view.values.clone()).unwrap_or_default();
        for (name, given) in fields {
            let named =
                |input: &&blocks::Input| [&input.label, &input.block, &input.action].iter().any(|one| one == name);
            let Some(input) = inputs.iter().find(named) else {
                let there = inputs.iter().map(|input| input.label.clone()).collect();
                return Err(Impossible::NoSuchElement { wanted: (*name).to_owned(), there });
            };
            put_value(&mut values, &input.block, &input.action, filled_in(&input.element, given)?);
        }
        for input in inputs.iter().filter(|input| !input.optional) {
            let value = values.get(&input.block).and_then(|actions| actions.get(&input.action));
            let empty = |(key, value): (&String, &Value)| {
                key == "type"
                    || value.is_null()
                    || value.as_str() == Some("")
                    || value.as_array().is_some_and(Vec::is_empty)
            };
            if value.and_then(Value::as_object).is_none_or(|fields| fields.iter().all(empty)) {
                return Err(Impossible::Required(input.label.clone()));
            }
        }
        if let Some(view) = self.views.get_mut(&id) {
            view.values = values;
            view.errors = None;
        }
        let trigger = self.grant_trigger(user);
        let payload = json!({
            "type": "view_submission", "team": self.team_of_payload(), "user": self.user_of_payload(user),
            "api_app_id": self.world.app.id, "token": "verification", "trigger_id": trigger, "view": self.view_json(&id),
            "response_urls": [], "is_enterprise_install": false, "enterprise": null,
        });
        let awaits = Awaits::Submission { user: user.to_owned(), view: id };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: None })
    }

    fn close(&mut self, user: &str) -> Result<Option<Sent>, Impossible> {
        let (id, content) = self.top(user)?;
        if self.views.get(&id).is_some_and(|view| view.home) {
            return Err(Impossible::NoSuchView("topmost".to_owned()));
        }
        let told = content.get("notify_on_close").and_then(Value::as_bool).unwrap_or(false);
        let payload = json!({
            "type": "view_closed", "team": self.team_of_payload(), "user": self.user_of_payload(user),
            "api_app_id": self.world.app.id, "token": "verification", "view": self.view_json(&id), "is_cleared": false,
            "is_enterprise_install": false, "enterprise": null,
        });
        self.views.remove(&id);
        if !told {
            return Ok(None);
        }
        let awaits = Awaits::Press { user: user.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Some(Sent { envelope, trigger_id: None, response_url: None }))
    }

    fn use_in_view(&mut self, user: &str, wanted: &str, option: Option<&str>) -> Result<Sent, Impossible> {
        let (id, content) = self.top(user)?;
        let list = content.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let (block, element) = find(blocks::interactive(list), wanted)?;
        let mut action = act(&block, &element, option)?;
        let stamp = self.clock.stamp();
        action.insert("action_ts".to_owned(), stamp.into());
        let trigger = self.grant_trigger(user);
        let payload = json!({
            "type": "block_actions", "user": self.user_of_payload(user), "api_app_id": self.world.app.id,
            "token": "verification", "container": { "type": "view", "view_id": id }, "trigger_id": trigger,
            "team": self.team_of_payload(), "enterprise": null, "is_enterprise_install": false,
            "view": self.view_json(&id), "actions": [action],
        });
        let awaits = Awaits::Press { user: user.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: None })
    }

    fn type_into(&mut self, user: &str, menu: &str, text: &str) -> Result<Sent, Impossible> {
        let (id, content) = self.top(user)?;
        let list = content.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let (block, element) = find(blocks::interactive(list), menu)?;
        let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "external_select" | "multi_external_select") {
            return Err(Impossible::NoSuchElement { wanted: menu.to_owned(), there: vec![kind.to_owned()] });
        }
        let payload = json!({
            "type": "block_suggestion", "user": self.user_of_payload(user), "api_app_id": self.world.app.id,
            "token": "verification", "container": { "type": "view", "view_id": id }, "team": self.team_of_payload(),
            "enterprise": null, "is_enterprise_install": false, "action_id": element.get("action_id"), "block_id": block,
            "value": text, "view": self.view_json(&id),
        });
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, Awaits::Options);
        Ok(Sent { envelope, trigger_id: None, response_url: None })
    }
}

/// The state of a field into which something was filled.
fn filled_in(element: &Value, given: &str) -> Result<Value, Impossible> {
    let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.ends_with("_input") || matches!(kind, "datepicker" | "timepicker") {
        return Ok(blocks::state_value(element, &given.into()));
    }
    let mut fields: Map<String, Value> = act("", element, Some(given))?;
    fields.retain(|key, _| key == "type" || key.starts_with("selected_"));
    Ok(Value::Object(fields))
}

fn put_value(values: &mut Value, block: &str, action: &str, value: Value) {
    if let Some(actions) =
        values.as_object_mut().and_then(|blocks| blocks.get_mut(block)).and_then(Value::as_object_mut)
    {
        actions.insert(action.to_owned(), value);
    }
}
