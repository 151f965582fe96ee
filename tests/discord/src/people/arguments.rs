//! Options, choices and inputs, checked as Discord's client does before it sends them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Unable, is_text_input};
use crate::id::Id;
use crate::permission::USE_APPLICATION_COMMANDS;
use crate::state::{State, set};
use crate::validate::component::{LABEL, is_select};
use crate::validate::{flag, list, number, text};

impl State {
    /// Builds the data of a slash command, or of its completion.
    pub(crate) fn command_data(
        &self,
        by: Id,
        channel: Id,
        line: &str,
        given: &[(String, Value)],
        focused: Option<(&str, &str)>,
    ) -> Result<Value, Unable> {
        self.sees(by, channel)?;
        let bits = self.permissions(by, channel);
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        if guild.is_some() && bits & USE_APPLICATION_COMMANDS == 0 {
            return Err(Unable::NotAllowed("use commands"));
        }
        let mut words = line.trim_start_matches('/').split_whitespace();
        let name = words.next().unwrap_or_default();
        let unknown = || Unable::NoCommand(line.to_owned());
        let (scope, command) = self.commands.find(guild, name, 1).ok_or_else(unknown)?;
        let definition = &command.definition;
        let needed = number(definition, "default_member_permissions").unwrap_or(0);
        if bits & needed != needed {
            return Err(Unable::NotAllowed("use this command"));
        }
        let here = json!(i32::from(guild.is_none()));
        let contexts = list(definition, "contexts");
        let is_elsewhere = !contexts.is_empty() && !contexts.contains(&here);
        if is_elsewhere || (guild.is_none() && definition.get("dm_permission") == Some(&Value::Bool(false))) {
            return Err(unknown());
        }
        let words: Vec<&str> = words.collect();
        let mut resolved = Map::new();
        let options = self.nested(definition, &words, given, focused, guild, &mut resolved).ok_or_else(unknown)??;
        let mut data = json!({"id": command.id, "name": name, "type": 1});
        if !options.is_empty() {
            set(&mut data, "options", json!(options));
        }
        if !resolved.is_empty() {
            set(&mut data, "resolved", Value::Object(resolved));
        }
        if let Some(guild) = scope {
            set(&mut data, "guild_id", json!(guild));
        }
        Ok(data)
    }

    /// Follows subcommands down to the options; `None` when the words name no subcommand, or too few.
    fn nested(
        &self,
        definition: &Value,
        words: &[&str],
        given: &[(String, Value)],
        focused: Option<(&str, &str)>,
        guild: Option<Id>,
        resolved: &mut Map<String, Value>,
    ) -> Option<Result<Vec<Value>, Unable>> {
        let options = list(definition, "options");
        let is_nested = |option: &&Value| matches!(number(option, "type"), Some(1 | 2));
        let Some((word, rest)) = words.split_first() else {
            let has_nested = options.iter().any(|option| is_nested(&option));
            return (!has_nested).then(|| self.flat(options, given, focused, guild, resolved));
        };
        let inner = options.iter().filter(is_nested).find(|option| text(option, "name") == *word)?;
        let inside = match self.nested(inner, rest, given, focused, guild, resolved)? {
            Ok(inside) => inside,
            Err(unable) => return Some(Err(unable)),
        };
        Some(Ok(vec![json!({"name": word, "type": number(inner, "type"), "options": inside})]))
    }

