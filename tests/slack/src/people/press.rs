//! Buttons, menus and shortcuts of messages.

use serde_json::{Map, Value, json};

use super::{Impossible, Person, Sent};
use crate::blocks;
use crate::state::State;
use crate::state::socket::{Awaits, EnvelopeKind};

impl Person<'_> {
    /// Presses a button of a message, ephemeral or not: by its label or its action id.
    ///
    /// # Errors
    /// The person does not see such a message, or it has no such button.
    pub fn presses(&self, channel: &str, ts: &str, button: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.use_element(&self.user, channel, ts, button, None))
    }

    /// Chooses an option of a menu of a message: the menu by its action id or placeholder, the option by its text or value.
    ///
    /// # Errors
    /// The person does not see such a message, or it has no such menu or option.
    pub fn chooses(&self, channel: &str, ts: &str, menu: &str, option: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.use_element(&self.user, channel, ts, menu, Some(option)))
    }

    /// Chooses a shortcut from the menu of a message: by its name or callback id.
    ///
    /// # Errors
    /// The person does not see such a message, or the app has no such shortcut.
    pub fn uses_message_shortcut(&self, channel: &str, ts: &str, shortcut: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.message_shortcut(&self.user, channel, ts, shortcut))
    }

    /// Chooses a global shortcut: by its name or callback id.
    ///
    /// # Errors
    /// The app has no such shortcut.
    pub fn uses_shortcut(&self, shortcut: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.shortcut(&self.user, shortcut))
    }
}

impl State {
    fn use_element(
        &mut self,
        user: &str,
        channel: &str,
        ts: &str,
        wanted: &str,
        option: Option<&str>,
    ) -> Result<Sent, Impossible> {
        self.seen_by(user, channel, ts)?;
        let Some(message) = self.message(channel, ts) else {
            return Err(Impossible::NoSuchMessage(ts.to_owned()));
        };
        let in_blocks = blocks::interactive(&message.content.blocks);
        let attached = !in_blocks.iter().any(|(_, element)| is_called(element, wanted));
        let (block, element) = find(blocks::interactive(message.all_blocks()), wanted)?;
        let ephemeral = message.only_for.is_some();
        let thread = message.thread.clone();
        let mut action = act(&block, &element, option)?;
        let stamp = self.clock.stamp();
        action.insert("action_ts".to_owned(), stamp.into());
        self.keep_choice(channel, ts, &block, &element, &action);

        let mut container = json!({
            "type": if attached { "message_attachment" } else { "message" }, "message_ts": ts, "channel_id": channel,
            "is_ephemeral": ephemeral,
        });
        if let Some(fields) = container.as_object_mut() {
            if attached {
                fields.insert("attachment_id".to_owned(), 1.into());
                fields.insert("is_app_unfurl".to_owned(), false.into());
            }
            if let Some(thread) = thread {
                fields.insert("thread_ts".to_owned(), thread.into());
            }
        }
        let trigger = self.grant_trigger(user);
        let url = self.grant_response_url(user, channel, Some(ts));
        let mut payload = json!({
            "type": "block_actions", "user": self.user_of_payload(user), "api_app_id": self.world.app.id,
            "token": "verification", "container": container, "trigger_id": trigger, "team": self.team_of_payload(),
            "enterprise": null, "is_enterprise_install": false, "channel": self.channel_of_payload(channel),
            "state": { "values": self.state_of(channel, ts) }, "response_url": url, "actions": [action],
        });
        // Slack does not send an ephemeral message along.
        if let Some(fields) = payload.as_object_mut().filter(|_| !ephemeral) {
            fields.insert("message".to_owned(), self.message_json(channel, ts));
        }
        let awaits = Awaits::Press { user: user.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: Some(url) })
    }

    fn keep_choice(&mut self, channel: &str, ts: &str, block: &str, element: &Value, action: &Map<String, Value>) {
        let (Some(chosen), Some(id)) =
            (action.get("selected_option"), element.get("action_id").and_then(Value::as_str))
        else {
            return;
        };
        let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind == "overflow" {
            return;
        }
        let value = blocks::state_value(element, chosen);
        if let Some(message) = self.message_mut(channel, ts) {
            message.chosen.insert((block.to_owned(), id.to_owned()), value);
        }
    }

    /// What is chosen in the menus of a message.
    fn state_of(&self, channel: &str, ts: &str) -> Value {
        let mut values = Map::new();
        let Some(message) = self.message(channel, ts) else {
            return Value::Object(values);
        };
        for (block, element) in blocks::interactive(message.all_blocks()) {
            let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
            if matches!(kind, "button" | "overflow" | "workflow_button") {
                continue;
            }
            let id = element.get("action_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            let initial = element.get("initial_option").cloned().unwrap_or_default();
            let chosen = message.chosen.get(&(block.clone(), id.clone())).cloned();
            let value = chosen.unwrap_or_else(|| blocks::state_value(element, &initial));
            let actions = values.entry(block).or_insert_with(|| json!({}));
            if let Some(actions) = actions.as_object_mut() {
                actions.insert(id, value);
            }
        }
        Value::Object(values)
    }

    fn message_shortcut(&mut self, user: &str, channel: &str, ts: &str, wanted: &str) -> Result<Sent, Impossible> {
        self.seen_by(user, channel, ts)?;
        // The menu of an ephemeral message has no shortcuts.
        if self.message(channel, ts).is_some_and(|message| message.only_for.is_some()) {
            return Err(Impossible::NoSuchShortcut(wanted.to_owned()));
        }
        let callback = self.callback_of(wanted, true)?;
        let trigger = self.grant_trigger(user);
        let url = self.grant_response_url(user, channel, Some(ts));
        let stamp = self.clock.stamp();
        let payload = json!({
            "type": "message_action", "token": "verification", "action_ts": stamp, "team": self.team_of_payload(),
            "user": self.user_of_payload(user), "channel": self.channel_of_payload(channel), "is_enterprise_install": false,
            "enterprise": null, "callback_id": callback, "trigger_id": trigger, "response_url": url, "message_ts": ts,
            "message": self.message_json(channel, ts), "api_app_id": self.world.app.id,
        });
        let awaits = Awaits::Press { user: user.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: Some(url) })
    }

    fn shortcut(&mut self, user: &str, wanted: &str) -> Result<Sent, Impossible> {
        self.known(user)?;
        let callback = self.callback_of(wanted, false)?;
        let trigger = self.grant_trigger(user);
        let stamp = self.clock.stamp();
        let payload = json!({
            "type": "shortcut", "token": "verification", "action_ts": stamp, "team": self.team_of_payload(),
            "user": self.user_of_payload(user), "is_enterprise_install": false, "enterprise": null,
            "callback_id": callback, "trigger_id": trigger,
        });
        let awaits = Awaits::Press { user: user.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::Interactive, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: None })
    }

    fn callback_of(&self, wanted: &str, on_message: bool) -> Result<String, Impossible> {
        let mut shortcuts = self.world.app.shortcuts.iter().filter(|shortcut| shortcut.on_message == on_message);
        let found = shortcuts.find(|shortcut| shortcut.name == wanted || shortcut.callback_id == wanted);
        found.map(|shortcut| shortcut.callback_id.clone()).ok_or_else(|| Impossible::NoSuchShortcut(wanted.to_owned()))
    }
}

