//! The types of the built-in kinds, from the types of a 1.34 server: what a field is called, holds, and is numbered.

mod check;
mod quantity;

use std::{collections::BTreeMap, sync::LazyLock};

pub(crate) use check::{Findings, Mismatch, check};
pub(crate) use quantity::settle;

/// The fields of each type, a line each: `TYPE|NUMBER NAME KIND TARGET|..`. A type is `VERSION/KIND`, or `GROUP/VERSION/KIND`
/// outside the core. A field whose name is `-` stands for the fields in it; `?` behind the kind marks one that JSON leaves out
/// where it is zero.
static TYPES: LazyLock<BTreeMap<&str, &str>> =
    LazyLock::new(|| include_str!("types/fields.txt").lines().filter_map(|line| line.split_once('|')).collect());

/// A type with its fields.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    name: &'static str,
    fields: &'static str,
}

/// A field of a type.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// Its name in JSON; `-` where its own fields stand in its place.
    pub name: &'static str,
    /// What it holds: `Text`, `Flag`, `Int32`, `Part`, `List:Part`, `Map:Text` ...
    pub kind: &'static str,
    /// The type of a part.
    pub target: &'static str,
    /// Whether JSON leaves it out where it is zero.
    pub omits_zero: bool,
}

impl Type {
    /// The type of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TYPES.get_key_value(name).map(|(name, fields)| Self { name, fields })
    }

    /// The type of objects of a kind. Options of a deletion are the same in every version.
    pub(crate) fn of(api_version: &str, kind: &str) -> Option<Self> {
        match kind {
            "DeleteOptions" => Self::named("meta/DeleteOptions"),
            _ => Self::named(&format!("{api_version}/{kind}")),
        }
    }

    /// The field of this number.
    pub(crate) fn numbered(self, number: u64) -> Option<Field> {
        self.rows().find(|(own, _)| *own == number).map(|(_, field)| field)
    }

    fn rows(self) -> impl Iterator<Item = (u64, Field)> {
        self.fields.split('|').filter_map(|row| {
            let mut words = row.split(' ');
            let number = words.next()?.parse().ok()?;
            let (name, kind) = (words.next()?, words.next()?);
            let target = words.next().unwrap_or_default();
            Some((number, Field { name, kind: kind.trim_end_matches('?'), target, omits_zero: kind.ends_with('?') }))
        })
    }

    /// The field of this name, and the type that has it: this one, or one that stands in the place of a field.
    fn field(self, name: &str) -> Option<(Self, Field)> {
        self.rows().find_map(|(_, field)| match field.name {
            "-" => Self::named(field.target)?.field(name),
            own => (own == name).then_some((self, field)),
        })
    }

    /// The name without group and version: `DeploymentSpec`.
    fn short_name(self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_leads_somewhere() {
        const PLAIN: [&str; 12] = [
            "Text",
            "Flag",
            "Int32",
            "Int64",
            "Bytes",
            "Quantity",
            "IntOrText",
            "Time",
            "Micro",
            "Fields",
            "Raw",
            "Items",
        ];
        let mut rows = 0;
        for (name, fields) in TYPES.iter() {
            let own = Type::named(name).expect("a type");
            assert_eq!(own.rows().count(), fields.split('|').filter(|row| !row.is_empty()).count(), "{name}");
            for (_, field) in own.rows() {
                let kind = field.kind.trim_start_matches("List:").trim_start_matches("Map:");
                assert!(PLAIN.contains(&kind) || Type::named(field.target).is_some(), "{name}.{}", field.name);
                rows += 1;
            }
        }
        assert!(rows > 1600, "only {rows} fields");
    }

    #[test]
    fn fields_are_found_by_number_and_by_name() {
        let pod = Type::of("v1", "Pod").expect("pods");
        assert_eq!(pod.numbered(2).expect("spec").target, "v1/PodSpec");
        let volume = Type::named("v1/Volume").expect("volumes");
        let (owner, field) = volume.field("configMap").expect("inlined");
        assert_eq!((owner.short_name(), field.target), ("VolumeSource", "v1/ConfigMapVolumeSource"));
        assert!(volume.field("nope").is_none());
        assert!(Type::of("v1", "Nope").is_none());
        assert!(Type::of("apps/v1", "DeleteOptions").is_some());
    }
}
