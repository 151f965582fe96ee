//! What the kubelet says of a `ConfigMap` or Secret that is not there, or lacks a key.

use crate::kind::Kind;

/// Something that a pod refers to and that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    /// `ConfigMap` or `Secret`.
    pub kind: Kind,
    /// Its name; `None` where the message names only a key.
    pub name: Option<String>,
    /// The key that it lacks; `None` where the whole object is absent.
    pub key: Option<String>,
}

/// All lacks that a message speaks of, in their order: a projected volume can have several.
pub fn lacks(message: &str) -> Vec<Lack> {
    let mut found = Vec::new();
    for (marker, kind) in [
        ("configmap \"", Kind::ConfigMap),
        ("configmaps \"", Kind::ConfigMap),
        ("secret \"", Kind::Secret),
        ("secrets \"", Kind::Secret),
    ] {
        for rest in message.split(marker).skip(1) {
            let name = rest.split_once("\" not found").map(|(name, _)| name);
            if let Some(name) = name.filter(|name| !name.contains('"')) {
                found.push(Lack { kind, name: Some(name.to_owned()), key: None });
            }
        }
    }
    if let Some((key, place)) = message.split_once("couldn't find key ").and_then(|(_, r)| r.split_once(" in ")) {
        let kinds = [("ConfigMap ", Kind::ConfigMap), ("Secret ", Kind::Secret)];
        let named = kinds.into_iter().find_map(|(word, kind)| place.strip_prefix(word).map(|rest| (kind, rest)));
        if let Some((kind, path)) = named {
            let path = path.split([' ', ',', ']']).next().unwrap_or(path);
            let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
            found.push(Lack { kind, name: Some(name.to_owned()), key: Some(key.to_owned()) });
        }
    }
    for (marker, kind) in [
        ("references non-existent config key: ", Kind::ConfigMap),
        ("references non-existent secret key: ", Kind::Secret),
    ] {
        for rest in message.split(marker).skip(1) {
            let key = rest.split([',', ']', ' ', '\n']).next().unwrap_or_default();
            if !key.is_empty() {
                found.push(Lack { kind, name: None, key: Some(key.to_owned()) });
            }
        }
    }
    found
}

/// The volume that a `FailedMount` message is about.
pub fn volume(message: &str) -> Option<&str> {
    message.split_once("for volume \"")?.1.split_once('"').map(|(volume, _)| volume)
}

/// Words that a kubelet says at a pod's start, or while the API is slow, and that mean nothing alone.
pub fn is_transient(message: &str) -> bool {
    ["cache: timed out waiting for the condition", "\" not registered", "no relationship found between node"]
        .iter()
        .any(|words| message.contains(words))
        || message.contains("services have not yet been read at least once")
}

#[cfg(test)]
mod tests {
    use super::{Lack, is_transient, lacks, volume};
    use crate::kind::Kind;

    fn lack(kind: Kind, name: Option<&str>, key: Option<&str>) -> Lack {
        Lack { kind, name: name.map(str::to_owned), key: key.map(str::to_owned) }
    }

    #[test]
    fn lacks_are_read_in_every_form() {
        for (message, expected) in [
            (r#"configmap "app" not found"#, vec![lack(Kind::ConfigMap, Some("app"), None)]),
            (r#"secrets "db" not found"#, vec![lack(Kind::Secret, Some("db"), None)]),
            (
                r#"MountVolume.SetUp failed for volume "all" : [configmap "a" not found, secret "b" not found]"#,
                vec![lack(Kind::ConfigMap, Some("a"), None), lack(Kind::Secret, Some("b"), None)],
            ),
            ("couldn't find key host in ConfigMap shop/app", vec![lack(Kind::ConfigMap, Some("app"), Some("host"))]),
            ("couldn't find key password in Secret shop/db", vec![lack(Kind::Secret, Some("db"), Some("password"))]),
            (
                r#"MountVolume.SetUp failed for volume "c" : configmap references non-existent config key: nginx.conf"#,
                vec![lack(Kind::ConfigMap, None, Some("nginx.conf"))],
            ),
            (
                r#"MountVolume.SetUp failed for volume "c" : references non-existent secret key: tls.key"#,
                vec![lack(Kind::Secret, None, Some("tls.key"))],
            ),
            (r#"MountVolume.SetUp failed for volume "d" : rpc error: code = Internal desc = x"#, vec![]),
            (r#"failed to sync configmap cache: timed out waiting for the condition"#, vec![]),
        ] {
            assert_eq!(lacks(message), expected, "{message}");
        }
    }

    #[test]
    fn volumes_and_noise_are_told_apart() {
        assert_eq!(volume(r#"MountVolume.SetUp failed for volume "k" : secret "x" not found"#), Some("k"));
        assert!(is_transient("failed to sync secret cache: timed out waiting for the condition"));
        assert!(is_transient(r#"object "shop"/"db" not registered"#));
        assert!(!is_transient(r#"secret "x" not found"#));
    }
}
