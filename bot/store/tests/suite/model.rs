//! The store against a model of it made of maps: any calls in any order, with restarts between them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{Place, Press};
use kubewhy_store::{Ending, Fresh, Store, Unfinished, Wait};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::given::{a_thread, a_wait, an_older_delivery, now, open};

/// A call. Small numbers stand for ids, places and persons, so that calls meet; times are hours after [`now`].
#[derive(Clone, Debug)]
enum Call {
    Accept(u8, i64),
    Begin(u8),
    Finish(u8, bool),
    SetAbout(u8, String, i64),
    KeepPress(u8, i64),
    AddWait(u8, u8, i64, i64),
    EndWait(u8),
    Keep(u8, String),
    Prune(i64),
    Reopen,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let id = 0..6_u8;
    let hour = -2_500..2_500_i64;
    let call = prop_oneof![
        4 => (id.clone(), hour.clone()).prop_map(|(id, hour)| Call::Accept(id, hour)),
        3 => id.clone().prop_map(Call::Begin),
        2 => (id.clone(), any::<bool>()).prop_map(|(id, answered)| Call::Finish(id, answered)),
        2 => (id.clone(), "\\PC{0,8}", hour.clone()).prop_map(|(id, words, hour)| Call::SetAbout(id, words, hour)),
        2 => (id.clone(), hour.clone()).prop_map(|(id, hour)| Call::KeepPress(id, hour)),
        3 => (id.clone(), 0..2_u8, hour.clone(), 0..1_000_i64)
            .prop_map(|(person, subject, hour, hours)| Call::AddWait(person, subject, hour, hours)),
        2 => id.clone().prop_map(Call::EndWait),
        1 => (id, "\\PC{0,8}").prop_map(|(id, words)| Call::Keep(id, words)),
        1 => hour.prop_map(Call::Prune),
        1 => Just(Call::Reopen),
    ];
    prop::collection::vec(call, 1..40)
}

#[derive(Default)]
struct Model {
    deliveries: BTreeMap<String, (Timestamp, State)>,
    threads: BTreeMap<Place, (String, Timestamp)>,
    presses: BTreeMap<Press, (String, Timestamp)>,
    waits: Vec<Wait>,
    facts: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Received,
    Begun,
    Ended,
}

