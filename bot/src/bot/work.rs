//! Works on deliveries: who asks, what is meant, what is read, what is said.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kubewhy_chat::{
    Block, Button, ChatError, ChatPlatform, Delivery, Identity, Message, Person, Place, Posted, Press, Reply, Tone,
};
use kubewhy_core::access::{Grant, Policy};
use kubewhy_core::answer;
use kubewhy_core::commands::{self, Command, Explain};
use kubewhy_core::resolve::Wanted;
use kubewhy_store::{Ending, Store, Wait};
use kubewhy_text::{Text, name, text};
use moka::future::Cache;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, info, info_span, warn};

use super::Platforms;
use crate::desk::{Answered, Desk, Outcome, Whereabouts};

/// How many deliveries are worked on at once.
const MOST_AT_ONCE: usize = 128;

/// How many questions read from clusters at once.
const MOST_QUESTIONS: usize = 24;

/// How long an answer also answers the same question of somebody else: those who ask together are answered by one reading.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// How long to wait before an answer is shown again that a platform did not take.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)];

/// All that an answer needs.
pub(crate) struct Office {
    pub(crate) store: Store,
    pub(crate) desk: Arc<Desk>,
    pub(crate) platforms: Arc<Platforms>,
    pub(crate) policy: Policy,
    pub(crate) questions: Questions,
}

/// Works on what is delivered until nothing can be delivered any more.
pub(crate) async fn answer_all(office: Arc<Office>, mut waiting: mpsc::Receiver<Delivery>, stop: CancellationToken) {
    let mut working = JoinSet::new();
    loop {
        let delivery = tokio::select! {
            biased;
            // What waits stays in the store and is answered after the next start.
            () = stop.cancelled() => break,
            Some(ended) = working.join_next(), if !working.is_empty() => {
                if let Err(error) = ended {
                    error!(%error, "work on a delivery ended by a fault of its own");
                }
                continue;
            }
            delivery = waiting.recv(), if working.len() < MOST_AT_ONCE => delivery,
        };
        let Some(delivery) = delivery else { break };
        let office = Arc::clone(&office);
        let span = info_span!(
            "delivery",
            request.id = %delivery.id,
            chat.channel = %delivery.request.place.channel,
            chat.user = %delivery.request.who.id
        );
        working.spawn(async move { office.work(delivery).await }.instrument(span));
    }
    while working.join_next().await.is_some() {}
}

impl Office {
    async fn work(&self, delivery: Delivery) {
        match self.store.begin(&delivery.id).await {
            Ok(true) => {}
            Ok(false) => return,
            // Without the store, answers go on.
            Err(error) => warn!(%error, "the beginning of an answer could not be kept"),
        }
        self.settle(delivery).await;
    }

    /// Answers what was begun.
    pub(crate) async fn settle(&self, delivery: Delivery) {
        let Some(platform) = self.platform_of(&delivery) else { return };
        let answered = self.answer(platform.as_ref(), &delivery).await;
        let ending = self.say(platform.as_ref(), &delivery, answered).await;
        self.finish(&delivery.id, ending).await;
    }

    pub(crate) async fn finish(&self, id: &str, ending: Ending) {
        if let Err(error) = self.store.finish(id, ending, Timestamp::now()).await {
            warn!(%error, "the end of an answer could not be kept");
        }
    }

    fn platform_of(&self, delivery: &Delivery) -> Option<Arc<dyn ChatPlatform>> {
        let (name, _) = delivery.id.split_once(':')?;
        let platform = self.platforms.get(name).cloned();
        if platform.is_none() {
            debug!("a delivery of a platform that is no longer configured");
        }
        platform
    }

    async fn answer(&self, platform: &dyn ChatPlatform, delivery: &Delivery) -> Answered {
        let request = &delivery.request;
        let identity = self.identity(platform, &request.who).await;
        let grant = match self.policy.grant(&request.who, &identity, &request.place) {
            Ok(grant) => grant,
            Err(refused) => return Answered::to_asker(refused.message()),
        };
        let about = self.about(&request.place).await;
        let command = match self.desk.read(&request.input, about.as_ref(), whereabouts(&request.place)) {
            Ok(command) => command,
            Err(error) => return Answered::to_asker(error.message()),
        };
        let answered = self.questions.ask(command, grant).await;
        match &answered.tell {
            Some(object) => {
                let promised = self.promise(request.place.clone(), &request.who, object, &answered).await;
                Answered { reply: promised, ..answered }
            }
            None => answered,
        }
    }

    async fn identity(&self, platform: &dyn ChatPlatform, who: &Person) -> Identity {
        if let Some(identity) = &who.identity {
            return identity.clone();
        }
        platform.identity(who).await.unwrap_or_else(|error| {
            warn!(%error, "who asks could not be found out");
            Identity::default()
        })
    }

    /// What a thread is about.
    async fn about(&self, place: &Place) -> Option<Wanted> {
        place.thread.as_ref()?;
        let line = match self.store.about(place).await {
            Ok(line) => line?,
            Err(error) => {
                warn!(%error, "what a thread is about could not be read");
                return None;
            }
        };
        commands::parse(&line, None).ok()?.wanted()
    }

    async fn promise(&self, place: Place, who: &Person, object: &Wanted, answered: &Answered) -> Reply {
        let since = Timestamp::now();
        let wait =
            Wait { place, person: who.clone(), subject: line_about(object), since, until: since + answer::WAITED_FOR };
        match self.store.add_wait(&wait).await {
            Ok(true) => answered.reply.clone(),
            Ok(false) => Reply::to_asker(answer::tells_already(object)),
            Err(error) => {
                warn!(%error, "a wait could not be kept");
                Reply::to_asker(internal(text!["this could not be kept, so that you will not be told"], None))
            }
        }
    }

