//! Many at once: each thing is done by one of them, and what was acknowledged is there.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use kubewhy_store::{Ending, Fresh, Store};
use tokio::task::JoinSet;

use crate::given::{a_delivery, a_store, a_thread, a_wait, hours_ago, now, open, url};

/// How many ask at once.
const MANY: usize = 100;

/// Calls many times at once, in turn on each of some stores, and says how often the answer was yes.
async fn count_yes<C, F>(stores: &[Store], call: C) -> usize
where
    C: Fn(Store, usize) -> F,
    F: Future<Output = bool> + Send + 'static,
{
    let calls: JoinSet<bool> =
        stores.iter().cycle().take(MANY).enumerate().map(|(index, store)| call(store.clone(), index)).collect();
    calls.join_all().await.into_iter().filter(|yes| *yes).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_does_it() {
    let (store, directory) = a_store().await;
    let beside = open(directory.path()).await;
    one_of_many_does_it_on(std::slice::from_ref(&store), "slack:Ev1").await;
    // As if another process had the same file open.
    one_of_many_does_it_on(&[store, beside], "slack:Ev2").await;
    let memory = Store::open("sqlite::memory:").await.expect("it opens");
    one_of_many_does_it_on(&[memory], "slack:Ev1").await;
}

async fn one_of_many_does_it_on(stores: &[Store], id: &'static str) {
    let accepted = count_yes(stores, move |store, _| async move {
        store.accept(&a_delivery(id)).await.expect("accepts") == Fresh::New
    });
    assert_eq!(accepted.await, 1, "accepted");
    let begun = count_yes(stores, move |store, _| async move { store.begin(id).await.expect("begins") });
    assert_eq!(begun.await, 1, "begun");
    let added =
        count_yes(
            stores,
            move |store, _| async move { store.add_wait(&a_wait("slack:T01:U01", id)).await.expect("adds") },
        );
    assert_eq!(added.await, 1, "added");
    let waits = stores[0].waits().await.expect("reads");
    let ended = count_yes(stores, move |store, _| {
        let id = waits[0].id.clone();
        async move { store.end_wait(&id).await.expect("ends") }
    });
    assert_eq!(ended.await, 1, "ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_things_do_not_get_into_each_others_way() {
    let (store, _directory) = a_store().await;
    let stores = [store.clone()];
    let done = count_yes(&stores, |store, index| async move {
        let id = format!("slack:Ev{index}");
        let thread = a_thread(&index.to_string());
        let new = store.accept(&a_delivery(&id)).await.expect("accepts") == Fresh::New;
        let begun = store.begin(&id).await.expect("begins");
        store.set_about(&thread, &id, now()).await.expect("keeps");
        let about = store.about(&thread).await.expect("reads");
        if index % 2 == 0 {
            store.finish(&id, Ending::Answered, now()).await.expect("ends");
        }
        new && begun && about == Some(id)
    });
    assert_eq!(done.await, MANY);
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    assert_eq!(unfinished.len(), MANY / 2);
    assert!(unfinished.iter().all(|unfinished| unfinished.begun));
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_written() {
    let (store, _directory) = a_store().await;
    for index in 0..MANY {
        let delivery = a_delivery(&format!("slack:Ev{index}"));
        let mut accept = pin!(store.accept(&delivery));
        // The one that writes cannot run before this has been dropped: there is one thread.
        let done = poll_fn(|context| Poll::Ready(accept.as_mut().poll(context).is_ready())).await;
        assert!(!done, "it was stored at once");
    }
    let last = a_delivery("slack:last");
    assert_eq!(store.accept(&last).await.expect("accepts"), Fresh::New);
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    assert_eq!(unfinished.into_iter().map(|left| left.delivery).collect::<Vec<_>>(), [last]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_can_make_the_same_store_at_once() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().expect("a directory");
        let url = url(directory.path());
        let opens: JoinSet<_> = (0..4)
            .map(|_| {
                let url = url.clone();
                async move { Store::open(&url).await }
            })
            .collect();
        for opened in opens.join_all().await {
            opened.expect("it opens").is_writable().await.expect("writes");
        }
    }
}
