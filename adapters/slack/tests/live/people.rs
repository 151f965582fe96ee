//! Who people are, and whether everything is set up.

use kubewhy_chat::{ChatPlatform as _, Check, CheckFinding, Person, Standing};
use kubewhy_slack_server::{CallFault, SlackServer, World};

use crate::scene::{groups, slack};

#[tokio::test]
async fn people_are_what_slack_vouches_for() {
    let mut world = World::default().without_limits();
    world.groups[0].users.push("U0EVA".to_owned());
    let server = SlackServer::start(world).await.expect("a port");
    let slack = slack(&server);
    for (id, standing, of) in [
        ("slack:T0ACME:U0ANNA", Standing::Member, &["slack:S0ONCALL"][..]),
        ("slack:T0ACME:U0BEN", Standing::Member, &["slack:S0ONCALL"]),
        ("slack:T0ACME:U0CARA", Standing::Member, &[]),
        ("slack:T0ACME:U0GUS", Standing::Guest, &[]),
        ("slack:T0ACME:U0SUE", Standing::Guest, &[]),
        ("slack:T0OTHER:U0EVA", Standing::External, &[]),
        ("slack:T0ACME:U0EVA", Standing::External, &[]),
        ("slack:T0OTHER:U0ANNA", Standing::External, &[]),
        ("slack:T0ACME:U0ROBO", Standing::Bot, &[]),
        ("slack:T0ACME:U0NOBODY", Standing::Unknown, &[]),
        ("discord:1", Standing::Unknown, &[]),
    ] {
        let person = Person { id: id.to_owned(), ..Person::default() };
        let identity = slack.identity(&person).await.expect("Slack says it");
        assert_eq!((identity.standing, identity.groups), (standing, groups(of)), "{id}");
    }
    let asked = server.calls_of("users.info").len();
    let anna = Person { id: "slack:T0ACME:U0ANNA".to_owned(), ..Person::default() };
    slack.identity(&anna).await.expect("it is known");
    assert_eq!((server.calls_of("users.info").len(), server.calls_of("usergroups.list").len()), (asked, 1));
}

#[tokio::test]
async fn without_the_scope_nobody_is_in_a_group() {
    let server = SlackServer::start(World::default().without_scope("usergroups:read")).await.expect("a port");
    let anna = Person { id: "slack:T0ACME:U0ANNA".to_owned(), ..Person::default() };
    let identity = slack(&server).identity(&anna).await.expect("Slack says the rest");
    assert_eq!((identity.standing, identity.groups), (Standing::Member, groups(&[])));
}

#[tokio::test]
async fn a_slack_that_fails_vouches_for_nobody() {
    let server = SlackServer::start(World::default().without_limits()).await.expect("a port");
    server.fail_calls("usergroups.list", CallFault::Error { error: "internal_error".to_owned() }, 10);
    let anna = Person { id: "slack:T0ACME:U0ANNA".to_owned(), ..Person::default() };
    let slack = slack(&server);
    assert!(slack.identity(&anna).await.is_err());
    server.clear_faults();
    assert_eq!(slack.identity(&anna).await.expect("it recovers").groups, groups(&["slack:S0ONCALL"]));
}

#[tokio::test]
async fn a_good_set_up_is_fine() {
    let server = SlackServer::start(World::default().without_limits()).await.expect("a port");
    let checks = slack(&server).check(&["slack:C0INCIDENTS".to_owned(), "slack:C0WAR".to_owned()]).await;
    assert!(checks.iter().all(|check| matches!(check.finding, CheckFinding::Fine(_))), "{}", told(&checks));
    assert_eq!(checks.len(), 5);
}

#[tokio::test]
async fn what_lacks_is_named_with_what_to_do() {
    let world = World::default().without_limits().without_scope("users:read").without_scope("files:write");
    let server = SlackServer::start(world).await.expect("a port");
    let channels = ["slack:C0GENERAL", "slack:C0SECRET", "slack:C0OLD", "discord:1"].map(ToOwned::to_owned);
    let told = told(&slack(&server).check(&channels).await);
    for words in [
        "slack scopes: wrong: the bot lacks the scope users:read > Add the bot scope users:read",
        "slack scopes: doubtful: the bot lacks the scope files:write",
        "slack channel C0GENERAL: wrong: the bot is not in \"#general\" > Say in the channel: /invite @kubewhy",
        "slack channel C0SECRET: wrong: it cannot be looked at (channel_not_found) > Say in the channel: /invite @kubewhy",
        "slack channel C0OLD: wrong: it is archived",
        "slack channel discord:1: wrong: it is no channel of Slack",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
}

#[tokio::test]
async fn tokens_that_are_not_accepted_are_named() {
    let server = SlackServer::start(World::default().without_limits()).await.expect("a port");
    server.revoke("xoxb-test-bot");
    server.change_world(|world| world.app.app_scopes.clear());
    let told = told(&slack(&server).check(&["slack:C0INCIDENTS".to_owned()]).await);
    assert!(told.contains("slack bot token: wrong: Slack does not accept it"), "{told}");
    assert!(told.contains("slack app token: wrong") && told.contains("connections:write"), "{told}");
    assert!(!told.contains("xoxb-test") && !told.contains("xapp-test"), "{told}");
}

fn told(checks: &[Check]) -> String {
    let lines = checks.iter().map(|check| {
        let what = check.what.plain();
        match &check.finding {
            CheckFinding::Fine(note) => format!("{what}: fine: {}", note.plain()),
            CheckFinding::Doubtful { problem, remedy } => {
                format!("{what}: doubtful: {} > {}", problem.plain(), remedy.plain())
            }
            CheckFinding::Wrong { problem, remedy } => {
                format!("{what}: wrong: {} > {}", problem.plain(), remedy.plain())
            }
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
