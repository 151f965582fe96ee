//! File, environment and flags, each before what it takes the place of.

use kubewhy::config::{Ask, LogFormat, LogReaders, Place, Reach, Sources};

use crate::{file, folder, loaded, nothing, refused, with_environment, without};

/// The file of product.md, with tokens.
pub(crate) const WHOLE: &str = include_str!("whole.toml");

#[test]
fn a_whole_file_is_taken_and_says_what_is_not_built_yet() {
    let folder = folder();
    let loaded = loaded(&file(&folder, WHOLE));
    let settings = &loaded.settings;
    let slack = settings.slack.as_ref().expect("Slack");
    assert_eq!((slack.command.as_str(), slack.api_url.as_str()), ("/why", "https://slack.com/api"));
    assert_eq!(settings.discord.as_ref().expect("Discord").guilds, [77]);
    let prod = settings.clusters.first().expect("a cluster");
    assert_eq!(prod.name, "prod");
    assert_eq!(prod.reach, Reach::Kubeconfig { file: None, context: None });
    assert_eq!(settings.store.url, "sqlite:kubewhy.db");
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((settings.access.ask, settings.access.logs), (Ask::Workspace, LogReaders::Groups));
    let sre = settings.access.groups.first().expect("a group");
    assert_eq!(
        (sre.slack_user_groups.as_slice(), sre.discord_roles.as_slice()),
        (["slack:S0123".to_owned()].as_slice(), ["discord:987".to_owned()].as_slice())
    );
    let ada = settings.access.people.first().expect("a person");
    assert_eq!((ada.slack.as_deref(), ada.discord.as_deref()), (Some("slack:T01:U01"), Some("discord:1234")));
    assert_eq!(settings.channels.first().expect("a channel").channel, "slack:C0123456");
    let warnings: Vec<String> = loaded.warnings.iter().map(|warning| without(&folder, &warning.to_string())).collect();
    crate::snapshot("whole.txt", &format!("{}\n", warnings.join("\n")));
}

#[test]
fn the_environment_goes_before_the_file_and_a_flag_before_both() {
    let folder = folder();
    let text = "[slack]\nbot_token = \"xoxb-1\"\napp_token = \"xapp-1\"\n[log]\nlevel = \"warn\"\n[access]\nask = \"groups\"\n";
    let environment = [
        ("KUBEWHY__LOG__LEVEL", "debug"),
        ("KUBEWHY__LOG__FORMAT", "json"),
        ("KUBEWHY__ACCESS__GUESTS", "true"),
        ("KUBEWHY__LIMITS__QUESTIONS_PER_PERSON", "0"),
        ("KUBEWHY__SLACK__COMMAND", "/k8s"),
        ("KUBEWHY__ACCESS__ASK", ""),
        ("KUBEWHY_OTHER", "x"),
        ("PATH", "x"),
    ];
    let sources = with_environment(file(&folder, text), &environment);
    let settings = loaded(&sources).settings;
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("debug", LogFormat::Json));
    assert!(settings.access.guests, "a truth is read from text");
    assert_eq!(settings.access.ask, Ask::Groups, "an empty variable is none");
    assert_eq!(settings.limits.questions_per_person, None);
    assert_eq!(settings.slack.expect("Slack").command, "/k8s");
    let flag = Sources { log_level: Some("trace".to_owned()), ..sources };
    assert_eq!(loaded(&flag).settings.log.level, "trace");
}

#[test]
fn the_environment_alone_is_enough() {
    let sources = with_environment(
        nothing(),
        &[
            ("KUBEWHY__SLACK__BOT_TOKEN", "xoxb-1"),
            ("KUBEWHY__SLACK__APP_TOKEN", "xapp-1"),
            ("KUBEWHY__DISCORD__TOKEN", "a.b.c"),
            ("KUBEWHY__DISCORD__GUILDS", "12, 34"),
            ("KUBEWHY__CLUSTERS", "[{name = \"prod\", context = \"eu\", namespaces = [\"shop\"]}, {name = \"lab\"}]"),
            ("KUBEWHY__CHANNELS", "[{channel = \"slack:C0123\", clusters = [\"prod\"]}]"),
        ],
    );
    let settings = loaded(&sources).settings;
    assert!(settings.slack.is_some());
    assert_eq!(settings.discord.expect("Discord").guilds, [12, 34]);
    assert_eq!(settings.clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>(), ["prod", "lab"]);
    assert_eq!(settings.channels.first().expect("a channel").clusters, ["prod"]);
}

#[test]
fn a_fault_of_the_environment_names_its_variable() {
    let sources = with_environment(
        nothing(),
        &[
            ("KUBEWHY__SLAK__BOT_TOKEN", "x"),
            ("KUBEWHY__HTTP__LISTEN", "8080"),
            ("KUBEWHY__LIMITS__QUESTIONS_PER_PERSON", "many"),
            ("KUBEWHY__CLUSTERS", "[{name = "),
            ("KUBEWHY__CHANNELS__0__CHANNEL", "slack:C0123"),
            ("KUBEWHY__DISCORD__TOKEN", "a.b.c"),
            ("KUBEWHY__DISCORD", "a.b.c"),
            ("KUBEWHY__ACCESS__ASK", "group"),
        ],
    );
    crate::snapshot("environment.txt", &format!("{}\n", refused(&sources)));
}

#[test]
fn the_first_usual_file_that_is_there_is_read_and_none_has_to_be() {
    let folder = folder();
    let Sources { file: path, .. } = file(&folder, "[log]\nlevel = \"warn\"\n[discord]\ntoken = \"a.b.c\"\n");
    let path = path.expect("a file");
    let usual = vec![folder.path().join("absent.toml"), path.clone()];
    let found = loaded(&Sources { usual, ..nothing() });
    assert_eq!((found.file.as_deref(), found.settings.log.level.as_str()), (Some(path.as_path()), "warn"));
    let fault = refused(&Sources { usual: vec![folder.path().join("absent.toml")], ..nothing() });
    assert!(fault.iter().all(|problem| problem.place == Place::Nowhere), "{fault}");
    let named = refused(&Sources { file: Some(folder.path().join("absent.toml")), ..nothing() });
    assert!(named.to_string().contains("absent.toml: cannot be read: No such file"), "{named}");
}
