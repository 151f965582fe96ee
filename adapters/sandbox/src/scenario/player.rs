//! Plays scenarios into a sandbox: what is due by a time, and what follows from what others did.

mod apply;
mod complete;
mod control;
mod react;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::format::Scenario;
use super::json::Map;
use super::pod::PodPlan;
use super::time::{Moment, Time};
use crate::handle::Sandbox;
use react::That;

/// How often leases are renewed.
const HEARTBEAT: SignedDuration = SignedDuration::from_secs(10);
/// How long changes are gathered before they are answered.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long the containers of a pod that was made anew take to start.
const STARTING: SignedDuration = SignedDuration::from_secs(6);
/// How many things may become due within one call; a scenario that makes itself busy without end is stopped there.
const MAX_TURNS: usize = 10_000;

/// Why something of a scenario could not be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The sandbox refused an object.
    #[error("scenario \"{scenario}\": {kind} \"{name}\" is refused: {reason}")]
    Refused {
        /// The scenario.
        scenario: String,
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// The refusal.
        reason: String,
    },
    /// A verb names a kind that the sandbox does not serve, or nothing at all.
    #[error("scenario \"{scenario}\": \"{what}\" names nothing that is served")]
    Unknown {
        /// The scenario.
        scenario: String,
        /// What was named.
        what: String,
    },
    /// Reactions answer each other without end.
    #[error("the scenarios react to each other without end")]
    Endless,
}

/// Plays scenarios into a [`Sandbox`]. Has no clock and no thread of its own.
#[derive(Debug)]
pub struct Player {
    sandbox: Sandbox,
    scenarios: Vec<Arc<Scenario>>,
    /// Which scenarios have begun.
    begun: BTreeSet<usize>,
    /// What comes when; the number keeps the order of what comes at once.
    agenda: BTreeMap<(Timestamp, u64), Due>,
    number: u64,
    /// How many nodes the cluster has from its start.
    nodes: usize,
    start: Timestamp,
    /// Up to when is being played.
    now: Timestamp,
    last_heartbeat: Timestamp,
    /// What has fired, and stays so while it holds: scenario, reaction, object.
    fired: BTreeSet<(usize, usize, String)>,
    /// Objects of which a scenario wrote that they are being deleted.
    scripted: BTreeSet<String>,
    /// How each pod was made, by namespace and name.
    plans: BTreeMap<(String, String), PodPlan>,
    /// What a workload brought: scenario, kind, namespace, name.
    brought: BTreeMap<(usize, &'static str, String, String), BTreeSet<Brought>>,
    /// What the workloads are to be, by uid.
    wishes: BTreeMap<String, control::Wish>,
    /// The workloads that somebody changed: their status is counted here.
    controlled: BTreeSet<control::Controlled>,
    /// The resource version of the last change that was looked at for that.
    controlled_at: u64,
    /// The nodes that there were, and those of them that somebody deleted, with the time at which that was seen.
    nodes_seen: BTreeSet<String>,
    nodes_gone: BTreeMap<String, Timestamp>,
    error: Option<PlayError>,
}

/// An object that a workload brought: kind, namespace, name.
type Brought = (String, String, String);

/// What is due.
#[derive(Clone, Debug)]
enum Due {
    Begin(usize),
    Step(usize, usize),
    React(usize, usize, Option<That>),
    /// The containers of this pod have started.
    Started(Box<PodPlan>),
    Heartbeat,
}

impl Player {
    /// A player that starts now; nothing is played yet.
    pub fn new(sandbox: Sandbox, scenarios: Vec<Scenario>) -> Self {
        let start = sandbox.now();
        let mut player = Self {
            sandbox,
            nodes: count_nodes(&scenarios),
            scenarios: scenarios.into_iter().map(Arc::new).collect(),
            begun: BTreeSet::new(),
            agenda: BTreeMap::new(),
            number: 0,
            start,
            now: start,
            last_heartbeat: start,
            fired: BTreeSet::new(),
            scripted: BTreeSet::new(),
            plans: BTreeMap::new(),
            brought: BTreeMap::new(),
            wishes: BTreeMap::new(),
            controlled: BTreeSet::new(),
            controlled_at: 0,
            nodes_seen: BTreeSet::new(),
            nodes_gone: BTreeMap::new(),
            error: None,
        };
        player.plan();
        player
    }

    /// Begins so long ago: the steps up to now are played in their order by the next [`Player::advance`].
    /// Has no effect once something was played.
    pub fn skip_to(&mut self, offset: Duration) {
        if self.begun.is_empty() {
            self.start = shift(self.start, -SignedDuration::try_from(offset).unwrap_or(SignedDuration::ZERO));
            self.last_heartbeat = self.start;
            self.plan();
        }
    }

    /// The cluster that is played into.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The scenarios, in the order in which they were given.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter().map(AsRef::as_ref)
    }

