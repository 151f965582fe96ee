//! What a disk that fills up or turns read-only under a running store does to it.

use kubewhy_chat::{Address, Delivery, Input, Person, Place, Request, samples};
use tokio::task::JoinSet;

use crate::{Fresh, Store, StoreError};

async fn a_store() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("kubewhy.db").display());
    (Store::open(&url).await.expect("it opens"), directory)
}

fn a_delivery(index: usize, letters: usize) -> Delivery {
    let request = Request { who: Person::default(), place: Place::default(), input: Input::Line("x".repeat(letters)) };
    Delivery { id: format!("slack:Ev{index}"), request, address: Address(String::new()), received_at: samples::now() }
}

/// Sets a pragma on the connection that writes.
async fn set(store: &Store, pragma: &'static str) {
    sqlx::query(pragma).fetch_all(&store.database.writing).await.expect("it is set");
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest() {
    let (store, _directory) = a_store().await;
    assert_eq!(store.accept(&a_delivery(0, 10)).await.expect("accepts"), Fresh::New);
    set(&store, "PRAGMA max_page_count = 40").await;
    let tasks: JoinSet<_> = (1..=20)
        .map(|index| {
            let store = store.clone();
            // One in four does not fit at all; the others do, whoever they are written together with.
            let letters = if index % 4 == 0 { 200_000 } else { 10 };
            async move { (index, letters, store.accept(&a_delivery(index, letters)).await) }
        })
        .collect();
    let mut expected = vec!["slack:Ev0".to_owned()];
    for (index, letters, result) in tasks.join_all().await {
        match result {
            Ok(fresh) => {
                assert_eq!((fresh, letters), (Fresh::New, 10), "{index}");
                expected.push(format!("slack:Ev{index}"));
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
                assert!(error.to_string().starts_with("cannot keep a delivery: the disk of the store \""), "{error}");
                assert!(error.to_string().ends_with("\" is full"), "{error}");
                assert_eq!(letters, 200_000, "{index}");
            }
        }
    }
    expected.sort();
    let unfinished = store.unfinished(samples::now()).await.expect("reads");
    let mut found: Vec<_> = unfinished.into_iter().map(|unfinished| unfinished.delivery.id).collect();
    found.sort();
    assert_eq!(found.len(), 16);
    assert_eq!(found, expected);

    set(&store, "PRAGMA max_page_count = 4000").await;
    assert_eq!(store.accept(&a_delivery(4, 200_000)).await.expect("there is room"), Fresh::New);
}

#[tokio::test]
async fn a_store_that_turns_read_only_says_so_and_still_answers() {
    let (store, _directory) = a_store().await;
    store.accept(&a_delivery(0, 10)).await.expect("accepts");
    set(&store, "PRAGMA query_only = ON").await;
    let error = store.is_writable().await.expect_err("it cannot be written");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    let (one, other) = (a_delivery(1, 10), a_delivery(2, 10));
    let (one, other) = tokio::join!(store.accept(&one), store.accept(&other));
    for result in [one, other] {
        assert!(matches!(result, Err(StoreError::ReadOnly { .. })), "{result:?}");
    }
    assert_eq!(store.unfinished(samples::now()).await.expect("reading goes on").len(), 1);
    set(&store, "PRAGMA query_only = OFF").await;
    store.is_writable().await.expect("it can be written again");
}

#[tokio::test]
async fn one_write_at_fault_does_not_take_the_others_with_it() {
    let (store, _directory) = a_store().await;
    set(
        &store,
        "CREATE TRIGGER fault BEFORE INSERT ON deliveries WHEN NEW.id = 'slack:Ev7' \
        BEGIN SELECT RAISE(ABORT, 'a fault'); END",
    )
    .await;
    let tasks: JoinSet<_> = (0..20)
        .map(|index| {
            let store = store.clone();
            async move { (index, store.accept(&a_delivery(index, 10)).await) }
        })
        .collect();
    for (index, result) in tasks.join_all().await {
        match result {
            Ok(fresh) => assert_eq!((fresh, index != 7), (Fresh::New, true), "{index}"),
            Err(error) => {
                assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
                assert_eq!(index, 7, "{error}");
            }
        }
    }
    assert_eq!(store.unfinished(samples::now()).await.expect("reads").len(), 19);
}
