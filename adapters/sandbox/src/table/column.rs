//! Column definitions.

use serde_json::{Value, json};

/// A column of a built-in table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    priority: u8,
}

/// The object's name, which comes first.
pub(super) const NAME: Column = Column { name: "Name", kind: "string", format: "name", priority: 0 };
/// How old the object is.
pub(super) const AGE: Column = text("Age");

/// A column of text.
pub(super) const fn text(name: &'static str) -> Column {
    Column { name, kind: "string", format: "", priority: 0 }
}

/// A column of numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column { kind: "integer", ..text(name) }
}

/// A column of yes and no.
pub(super) const fn flag(name: &'static str) -> Column {
    Column { kind: "boolean", ..text(name) }
}

/// A column of points in time.
pub(super) const fn date(name: &'static str) -> Column {
    Column { kind: "date", ..text(name) }
}

/// A column of names that is not the first.
pub(super) const fn name(name: &'static str) -> Column {
    Column { format: "name", ..text(name) }
}

impl Column {
    /// The column, shown only in wide output.
    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }

    /// The column as a table says it.
    pub(super) fn definition(&self) -> Value {
        let Self { name, kind, format, priority } = self;
        json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
    }
}
