//! Reads a tree of the `config` crate with the type that each key asks for, and says at which key it failed.

use config::{Map, Value, ValueKind};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::is_of_environment;
use crate::config::sources::child;

const TEXT: &str = "a text";
const NUMBER: &str = "a whole number from 0 to 4294967295";
const TRUTH: &str = "true or false";
const LIST: &str = "a list";
const SECTION: &str = "a section";

/// A value with its key.
pub(super) struct Node<'a> {
    key: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { key: String::new(), value }
    }

    fn wrong(&self, wanted: &'static str) -> Fault {
        let found = match &self.value.kind {
            ValueKind::Nil => "nothing",
            ValueKind::Boolean(_) => TRUTH,
            ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a number",
            ValueKind::Float(_) => "a number with a point",
            ValueKind::String(_) => TEXT,
            ValueKind::Table(_) => SECTION,
            ValueKind::Array(_) => LIST,
        };
        Fault::of_type(wanted, found).at(&self.key)
    }

    fn text(&self) -> Result<&'a str, Fault> {
        let ValueKind::String(text) = &self.value.kind else { return Err(self.wrong(TEXT)) };
        Ok(text)
    }

    fn number(&self) -> Result<u64, Fault> {
        let number = match &self.value.kind {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::U64(number) => Some(*number),
            ValueKind::String(text) if is_of_environment(self.value) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong(NUMBER))
    }

    fn truth(&self) -> Result<bool, Fault> {
        match &self.value.kind {
            ValueKind::Boolean(truth) => Ok(*truth),
            ValueKind::String(text) if is_of_environment(self.value) => {
                text.trim().parse().map_err(|_| self.wrong(TRUTH))
            }
            _ => Err(self.wrong(TRUTH)),
        }
    }
}

/// A list of the environment: `a,b`, or one of TOML, which starts with a bracket.
fn list_of_environment(text: &str) -> Option<Vec<Value>> {
    let item = |text: &str| Value::new(None, text.trim().to_owned());
    if !text.trim_start().starts_with('[') {
        return Some(text.split(',').filter(|part| !part.trim().is_empty()).map(item).collect());
    }
    let file = config::File::from_str(&format!("list = {text}"), config::FileFormat::Toml);
    let tree = config::Config::builder().add_source(file).build().ok()?.cache;
    let ValueKind::Table(mut table) = tree.kind else { return None };
    match table.remove("list")?.kind {
        ValueKind::Array(items) if table.is_empty() => Some(items),
        _ => None,
    }
}

/// Takes a key out of a tree; an item of a list goes with its list. Tells whether something went.
pub(super) fn remove(tree: &mut Value, key: &str) -> bool {
    let (parent, name) = match key.rsplit_once('.') {
        Some((parent, name)) => (parent, name),
        None => ("", key),
    };
    let name = name.split('[').next().unwrap_or_default();
    let Some(Value { kind: ValueKind::Table(table), .. }) = find(tree, parent) else { return false };
    table.remove(name).is_some()
}

fn find<'a>(tree: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.into_iter().try_fold(tree, |value, part| match &mut value.kind {
        ValueKind::Table(table) => table.get_mut(part),
        ValueKind::Array(items) => items.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    })
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value.kind {
            ValueKind::Table(_) => self.deserialize_map(visitor),
            ValueKind::Array(_) => self.deserialize_seq(visitor),
            ValueKind::Boolean(_) => self.deserialize_bool(visitor),
            ValueKind::String(_) => self.deserialize_str(visitor),
            _ => self.deserialize_u64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool::<Fault>(self.truth()?).map_err(|fault| fault.at(&self.key))
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A number that does not fit is as wrong as none.
        visitor.visit_u64::<Fault>(self.number()?).map_err(|_| self.wrong(NUMBER))
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str::<Fault>(self.text()?).map_err(|fault| fault.at(&self.key))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let parsed;
        let items = match &self.value.kind {
            ValueKind::Array(items) => items,
            ValueKind::String(text) if is_of_environment(self.value) => {
                parsed = list_of_environment(text).ok_or_else(|| self.wrong(LIST))?;
                &parsed
            }
            _ => return Err(self.wrong(LIST)),
        };
        visitor
            .visit_seq(Items { key: &self.key, values: items.iter().enumerate() })
            .map_err(|fault| fault.at(&self.key))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let ValueKind::Table(table) = &self.value.kind else { return Err(self.wrong(SECTION)) };
        let mut fields: Vec<(&String, &Value)> = table_in_order(table);
        fields.reverse();
        visitor.visit_map(Fields { key: &self.key, left: fields, next: None }).map_err(|fault| fault.at(&self.key))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Word(self.text()?)).map_err(|fault| fault.at(&self.key))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The same order in every run.
fn table_in_order(table: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<(&String, &Value)> = table.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
}

/// A word, of which a kind of value is named.
struct Word<'a>(&'a str);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Fault> {
        Err(Fault::of_type(SECTION, TEXT))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::of_type(LIST, TEXT))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Fault> {
        Err(Fault::of_type(SECTION, TEXT))
    }
}

struct Items<'a> {
    key: &'a str,
    values: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((index, value)) = self.values.next() else { return Ok(None) };
        seed.deserialize(Node { key: format!("{}[{index}]", self.key), value }).map(Some)
    }
}

struct Fields<'a> {
    key: &'a str,
    /// The last one first.
    left: Vec<(&'a String, &'a Value)>,
    next: Option<(&'a String, &'a Value)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.next = self.left.pop();
        let Some((name, _)) = self.next else { return Ok(None) };
        let name: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((name, value)) = self.next.take() else { return Err(Fault::of_type(SECTION, "nothing")) };
        seed.deserialize(Node { key: child(self.key, name), value })
    }
}
