//! Slack.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kubewhy_slack_server::{CallFault, EnvelopeKind, Slack, SlackServer, World};

use crate::DELAY;
use crate::asked::{Load, Pass, Storm, Wanted, delay_cluster, memory, quiet, requests};
use crate::bot::{Bot, PATIENCE, Setup};
use crate::cluster::cluster;
use crate::crowd::{Crowd, OBJECTS, crowded};
use crate::figures::Spread;

/// How long answers may take to come, at the pace of a channel.
const AFTERWARDS: Duration = Duration::from_mins(8);

/// A Slack with the bot in it.
struct Scene {
    slack: SlackServer,
    crowd: Crowd,
    bot: Bot,
    _setup: Setup,
}

impl Scene {
    async fn new(world: World, people: usize, channels: usize, config: &str) -> Self {
        let (world, crowd) = crowded(world, people, channels);
        let slack = SlackServer::start(world).await.expect("it starts");
        let platform = format!(
            "[log]\nlevel = \"info\"\n[slack]\nbot_token = \"xoxb-test-bot\"\napp_token = \"xapp-test-app\"\napi_url = \"{}\"\n",
            slack.api_url()
        );
        let setup = Setup::new(&(platform + config));
        let bot = setup.launch();
        slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
        Self { slack, crowd, bot, _setup: setup }
    }

    fn person(&self, number: usize) -> &str {
        let people = &self.crowd.people;
        people.get(number % people.len()).expect("there are people")
    }

    fn channel(&self, number: usize) -> &str {
        let channels = &self.crowd.channels;
        channels.get(number % channels.len()).expect("there are channels")
    }

    /// Types a question; gives the id of its envelope.
    fn ask(&self, person: &str, channel: &str, line: &str) -> String {
        self.slack.person(person).slash(channel, "/why", line).expect("it can be typed").envelope
    }

    /// Waits until somebody sees an answer, the whole channel or who asked.
    async fn answered(&self, person: &str, channel: &str, alone_before: usize) {
        let answered = |slack: &Slack| {
            let is_there = !slack.messages(channel).is_empty() || slack.ephemerals(person).len() > alone_before;
            is_there.then_some(())
        };
        let found = self.slack.wait_for(PATIENCE, answered).await;
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.bot.log()));
    }
}

/// From the start of the process to the first answer in a channel.
pub(crate) async fn first_answer() -> Duration {
    // What is played in the cluster is there before.
    let _cluster = cluster();
    let (world, began) = (World::default(), Instant::now());
    let scene = Scene::new(world, 1, 1, "").await;
    let (person, channel) = (scene.person(0), scene.channel(0));
    scene.ask(person, channel, "deploy push -n store");
    scene.answered(person, channel, 0).await;
    began.elapsed()
}

/// A hundred people ask in fifty channels about ten objects.
pub(crate) async fn storm(load: Load) -> Storm {
    let scene = Scene::new(World::default(), 100, 50, "").await;
    let (before, spent_before) = (memory(&scene.bot), requests());
    let began = Instant::now();
    let asked = load
        .ask(|number| {
            let object = OBJECTS.get(number % OBJECTS.len()).expect("there are objects");
            scene.ask(scene.person(number), scene.channel(number), &format!("deploy {object} -n store"))
        })
        .await;
    let all = scene.slack.wait_for(AFTERWARDS, |slack| {
        let acks = slack.acks().into_iter().filter(|ack| ack.kind == Some(EnvelopeKind::SlashCommands));
        let times: BTreeMap<String, f64> = acks.filter_map(|ack| Some((ack.envelope, ack.after_ms?))).collect();
        (times.len() == asked.len()).then_some(times)
    });
    let times = all.await.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot.log()));
    let late = asked.iter().map(|(envelope, late)| {
        let after = times.get(envelope).copied().expect("each has its time");
        *late + Duration::from_secs_f64(after / 1_000.0)
    });
    let acknowledged = Spread::of(late.collect());
    let (spent, at_peak) = (requests() - spent_before, memory(&scene.bot));
    quiet(Duration::from_secs(8), AFTERWARDS, || scene.slack.calls().len()).await;
    let took = began.elapsed().as_secs();
    let roots = scene.crowd.channels.iter().flat_map(|channel| scene.slack.messages(channel));
    let answered = roots.filter(|seen| seen.thread.is_none()).count();
    // An answer can be several messages, of which the first says why nobody else sees them.
    let told = scene.crowd.people.iter().flat_map(|person| scene.slack.ephemerals(person));
    let alone = told.filter(|seen| seen.shows("only you see this")).count();
    let unshown = scene.bot.log().matches("an answer could not be shown").count();
    let timed_out = scene.slack.acks().iter().filter(|ack| !ack.in_time).count() + scene.slack.warnings().len();
    let refused = scene.slack.calls().iter().filter(|call| call.status == 429).count();
    Storm {
        platform: "Slack",
        acknowledged,
        outcome: format!(
            "{} acknowledged, {timed_out} too late; {answered} answered in the channel, {alone} answered alone, {} neither \
             ({unshown} failed by the log) when it fell silent after {took} s; {spent} requests to the cluster; {refused} calls refused by Slack as too many",
            times.len(),
            asked.len().saturating_sub(answered + alone)
        ),
        memory: format!("{before} before, {at_peak} when all were acknowledged, {} afterwards", memory(&scene.bot)),
    }
}

/// Questions one after the other, in a Slack and a cluster that take their time.
pub(crate) struct Asked {
    scene: Scene,
    asked: usize,
}

impl Asked {
    /// Room for these passes: every question has its own channel, and in each pass its own person.
    pub(crate) async fn new(passes: &[&[Wanted]]) -> Self {
        let channels = passes.iter().map(|pass| pass.len()).sum();
        let people = passes.iter().map(|pass| pass.len()).max().unwrap_or_default();
        let scene = Scene::new(World::default().without_limits(), people, channels, "").await;
        delay_cluster();
        let lag = CallFault::Lag { ms: u64::try_from(DELAY.as_millis()).expect("it is short") };
        scene.slack.fail_calls("*", lag, u32::MAX);
        Self { scene, asked: 0 }
    }

    /// Asks them; who asks the first pass is not known yet.
    pub(crate) async fn pass(&mut self, questions: &[Wanted]) -> Pass {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for (number, question) in questions.iter().enumerate() {
            let (person, channel) = (self.scene.person(number), self.scene.channel(self.asked));
            let (alone, before) = (self.scene.slack.ephemerals(person).len(), requests());
            let began = Instant::now();
            self.scene.ask(person, channel, &question.line());
            self.scene.answered(person, channel, alone).await;
            // This Slack shows a message at once and answers the call later; a slow one would show it later too.
            times.push(began.elapsed() + DELAY);
            counts.push(requests() - before);
            quiet(Duration::from_millis(80), PATIENCE, || self.scene.slack.calls().len()).await;
            self.asked += 1;
        }
        Pass { answered: Spread::of(times), requests: counts }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        cluster().demo.sandbox().clear_faults();
    }
}
