//! Secrets: from where they come, and that no output holds one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use kubewhy::config::{inspect, load};
use secrecy::ExposeSecret as _;

use crate::{faults, file, folder, loaded, refused, with_environment, without};

/// What must never be seen.
const CANARIES: [&str; 4] = ["xoxb-canary-1", "xapp-canary-2", "canary3", "MTIz.canary.4"];

fn written(folder: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a folder that can be written to");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
    path.display().to_string()
}

fn slack(bot: &str) -> String {
    format!("[slack]\n{bot}\napp_token = \"xapp-canary-2\"\n")
}

#[test]
fn a_token_comes_from_the_file_from_a_file_of_its_own_or_from_the_environment() {
    let folder = folder();
    let path = written(&folder, "token", "xoxb-canary-1\r\n", 0o600);
    let by_file = slack(&format!("bot_token_file = \"{path}\""));
    let other = slack("bot_token = \"xoxb-other\"");
    for (text, variables) in [
        (slack("bot_token = \"xoxb-canary-1\""), &[][..]),
        (slack(""), &[("KUBEWHY__SLACK__BOT_TOKEN", "xoxb-canary-1")][..]),
    ] {
        let slack = loaded(&with_environment(file(&folder, &text), variables)).settings.slack.expect("Slack");
        assert_eq!(slack.bot_token.expose_secret(), "xoxb-canary-1");
    }
    let slack = loaded(&file(&folder, &by_file)).settings.slack.expect("Slack");
    assert_eq!(slack.bot_token.expose_secret(), "xoxb-canary-1", "without the end of its line");
    // The environment takes the place of the file, whichever of the two keys each uses.
    let by_variable = with_environment(file(&folder, &other), &[("KUBEWHY__SLACK__BOT_TOKEN_FILE", &path)]);
    let slack = loaded(&by_variable).settings.slack.expect("Slack");
    assert_eq!(slack.bot_token.expose_secret(), "xoxb-canary-1");
    let by_value = with_environment(file(&folder, &by_file), &[("KUBEWHY__SLACK__BOT_TOKEN", "xoxb-third")]);
    assert_eq!(loaded(&by_value).settings.slack.expect("Slack").bot_token.expose_secret(), "xoxb-third");
}

#[test]
fn a_file_of_a_secret_that_cannot_be_one_is_told() {
    let folder = folder();
    let big = written(&folder, "big", &"x".repeat(70_000), 0o600);
    let empty = written(&folder, "empty", "\n", 0o600);
    let two = written(&folder, "two", "xoxb-canary-1\nxapp-canary-2\n", 0o600);
    let here = folder.path().display().to_string();
    let cases = [
        slack(&format!("bot_token = \"xoxb-canary-1\"\nbot_token_file = \"{empty}\"")),
        slack(&format!("bot_token_file = \"{here}/absent\"")),
        slack(&format!("bot_token_file = \"{here}\"")),
        slack(&format!("bot_token_file = \"{big}\"")),
        slack(&format!("bot_token_file = \"{empty}\"")),
        slack(&format!("bot_token_file = \"{two}\"")),
        slack("bot_token = \"<set>\""),
        slack("bot_token = \"xapp-canary-2\""),
    ];
    let words: Vec<String> =
        cases.iter().map(|text| without(&folder, &refused(&file(&folder, text)).to_string())).collect();
    crate::snapshot("secret-files.txt", &format!("{}\n", words.join("\n").replace(&here, ".")));
}

#[test]
fn a_file_that_everybody_may_read_is_warned_of() {
    let folder = folder();
    let text = slack("bot_token = \"xoxb-canary-1\"");
    let sources = file(&folder, &text);
    let path = sources.file.clone().expect("a file");
    let warnings = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        let all = loaded(&sources).warnings;
        all.iter().filter(|warning| warning.wrong.contains("every user")).count()
    };
    assert_eq!((warnings(0o644), warnings(0o600), warnings(0o640)), (1, 0, 0));
    let open = written(&folder, "token", "xoxb-canary-1", 0o644);
    fs::write(&path, slack(&format!("bot_token_file = \"{open}\"")).replace("app_token", "#")).expect("our own file");
    let sources = with_environment(sources.clone(), &[("KUBEWHY__SLACK__APP_TOKEN", "xapp-canary-2")]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("our own file");
    let told: Vec<String> =
        loaded(&sources).warnings.iter().map(|warning| without(&folder, &warning.to_string())).collect();
    let told: Vec<&String> = told.iter().filter(|warning| warning.contains("every user")).collect();
    assert_eq!(told.len(), 1, "the file of settings holds no secret itself: {told:?}");
    assert!(told[0].starts_with("kubewhy.toml:2: slack.bot_token_file: token can be read"), "{told:?}");
}

/// Everything that can be had from a configuration full of secrets, right and wrong.
#[test]
fn no_output_holds_a_secret() {
    let right = "[slack]\nbot_token = \"xoxb-canary-1\"\napp_token = \"xapp-canary-2\"\nsigning_secret = \"canary3\"\n\
                 [discord]\ntoken = \"MTIz.canary.4\"\n";
    let folder = folder();
    let sources = file(&folder, right);
    let mut outputs = vec![
        format!("{:?}", load(&sources).expect("valid")),
        format!("{:#?}", inspect(&sources).expect("valid")),
        inspect(&sources).expect("valid").raw.to_toml().expect("TOML"),
    ];
    let wrong = [
        right.replace("canary", "canary "),
        right.replace("\"xoxb-canary-1\"", "[\"xoxb-canary-1\"]"),
        right.replace("\"xoxb-canary-1\"", "{value = \"xoxb-canary-1\"}"),
        right.replace("\"xoxb-canary-1\"", "xoxb-canary-1"),
        right.replace("\"xoxb-canary-1\"", "\"xoxb-canary-1"),
        right.replace("bot_token =", "bot_tokens ="),
        right.replace("bot_token", "app_token").replace("app_token = \"xapp", "bot_token = \"xapp"),
        format!("{right}[store]\nurl = \"postgres://u:canary3@h/d\"\n"),
        right.replace("signing_secret =", "api_url = \"https://u:canary3@h\"\nsigning_secret ="),
    ];
    outputs.extend(wrong.iter().map(|text| faults(text)));
    let binary = |arguments: &[&str], text: &str| {
        let path = written(&folder, "kubewhy.toml", text, 0o600);
        let output = Command::new(env!("CARGO_BIN_EXE_kubewhy"))
            .args(arguments)
            .args(["--config", &path])
            .env("KUBEWHY__DISCORD__TOKEN", "MTIz.canary.4")
            .output()
            .expect("the binary runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    for topic in ["config", "rbac"] {
        outputs.push(binary(&["print", topic], right));
        outputs.extend(wrong.iter().map(|text| binary(&["print", topic], text)));
    }
    for output in &outputs {
        assert!(!output.is_empty());
        for canary in CANARIES {
            assert!(!output.contains(canary) && !output.contains(&canary.replace("canary", "canary ")), "{output}");
        }
    }
}
