//! What every store does. Each function takes a store without anything in it.

use jiff::SignedDuration;
use kubewhy_chat::{Memory, Place, Press};
use kubewhy_store::{Ending, Fresh, Store, Unfinished};

use crate::given::{a_delivery, a_store, a_thread, a_wait, an_older_delivery, days_later, hours_ago, inputs, now};

macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test]
            async fn $name() {
                let (store, _directory) = super::a_store().await;
                super::$name(store).await;
            })*
        }
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Store::open("sqlite::memory:").await.expect("it opens")).await;
            })*
        }
    };
}

on_every_store! {
    a_repeated_delivery_is_seen_whatever_became_of_it,
    what_is_unfinished_comes_back_as_it_was_the_oldest_first,
    one_delivery_is_begun_once,
    what_has_ended_stays_ended,
    a_thread_keeps_what_it_is_about,
    a_token_leads_to_its_press_for_thirty_days,
    a_long_press_is_kept_as_well,
    a_person_waits_once_for_the_same,
    a_wait_ends_once,
    a_wait_that_is_over_makes_room_for_the_next,
    facts_are_kept,
    the_store_takes_writes,
    what_is_old_is_dropped,
}

async fn a_repeated_delivery_is_seen_whatever_became_of_it(store: Store) {
    let delivery = a_delivery("slack:Ev1");
    assert_eq!(store.accept(&delivery).await.expect("accepts"), Fresh::New);
    let mut again = delivery.clone();
    again.received_at += SignedDuration::from_mins(5);
    assert_eq!(store.accept(&again).await.expect("accepts"), Fresh::Seen);
    assert!(store.begin("slack:Ev1").await.expect("begins"));
    assert_eq!(store.accept(&again).await.expect("accepts"), Fresh::Seen);
    store.finish("slack:Ev1", Ending::Answered, now()).await.expect("ends");
    assert_eq!(store.accept(&again).await.expect("accepts"), Fresh::Seen);
    assert_eq!(store.unfinished(hours_ago(1)).await.expect("reads"), []);
    assert_eq!(store.accept(&a_delivery("slack:Ev2")).await.expect("accepts"), Fresh::New);
}

async fn what_is_unfinished_comes_back_as_it_was_the_oldest_first(store: Store) {
    let mut deliveries = Vec::new();
    for (index, input) in (0..).zip(inputs()) {
        let mut delivery = an_older_delivery(&format!("slack:Ev{index}\u{1f4a5}'"), hours_ago(index));
        delivery.request.input = input;
        store.accept(&delivery).await.expect("accepts");
        deliveries.insert(0, Unfinished { delivery, begun: false });
    }
    assert_eq!(store.unfinished(hours_ago(100)).await.expect("reads"), deliveries);
    assert_eq!(store.unfinished(hours_ago(1)).await.expect("reads"), deliveries[3..]);
    let first = &mut deliveries[0];
    assert!(store.begin(&first.delivery.id).await.expect("begins"));
    first.begun = true;
    store.finish(&deliveries[1].delivery.id, Ending::Failed, now()).await.expect("ends");
    deliveries.remove(1);
    assert_eq!(store.unfinished(hours_ago(100)).await.expect("reads"), deliveries);
}

async fn one_delivery_is_begun_once(store: Store) {
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    assert!(store.begin("slack:Ev1").await.expect("begins"));
    assert!(!store.begin("slack:Ev1").await.expect("begins"), "twice");
    assert!(!store.begin("slack:Ev2").await.expect("begins"), "never accepted");
}

async fn what_has_ended_stays_ended(store: Store) {
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    store.finish("slack:Ev1", Ending::Failed, now()).await.expect("ends without having been begun");
    assert!(!store.begin("slack:Ev1").await.expect("begins"), "it has ended");
    store.finish("slack:Ev1", Ending::Answered, now()).await.expect("changes nothing");
    store.finish("slack:Ev2", Ending::Answered, now()).await.expect("changes nothing");
    assert_eq!(store.accept(&a_delivery("slack:Ev2")).await.expect("accepts"), Fresh::New);
}