    async fn say(&self, platform: &dyn ChatPlatform, delivery: &Delivery, answered: Answered) -> Ending {
        let Answered { reply, about, .. } = answered;
        let reply = Reply { message: self.short_presses(reply.message).await, ..reply };
        let posted = match patiently(platform, delivery, &reply).await {
            Ok(posted) => posted,
            Err(error) => {
                error!(%error, "an answer could not be shown");
                return Ending::Failed;
            }
        };
        if let Some(object) = about
            && posted.place.thread.is_some()
            && let Err(error) = self.store.set_about(&posted.place, &line_about(&object), Timestamp::now()).await
        {
            warn!(%error, "what a thread is about could not be kept");
        }
        Ending::Answered
    }

    /// The same message with what is too long for a platform's buttons kept behind tokens.
    pub(crate) async fn short_presses(&self, message: Message) -> Message {
        let mut tokens = std::collections::BTreeMap::new();
        for (_, press) in message.presses() {
            let is_long = matches!(press, Press::Command(_)) && press.encode(MOST_BUTTONS).is_none();
            if is_long && !tokens.contains_key(press) {
                match self.store.keep_press(press, Timestamp::now()).await {
                    Ok(token) => drop(tokens.insert(press.clone(), Press::Token(token))),
                    Err(error) => warn!(%error, "what a button means could not be kept"),
                }
            }
        }
        message.map_presses(|press| tokens.get(&press).cloned().unwrap_or(press))
    }
}

/// Shows an answer, where need be after the platform has let others have their turn. A platform that may have shown it looks
/// before it shows it again.
async fn patiently(platform: &dyn ChatPlatform, delivery: &Delivery, reply: &Reply) -> Result<Posted, ChatError> {
    let mut shown = platform.answer(delivery, reply).await;
    for pause in PAUSES {
        match &shown {
            Err(error) if error.is_retryable() => info!(%error, "an answer is shown later"),
            _ => break,
        }
        tokio::time::sleep(pause).await;
        shown = platform.answer(delivery, reply).await;
    }
    shown
}

/// The highest place of a button in its message that is reckoned with.
const MOST_BUTTONS: usize = 99;

/// Questions to the desk. Those that are asked at the same time in the same words are one.
pub(crate) struct Questions {
    desk: Arc<Desk>,
    within: Duration,
    at_once: Arc<Semaphore>,
    shared: Cache<(String, String), Arc<Answered>>,
}

impl Questions {
    pub(crate) fn new(desk: Arc<Desk>, within: Duration) -> Self {
        let shared = Cache::builder().max_capacity(1_000).time_to_live(SHARED_FOR).build();
        Self { desk, within, at_once: Arc::new(Semaphore::new(MOST_QUESTIONS)), shared }
    }

    async fn ask(&self, command: Command, grant: Grant) -> Answered {
        let key = (command.to_string(), format!("{grant:?}"));
        let answered = self.shared.get_with(key, async { Arc::new(self.read(command, grant).await) }).await;
        Answered::clone(&answered)
    }

    async fn read(&self, command: Command, grant: Grant) -> Answered {
        let asked = command.to_string();
        let (desk, at_once) = (Arc::clone(&self.desk), Arc::clone(&self.at_once));
        let read = async move {
            let turn = at_once.acquire_owned().await;
            // The permit goes along: a question that nobody waits for any more still reads.
            tokio::task::spawn_blocking(move || {
                let outcome = desk.run(&command, &grant);
                drop(turn);
                outcome
            })
            .await
        };
        match tokio::time::timeout(self.within, read).await {
            Ok(Ok(Outcome::Reply(answered))) => *answered,
            Ok(Ok(Outcome::More | Outcome::Quit)) => {
                Answered::to_asker(internal(text!["there is nothing to leave or to unfold here"], None))
            }
            Ok(Err(error)) => {
                error!(%error, "a question ended by a fault of its own");
                Answered::to_asker(internal(
                    text!["this could not be answered: an error of kubewhy itself"],
                    Some(asked),
                ))
            }
            Err(_) => {
                warn!("a question took too long");
                let seconds = self.within.as_secs();
                Answered::to_asker(internal(text!["the cluster did not answer in ", seconds, " s"], Some(asked)))
            }
        }
    }

    /// Looks at an object that somebody waits for.
    pub(crate) async fn look(&self, object: Wanted) -> Option<kubewhy_diagnosis::Report> {
        let (desk, at_once) = (Arc::clone(&self.desk), Arc::clone(&self.at_once));
        let turn = at_once.acquire_owned().await;
        let looked = tokio::task::spawn_blocking(move || {
            let report = desk.look(&object);
            drop(turn);
            report
        });
        tokio::time::timeout(self.within, looked).await.ok()?.ok()?
    }
}

/// Where in a conversation a place is.
pub(crate) fn whereabouts(place: &Place) -> Whereabouts {
    if place.thread.is_some() { Whereabouts::Thread } else { Whereabouts::Open }
}

/// A line that is about an object, as the store keeps it.
pub(crate) fn line_about(object: &Wanted) -> String {
    Command::Explain(Explain { object: object.clone() }).to_string()
}

/// Says what did not work, for no fault of who asked.
fn internal(what: Text, again: Option<String>) -> Message {
    let message = Message::new(Tone::Unknown, what);
    match again {
        Some(line) => message
            .with(Block::Context(text!["Nothing was changed. Asked: ", name(line.clone())]))
            .with(Block::Buttons(vec![Button::command("Ask again", line)])),
        None => message,
    }
}
