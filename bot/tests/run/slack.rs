//! Slack.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kubewhy_slack_server::{CallFault, Effect, EnvelopeFault, EnvelopeKind, Patience, Seen, Slack, SlackServer, World};
use serde_json::json;

use crate::bot::{Bot, PATIENCE, Setup};
use crate::cluster::{Cluster, cluster};
use crate::crowd::{Crowd, OBJECTS, crowded};

const CHANNEL: &str = "C0INCIDENTS";
const BOT: &str = "U0KUBEWHY";

/// A Slack with a bot in it.
struct Scene {
    slack: SlackServer,
    setup: Setup,
    bot: Option<Bot>,
}

impl Scene {
    async fn new(world: World, config: &str) -> Self {
        let slack = SlackServer::start(world).await.expect("it starts");
        let platform = format!(
            "[slack]\nbot_token = \"xoxb-test-bot\"\napp_token = \"xapp-test-app\"\napi_url = \"{}\"\n",
            slack.api_url()
        );
        let setup = Setup::new(&(platform + config));
        let bot = setup.start();
        slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
        Self { slack, setup, bot: Some(bot) }
    }

    async fn quiet() -> Self {
        Self::new(World::default(), "").await
    }

    fn bot(&self) -> &Bot {
        self.bot.as_ref().expect("it runs")
    }

    /// Asks by the slash command and waits for what everybody sees.
    async fn ask(&self, line: &str, expected: &str) -> Seen {
        self.slack.person("U0ANNA").slash(CHANNEL, "/why", line).expect("it can be typed");
        self.seen(expected).await
    }

