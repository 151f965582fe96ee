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
    resources::{Custom, Resource},
    status::Status,
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
    /// 400 for a word that is none of `None`, `Metadata`, `Object`.
    pub fn parse(parameter: &str) -> Result<Self, Status> {
        match parameter {
            "None" => Ok(Self::None),
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', \
                 'Object', 'None', or empty"
            ))),
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
    let layout = match &resource.custom {
        _ if objects.first().is_some_and(|object| is_scale(object)) => Layout::Builtin(builtin::SCALE),
        Some(custom) => Layout::Custom(custom),
        None => Layout::Builtin(builtin::printer(&resource.group, &resource.kind)),
    };
    let rows = objects.iter().map(|object| row(&layout, resource, &Row { object, now }, include));
    let mut table = Map::new();
    table.insert("kind".to_owned(), "Table".into());
    table.insert("apiVersion".to_owned(), "meta.k8s.io/v1".into());
    table.insert("metadata".to_owned(), list_metadata);
    table.insert("columnDefinitions".to_owned(), layout.columns().into());
    table.insert("rows".to_owned(), rows.collect());
    Value::Object(table)
}

/// Whether this is the `scale` subresource of an object instead of the object.
fn is_scale(object: &Value) -> bool {
    let says = |field: &str, value: &str| object.get(field).and_then(Value::as_str) == Some(value);
    says("kind", "Scale") && says("apiVersion", "autoscaling/v1")
}

/// Whose columns a table has.
enum Layout<'a> {
    Builtin(Printer),
    Custom(&'a Custom),
}

impl Layout<'_> {
    fn columns(&self) -> Vec<Value> {
        match self {
            Self::Builtin(printer) => printer.columns.iter().map(Column::definition).collect(),
            Self::Custom(custom) => custom::columns(custom),
        }
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Value> {
        match self {
            Self::Builtin(printer) => (printer.cells)(row),
            Self::Custom(custom) => custom::cells(custom, row),
        }
    }
}

fn row(layout: &Layout<'_>, resource: &Resource, row: &Row<'_>, include: Include) -> Value {
    let mut fields = Map::new();
    fields.insert("cells".to_owned(), layout.cells(row).into());
    if let Some(conditions) = pods::row_conditions(resource, row.object) {
        fields.insert("conditions".to_owned(), conditions);
    }
    fields.insert("object".to_owned(), included(row.object, include));
    Value::Object(fields)
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
