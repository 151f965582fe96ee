//! Discord.

use std::time::Duration;

use kubewhy_core::commands::{self, Availability, Capabilities};
use kubewhy_discord_server::world::{ALICE, BOB, GUILD, MALLORY, OPS, SRE};
use kubewhy_discord_server::{DiscordServer, Fault, Id, SeenMessage, View, What, World};
use serde_json::{Value, json};

use crate::bot::{Bot, PATIENCE, Setup};

/// A Discord with a bot in it.
struct Scene {
    discord: DiscordServer,
    setup: Setup,
    bot: Option<Bot>,
}

impl Scene {
    async fn new(config: &str) -> Self {
        let discord = DiscordServer::start(World::default()).await.expect("it starts");
        let setup = Setup::new(&(section(&discord) + config));
        let bot = setup.start();
        discord.wait_ready(PATIENCE).await.unwrap_or_else(|error| panic!("{error}\n{}", bot.log()));
        let scene = Self { discord, setup, bot: Some(bot) };
        scene.until(|view| (!view.commands(Some(GUILD)).is_empty()).then_some(())).await;
        scene
    }

    fn bot(&self) -> &Bot {
        self.bot.as_ref().expect("it runs")
    }

    async fn until<T>(&self, find: impl FnMut(&View<'_>) -> Option<T>) -> T {
        let found = self.discord.wait_for(PATIENCE, find).await;
        found.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.screen(), self.bot().log()))
    }

    /// All that anybody sees, for those who look for what went wrong.
    fn screen(&self) -> String {
        self.discord.read(|view| view.all_of_bot().iter().map(|seen| seen.all_text() + "\n--\n").collect())
    }

    fn why(&self, by: Id, name: &str) -> Id {
        let options = [("name", json!(name)), ("kind", json!("deployment")), ("namespace", json!("store"))];
        self.discord.slash(by, OPS, "why", &options).expect("it can be typed")
    }

    async fn seen(&self, channel: Id, expected: &str) -> SeenMessage {
        self.until(|view| {
            let all = view.messages(channel).into_iter();
            all.filter(|seen| !seen.is_thinking && !seen.is_deleted).find(|seen| seen.all_text().contains(expected))
        })
        .await
    }

    async fn told(&self, person: Id, expected: &str) -> SeenMessage {
        self.until(|view| view.ephemerals(person).into_iter().find(|seen| seen.all_text().contains(expected))).await
    }

    /// The thread of an answer.
    async fn thread(&self, of: &SeenMessage) -> Id {
        self.until(|view| view.message(of.id).and_then(|seen| seen.thread)).await
    }
}