    fn flat(
        &self,
        options: &[Value],
        given: &[(String, Value)],
        focused: Option<(&str, &str)>,
        guild: Option<Id>,
        resolved: &mut Map<String, Value>,
    ) -> Result<Vec<Value>, Unable> {
        let mut written = Vec::new();
        for (name, value) in given {
            let option = options.iter().find(|option| text(option, "name") == name);
            let option = option.ok_or_else(|| Unable::NoOption(name.clone()))?;
            let value = self.suited(option, value, guild, resolved)?;
            written.push(json!({"name": name, "type": number(option, "type"), "value": value}));
        }
        if let Some((name, typed)) = focused {
            let completes = |option: &&Value| text(option, "name") == name && flag(option, "autocomplete");
            let option = options.iter().find(completes).ok_or_else(|| Unable::NoOption(name.to_owned()))?;
            // What is typed comes as text, whatever the option's type.
            written.push(json!({"name": name, "type": number(option, "type"), "value": typed, "focused": true}));
            return Ok(written);
        }
        let is_given = |option: &&Value| given.iter().any(|(name, _)| text(option, "name") == name);
        match options.iter().find(|option| flag(option, "required") && !is_given(option)) {
            Some(missing) => Err(Unable::Missing(text(missing, "name").to_owned())),
            None => Ok(written),
        }
    }

    /// Brings a value into the option's type.
    fn suited(
        &self,
        option: &Value,
        value: &Value,
        guild: Option<Id>,
        resolved: &mut Map<String, Value>,
    ) -> Result<Value, Unable> {
        let unsuitable = || Unable::Unsuitable { option: text(option, "name").to_owned(), value: value.to_string() };
        let choices = list(option, "choices");
        if !choices.is_empty() {
            let chosen = choices
                .iter()
                .find(|choice| choice.get("value") == Some(value) || value.as_str() == Some(text(choice, "name")));
            return chosen.and_then(|choice| choice.get("value")).cloned().ok_or_else(unsuitable);
        }
        let kind = number(option, "type").unwrap_or(3);
        let fits = match kind {
            3 => {
                let length = value.as_str().map(|value| value.chars().count() as u64).ok_or_else(unsuitable)?;
                let least = number(option, "min_length").unwrap_or(0);
                (least..=number(option, "max_length").unwrap_or(6_000)).contains(&length)
            }
            4 => value.is_i64() && in_range(option, value),
            5 => value.is_boolean(),
            10 => value.is_number() && in_range(option, value),
            _ => self.resolve(kind, value, guild, resolved),
        };
        if fits { Ok(value.clone()) } else { Err(unsuitable()) }
    }

    /// Adds what an id stands for.
    fn resolve(&self, kind: u64, value: &Value, guild: Option<Id>, resolved: &mut Map<String, Value>) -> bool {
        let Some(id) = value.as_str().and_then(|id| id.parse::<Id>().ok()) else { return false };
        let mut add = |group: &str, object: Value| {
            let group = resolved.entry(group).or_insert_with(|| json!({}));
            set(group, &id.to_string(), object);
        };
        match kind {
            6 if self.users.contains_key(&id) || id == self.application.id => {
                add("users", self.user_json(id));
                if let Some(member) = guild.and_then(|guild| self.member_json(guild, id)) {
                    add("members", member);
                }
                true
            }
            7 => self.channels.get(&id).is_some_and(|channel| {
                add("channels", self.interaction_channel_json(channel, self.application.id));
                true
            }),
            8 => {
                let guild = guild.and_then(|guild| self.guilds.get(&guild));
                let role = guild.and_then(|guild| Some((guild, guild.roles.iter().find(|role| role.id == id)?)));
                role.is_some_and(|(guild, role)| {
                    add("roles", crate::state::guild::role_json(guild, role));
                    true
                })
            }
            _ => false,
        }
    }
}

impl State {
    /// What the ids chosen in a select of users, roles, both or channels stand for; `None` for strings.
    pub(crate) fn resolved_choices(
        &self,
        kind: u64,
        channel: Id,
        select: &str,
        values: &[String],
    ) -> Result<Option<Value>, Unable> {
        // The types of options with the same meaning.
        let kinds: &[u64] = match kind {
            5 => &[6],
            6 => &[8],
            7 => &[6, 8],
            8 => &[7],
            _ => return Ok(None),
        };
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let mut resolved = Map::new();
        for value in values {
            let id = json!(value);
            if !kinds.iter().any(|kind| self.resolve(*kind, &id, guild, &mut resolved)) {
                return Err(Unable::Unsuitable { option: select.to_owned(), value: value.clone() });
            }
        }
        Ok(Some(Value::Object(resolved)))
    }
}

