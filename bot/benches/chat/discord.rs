//! Discord.

use std::time::{Duration, Instant};

use kubewhy_discord_server::world::GUILD;
use kubewhy_discord_server::{DiscordServer, Fault, Id, SeenInteraction, View, What, World, world};
use serde_json::{Value, json};

use crate::DELAY;
use crate::asked::{Load, Pass, Storm, Wanted, delay_cluster, memory, quiet, requests};
use crate::bot::{Bot, PATIENCE, Setup};
use crate::cluster::cluster;
use crate::crowd::OBJECTS;
use crate::figures::Spread;

/// How long answers may take to come, at Discord's pace.
const AFTERWARDS: Duration = Duration::from_mins(3);

/// Ids of people and channels begin here.
const PEOPLE: u64 = 1_200_000_000_000_000_000;
const CHANNELS: u64 = 1_300_000_000_000_000_000;

/// A Discord with the bot in it.
struct Scene {
    discord: DiscordServer,
    people: Vec<Id>,
    channels: Vec<Id>,
    bot: Bot,
    _setup: Setup,
}

/// The default world with more people, all of whom are in more channels.
fn crowded(people: usize, channels: usize) -> (World, Vec<Id>, Vec<Id>) {
    let ids = |first: u64, count: usize| (first..).take(count).map(Id).collect::<Vec<Id>>();
    let (people, channels) = (ids(PEOPLE, people), ids(CHANNELS, channels));
    let mut crowd = World::default();
    crowd.users.extend(people.iter().map(|id| world::User {
        id: *id,
        name: format!("p{id}"),
        shown: None,
        locale: "en-US".to_owned(),
        refuses_direct_messages: false,
    }));
    let guild = crowd.guilds.first_mut().expect("there is a guild");
    guild.members.extend(people.iter().map(|id| world::Member { user: *id, roles: Vec::new(), nick: None }));
    guild.channels.extend(channels.iter().map(|id| world::Channel {
        id: *id,
        name: format!("c{id}"),
        kind: 0,
        overwrites: Vec::new(),
    }));
    (crowd, people, channels)
}

impl Scene {
    async fn new(people: usize, channels: usize, rates: bool) -> Self {
        let (crowd, people, channels) = crowded(people, channels);
        let limits = world::Limits { rates, ..world::Limits::default() };
        let discord = DiscordServer::start(World { limits, ..crowd }).await.expect("it starts");
        let setup = Setup::new(&format!(
            "[log]\nlevel = \"info\"\n[discord]\ntoken = \"{}\"\nguilds = [{GUILD}]\napi_url = \"{}\"\n",
            discord.token(),
            discord.api_url()
        ));
        let bot = setup.launch();
        let ready = |view: &View<'_>| (!view.commands(Some(GUILD)).is_empty()).then_some(());
        discord.wait_ready(PATIENCE).await.unwrap_or_else(|error| panic!("{error}\n{}", bot.log()));
        discord.wait_for(PATIENCE, ready).await.unwrap_or_else(|error| panic!("{error}\n{}", bot.log()));
        Self { discord, people, channels, bot, _setup: setup }
    }

    fn ask(&self, number: usize, object: &Wanted) -> Id {
        let mut options: Vec<(&str, Value)> = vec![("name", json!(object.name))];
        options.extend(object.kind.as_ref().map(|kind| ("kind", json!(kind))));
        options.extend(object.namespace.as_ref().map(|namespace| ("namespace", json!(namespace))));
        let person = self.people.get(number % self.people.len()).expect("there are people");
        let channel = self.channels.get(number % self.channels.len()).expect("there are channels");
        self.discord.slash(*person, *channel, "why", &options).expect("it can be typed")
    }

    fn calls(&self) -> usize {
        self.discord.calls().len()
    }
}

/// Whether somebody sees an answer to an interaction.
fn is_answered(view: &View<'_>, interaction: Id) -> bool {
    let Some(asked) = view.interaction(interaction) else { return false };
    asked.original.into_iter().chain(asked.followups).any(|seen| !seen.is_deleted && !seen.is_thinking)
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime alone")]
fn interactions(discord: &DiscordServer) -> Vec<SeenInteraction> {
    discord.read(|view| view.interactions())
}

/// A hundred people ask in fifty channels about ten objects.
pub(crate) async fn storm(load: Load) -> Storm {
    let scene = Scene::new(100, 50, true).await;
    let (before, spent_before) = (memory(&scene.bot), requests());
    let asked = load
        .ask(|number| {
            let name = (*OBJECTS.get(number % OBJECTS.len()).expect("there are objects")).to_owned();
            scene
                .ask(number, &Wanted { kind: Some("deployment".to_owned()), namespace: Some("store".to_owned()), name })
        })
        .await;
    let all = scene.discord.wait_for(AFTERWARDS, |view| {
        let times = asked.iter().map(|(id, late)| {
            let after = view.interaction(*id)?.answered_after_ms?;
            Some(*late + Duration::from_millis(after))
        });
        times.collect::<Option<Vec<Duration>>>()
    });
    let times = all.await.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot.log()));
    let (spent, at_peak) = (requests() - spent_before, memory(&scene.bot));
    quiet(Duration::from_secs(8), AFTERWARDS, || scene.calls()).await;
    let interactions = interactions(&scene.discord);
    let shown = interactions.iter().filter_map(|it| it.original.as_ref()).filter(|seen| !seen.is_deleted);
    let (alone, open): (Vec<_>, Vec<_>) =
        shown.filter(|seen| !seen.is_thinking).partition(|seen| seen.only_for.is_some());
    let threads = open.iter().filter(|seen| seen.thread.is_some()).count();
    let too_late = interactions.iter().filter(|it| it.has_failed).count();
    let refused = scene.discord.calls().iter().filter(|call| call.status == 429).count();
    Storm {
        platform: "Discord",
        acknowledged: Spread::of(times),
        outcome: format!(
            "{} acknowledged, {too_late} too late; {} answered in the channel ({threads} with a thread), {} told alone, {} \
             neither; {spent} requests to the cluster; {refused} calls refused by Discord as too many",
            asked.len(),
            open.len(),
            alone.len(),
            asked.len().saturating_sub(open.len() + alone.len())
        ),
        memory: format!("{before} before, {at_peak} when all were acknowledged, {} afterwards", memory(&scene.bot)),
    }
}

/// Questions one after the other, in a Discord and a cluster that take their time. Who asks comes with the question.
pub(crate) async fn answers(questions: &[Wanted]) -> Pass {
    let scene = Scene::new(questions.len(), questions.len(), false).await;
    delay_cluster();
    let lag = What::Lag { ms: u64::try_from(DELAY.as_millis()).expect("it is short") };
    scene.discord.fault(Fault { method: None, route: None, skip: 0, times: 0, what: lag });
    let (mut times, mut counts) = (Vec::new(), Vec::new());
    for (number, question) in questions.iter().enumerate() {
        let (before, began) = (requests(), Instant::now());
        let id = scene.ask(number, question);
        let found = scene.discord.wait_for(PATIENCE, |view| is_answered(view, id).then_some(())).await;
        found.unwrap_or_else(|error| panic!("{error}\n{}", scene.bot.log()));
        times.push(began.elapsed());
        counts.push(requests() - before);
        quiet(Duration::from_millis(80), PATIENCE, || scene.calls()).await;
    }
    cluster().demo.sandbox().clear_faults();
    Pass { answered: Spread::of(times), requests: counts }
}
