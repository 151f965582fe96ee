//! The lines of `kubewhy check`.

use kubewhy_chat::{ChatPlatform, Check, CheckFinding};
use kubewhy_discord_server::world;

use crate::stage::{Setting, Stage};

fn find<'a>(checks: &'a [Check], words: &str) -> &'a CheckFinding {
    let found = checks.iter().find(|check| check.what.plain().contains(words));
    &found.unwrap_or_else(|| panic!("no line about {words}: {checks:?}")).finding
}

#[tokio::test]
async fn each_line_is_fine_or_says_what_to_do() {
    let stage = Stage::raise(Setting::default()).await;
    let channels: Vec<String> = [world::OPS, world::SECRET, world::READ_ONLY]
        .iter()
        .map(|channel| format!("discord:{channel}"))
        .chain(["discord:77".to_owned(), "discord:x".to_owned(), "slack:C1".to_owned()])
        .collect();
    let checks = stage.discord.check(&channels).await;
    for fine in ["bot token", "gateway", "discord server", &world::OPS.to_string()] {
        assert!(matches!(find(&checks, fine), CheckFinding::Fine(_)), "{fine}: {checks:?}");
    }
    let CheckFinding::Wrong { problem, remedy } = find(&checks, &world::READ_ONLY.to_string()) else {
        panic!("the bot may not write there")
    };
    assert_eq!(problem.plain(), "the bot lacks: Send Messages, Create Public Threads, Send Messages in Threads");
    assert!(remedy.plain().contains("scope=bot+applications.commands&permissions="));
    for wrong in [world::SECRET.to_string().as_str(), "channel discord:77", "channel discord:x"] {
        assert!(matches!(find(&checks, wrong), CheckFinding::Wrong { .. }), "{wrong}: {checks:?}");
    }
    assert!(checks.iter().all(|check| !check.what.plain().contains("slack")));
}

#[tokio::test]
async fn a_token_that_is_none_is_said_once() {
    let stage = Stage::raise(Setting::default()).await;
    stage.server.revoke_token();
    let checks = stage.discord.check(&[format!("discord:{}", world::OPS)]).await;
    assert_eq!(checks.len(), 1);
    assert!(matches!(find(&checks, "bot token"), CheckFinding::Wrong { .. }));
}
