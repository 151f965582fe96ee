//! The example file: it is read, it says what is in effect without it, and no key lacks in it.

use std::collections::BTreeSet;

use kubewhy::config::{EXAMPLE, inspect};

use crate::{file, folder, loaded, nothing, with_environment};

/// The example with everything in it switched on.
fn switched_on() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

fn keys(prefix: &str, value: &toml::Value, keys: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                keys.insert(key.clone());
                self::keys(&key, value, keys);
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| self::keys(&format!("{prefix}[]"), item, keys)),
        _ => {}
    }
}

fn keys_of(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    keys("", &toml::Value::Table(text.parse().expect("TOML")), &mut found);
    found
}

#[test]
fn the_example_as_it_stands_is_the_default() {
    let folder = folder();
    let example = inspect(&file(&folder, EXAMPLE)).expect("it is valid");
    let default = inspect(&nothing()).expect("nothing is valid");
    assert_eq!(format!("{:#?}", example.settings), format!("{:#?}", default.settings));
    assert!(default.is_default() && example.is_default());
}

#[test]
fn the_example_holds_every_key_and_no_other() {
    let folder = folder();
    let whole = inspect(&file(&folder, &switched_on())).unwrap_or_else(|problems| panic!("{problems}"));
    // Serialized from the structs, so that a key which the example lacks is there with its default.
    let effective = keys_of(&whole.raw.to_toml().expect("TOML"));
    let shown = keys_of(&switched_on());
    assert_eq!(effective.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new(), "keys that the example lacks");
    assert_eq!(shown.difference(&effective).collect::<Vec<_>>(), Vec::<&String>::new(), "keys that are none");
}

/// Keys that stand commented out in a section, with the default that they have once the section is there.
#[test]
fn what_is_off_in_the_example_shows_its_default_where_it_has_one() {
    let folder = folder();
    let sections = "[slack]\n[discord]\n[[clusters]]\nname = \"prod\"\n[[remediation.allow]]\n";
    let default = inspect(&file(&folder, sections)).expect("sections alone are valid").raw.to_toml().expect("TOML");
    let default: toml::Table = default.parse().expect("TOML");
    let shown: toml::Table = switched_on().parse().expect("TOML");
    for (section, key) in [
        ("slack", "command"),
        ("slack", "api_url"),
        ("slack", "signing_secret"),
        ("discord", "guilds"),
        ("discord", "api_url"),
    ] {
        assert_eq!(shown[section][key], default[section][key], "{section}.{key}");
    }
    for key in ["in_cluster", "namespaces", "kubeconfig"] {
        assert_eq!(shown["clusters"][0][key], default["clusters"][0][key], "clusters.{key}");
    }
    assert_eq!(shown["remediation"]["allow"][0]["approvals"], default["remediation"]["allow"][0]["approvals"]);
}

#[test]
fn what_print_config_prints_can_be_read_again() {
    let folder = folder();
    let once = inspect(&file(&folder, crate::layers::WHOLE)).expect("valid").raw.to_toml().expect("TOML");
    let again = inspect(&file(&folder, &once)).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(again.raw.to_toml().expect("TOML"), once);
    let refused = crate::refused(&file(&folder, &once)).to_string();
    assert!(refused.contains("is the mark that `kubewhy print config` writes"), "{refused}");
}

#[test]
fn the_example_does_what_its_heading_says() {
    let sources = with_environment(
        nothing(),
        &[
            ("KUBEWHY__DISCORD__TOKEN", "a.b.c"),
            ("KUBEWHY__DISCORD__GUILDS", "1234,5678"),
            ("KUBEWHY__CLUSTERS", "[{name = \"prod\", context = \"prod-eu\"}]"),
        ],
    );
    assert_eq!(loaded(&sources).settings.discord.expect("Discord").guilds, [1234, 5678]);
    let plain = EXAMPLE.lines().filter(|line| line.starts_with('#') && !line.starts_with("# ") && *line != "#");
    for setting in plain {
        let text = setting.trim_start_matches('#');
        assert!(text.starts_with('[') || text.contains(" = "), "no setting, and no space behind its sign: {setting}");
    }
}
