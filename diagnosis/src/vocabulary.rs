//! What people call the kinds that a cluster or a dump has: the words of its discovery and of its definitions.

use crate::foreign::ForeignKind;
use crate::kind::{Kind, Object};

/// A kind, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The kind.
    pub kind: Kind,
    /// Its name, singular and plural, in lower case.
    pub names: Vec<String>,
    /// Its short names; they count where nothing has them as a name.
    pub short_names: Vec<String>,
}

impl Known {
    /// A kind as an API serves it: the table's own where the table has it. `None` for names that no server would serve.
    pub fn new(
        api_version: &str,
        name: &str,
        plural: &str,
        singular: &str,
        short_names: &[String],
        namespaced: bool,
    ) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let of_table = Kind::from_name(name).filter(|kind| kind.group() == group || *kind == Kind::Event);
        let kind = match of_table {
            Some(kind) => kind,
            None => Kind::Foreign(ForeignKind::new(api_version, name, plural, namespaced)?),
        };
        let mut names: Vec<String> = [name, plural, singular].map(str::to_ascii_lowercase).to_vec();
        names.retain(|name| !name.is_empty());
        let short_names = short_names.iter().map(|short| short.to_ascii_lowercase()).collect();
        Some(Self { kind, names, short_names })
    }

    /// The kind that a `CustomResourceDefinition` defines, in the version that is stored.
    pub fn defined_by(object: &Object) -> Option<Self> {
        let Object::CustomResourceDefinition(definition) = object else { return None };
        let spec = &definition.spec;
        let version = spec.versions.iter().find(|version| version.storage).or_else(|| spec.versions.first())?;
        Self::new(
            &format!("{}/{}", spec.group, version.name),
            &spec.names.kind,
            &spec.names.plural,
            spec.names.singular.as_deref().unwrap_or_default(),
            spec.names.short_names.as_deref().unwrap_or_default(),
            spec.scope == "Namespaced",
        )
    }

    /// A kind of which only objects are there.
    pub fn of_kind(kind: Kind) -> Self {
        let names = vec![kind.name().to_ascii_lowercase(), kind.plural().to_owned()];
        Self { kind, names, short_names: kind.short_names().iter().map(|short| (*short).to_owned()).collect() }
    }
}

/// The kinds that a word means, as `kubectl` reads it: a name or a short name, with the group behind it (`widgets.example.com`)
/// or version and group (`widgets.v1.example.com`).
pub fn named(known: &[Known], word: &str) -> Vec<Kind> {
    let word = word.to_ascii_lowercase();
    let (resource, rest) = word.split_once('.').map_or((word.as_str(), None), |(word, rest)| (word, Some(rest)));
    let fits = |one: &&Known| {
        let group = one.kind.group();
        rest.is_none_or(|rest| rest == group || rest.split_once('.').is_some_and(|(_, after)| after == group))
    };
    let among = |names: fn(&Known) -> &[String]| -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for one in known.iter().filter(fits).filter(|one| names(one).iter().any(|name| name == resource)) {
            if !kinds.contains(&one.kind) {
                kinds.push(one.kind);
            }
        }
        kinds
    };
    let exact = among(|one| &one.names);
    if exact.is_empty() { among(|one| &one.short_names) } else { exact }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        let short = |short: &str| vec![short.to_owned()];
        [
            Known::new("example.com/v1", "Widget", "widgets", "widget", &short("wd"), true),
            Known::new("other.com/v2beta1", "Widget", "widgets", "widget", &short("po"), true),
            Known::new("example.com/v1", "WD", "wds", "", &[], false),
            Known::new("apps/v1", "Deployment", "deployments", "deployment", &short("deploy"), true),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn groups(word: &str) -> Vec<String> {
        named(&known(), word).into_iter().map(|kind| format!("{kind}.{}", kind.group())).collect()
    }

    #[test]
    fn a_word_is_read_as_kubectl_reads_it() {
        for word in ["widget.example.com", "Widgets.v1.example.com", "WIDGET.example.com"] {
            assert_eq!(groups(word), ["Widget.example.com"], "{word}");
        }
        assert_eq!(groups("widget"), ["Widget.example.com", "Widget.other.com"], "in the server's order");
        assert_eq!(groups("wd"), ["WD.example.com"], "a name before a short name");
        assert_eq!(groups("po"), ["Widget.other.com"]);
        assert_eq!(named(&known(), "deploy"), [Kind::Deployment]);
        assert!(groups("widget.else.com").is_empty() && groups("").is_empty() && groups("wid").is_empty());
    }
}