    async fn seen(&self, expected: &str) -> Seen {
        let says = |seen: &Seen| seen.author == BOT && flat(seen).contains(expected);
        let seen = self.slack.wait_for(PATIENCE, |slack| slack.messages(CHANNEL).into_iter().find(says)).await;
        seen.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.screen(), self.bot().log()))
    }

    async fn told(&self, person: &str, expected: &str) -> Seen {
        let says = |seen: &Seen| flat(seen).contains(expected);
        let told = self.slack.wait_for(PATIENCE, |slack| slack.ephemerals(person).into_iter().find(says)).await;
        told.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.screen(), self.bot().log()))
    }

    /// All that anybody sees, for those who look for what went wrong.
    fn screen(&self) -> String {
        let threads = self.slack.messages(CHANNEL).into_iter().flat_map(|seen| self.slack.thread(CHANNEL, &seen.ts));
        let alone = ["U0ANNA", "U0BEN", "U0CARA"].into_iter().flat_map(|person| self.slack.ephemerals(person));
        threads.chain(alone).map(|seen| flat(&seen) + "\n").collect()
    }

    /// What stands in the thread of a message besides it.
    async fn thread(&self, of: &Seen, expected: &str) -> Vec<Seen> {
        let found = self
            .slack
            .wait_for(PATIENCE, |slack| {
                let thread = slack.thread(CHANNEL, &of.ts);
                thread.iter().any(|seen| flat(seen).contains(expected)).then_some(thread)
            })
            .await;
        found.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.screen(), self.bot().log()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_in_the_channel_and_its_details_in_the_thread() {
    let scene = Scene::quiet().await;
    let answer = scene.ask("deploy push -n store", "push-keys").await;
    assert!(answer.thread.is_none() && flat(&answer).contains("failing"), "{answer:?}");
    assert!(answer.buttons.iter().any(|label| label == "Tell me when healthy"), "{answer:?}");
    let thread = scene.thread(&answer, "kubectl").await;
    assert!(thread.iter().any(|seen| flat(seen).contains("secret-missing")), "{thread:?}");
    let ack = scene.slack.acks().into_iter().next().expect("it was acknowledged");
    assert!(ack.in_time, "{ack:?}");
    assert!(scene.slack.warnings().is_empty(), "{:?}", scene.slack.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_keeps_its_object_and_takes_mentions() {
    let scene = Scene::new(World::default(), "[access]\nlogs = \"all\"\n").await;
    let answer = scene.ask("deploy checkout -n store", "app crashes").await;
    scene.thread(&answer, "app-panic").await;
    scene.slack.person("U0BEN").replies(CHANNEL, &answer.ts, "<@U0KUBEWHY> logs").expect("a reply");
    let thread = scene.thread(&answer, "container app of Pod store/checkout-").await;
    assert!(!thread.iter().any(|seen| flat(seen).contains("S3ss10ns")), "secrets are taken out: {thread:?}");
    // Words that do not call the bot are none of its business.
    scene.slack.person("U0BEN").replies(CHANNEL, &answer.ts, "why is this so slow?").expect("a reply");
    scene.slack.person("U0BEN").replies(CHANNEL, &answer.ts, "<@U0KUBEWHY> why").expect("a reply");
    let again = scene.slack.wait_for(PATIENCE, |slack| {
        let thread = slack.thread(CHANNEL, &answer.ts);
        (thread.iter().filter(|seen| flat(seen).contains("app crashes")).count() > 1).then_some(())
    });
    again.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_become_a_menu_and_a_slip_brings_the_nearest_to_who_asked_alone() {
    let scene = Scene::quiet().await;
    let anna = scene.slack.person("U0ANNA");
    anna.slash(CHANNEL, "/why", "pod push").expect("it can be typed");
    let menu = scene.told("U0ANNA", "can be several objects").await;
    anna.chooses(CHANNEL, &menu.ts, "Choose one", "Pod store/push-6d7c9b8f54-8xqzm")
        .unwrap_or_else(|error| panic!("{error}: {menu:?}"));
    scene.seen("push-keys").await;
    anna.slash(CHANNEL, "/why", "deploy chekout -n store").expect("it can be typed");
    let slip = scene.told("U0ANNA", "was not found").await;
    let label = slip.buttons.first().cloned();
    match label {
        Some(label) => anna.presses(CHANNEL, &slip.ts, &label),
        None => anna.chooses(CHANNEL, &slip.ts, "Choose one", "Deployment store/checkout"),
    }
    .unwrap_or_else(|error| panic!("{error}: {slip:?}"));
    scene.seen("app crashes").await;
    anna.slash(CHANNEL, "/why", "gizmo x y z").expect("it can be typed");
    scene.told("U0ANNA", "not done").await;
    assert!(!scene.slack.messages(CHANNEL).iter().any(|seen| flat(seen).contains("not done")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_reads_why_and_who_may() {
    let config = r#"
[access]
ask = "groups"
[[access.groups]]
name = "sre"
slack_user_groups = ["S0ONCALL"]
[[channels]]
channel = "slack:C0INCIDENTS"
namespaces = ["store"]
"#;
    let scene = Scene::new(World::default(), config).await;
    let ask = |person: &str, line: &str| {
        scene.slack.person(person).slash(CHANNEL, "/why", line).expect("it can be typed");
    };
    ask("U0CARA", "deploy push -n store");
    let refused = scene.told("U0CARA", "may not ask").await;
    assert!(flat(&refused).contains("sre"), "{refused:?}");
    ask("U0GUS", "deploy push -n store");
    scene.told("U0GUS", "guests may not ask").await;
    // Who may not see log tails is not told of them; who may, is.
    ask("U0BEN", "help");
    assert!(flat(&scene.told("U0BEN", "What works here").await).contains("logs [KIND] NAME"), "{}", scene.screen());
    ask("U0ANNA", "pod kafka-1 -n data");
    let elsewhere = scene.told("U0ANNA", "namespace data is not asked about here").await;
    assert!(flat(&elsewhere).contains("store"), "{elsewhere:?}");
    assert!(scene.slack.messages(CHANNEL).iter().all(|seen| seen.author != BOT), "nothing was answered");
    ask("U0BEN", "deploy push -n store");
    scene.seen("push-keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn help_tells_only_of_what_the_person_may_do() {
    let scene = Scene::quiet().await;
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "help").expect("it can be typed");
    let help = scene.told("U0ANNA", "What works here").await;
    assert!(flat(&help).contains("tell me when") && !flat(&help).contains("logs [KIND] NAME"), "{help:?}");
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "logs deploy checkout -n store").expect("it can be typed");
    scene.told("U0ANNA", "log tails are not for you here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_clusters_the_one_is_asked_that_is_named_or_that_the_channel_is_about() {
    let kubeconfig = cluster().kubeconfig.display();
    let served = |name: &str| format!("[[clusters]]\nname = \"{name}\"\nkubeconfig = \"{kubeconfig}\"\n");
    let channel = "[[channels]]\nchannel = \"slack:C0WAR\"\nclusters = [\"edge\"]\n";
    let scene = Scene::new(World::default(), &(served("prod") + &served("edge") + channel)).await;
    let anna = scene.slack.person("U0ANNA");
    anna.slash(CHANNEL, "/why", "deploy push -n store").expect("it can be typed");
    let menu = scene.told("U0ANNA", "can be several objects").await;
    anna.chooses(CHANNEL, &menu.ts, "Choose one", "Deployment store/push on edge")
        .unwrap_or_else(|error| panic!("{error}: {menu:?}"));
    let answer = scene.seen("push-keys").await;
    assert!(flat(&answer).contains("edge · Deployment store/push"), "{answer:?}");
    anna.slash(CHANNEL, "/why", "deploy push -n store on mars").expect("it can be typed");
    let nowhere = scene.told("U0ANNA", "there is no cluster").await;
    assert!(flat(&nowhere).contains("prod and edge"), "{nowhere:?}");
    anna.slash("C0WAR", "/why", "deploy checkout -n store").expect("it can be typed");
    let here = scene.slack.wait_for(PATIENCE, |slack| {
        slack.messages("C0WAR").into_iter().find(|seen| flat(seen).contains("edge · Deployment store/checkout"))
    });
    here.await.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot().log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_cluster_is_said_in_clear_words() {
    // Somebody who may read nothing but pods, and no logs.
    let cluster: &Cluster = Box::leak(Box::new(Cluster::start("little")));
    let sandbox = cluster.demo.sandbox();
    sandbox.know_token("may-little", "little", &[]);
    let role = json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
    sandbox.restrict_user("little", kubewhy_sandbox::Rule::of_role(&role));
    let whole = std::fs::read_to_string(&cluster.kubeconfig).expect("a kubeconfig");
    let setup = Setup::new("");
    let kubeconfig = setup.folder.join("little.yaml");
    std::fs::write(&kubeconfig, with_token(&whole, "may-little")).expect("a file");
    let clusters = format!("[[clusters]]\nname = \"prod\"\nkubeconfig = \"{}\"\n", kubeconfig.display());
    let scene = Scene::new(World::default(), &clusters).await;
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "deploy push -n store").expect("it can be typed");
    let answer = scene.slack.wait_for(PATIENCE, |slack| shows(slack, "forbidden").then_some(())).await;
    answer.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot().log()));
}

fn with_token(kubeconfig: &str, token: &str) -> String {
    let mut value: serde_json::Value = serde_saphyr::from_str(kubeconfig).expect("it is YAML");
    for user in value["users"].as_array_mut().expect("users") {
        user["user"] = json!({"token": token});
    }
    value.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_cut_where_it_can_be_read_on() {
    let lines: String = (0..400).fold(String::new(), |log, line| {
        log + &format!("{line:04} a line of a log that goes on and on and on and on\n")
    });
    cluster().demo.sandbox().set_log("store", "newsletter-long", "app", false, &lines);
    let scene = Scene::new(World::default(), "[access]\nlogs = \"all\"\n").await;
    let pods = cluster().demo.sandbox().list("v1", "Pod", Some("store"));
    let name = |pod: &serde_json::Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let pod = pods.iter().map(|pod| name(pod)).find(|name| name.starts_with("newsletter-")).expect("a pod");
    cluster().demo.sandbox().set_log("store", &pod, "app", false, &lines);
    let answer = scene.ask(&format!("logs pod {pod} -n store last 250"), "container app of Pod").await;
    let all = scene.slack.wait_for(PATIENCE, |slack| {
        let thread = slack.thread(CHANNEL, &answer.ts);
        let shown: String = thread.iter().map(|seen| seen.shown.as_str()).collect();
        let files: String = thread
            .iter()
            .flat_map(|seen| &seen.files)
            .filter_map(|file| slack.file(file))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();
        let whole = shown + &files;
        ["0150 a line", "0200 a line", "0399 a line"].iter().all(|line| whole.contains(line)).then_some(())
    });
    all.await.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot().log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_several_times_is_answered_once() {
    let scene = Scene::quiet().await;
    scene.slack.fail_envelopes(None, EnvelopeFault::Duplicate, 2);
    scene.ask("deploy push -n store", "push-keys").await;
    scene.slack.person("U0BEN").says(CHANNEL, "<@U0KUBEWHY> deploy checkout -n store").expect("it can be said");
    let mentioned = scene.slack.wait_for(PATIENCE, |slack| shows(slack, "app crashes").then_some(()));
    mentioned.await.unwrap_or_else(|error| panic!("{error}"));
    // What comes after both: were there a second answer, it would stand before it.
    scene.ask("deploy pricing -n store", "liveness").await;
    assert_eq!(answers(&scene, "push-keys does not exist"), 1);
    // The mention's own message is the root of its answer.
    let posts = scene.slack.calls_of("chat.postMessage");
    let of_mention =
        posts.iter().filter(|call| call.arguments["text"].to_string().contains("failing: Container app crashes"));
    assert_eq!(of_mention.count(), 1, "{posts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_way_survives_the_loss_of_all_sockets() {
    let scene = Scene::quiet().await;
    scene.slack.fail_calls("chat.postMessage", CallFault::Lag { ms: 1_000 }, 1);
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "deploy push -n store").expect("it can be typed");
    let under_way = scene.slack.wait_for(PATIENCE, |slack| (!slack.acks().is_empty()).then_some(()));
    under_way.await.unwrap_or_else(|error| panic!("{error}"));
    scene.slack.drop_connections(None);
    scene.seen("push-keys").await;
    scene.slack.wait_for_connections(1, PATIENCE).await.expect("it connects again");
    scene.ask("deploy checkout -n store", "app crashes").await;
    assert_eq!(answers(&scene, "push-keys does not exist"), 1, "{}", scene.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_before_a_crash_is_answered_after_it_and_once() {
    let mut scene = Scene::quiet().await;
    scene.slack.fail_calls("users.info", CallFault::Silence { effect: Effect::None }, 9);
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "deploy push -n store").expect("it can be typed");
    let taken = scene.slack.wait_for(PATIENCE, |slack| (!slack.acks().is_empty()).then_some(()));
    taken.await.unwrap_or_else(|error| panic!("{error}"));
    scene.bot.take().expect("it runs").kill();
    scene.slack.clear_faults();
    scene.bot = Some(scene.setup.start());
    scene.seen("push-keys").await;
    // The answer stands, and the bot dies before it has kept that: it looks, and does not say it again.
    scene.slack.fail_calls("chat.postMessage", CallFault::Silence { effect: Effect::Done }, 1);
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "deploy checkout -n store").expect("it can be typed");
    scene.seen("app crashes").await;
    scene.bot.take().expect("it runs").kill();
    scene.slack.clear_faults();
    scene.bot = Some(scene.setup.start());
    scene.slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
    scene.ask("deploy pricing -n store", "liveness").await;
    let details = scene.slack.messages(CHANNEL).into_iter().find(|seen| flat(seen).contains("app crashes"));
    scene.thread(&details.expect("it stands"), "app-panic").await;
    assert_eq!(answers(&scene, "app crashes"), 1, "{}", scene.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_and_threads_are_known_after_a_restart() {
    let mut scene = Scene::quiet().await;
    let answer = scene.ask("deploy push -n store", "push-keys").await;
    scene.thread(&answer, "secret-missing").await;
    let (code, took, log) = scene.bot.take().expect("it runs").end();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    scene.bot = Some(scene.setup.start());
    scene.slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
    scene.slack.person("U0BEN").presses(CHANNEL, &answer.ts, "Tell me when healthy").expect("the button is there");
    scene.told("U0BEN", "I will tell you here").await;
    scene.slack.person("U0BEN").replies(CHANNEL, &answer.ts, "<@U0KUBEWHY> why").expect("a reply");
    let again = scene.slack.wait_for(PATIENCE, |slack| {
        let thread = slack.thread(CHANNEL, &answer.ts);
        (thread.iter().filter(|seen| seen.text.contains("push-keys does not exist")).count() > 1).then_some(())
    });
    again.await.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot().log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_called_once_when_it_is_healthy() {
    let scene = Scene::quiet().await;
    let answer = scene.ask("deploy surveys -n store", "surveys").await;
    let anna = scene.slack.person("U0ANNA");
    anna.presses(CHANNEL, &answer.ts, "Tell me when healthy").unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    scene.told("U0ANNA", "I will tell you here").await;
    anna.presses(CHANNEL, &answer.ts, "Tell me when healthy").expect("the button is there");
    scene.told("U0ANNA", "promised before").await;
    heal("surveys");
    let called = |slack: &Slack| {
        let posts = slack.calls_of("chat.postMessage");
        posts.iter().filter(|call| call.arguments.to_string().contains("<@U0ANNA>")).count()
    };
    let told = scene.slack.wait_for(Duration::from_secs(40), |slack| (called(slack) > 0).then_some(())).await;
    told.unwrap_or_else(|error| panic!("{error}\n{}\n{}", scene.screen(), scene.bot().log()));
    scene.bot().wait_for("told what somebody waited for");
    let waits = scene.bot().log();
    assert_eq!(waits.matches("told what somebody waited for").count(), 1, "{waits}");
    scene.ask("deploy checkout -n store", "app crashes").await;
    assert_eq!(called(&scene.slack), 1, "it is told once");
}

/// Gives a workload of the demo what it lacks, as its scenario's controllers take it.
fn heal(deployment: &str) {
    let sandbox = cluster().demo.sandbox();
    let stored = sandbox.get("apps/v1", "Deployment", "store", deployment).expect("it is there");
    let mut scaled = serde_json::Value::clone(&stored);
    scaled["spec"]["replicas"] = json!(2);
    sandbox.put(scaled).expect("it is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_connection_and_the_level_of_the_log_can_be_switched() {
    let scene = Scene::quiet().await;
    assert_eq!(scene.bot().get("/healthz"), (200, "ok\n".to_owned()));
    wait_until_ready(&scene, 200).await;
    scene.slack.refuse_connections(1_000);
    scene.slack.drop_connections(None);
    wait_until_ready(&scene, 503).await;
    assert_eq!(scene.bot().get("/healthz").0, 200);
    assert_eq!(scene.bot().get("/metrics").0, 404);
    scene.bot().signal("USR1");
    scene.bot().wait_for("level is now debug");
    scene.bot().signal("HUP");
    scene.bot().wait_for("level is now info,kubewhy=debug");
}

async fn wait_until_ready(scene: &Scene, status: u16) {
    let found = scene.slack.wait_for(PATIENCE, |_| (scene.bot().get("/readyz").0 == status).then_some(())).await;
    found.unwrap_or_else(|error| panic!("{error}: {:?}", scene.bot().get("/readyz")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_a_bot_that_has_nothing_else_and_no_token_is_ever_logged() {
    let mut scene = Scene::quiet().await;
    scene.ask("deploy push -n store", "push-keys").await;
    scene.slack.revoke("xapp-test-app");
    scene.slack.drop_connections(None);
    let (code, log) = scene.bot.take().expect("it runs").wait();
    assert_eq!(code, Some(3), "{log}");
    assert!(log.contains("does not accept the token"), "{log}");
    for secret in ["xoxb-test-bot", "xapp-test-app"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_where_slack_takes_no_more_messages_is_answered_alone() {
    let scene = Scene::quiet().await;
    scene.slack.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 40 }, 9);
    scene.slack.person("U0ANNA").slash(CHANNEL, "/why", "deploy push -n store").expect("it can be typed");
    let answer = scene.told("U0ANNA", "push-keys").await;
    assert!(flat(&answer).contains("only you see this"), "{answer:?}");
    assert!(scene.slack.messages(CHANNEL).iter().all(|seen| seen.author != BOT), "nothing of it is in the channel");
    scene.slack.clear_faults();
    scene.slack.person("U0BEN").slash("C0WAR", "/why", "deploy checkout -n store").expect("it can be typed");
    scene.slack.wait_for_message("C0WAR", "app crashes", PATIENCE).await.expect("another channel has room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_questions_in_ten_seconds_are_each_acknowledged_and_cost_the_cluster_little() {
    // Slack's patience is measured by the benchmark, on a machine that does nothing else.
    let world = World { patience: Patience { ack_ms: 90_000, ..Patience::default() }, ..World::default() };
    let (world, Crowd { people, channels }) = crowded(world, 100, 50);
    let scene = Scene::new(world, "").await;
    let before = requests();
    let began = Instant::now();
    for number in 0..1_000_usize {
        let (person, channel) = (&people[number % people.len()], &channels[number % channels.len()]);
        let line = format!("deploy {} -n store", OBJECTS[number % OBJECTS.len()]);
        scene.slack.person(person).slash(channel, "/why", &line).expect("it can be typed");
        tokio::time::sleep_until((began + Duration::from_millis(10) * u32::try_from(number).expect("few")).into())
            .await;
    }
    let acks = scene.slack.wait_for(Duration::from_secs(90), |slack| {
        let acks = slack.acks();
        let commands: Vec<_> = acks.into_iter().filter(|ack| ack.kind == Some(EnvelopeKind::SlashCommands)).collect();
        (commands.len() == 1_000).then_some(commands)
    });
    let acks = acks.await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(acks.iter().map(|ack| &ack.envelope).collect::<BTreeSet<_>>().len(), 1_000);
    // Every channel gets its first answers, at the pace that Slack allows.
    let answered = scene.slack.wait_for(Duration::from_mins(1), |slack| {
        channels.iter().all(|channel| slack.messages(channel).iter().any(|seen| seen.author == BOT)).then_some(())
    });
    answered.await.unwrap_or_else(|error| panic!("{error}"));
    let spent = requests() - before;
    println!("a thousand questions: {spent} requests to the cluster");
    assert!((10..2_000).contains(&spent), "{spent} requests for 1,000 questions about ten objects");
}

/// The requests that the cluster has answered so far.
fn requests() -> u64 {
    cluster().demo.sandbox().used_access().iter().map(|(_, times)| times).sum()
}

/// What a person reads of a message, in one line.
fn flat(seen: &Seen) -> String {
    seen.shown.replace('\n', "")
}

/// How many answers stand in the channel that say so; what stands in threads is none.
fn answers(scene: &Scene, words: &str) -> usize {
    let messages = scene.slack.messages(CHANNEL);
    messages.iter().filter(|seen| seen.author == BOT && seen.thread.is_none() && flat(seen).contains(words)).count()
}

/// Whether anybody sees those words anywhere in the channel.
fn shows(slack: &Slack, words: &str) -> bool {
    let threads = slack.messages(CHANNEL).into_iter().flat_map(|seen| slack.thread(CHANNEL, &seen.ts));
    let alone = ["U0ANNA", "U0BEN", "U0CARA"].into_iter().flat_map(|person| slack.ephemerals(person));
    slack.messages(CHANNEL).into_iter().chain(threads).chain(alone).any(|seen| flat(&seen).contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_of_each_part_that_it_works_or_what_to_do() {
    let config = "[[channels]]\nchannel = \"slack:C0GENERAL\"\n[[channels]]\nchannel = \"slack:C0INCIDENTS\"\n";
    let scene = Scene::new(World::default().without_scope("files:write"), config).await;
    let (lines, code) = scene.setup.check();
    assert_eq!(code, Some(3), "{lines}");
    let line = |words: &str| {
        let found = lines.split("\nok ").flat_map(|part| part.split("\nwrong ")).find(|part| part.contains(words));
        found.unwrap_or_else(|| panic!("nothing about {words}: {lines}")).to_owned()
    };
    assert!(line("cluster prod").contains("can be read"), "{lines}");
    assert!(line("C0GENERAL").contains("/invite"), "{lines}");
    assert!(lines.contains("files:write"), "{lines}");
    assert!(!lines.contains("xoxb-test-bot") && !lines.contains("xapp-test-app"), "{lines}");
    scene.slack.revoke("xoxb-test-bot");
    let (lines, code) = scene.setup.check();
    assert_eq!(code, Some(3), "{lines}");
    assert!(lines.contains("token_revoked"), "{lines}");
}
