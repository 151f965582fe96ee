//! Objects as the tables that an API server prints for `kubectl get`.

mod access;
mod admission;
mod autoscaling;
mod builtin;
mod cluster;
mod column;
mod custom;
mod duration;
mod network;
mod pods;
mod row;
mod selector;
mod storage;
mod workloads;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::{column::Column, row::Row};
use crate::{
    resources::Resource,
    status::{Cause, Status},
};

pub use duration::human;

/// How much of its object a row carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads the `includeObject` parameter of a request.
    ///
    /// # Errors
    /// 422 for a word that is none of `None`, `Metadata`, `Object`.
    pub fn parse(parameter: &str) -> Result<Self, Status> {
        match parameter {
            "None" => Ok(Self::None),
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            other => {
                let cause = Cause::not_supported("includeObject", &other.into(), &["", "Metadata", "None", "Object"]);
                Err(Status::invalid("meta.k8s.io", "TableOptions", "", vec![cause]))
            }
        }
    }
}

/// How the objects of one kind are printed.
#[derive(Clone, Copy)]
struct Printer {
    columns: &'static [Column],
    cells: fn(&Row<'_>) -> Vec<Value>,
}

/// Prints objects of one resource as a `Table`; `list_metadata` is the metadata of the list, or of the one object.
pub fn table(
    resource: &Resource,
    objects: &[Arc<Value>],
    list_metadata: Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let kind = objects.first().and_then(|object| object.get("kind")).and_then(Value::as_str);
    let scale = kind == Some("Scale") && resource.kind != "Scale";
    let (columns, cells): (Vec<Value>, Box<dyn Fn(&Row<'_>) -> Vec<Value>>) = match &resource.custom {
        _ if scale => printed(builtin::SCALE),
        Some(custom) => (custom::columns(custom), Box::new(|row| custom::cells(custom, row))),
        None => printed(builtin::printer(&resource.group, &resource.kind)),
    };
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let row = Row { object, now };
            let mut fields = Map::new();
            fields.insert("cells".to_owned(), cells(&row).into());
            if let Some(conditions) = pods::row_conditions(resource, object) {
                fields.insert("conditions".to_owned(), conditions);
            }
            fields.insert("object".to_owned(), included(object, include));
            Value::Object(fields)
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list_metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

fn printed<'a>(printer: Printer) -> (Vec<Value>, Box<dyn Fn(&Row<'_>) -> Vec<Value> + 'a>) {
    (printer.columns.iter().map(Column::definition).collect(), Box::new(printer.cells))
}

fn included(object: &Value, include: Include) -> Value {
    match include {
        Include::None => Value::Null,
        Include::Metadata => {
            let metadata = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
        }
        Include::Object => object.clone(),
    }
}

#[cfg(test)]
mod tests;