async fn a_thread_keeps_what_it_is_about(store: Store) {
    let channel = Place { channel: "slack:C01".to_owned(), thread: None };
    assert_eq!(store.about(&a_thread("1")).await.expect("reads"), None);
    store.set_about(&a_thread("1"), "pod shop/cart", now()).await.expect("keeps");
    store.set_about(&a_thread("2"), "pod shop/web", now()).await.expect("keeps");
    store.set_about(&a_thread("1"), "node n1\u{202e}", now()).await.expect("keeps");
    assert_eq!(store.about(&a_thread("1")).await.expect("reads").as_deref(), Some("node n1\u{202e}"));
    assert_eq!(store.about(&a_thread("2")).await.expect("reads").as_deref(), Some("pod shop/web"));
    assert_eq!(store.about(&channel).await.expect("reads"), None);
    store.set_about(&channel, "all", now()).await.expect("keeps");
    assert_eq!(store.about(&channel).await.expect("reads").as_deref(), Some("all"));
}

async fn a_token_leads_to_its_press_for_thirty_days(store: Store) {
    let press = Press::Command("why pod cart -n shop --since 2h".to_owned());
    let token = store.keep_press(&press, now()).await.expect("keeps");
    assert_eq!(token.len(), 32, "{token}");
    assert!(token.chars().all(|digit| digit.is_ascii_hexdigit()), "{token}");
    assert!(Press::Token(token.clone()).encode(24).is_some(), "every platform can carry it");
    let other = store.keep_press(&Press::Link("https://example.com".to_owned()), now()).await.expect("keeps");
    assert_ne!(token, other);
    assert_eq!(store.press(&token, now()).await.expect("reads"), Some(press.clone()));
    assert_eq!(store.press(&token, days_later(29)).await.expect("reads"), Some(press.clone()));
    assert_eq!(store.press(&token, days_later(30)).await.expect("reads"), None, "expired");
    for made_up in ["", "0", "' OR ''='", &token.to_uppercase(), &"0".repeat(32)] {
        assert_eq!(store.press(made_up, now()).await.expect("reads"), None, "{made_up}");
    }
    let again = store.keep_press(&press, days_later(10)).await.expect("keeps");
    assert_eq!(again, token);
    store.keep_press(&press, now()).await.expect("an earlier time takes nothing away");
    assert_eq!(store.press(&token, days_later(39)).await.expect("reads"), Some(press));
}

async fn a_long_press_is_kept_as_well(store: Store) {
    let press = Press::Command("é".repeat(50_000));
    let token = store.keep_press(&press, now()).await.expect("keeps");
    let again = store.keep_press(&press, now()).await.expect("keeps");
    for token in [token, again] {
        assert_eq!(store.press(&token, now()).await.expect("reads"), Some(press.clone()));
    }
}

async fn a_person_waits_once_for_the_same(store: Store) {
    let wait = a_wait("slack:T01:U01", "pod shop/cart");
    assert!(store.add_wait(&wait).await.expect("adds"));
    assert!(!store.add_wait(&wait).await.expect("adds"), "the same again");
    let mut later = wait.clone();
    later.since = days_later(0) + SignedDuration::from_secs(1);
    later.until = days_later(2);
    "Grace".clone_into(&mut later.person.name);
    assert!(!store.add_wait(&later).await.expect("adds"), "the first still lasts");
    let somebody_else = a_wait("slack:T01:U02", "pod shop/cart");
    let something_else = a_wait("slack:T01:U01", "pod shop/web");
    let mut elsewhere = wait.clone();
    elsewhere.place.thread = None;
    for other in [&somebody_else, &something_else, &elsewhere] {
        assert!(store.add_wait(other).await.expect("adds"));
    }
    let mut waits: Vec<_> = store.waits().await.expect("reads").into_iter().map(|waiting| waiting.wait).collect();
    waits.sort_by_key(|wait| (wait.place.clone(), wait.person.id.clone(), wait.subject.clone()));
    assert_eq!(waits, [elsewhere, wait, something_else, somebody_else]);
}