fn in_range(option: &Value, value: &Value) -> bool {
    let bound = |key: &str| option.get(key).and_then(Value::as_f64);
    let Some(value) = value.as_f64() else { return false };
    bound("min_value").is_none_or(|least| value >= least) && bound("max_value").is_none_or(|most| value <= most)
}

/// The values of chosen labels, as many as the select allows.
pub(crate) fn chosen(select: &Value, chosen: &[String]) -> Result<Vec<String>, Unable> {
    let name = text(select, "custom_id").to_owned();
    let least = number(select, "min_values").unwrap_or(1);
    let most = number(select, "max_values").unwrap_or(1);
    if !(least..=most).contains(&(chosen.len() as u64)) {
        return Err(Unable::Unsuitable { option: name, value: format!("{} choices", chosen.len()) });
    }
    if number(select, "type") != Some(3) {
        return Ok(chosen.to_vec());
    }
    chosen
        .iter()
        .map(|wanted| {
            let is_it = |option: &&Value| text(option, "label") == wanted || text(option, "value") == wanted;
            let option = list(select, "options").iter().find(is_it);
            option
                .map(|option| text(option, "value").to_owned())
                .ok_or_else(|| Unable::Unsuitable { option: name.clone(), value: wanted.clone() })
        })
        .collect()
}

/// The rows of a modal as they are submitted.
pub(crate) fn filled(modal: &Value, values: &BTreeMap<String, String>) -> Result<Vec<Value>, Unable> {
    let mut used = Vec::new();
    let mut rows = Vec::new();
    for (place, row) in list(modal, "components").iter().enumerate() {
        let id = number(row, "id").unwrap_or(place as u64 * 2 + 1);
        match number(row, "type") {
            Some(LABEL) => {
                let child = row.get("component").cloned().unwrap_or_default();
                let input = input(&child, text(row, "label"), values, &mut used, id + 1)?;
                rows.push(json!({"type": LABEL, "id": id, "component": input}));
            }
            _ => {
                let children: Result<Vec<Value>, Unable> = list(row, "components")
                    .iter()
                    .map(|child| input(child, text(child, "label"), values, &mut used, id + 1))
                    .collect();
                rows.push(json!({"type": 1, "id": id, "components": children?}));
            }
        }
    }
    match values.keys().find(|key| !used.contains(key)) {
        Some(unknown) => Err(Unable::NoModal(unknown.clone())),
        None => Ok(rows),
    }
}

fn input<'a>(
    child: &Value,
    label: &str,
    values: &'a BTreeMap<String, String>,
    used: &mut Vec<&'a String>,
    id: u64,
) -> Result<Value, Unable> {
    let custom_id = text(child, "custom_id");
    let given = values.get_key_value(custom_id).or_else(|| values.get_key_value(label));
    used.extend(given.map(|(key, _)| key));
    if number(child, "type").is_some_and(is_select) {
        let wanted: Vec<String> = given.map(|(_, value)| value.clone()).into_iter().collect();
        let values = chosen(child, &wanted)?;
        return Ok(json!({"type": number(child, "type"), "id": id, "custom_id": custom_id, "values": values}));
    }
    debug_assert!(is_text_input(child), "a modal was checked when it was opened");
    let value = given.map_or_else(|| text(child, "value"), |(_, value)| value.as_str());
    let length = value.chars().count() as u64;
    let least = number(child, "min_length").unwrap_or(0);
    let most = number(child, "max_length").unwrap_or(4_000);
    let is_required = child.get("required") != Some(&Value::Bool(false));
    if length == 0 && is_required {
        return Err(Unable::Missing(label.to_owned()));
    }
    if length > most || (length > 0 && length < least) {
        return Err(Unable::Unsuitable { option: label.to_owned(), value: format!("{length} characters") });
    }
    Ok(json!({"type": 4, "id": id, "custom_id": custom_id, "value": value}))
}
