//! Application commands: how they are registered, checked, kept and written.

mod check;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::state::State;
use crate::state::set;
use crate::validate::{list, number, text};

pub(crate) use check::{choice_form, command};

/// A scope of commands: the application (`None`) or one guild.
pub(crate) type Scope = Option<Id>;

/// A day, in which only so many commands may be created.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Slash commands of a scope; five of each other kind.
const SLASH_COMMANDS: usize = 100;

/// A registered command: its id, its version, and what was registered with all defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) id: Id,
    pub(crate) version: Id,
    pub(crate) definition: Value,
}

/// All registered commands.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    scopes: BTreeMap<Scope, Vec<Registered>>,
    created: BTreeMap<Scope, Vec<u64>>,
    pub(crate) writes: Vec<(u64, Scope, usize)>,
}

impl Commands {
    pub(crate) fn of(&self, scope: Scope) -> &[Registered] {
        self.scopes.get(&scope).map_or(&[], Vec::as_slice)
    }

    /// Finds what a person in `guild` gets when using `name`; a guild's command hides a global one.
    pub(crate) fn find(&self, guild: Scope, name: &str, kind: u64) -> Option<(Scope, &Registered)> {
        let scopes = if guild.is_some() { vec![guild, None] } else { vec![None] };
        scopes.into_iter().find_map(|scope| {
            let found = self.of(scope).iter().find(|command| command.is_named(name, kind))?;
            Some((scope, found))
        })
    }
}

impl Registered {
    fn is_named(&self, name: &str, kind: u64) -> bool {
        text(&self.definition, "name") == name && number(&self.definition, "type").unwrap_or(1) == kind
    }

    /// Writes the command as Discord does.
    pub(crate) fn json(&self, application: Id, scope: Scope) -> Value {
        let mut json = self.definition.clone();
        set(&mut json, "id", json!(self.id));
        set(&mut json, "version", json!(self.version));
        set(&mut json, "application_id", json!(application));
        if let Some(guild) = scope {
            set(&mut json, "guild_id", json!(guild));
        }
        json
    }
}

impl State {
    /// Replaces all commands of a scope, as PUT does.
    pub(crate) fn put_commands(&mut self, scope: Scope, body: &Value) -> Answered<Value> {
        let Value::Array(definitions) = body else {
            let mut form = Form::default();
            form.wrong("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            form.finish()?;
            return Err(Refusal::invalid_form());
        };
        let mut form = Form::default();
        let mut names = Vec::new();
        for (place, definition) in definitions.iter().enumerate() {
            command(&mut form, &place.to_string(), definition, scope);
            let name = (number(definition, "type").unwrap_or(1), text(definition, "name"));
            if names.contains(&name) {
                let text = "Application command names must be unique";
                form.wrong(&format!("{place}.name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", text);
            }
            names.push(name);
        }
        form.finish()?;
        count_kinds(&names)?;
        let old = self.commands.of(scope).to_vec();
        let mut kept = Vec::new();
        let mut created = 0;
        for definition in definitions {
            let (registered, is_new) = self.registered(&old, definition, scope);
            created += usize::from(is_new);
            kept.push(registered);
        }
        self.count_creates(scope, created)?;
        self.commands.writes.push((self.now_ms(), scope, kept.len()));
        let application = self.application.id;
        let json = kept.iter().map(|command| command.json(application, scope)).collect();
        self.commands.scopes.insert(scope, kept);
        Ok(json)
    }

    /// Adds or replaces one command, as POST does; says whether it is new.
    pub(crate) fn post_command(&mut self, scope: Scope, body: &Value) -> Answered<(Value, bool)> {
        let mut form = Form::default();
        command(&mut form, "", body, scope);
        form.finish()?;
        let mut all = self.commands.of(scope).to_vec();
        let (registered, is_new) = self.registered(&all, body, scope);
        all.retain(|command| command.id != registered.id);
        all.push(registered.clone());
        let names: Vec<_> = all
            .iter()
            .map(|command| (number(&command.definition, "type").unwrap_or(1), text(&command.definition, "name")))
            .collect();
        count_kinds(&names)?;
        self.count_creates(scope, usize::from(is_new))?;
        self.commands.writes.push((self.now_ms(), scope, all.len()));
        self.commands.scopes.insert(scope, all);
        Ok((registered.json(self.application.id, scope), is_new))
    }

    /// Takes one command away.
    pub(crate) fn delete_command(&mut self, scope: Scope, id: Id) -> Answered<()> {
        let all = self.commands.scopes.entry(scope).or_default();
        let before = all.len();
        all.retain(|command| command.id != id);
        if all.len() == before {
            return Err(Refusal::unknown_command());
        }
        let left = all.len();
        self.commands.writes.push((self.now_ms(), scope, left));
        Ok(())
    }

    fn registered(&mut self, old: &[Registered], body: &Value, scope: Scope) -> (Registered, bool) {
        let definition = completed(body, scope);
        let kind = number(body, "type").unwrap_or(1);
        let known = old.iter().find(|command| command.is_named(text(body, "name"), kind));
        let version = match known {
            Some(known) if known.definition == definition => known.version,
            _ => self.new_id(),
        };
        let id = known.map_or_else(|| self.new_id(), |known| known.id);
        (Registered { id, version, definition }, known.is_none())
    }

    fn count_creates(&mut self, scope: Scope, created: usize) -> Answered<()> {
        let now = self.now_ms();
        let made = self.commands.created.entry(scope).or_default();
        made.retain(|at| at + DAY_MS > now);
        if made.len() + created > self.limits.command_creates as usize {
            return Err(Refusal::too_many_command_creates());
        }
        made.extend(std::iter::repeat_n(now, created));
        Ok(())
    }
}

fn count_kinds(names: &[(u64, &str)]) -> Answered<()> {
    let of_kind = |kind| names.iter().filter(|(other, _)| *other == kind).count();
    if of_kind(1) > SLASH_COMMANDS || of_kind(2) > 15 || of_kind(3) > 15 {
        return Err(Refusal::too_many_commands());
    }
    Ok(())
}

/// Fills in what Discord fills in.
fn completed(body: &Value, scope: Scope) -> Value {
    let kind = number(body, "type").unwrap_or(1);
    let mut definition = json!({
        "type": kind, "name": text(body, "name"), "description": text(body, "description"),
        "name_localizations": body.get("name_localizations"),
        "description_localizations": body.get("description_localizations"),
        "default_member_permissions": body.get("default_member_permissions"),
        "nsfw": crate::validate::flag(body, "nsfw"),
        "integration_types": body.get("integration_types").filter(|types| types.is_array()).cloned()
            .unwrap_or_else(|| json!([0])),
    });
    if scope.is_none() {
        set(&mut definition, "contexts", body.get("contexts").cloned().unwrap_or_default());
        let direct = body.get("dm_permission").and_then(Value::as_bool).unwrap_or(true);
        set(&mut definition, "dm_permission", json!(direct));
    }
    if kind == 1 && !list(body, "options").is_empty() {
        set(&mut definition, "options", json!(list(body, "options")));
    }
    definition
}