    /// When something is due next, unless somebody changes something before.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Plays all that is due by `now`, and schedules what follows from what others did.
    ///
    /// # Errors
    /// The first thing that could not be played; all the rest was played.
    pub fn advance(&mut self, now: Timestamp) -> Result<(), PlayError> {
        self.now = now;
        let mut turns = 0;
        loop {
            let at = self.next_due().filter(|at| *at <= now);
            self.play(at);
            self.control(at.unwrap_or(now));
            self.react(at.unwrap_or(now));
            turns += 1;
            if turns > MAX_TURNS {
                return Err(PlayError::Endless);
            }
            if self.next_due().is_none_or(|next| next > now) && at.is_none() {
                return self.error.take().map_or(Ok(()), Err);
            }
        }
    }

    /// Plays along with the sandbox's clock, and wakes at its changes. Ends only with an error.
    pub async fn run(mut self) -> PlayError {
        let mut changes = self.sandbox.changes();
        loop {
            changes.borrow_and_update();
            let now = self.sandbox.now();
            if let Err(error) = self.advance(now) {
                return error;
            }
            let wait = self.next_due().map_or(HEARTBEAT, |next| next.duration_since(now));
            let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO).max(Duration::from_millis(20));
            tokio::select! {
                // Both arms only wait: nothing is lost when the other one wins.
                // What is changed together is answered together: each look goes over the whole cluster.
                _ = changes.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Writes the agenda anew from the scenarios.
    fn plan(&mut self) {
        self.agenda.clear();
        for index in 0..self.scenarios.len() {
            let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
                continue;
            };
            let begin = shift(self.start, scenario.text.begins.0);
            self.schedule(begin, Due::Begin(index));
        }
        self.schedule(shift(self.start, HEARTBEAT), Due::Heartbeat);
    }

    fn schedule(&mut self, at: Timestamp, due: Due) {
        self.number += 1;
        self.agenda.insert((at, self.number), due);
    }

    /// Plays everything of one time.
    fn play(&mut self, at: Option<Timestamp>) {
        let Some(at) = at else {
            return;
        };
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 != at {
                return;
            }
            let due = entry.remove();
            self.do_now(due, at);
        }
    }

    fn do_now(&mut self, due: Due, at: Timestamp) {
        match due {
            Due::Begin(index) => self.begin(index, at),
            Due::Step(index, step) => self.step(index, step, at),
            Due::React(index, reaction, that) => self.do_reaction(index, reaction, that.as_ref(), at),
            Due::Started(plan) => self.started(&plan, at),
            Due::Heartbeat => {
                self.heartbeat(at);
                self.schedule(self.again(at, HEARTBEAT), Due::Heartbeat);
            }
        }
    }

    fn begin(&mut self, index: usize, at: Timestamp) {
        let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
            return;
        };
        self.begun.insert(index);
        let created = if scenario.text.begins.0.is_zero() { Time::ago(12 * 86_400) } else { Time::NOW };
        let scene = Scene { index, scenario: &scenario, moment: Moment::at(at, self.nodes), created };
        self.apply(&scene, &scenario.text.part(), None);
        for (number, step) in scenario.text.steps.iter().enumerate() {
            self.schedule(shift(at, step.after.0), Due::Step(index, number));
        }
    }

    fn step(&mut self, index: usize, number: usize, at: Timestamp) {
        let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
            return;
        };
        let Some(step) = scenario.text.steps.get(number) else {
            return;
        };
        let scene = Scene { index, scenario: &scenario, moment: Moment::at(at, self.nodes), created: Time::NOW };
        self.apply(&scene, &step.part(), None);
        if let Some(every) = step.every.filter(|every| every.0 >= SignedDuration::from_secs(1)) {
            self.schedule(self.again(at, every.0), Due::Step(index, number));
        }
    }

    /// When something that repeats itself comes next. Of what was slept through only the last time is made up for.
    fn again(&self, at: Timestamp, every: SignedDuration) -> Timestamp {
        let missed = self.now.duration_since(at).as_secs() / every.as_secs().max(1);
        let times = i32::try_from(missed.max(1)).unwrap_or(i32::MAX);
        shift(at, every.checked_mul(times).unwrap_or(every))
    }

    fn fail(&mut self, error: PlayError) {
        self.error.get_or_insert(error);
    }
}

/// In which scenario and at which time something is applied.
struct Scene<'a> {
    index: usize,
    scenario: &'a Scenario,
    moment: Moment,
    /// When what names no time was created.
    created: Time,
}

fn count_nodes(scenarios: &[Scenario]) -> usize {
    let early = scenarios.iter().filter(|scenario| scenario.text.begins.0.is_zero());
    let objects = early.flat_map(|scenario| &scenario.text.objects);
    let nodes = objects.filter(|object| super::json::text(object, "kind") == "Node");
    let name = |node: &Map| node.get("metadata").map(|meta| super::json::text_at(meta, &["name"]).to_owned());
    nodes.filter_map(name).collect::<BTreeSet<String>>().len()
}

fn shift(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}
