//! Lists in a strategic merge patch.

use serde_json::Value;

use super::{
    DIRECTIVE, ELEMENT_ORDER, Nulls, Object, failed, go_list, merge_objects, no_merge_key, unknown_directive,
    without_directives,
};
use crate::{
    patch::{
        does_not_fit,
        merge_keys::{self, Field},
    },
    status::Status,
};

/// Merges a list of the patch into the list of the object.
pub(super) fn merge(original: Vec<Value>, patch: Vec<Value>, field: &Field) -> Result<Vec<Value>, Status> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let (merged, server_order, patch_order) = match elements(&original, &patch)? {
        Elements::Plain => {
            let mut merged: Vec<Value> = Vec::new();
            for item in original.iter().chain(&patch) {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
            (merged, original, patch)
        }
        Elements::Objects if field.key.is_empty() => {
            return Err(failed(format!("cannot merge lists without merge key for {}", field.target)));
        }
        Elements::Objects => {
            let (original, patch) = follow_directives(original, patch, field.key)?;
            (merge_by_key(original.clone(), &patch, field)?, original, patch)
        }
    };
    order(merged, &patch_order, &server_order, &patch_order, field.key)
}

/// Takes items out of a list of plain values.
pub(super) fn remove(original: Vec<Value>, gone: &[Value]) -> Vec<Value> {
    original.into_iter().filter(|item| !gone.contains(item)).collect()
}

/// Merges the lists for which the patch also says the order, and takes them out of the patch.
pub(super) fn merge_ordered(original: &mut Object, patch: &mut Object, kind: &str) -> Result<(), Status> {
    let directives: Vec<String> = patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let wanted = list(patch.remove(&directive))?.unwrap_or_default();
        let Some(name) = directive.strip_prefix(ELEMENT_ORDER).and_then(|rest| rest.strip_prefix('/')) else {
            return Err(Status::bad_request("invalid patch format of setElementOrder list"));
        };
        let field = merge_keys::field(kind, name);
        let live = list(original.get(name).cloned())?;
        let new = list(patch.get(name).cloned())?;
        check_order(new.as_deref().unwrap_or_default(), &wanted, field.key)?;
        elements(live.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default())
            .or_else(|refused| if live.is_none() && new.is_none() { Ok(Elements::Plain) } else { Err(refused) })?;
        let server_order = live.clone().unwrap_or_default();
        let merged = match (live, new) {
            (None, None) => continue,
            (Some(live), None) => live,
            (None, Some(new)) => new.into_iter().filter_map(|item| without_directives(item, Nulls::Keep)).collect(),
            (Some(live), Some(new)) if field.merges => merge(live, new, &field)?,
            (Some(_), Some(new)) => new,
        };
        patch.remove(name);
        original.insert(name.to_owned(), order(merged, &wanted, &server_order, &wanted, field.key)?.into());
    }
    Ok(())
}

enum Elements {
    Plain,
    Objects,
}

/// What the lists hold, which must be one thing and not lists.
fn elements(original: &[Value], patch: &[Value]) -> Result<Elements, Status> {
    let mut all = original.iter().chain(patch);
    let Some(first) = all.next() else {
        return Err(failed("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(does_not_fit());
    }
    if all.any(|item| std::mem::discriminant(item) != std::mem::discriminant(first)) {
        let lists = format!("[{} {}]", go_list(original), go_list(patch));
        return Err(failed(format!("list element types are not identical: {lists}")));
    }
    Ok(if first.is_object() { Elements::Objects } else { Elements::Plain })
}

/// Does what the items with a `$patch` say; returns the object's list and the rest of the patch's.
fn follow_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Status> {
    let mut rest = Vec::new();
    let mut replaces = false;
    for item in patch {
        let Some((fields, directive)) = item.as_object().and_then(|fields| Some((fields, fields.get(DIRECTIVE)?)))
        else {
            rest.push(item);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let gone = fields.get(key).ok_or_else(|| no_merge_key(fields, key))?;
                original.retain(|item| item.get(key) != Some(gone));
            }
            Some("replace") => replaces = true,
            Some("merge") => return Err(failed("merging lists cannot yet be specified in the patch".to_owned())),
            _ => return Err(unknown_directive(directive, fields)),
        }
    }
    Ok(if replaces { (rest, Vec::new()) } else { (original, rest) })
}

fn merge_by_key(mut original: Vec<Value>, patch: &[Value], field: &Field) -> Result<Vec<Value>, Status> {
    for item in patch {
        let Value::Object(new) = item else { continue };
        let name = new.get(field.key).ok_or_else(|| no_merge_key(new, field.key))?;
        match original.iter_mut().find(|item| item.get(field.key) == Some(name)) {
            Some(Value::Object(old)) => {
                *old = merge_objects(std::mem::take(old), new.clone(), field.target)?;
            }
            _ => original.extend(without_directives(item.clone(), Nulls::Keep)),
        }
    }
    Ok(original)
}

/// The items of the patch must stand in the order that the patch asks for.
fn check_order(patch: &[Value], wanted: &[Value], key: &str) -> Result<(), Status> {
    if patch.is_empty() || wanted.is_empty() {
        return Ok(());
    }
    let mut wanted_left = wanted.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        if !wanted_left.any(|name| identity(name, key) == identity(item, key)) {
            let (patch, wanted) = (go_list(patch), go_list(wanted));
            let message =
                format!("The order in patch list:\n{patch}\n doesn't match {ELEMENT_ORDER} list:\n{wanted}\n");
            return Err(failed(message));
        }
    }
    Ok(())
}

/// Puts a merged list in order: what `partition` names as `patch_order` says, the rest as the server had it, and both woven together as the
/// server had them.
fn order(
    merged: Vec<Value>,
    partition: &[Value],
    server_order: &[Value],
    patch_order: &[Value],
    key: &str,
) -> Result<Vec<Value>, Status> {
    if !key.is_empty()
        && let Some(nameless) = merged.iter().filter_map(Value::as_object).find(|fields| !fields.contains_key(key))
    {
        return Err(no_merge_key(nameless, key));
    }
    let place = |list: &[Value], item: &Value| {
        list.iter().position(|other| identity(other, key) == identity(item, key)).unwrap_or(usize::MAX)
    };
    let (mut named, mut rest): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(partition, item) != usize::MAX);
    named.sort_by_key(|item| place(patch_order, item));
    rest.sort_by_key(|item| place(server_order, item));
    let mut woven = Vec::with_capacity(named.len() + rest.len());
    let mut rest = rest.into_iter().peekable();
    for item in named {
        let before = place(server_order, &item);
        while before != usize::MAX && rest.peek().is_some_and(|other| place(server_order, other) < before) {
            woven.extend(rest.next());
        }
        woven.push(item);
    }
    woven.extend(rest);
    Ok(woven)
}

/// What makes two items the same: the merge key's value, or the whole item of a list of plain values.
fn identity<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    if key.is_empty() { Some(item) } else { item.get(key) }
}

fn list(value: Option<Value>) -> Result<Option<Vec<Value>>, Status> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => {
            let received = match other {
                Value::Object(_) => "map[string]interface {}",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Number(_) => "int64",
                _ => "%!s(<nil>)",
            };
            Err(failed(format!("expected a []interface {{}}, but received a {received}")))
        }
    }
}