fn hour(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// Makes a call on both, compares what they answer, and then everything that can be read.
async fn call(store: &mut Store, directory: &TempDir, model: &mut Model, call: Call) {
    match call {
        Call::Accept(id, at) => {
            let delivery = an_older_delivery(&format!("slack:Ev{id}"), hour(at));
            let expected = if model.deliveries.contains_key(&delivery.id) { Fresh::Seen } else { Fresh::New };
            assert_eq!(store.accept(&delivery).await.expect("accepts"), expected);
            model.deliveries.entry(delivery.id).or_insert((hour(at), State::Received));
        }
        Call::Begin(id) => {
            let id = format!("slack:Ev{id}");
            let ours = model.deliveries.get_mut(&id).filter(|(_, state)| *state == State::Received);
            assert_eq!(store.begin(&id).await.expect("begins"), ours.is_some());
            if let Some((_, state)) = ours {
                *state = State::Begun;
            }
        }
        Call::Finish(id, answered) => {
            let id = format!("slack:Ev{id}");
            let ending = if answered { Ending::Answered } else { Ending::Failed };
            store.finish(&id, ending, now()).await.expect("ends");
            if let Some((_, state)) = model.deliveries.get_mut(&id) {
                *state = State::Ended;
            }
        }
        Call::SetAbout(place, subject, at) => {
            store.set_about(&a_place(place), &subject, hour(at)).await.expect("keeps");
            model.threads.insert(a_place(place), (subject, hour(at)));
        }
        Call::KeepPress(press, at) => {
            let token = store.keep_press(&a_press(press), hour(at)).await.expect("keeps");
            let (known, last) = model.presses.entry(a_press(press)).or_insert((token.clone(), hour(at)));
            assert_eq!(*known, token);
            *last = hour(at).max(*last);
        }
        Call::AddWait(person, subject, at, hours) => add_wait(store, model, person, subject, at, hours).await,
        Call::EndWait(index) => {
            let waits = store.waits().await.expect("reads");
            if let Some(waiting) = waits.get(usize::from(index)) {
                assert!(store.end_wait(&waiting.id).await.expect("ends"));
                assert!(!store.end_wait(&waiting.id).await.expect("ends"));
                model.waits.retain(|wait| *wait != waiting.wait);
            }
        }
        Call::Keep(key, value) => {
            store.keep(&key.to_string(), &value).await.expect("keeps");
            model.facts.insert(key.to_string(), value);
        }
        Call::Prune(at) => {
            let before = model.rows();
            model.prune(hour(at));
            let dropped = u64::try_from(before - model.rows()).expect("it fits");
            assert_eq!(store.prune(hour(at)).await.expect("prunes"), dropped);
        }
        Call::Reopen => {
            store.close().await;
            *store = open(directory.path()).await;
        }
    }
    compare(store, model).await;
}

async fn add_wait(store: &Store, model: &mut Model, person: u8, subject: u8, at: i64, hours: i64) {
    let mut wait = a_wait(&format!("slack:T01:U{person}"), &format!("pod shop/cart-{subject}"));
    (wait.since, wait.until) = (hour(at), hour(at + hours));
    let known = model.waits.iter().position(|old| (&old.person, &old.subject) == (&wait.person, &wait.subject));
    let lasts = known.is_some_and(|index| model.waits[index].until > wait.since);
    assert_eq!(store.add_wait(&wait).await.expect("adds"), !lasts);
    if !lasts {
        known.map(|index| model.waits.remove(index));
        model.waits.push(wait);
    }
}

/// Compares everything that can be read.
async fn compare(store: &Store, model: &Model) {
    let mut unfinished: Vec<_> = model
        .deliveries
        .iter()
        .filter(|(_, (_, state))| *state != State::Ended)
        .map(|(id, (at, state))| Unfinished { delivery: an_older_delivery(id, *at), begun: *state == State::Begun })
        .collect();
    unfinished.sort_by_key(|unfinished| (unfinished.delivery.received_at, unfinished.delivery.id.clone()));
    assert_eq!(store.unfinished(hour(-5_000)).await.expect("reads"), unfinished);
    unfinished.retain(|unfinished| unfinished.delivery.received_at >= now());
    assert_eq!(store.unfinished(now()).await.expect("reads"), unfinished);
    for index in 0..6 {
        let about = model.threads.get(&a_place(index)).map(|(about, _)| about.clone());
        assert_eq!(store.about(&a_place(index)).await.expect("reads"), about);
        let value = model.facts.get(&index.to_string()).cloned();
        assert_eq!(store.recall(&index.to_string()).await.expect("reads"), value);
    }
    for (press, (token, last)) in &model.presses {
        let expired = *last <= now() - SignedDuration::from_hours(30 * 24);
        assert_eq!(store.press(token, now()).await.expect("reads"), (!expired).then(|| press.clone()));
    }
    let order = |wait: &Wait| (wait.since, wait.person.id.clone(), wait.subject.clone());
    let mut waits: Vec<_> = store.waits().await.expect("reads").into_iter().map(|waiting| waiting.wait).collect();
    assert!(waits.is_sorted_by_key(|wait| wait.since));
    let mut expected = model.waits.clone();
    waits.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(waits, expected);
}

impl Model {
    fn rows(&self) -> usize {
        self.deliveries.len() + self.threads.len() + self.presses.len() + self.waits.len()
    }

    fn prune(&mut self, at: Timestamp) {
        let before = |days: i64| at - SignedDuration::from_hours(24 * days);
        self.deliveries.retain(|_, (received_at, _)| *received_at >= before(7));
        self.presses.retain(|_, (_, last)| *last > before(30));
        self.threads.retain(|_, (_, changed_at)| *changed_at >= before(90));
        self.waits.retain(|wait| wait.until >= before(1));
    }
}

fn a_place(index: u8) -> Place {
    match index {
        0 => Place { channel: "slack:C01".to_owned(), thread: None },
        index => a_thread(&(index / 2).to_string()),
    }
}

fn a_press(index: u8) -> Press {
    Press::Command(format!("why pod cart-{index} -n shop"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_its_model_does(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let directory = tempfile::tempdir().expect("a directory");
            let mut store = open(directory.path()).await;
            let mut model = Model::default();
            for next in calls {
                call(&mut store, &directory, &mut model, next).await;
            }
            store.close().await;
        });
    }
}
