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

/// Accepts deliveries at once, each with so many letters.
async fn accept_at_once(
    store: &Store,
    indexes: std::ops::Range<usize>,
    letters: impl Fn(usize) -> usize,
) -> Vec<(usize, Result<Fresh, StoreError>)> {
    let mut tasks = JoinSet::new();
    for index in indexes {
        let (store, delivery) = (store.clone(), a_delivery(index, letters(index)));
        tasks.spawn(async move { (index, store.accept(&delivery).await) });
    }
    tasks.join_all().await
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
    // One in four does not fit at all; the others do, whoever they are written together with.
    let letters = |index| if index % 4 == 0 { 200_000 } else { 10 };
    let mut expected = vec!["slack:Ev0".to_owned()];
    for (index, result) in accept_at_once(&store, 1..21, letters).await {
        match result {
            Ok(fresh) => {
                assert_eq!((fresh, letters(index)), (Fresh::New, 10), "{index}");
                expected.push(format!("slack:Ev{index}"));
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
                assert!(error.to_string().starts_with("cannot keep a delivery: the disk of the store \""), "{error}");
                assert!(error.to_string().ends_with("\" is full"), "{error}");
                assert_eq!(letters(index), 200_000, "{index}");
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
    // The second takes the whole transaction back, as the database itself does on some errors of the disk.
    for fault in ["ABORT", "ROLLBACK"] {
        let (store, _directory) = a_store().await;
        let trigger = format!(
            "CREATE TRIGGER fault BEFORE INSERT ON deliveries WHEN NEW.id = 'slack:Ev7' \
            BEGIN SELECT RAISE({fault}, 'a fault'); END"
        );
        sqlx::query(sqlx::AssertSqlSafe(trigger)).execute(&store.database.writing).await.expect("it is made");
        for round in 0..3 {
            for (index, result) in accept_at_once(&store, 20 * round..20 * (round + 1), |_| 10).await {
                let at_fault = matches!(result, Err(StoreError::Other { .. }));
                assert!(at_fault || matches!(result, Ok(Fresh::New)), "{index}: {result:?}");
                assert_eq!(at_fault, index == 7, "{index}");
            }
        }
        assert_eq!(store.unfinished(samples::now()).await.expect("reads").len(), 59, "{fault}");
    }
}