fn section(discord: &DiscordServer) -> String {
    format!("[discord]\ntoken = \"{}\"\nguilds = [{GUILD}]\napi_url = \"{}\"\n", discord.token(), discord.api_url())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_in_the_channel_and_its_details_in_a_thread() {
    let scene = Scene::new("").await;
    let interaction = scene.why(ALICE, "push");
    let answer = scene.seen(OPS, "push-keys").await;
    assert!(answer.all_text().contains("failing"), "{answer:?}");
    assert!(answer.button("Tell me when healthy").is_some(), "{answer:?}");
    let thread = scene.thread(&answer).await;
    let details = scene.seen(thread, "kubectl").await;
    assert!(!details.pinged_everyone && details.pinged_users.is_empty(), "{details:?}");
    let asked = scene.discord.read(|view| view.interaction(interaction)).expect("it was delivered");
    assert!(!asked.has_failed && asked.answer == Some(5), "it was deferred: {asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_completed_and_several_become_a_menu() {
    let scene = Scene::new("").await;
    let typed = |part: &str, words: &str, others: &[(&str, Value)]| {
        scene.discord.complete(ALICE, OPS, "why", others, (part, words)).expect("it can be typed")
    };
    let options = [("kind", json!("deployment")), ("namespace", json!("store"))];
    let interaction = typed("name", "chec", &options);
    let choices = scene.until(|view| view.interaction(interaction).and_then(|asked| asked.choices)).await;
    assert!(choices.iter().any(|(name, _)| name == "checkout"), "{choices:?}");
    let interaction = typed("kind", "sta", &[]);
    let choices = scene.until(|view| view.interaction(interaction).and_then(|asked| asked.choices)).await;
    assert_eq!(choices.first().map(|(name, _)| name.as_str()), Some("statefulset"), "{choices:?}");
    let interaction = typed("cluster", "", &[]);
    let choices = scene.until(|view| view.interaction(interaction).and_then(|asked| asked.choices)).await;
    assert_eq!(choices.len(), 1, "{choices:?}");

    let options = [("name", json!("push")), ("kind", json!("pod"))];
    scene.discord.slash(ALICE, OPS, "why", &options).expect("it can be typed");
    let menu = scene.told(ALICE, "can be several objects").await;
    let select = menu.selects.first().expect("a menu");
    let (_, value) = select.options.first().expect("an option");
    scene.discord.choose(ALICE, menu.id, &select.custom_id, &[value]).expect("it is there");
    scene.seen(OPS, "push-keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_are_told_to_who_made_them_and_nothing_else_stays() {
    let scene = Scene::new("").await;
    scene.why(BOB, "chekout");
    let slip = scene.told(BOB, "was not found").await;
    assert!(slip.all_text().contains("checkout") || !slip.selects.is_empty(), "{slip:?}");
    let left = scene.discord.read(|view| view.messages(OPS).into_iter().filter(|seen| !seen.is_deleted).count());
    assert_eq!(left, 0, "{}", scene.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_keeps_its_object_and_takes_mentions_and_buttons() {
    let mut scene = Scene::new("[access]\nlogs = \"all\"\n").await;
    scene.why(ALICE, "checkout");
    let answer = scene.seen(OPS, "nil pointer dereference").await;
    let thread = scene.thread(&answer).await;
    let me = scene.discord.read(|view| view.message(answer.id)).expect("it is there").author;
    scene.discord.say(BOB, thread, &format!("<@{me}> logs")).expect("it can be said");
    scene.seen(thread, "panic: ").await;
    let writes = scene.discord.command_writes();
    let (code, took, log) = scene.bot.take().expect("it runs").end();
    assert!(code == Some(0) && took < Duration::from_secs(10), "{code:?} {took:?} {log}");
    scene.bot = Some(scene.setup.start());
    scene.discord.wait_ready(PATIENCE).await.expect("it connects again");
    scene.discord.press(BOB, answer.id, "Tell me when healthy").expect("the button is there");
    scene.told(BOB, "I will tell you here").await;
    assert_eq!(scene.discord.command_writes(), writes, "commands that are the same are not registered again");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_decide_who_may_ask_and_direct_messages_are_no_way_around() {
    let config =
        format!("[access]\nask = \"groups\"\n[[access.groups]]\nname = \"sre\"\ndiscord_roles = [\"{SRE}\"]\n");
    let scene = Scene::new(&config).await;
    let (may, may_not) = (ALICE, MALLORY);
    scene.why(may_not, "push");
    let refused = scene.told(may_not, "may not ask").await;
    assert!(refused.all_text().contains("sre"), "{refused:?}");
    scene.why(may, "push");
    scene.seen(OPS, "push-keys").await;
    let direct = scene.discord.direct_channel(may);
    scene.discord.say(may, direct, "why deploy push -n store").expect("it can be said");
    scene.seen(direct, "may not ask").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_names_an_object_can_be_asked_about_and_one_that_names_none_opens_a_form() {
    let scene = Scene::new("").await;
    let alert = "KubePodCrashLooping: kubectl -n store get deploy checkout";
    let message = scene.discord.say(BOB, OPS, alert).expect("it can be said");
    scene.discord.message_command(ALICE, message, "Why?").expect("it is registered");
    let thread = scene.until(|view| view.message(message).and_then(|seen| seen.thread)).await;
    scene.seen(thread, "nil pointer dereference").await;
    let other = scene.discord.say(BOB, OPS, "what a day").expect("it can be said");
    scene.discord.message_command(ALICE, other, "Why?").expect("it is registered");
    scene.until(|view| view.open_modal(ALICE)).await;
    scene.discord.submit(ALICE, &[("which", "deploy push -n store")]).expect("it is open");
    scene.until(|view| view.all_of_bot().into_iter().find(|seen| seen.all_text().contains("push-keys"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_failures_and_lost_connections_lose_no_answer_and_double_none() {
    let scene = Scene::new("").await;
    let original = "/webhooks/{application}/{token}/messages/@original";
    scene.discord.fault(Fault::next("PATCH", original, What::Status { status: 503, after_effect: false }));
    scene.why(ALICE, "push");
    scene.seen(OPS, "push-keys").await;
    scene.discord.fault(Fault::next("PATCH", original, What::RateLimited { retry_after_s: 0.5, global: false }));
    scene.why(ALICE, "checkout");
    scene.seen(OPS, "nil pointer dereference").await;
    let count = |words: &str| {
        scene.discord.read(|view| {
            view.messages(OPS).iter().filter(|seen| !seen.is_deleted && seen.all_text().contains(words)).count()
        })
    };
    assert_eq!((count("push-keys"), count("nil pointer dereference")), (1, 1), "{}", scene.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_and_discord_are_served_by_one_bot() {
    let slack = kubewhy_slack_server::SlackServer::start(kubewhy_slack_server::World::default()).await.expect("Slack");
    let config = format!(
        "[slack]\nbot_token = \"xoxb-test-bot\"\napp_token = \"xapp-test-app\"\napi_url = \"{}\"\n",
        slack.api_url()
    );
    let scene = Scene::new(&config).await;
    slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
    scene.why(ALICE, "push");
    scene.seen(OPS, "push-keys").await;
    slack.person("U0ANNA").slash("C0INCIDENTS", "/why", "deploy push -n store").expect("it can be typed");
    slack.wait_for_message("C0INCIDENTS", "push-keys", PATIENCE).await.expect("an answer");
    // The loss of one leaves the other.
    slack.revoke("xapp-test-app");
    slack.drop_connections(None);
    scene.bot().wait_for("cannot be listened to any more");
    scene.why(ALICE, "checkout");
    scene.seen(OPS, "nil pointer dereference").await;
}

#[test]
fn every_registered_command_is_a_line_of_the_grammar_that_works_in_a_chat() {
    let here = Capabilities::chat();
    for line in kubewhy_discord::registration::examples() {
        let command = commands::parse(&line, None).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(command.availability(&here), Availability::Here, "{line}");
    }
    let registered = kubewhy_discord::registration::examples().join("\n");
    let works = commands::ALL.iter().filter(|spec| spec.availability(&here) == Availability::Here);
    for spec in works.filter(|spec| spec.word != "explain") {
        assert!(registered.lines().any(|line| line.starts_with(spec.word)), "{} is not registered", spec.word);
    }
}
