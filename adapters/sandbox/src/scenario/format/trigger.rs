//! When a reaction fires, and the patterns of names.

use serde::Deserialize;

/// When a reaction fires. Exactly one of `deleting`, `exists`, `absent`, `gone`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, try_from = "RawTrigger")]
pub(crate) struct Trigger {
    pub(crate) on: On,
    pub(crate) target: Pattern,
    /// A namespace, `*`, or the scenario's.
    pub(crate) namespace: Option<String>,
    /// A field that has to be there.
    pub(crate) has: Option<String>,
    /// Only of pods on a node that is Ready, or that have no node.
    pub(crate) on_ready_node: bool,
}

/// What a reaction waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum On {
    /// Somebody asked for the object's deletion.
    #[default]
    Deleting,
    /// The object is there (and has a field).
    Exists,
    /// No such object is there.
    Absent,
    /// A pod that a workload wants is gone.
    Gone,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawTrigger {
    deleting: Option<Pattern>,
    exists: Option<Pattern>,
    absent: Option<Pattern>,
    gone: Option<Pattern>,
    namespace: Option<String>,
    has: Option<String>,
    on_ready_node: bool,
}

impl TryFrom<RawTrigger> for Trigger {
    type Error = &'static str;

    fn try_from(raw: RawTrigger) -> Result<Self, Self::Error> {
        let RawTrigger { deleting, exists, absent, gone, namespace, has, on_ready_node } = raw;
        let mut found = [(On::Deleting, deleting), (On::Exists, exists), (On::Absent, absent), (On::Gone, gone)]
            .into_iter()
            .filter_map(|(on, pattern)| Some((on, pattern?)));
        match (found.next(), found.next()) {
            (Some((on, target)), None) => Ok(Self { on, target, namespace, has, on_ready_node }),
            _ => Err("exactly one of deleting, exists, absent, gone is needed"),
        }
    }
}

/// `Kind/name`, where the name may have `*` in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("\"{text}\" is not of the form Kind/name"))
    }
}

impl Pattern {
    /// Reads `Kind/name`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        let named = !kind.is_empty() && !name.is_empty();
        named.then(|| Self { kind: kind.to_owned(), name: name.to_owned() })
    }

    /// Tells whether a name fits.
    pub(crate) fn fits(&self, name: &str) -> bool {
        fits(&self.name, name)
    }
}

/// Tells whether a name fits a pattern in which `*` stands for anything.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    for word in middle.split('*') {
        let Some((_, after)) = name.split_once(word) else {
            return false;
        };
        name = after;
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("cart", "cart", true),
            ("cart", "cart-1", false),
            ("cart-*", "cart-1", true),
            ("*", "", true),
            ("*-1", "cart-1", true),
            ("c*t-*", "cart-1", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
