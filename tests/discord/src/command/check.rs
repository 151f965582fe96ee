//! The form of a command: names, descriptions, options, and the 8,000 characters.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Scope;
use crate::error::Form;
use crate::validate::{at, flag, list, number, text};

/// Characters of names, descriptions and values of one command together.
const TOTAL: usize = 8_000;
const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;

/// Checks the definition of a command.
pub(crate) fn command(form: &mut Form, path: &str, body: &Value, scope: Scope) {
    if !body.is_object() {
        form.wrong(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        return;
    }
    let kind = number(body, "type").unwrap_or(1);
    form.text(&at(path, "name"), body.get("name"), 1, 32);
    match kind {
        1 => {
            name(form, &at(path, "name"), text(body, "name"));
            form.text(&at(path, "description"), body.get("description"), 1, 100);
            options(form, &at(path, "options"), list(body, "options"), 0);
        }
        2 | 3 => {
            if !text(body, "description").is_empty() {
                let text = "Context menu commands cannot have description";
                form.wrong(
                    &at(path, "description"),
                    "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET",
                    text,
                );
            }
            if !list(body, "options").is_empty() {
                let text = "Context menu commands cannot have options";
                form.wrong(&at(path, "options"), "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_CANNOT_BE_SET", text);
            }
        }
        _ => form.wrong(&at(path, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4}."),
    }
    if scope.is_some() && body.get("contexts").is_some_and(|contexts| !contexts.is_null()) {
        let text = "Contexts are only allowed on global commands";
        form.wrong(&at(path, "contexts"), "APPLICATION_COMMAND_CONTEXTS_NOT_ALLOWED", text);
    }
    if length_of(body) > TOTAL {
        let text = format!("Command exceeds maximum size ({TOTAL})");
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", text);
    }
}

/// Counts what Discord counts towards the 8,000 characters.
pub(crate) fn length_of(body: &Value) -> usize {
    let own = ["name", "description"].iter().map(|key| text(body, key).chars().count()).sum::<usize>();
    let value = body.get("value").and_then(Value::as_str).map_or(0, |value| value.chars().count());
    let inner = list(body, "options").iter().chain(list(body, "choices")).map(length_of).sum::<usize>();
    own + value + inner
}

fn name(form: &mut Form, path: &str, name: &str) {
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '\'');
    let is_lower = name == name.to_lowercase();
    if !name.is_empty() && (!is_lower || !name.chars().all(allowed)) {
        form.wrong(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

fn options(form: &mut Form, path: &str, options: &[Value], depth: usize) {
    form.count(path, options.len(), 0, 25);
    let mut names = BTreeSet::new();
    let mut optional_before = false;
    let nested = options.iter().filter(|option| is_nested(option)).count();
    if nested > 0 && nested < options.len() {
        let text = "Sub-command and sub-command group option types are mutually exclusive to all other types";
        form.wrong(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", text);
    }
    for (place, option) in options.iter().enumerate() {
        let path = at(path, place);
        one(form, &path, option, depth);
        if !names.insert(text(option, "name")) {
            let text = "Option names must be unique";
            form.wrong(&at(&path, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", text);
        }
        let required = flag(option, "required");
        if required && optional_before {
            let text = "Required options must be placed before non-required options";
            form.wrong(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text);
        }
        optional_before |= !required;
    }
}

fn is_nested(option: &Value) -> bool {
    matches!(number(option, "type"), Some(SUBCOMMAND | GROUP))
}

fn one(form: &mut Form, path: &str, option: &Value, depth: usize) {
    form.text(&at(path, "name"), option.get("name"), 1, 32);
    name(form, &at(path, "name"), text(option, "name"));
    form.text(&at(path, "description"), option.get("description"), 1, 100);
    let kind = number(option, "type");
    match kind {
        Some(SUBCOMMAND) if depth <= 1 => options(form, &at(path, "options"), list(option, "options"), depth + 2),
        Some(GROUP) if depth == 0 => options(form, &at(path, "options"), list(option, "options"), 1),
        Some(3..=11) => choices(form, path, option, kind == Some(3)),
        _ => form.wrong(&at(path, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1..11} at this depth."),
    }
}

fn choices(form: &mut Form, path: &str, option: &Value, is_text: bool) {
    let choices = list(option, "choices");
    if flag(option, "autocomplete") && !choices.is_empty() {
        let text = "Autocomplete cannot be set together with choices";
        form.wrong(&at(path, "choices"), "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES_INVALID", text);
    }
    form.count(&at(path, "choices"), choices.len(), 0, 25);
    for (place, choice) in choices.iter().enumerate() {
        choice_form(form, &at(path, format!("choices.{place}")), choice, is_text);
    }
}

/// Checks one choice of an option or of an autocomplete answer.
pub(crate) fn choice_form(form: &mut Form, path: &str, choice: &Value, is_text: bool) {
    form.text(&at(path, "name"), choice.get("name"), 1, 100);
    if is_text {
        form.text(&at(path, "value"), choice.get("value"), 1, 100);
    } else if choice.get("value").is_none_or(Value::is_null) {
        form.required(&at(path, "value"));
    }
}