/// Whether an element has that label, placeholder or action id.
pub(super) fn is_called(element: &Value, wanted: &str) -> bool {
    names(element).any(|name| name == wanted)
}

fn names(element: &Value) -> impl Iterator<Item = &str> {
    let paths = ["/text/text", "/placeholder/text", "/action_id"];
    paths.into_iter().filter_map(|path| element.pointer(path).and_then(Value::as_str))
}

/// The element that has that name, with the id of its block.
pub(super) fn find(elements: Vec<(String, &Value)>, wanted: &str) -> Result<(String, Value), Impossible> {
    let there = elements.iter().filter_map(|(_, element)| names(element).next().map(str::to_owned)).collect();
    match elements.into_iter().find(|(_, element)| is_called(element, wanted)) {
        Some((block, element)) => Ok((block, element.clone())),
        None => Err(Impossible::NoSuchElement { wanted: wanted.to_owned(), there }),
    }
}

/// What the payload says about an element that was used.
pub(super) fn act(block: &str, element: &Value, option: Option<&str>) -> Result<Map<String, Value>, Impossible> {
    let mut action = Map::new();
    for key in ["type", "action_id", "text", "value", "url", "style", "placeholder", "confirm"] {
        if let Some(value) = element.get(key) {
            action.insert(key.to_owned(), value.clone());
        }
    }
    action.insert("block_id".to_owned(), block.into());
    let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
    let missing = |wanted: &str| Impossible::NoSuchElement { wanted: wanted.to_owned(), there: texts_of(element) };
    match (kind, option) {
        ("button" | "workflow_button", None) => {}
        ("button" | "workflow_button", Some(option)) => return Err(missing(option)),
        (_, None) => return Err(missing("an option")),
        ("external_select" | "multi_external_select", Some(option)) => {
            let chosen = blocks::external_option(option, option);
            put_choice(&mut action, element, &chosen);
        }
        ("static_select" | "overflow" | "radio_buttons" | "checkboxes" | "multi_static_select", Some(option)) => {
            let chosen = blocks::option(element, option).ok_or_else(|| missing(option))?;
            put_choice(&mut action, element, &chosen);
        }
        (_, Some(option)) => put_choice(&mut action, element, &option.into()),
    }
    Ok(action)
}

fn put_choice(action: &mut Map<String, Value>, element: &Value, chosen: &Value) {
    if let Value::Object(fields) = blocks::state_value(element, chosen) {
        action.extend(fields);
    }
    for key in ["selected_options", "selected_users", "selected_channels", "selected_conversations"] {
        if let Some(value) = action.get_mut(key).filter(|value| !value.is_array()) {
            *value = json!([value.take()]);
        }
    }
}

fn texts_of(element: &Value) -> Vec<String> {
    let groups = element.get("option_groups").and_then(Value::as_array).into_iter().flatten();
    let grouped = groups.filter_map(|group| group.get("options")?.as_array()).flatten();
    let plain = element.get("options").and_then(Value::as_array).into_iter().flatten();
    plain
        .chain(grouped)
        .filter_map(|option| option.pointer("/text/text").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}
