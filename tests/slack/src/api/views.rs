//! Views: opened with a trigger, pushed, replaced, published.

use serde_json::Value;

use crate::api::{Answer, Refusal};
use crate::call::Arguments;
use crate::state::State;

pub(crate) fn open(state: &mut State, arguments: &Arguments) -> Answer {
    let content = content(arguments)?;
    let user = triggered(state, arguments)?;
    state.open_view(&user, content, false)
}

pub(crate) fn push(state: &mut State, arguments: &Arguments) -> Answer {
    let content = content(arguments)?;
    let user = triggered(state, arguments)?;
    state.open_view(&user, content, true)
}

pub(crate) fn update(state: &mut State, arguments: &Arguments) -> Answer {
    let content = content(arguments)?;
    let id = match (arguments.text("view_id"), arguments.text("external_id")) {
        (Some(id), None) => id,
        (None, Some(external)) => {
            let named = |view: &&crate::state::view::View| {
                view.content.get("external_id").and_then(Value::as_str) == Some(&external)
            };
            match state.views.values().find(named) {
                Some(view) => view.id.clone(),
                None => return Err("not_found".into()),
            }
        }
        _ => return Err("invalid_arguments".into()),
    };
    state.update_view(&id, content, arguments.text("hash").as_deref())
}

pub(crate) fn publish(state: &mut State, arguments: &Arguments) -> Answer {
    let content = content(arguments)?;
    let user = arguments.text("user_id").unwrap_or_default();
    if state.user(&user).is_none() {
        return Err("user_not_found".into());
    }
    state.publish_view(&user, content, arguments.text("hash").as_deref())
}

fn content(arguments: &Arguments) -> Result<Value, Refusal> {
    match arguments.structure("view") {
        Ok(Some(view @ Value::Object(_))) => Ok(view),
        Ok(_) => Err(Refusal::with_messages("invalid_arguments", &["missing required field: view".to_owned()])),
        Err(_) => Err("invalid_arguments".into()),
    }
}

fn triggered(state: &mut State, arguments: &Arguments) -> Result<String, Refusal> {
    let Some(trigger) = arguments.text("trigger_id") else {
        return Err(Refusal::with_messages("invalid_arguments", &["missing required field: trigger_id".to_owned()]));
    };
    state.exchange_trigger(&trigger).map_err(Refusal::new)
}