async fn a_wait_ends_once(store: Store) {
    let wait = a_wait("slack:T01:U01", "pod shop/cart");
    store.add_wait(&wait).await.expect("adds");
    let waits = store.waits().await.expect("reads");
    assert_eq!(waits.iter().map(|waiting| &waiting.wait).collect::<Vec<_>>(), [&wait]);
    assert!(store.end_wait(&waits[0].id).await.expect("ends"));
    assert!(!store.end_wait(&waits[0].id).await.expect("ends"), "it has ended before");
    assert!(!store.end_wait("").await.expect("ends"), "nobody");
    assert_eq!(store.waits().await.expect("reads"), []);
    assert!(store.add_wait(&wait).await.expect("adds"), "it can be asked for again");
    assert!(!store.end_wait(&waits[0].id).await.expect("ends"), "the new one is another");
    assert_eq!(store.waits().await.expect("reads").len(), 1);
}

async fn a_wait_that_is_over_makes_room_for_the_next(store: Store) {
    let wait = a_wait("slack:T01:U01", "pod shop/cart");
    store.add_wait(&wait).await.expect("adds");
    let mut next = wait.clone();
    next.since = wait.until;
    next.until = days_later(5);
    assert!(store.add_wait(&next).await.expect("adds"));
    let waits: Vec<_> = store.waits().await.expect("reads").into_iter().map(|waiting| waiting.wait).collect();
    assert_eq!(waits, [next]);
}

async fn facts_are_kept(store: Store) {
    assert_eq!(store.recall("discord/commands").await.expect("reads"), None);
    store.keep("discord/commands", "1").await.expect("keeps");
    store.keep("discord/commands", "2\n").await.expect("keeps");
    assert_eq!(store.recall("discord/commands").await.expect("reads").as_deref(), Some("2\n"));
    let memory: &dyn Memory = &store;
    memory.keep("slack/team", "T01").await;
    assert_eq!(memory.recall("slack/team").await.as_deref(), Some("T01"));
    assert_eq!(memory.recall("nothing").await, None);
    store.close().await;
    memory.keep("slack/team", "T02").await;
    assert_eq!(memory.recall("slack/team").await, None, "a closed store remembers nothing, and does not panic");
}

async fn the_store_takes_writes(store: Store) {
    store.is_writable().await.expect("writes");
    store.is_writable().await.expect("writes again");
    store.close().await;
    store.is_writable().await.expect_err("it is closed");
}

async fn what_is_old_is_dropped(store: Store) {
    let press = Press::Command("why".to_owned());
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    store.accept(&a_delivery("slack:Ev2")).await.expect("accepts");
    store.finish("slack:Ev2", Ending::Answered, now()).await.expect("ends");
    let token = store.keep_press(&press, now()).await.expect("keeps");
    store.set_about(&a_thread("1"), "pod shop/cart", now()).await.expect("keeps");
    store.add_wait(&a_wait("slack:T01:U01", "pod shop/cart")).await.expect("adds");
    store.keep("a fact", "stays").await.expect("keeps");

    let millisecond = SignedDuration::from_millis(1);
    let day = async |days, dropped| {
        assert_eq!(store.prune(days_later(days)).await.expect("prunes"), 0, "day {days}");
        assert_eq!(store.prune(days_later(days) + millisecond).await.expect("prunes"), dropped, "after day {days}");
    };
    day(2, 1).await;
    assert_eq!(store.waits().await.expect("reads"), []);
    day(7, 2).await;
    assert_eq!(store.unfinished(hours_ago(1)).await.expect("reads"), []);
    assert_eq!(store.accept(&a_delivery("slack:Ev1")).await.expect("accepts"), Fresh::New);
    assert_eq!(store.prune(days_later(8)).await.expect("prunes"), 1);
    assert_eq!(store.press(&token, days_later(8)).await.expect("reads"), Some(press));
    assert_eq!(store.prune(days_later(30)).await.expect("prunes"), 1, "the press");
    day(90, 1).await;
    assert_eq!(store.about(&a_thread("1")).await.expect("reads"), None);
    assert_eq!(store.prune(days_later(1000)).await.expect("prunes"), 0);
    assert_eq!(store.recall("a fact").await.expect("reads").as_deref(), Some("stays"));
}
