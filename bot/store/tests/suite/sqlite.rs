//! What SQLite does with its file: power loss, damage, locks, versions.

mod damage;
mod loss;
mod versions;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kubewhy_chat::Press;
use kubewhy_store::{Ending, Fresh, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::given::{a_delivery, a_store, a_thread, a_wait, days_later, hours_ago, now, open, url};

/// The file of the store in a directory.
fn file(directory: &Path) -> std::path::PathBuf {
    directory.join("kubewhy.db")
}

/// Opens the file in a directory as another program would.
async fn another_program(directory: &Path) -> SqliteConnection {
    SqliteConnection::connect(&url(directory)).await.expect("it opens")
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (store, directory) = a_store().await;
    let press = Press::Command("why pod cart".to_owned());
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    store.begin("slack:Ev1").await.expect("begins");
    let token = store.keep_press(&press, now()).await.expect("keeps");
    store.set_about(&a_thread("1"), "pod shop/cart", now()).await.expect("keeps");
    store.add_wait(&a_wait("slack:T01:U01", "pod shop/cart")).await.expect("adds");
    store.keep("fact", "value").await.expect("keeps");
    store.close().await;

    let store = open(directory.path()).await;
    assert_eq!(store.accept(&a_delivery("slack:Ev1")).await.expect("accepts"), Fresh::Seen);
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    assert_eq!(unfinished.len(), 1);
    assert_eq!((&unfinished[0].delivery, unfinished[0].begun), (&a_delivery("slack:Ev1"), true));
    assert_eq!(store.press(&token, now()).await.expect("reads"), Some(press));
    assert_eq!(store.about(&a_thread("1")).await.expect("reads").as_deref(), Some("pod shop/cart"));
    assert_eq!(store.waits().await.expect("reads").len(), 1);
    assert_eq!(store.recall("fact").await.expect("reads").as_deref(), Some("value"));
}

#[tokio::test]
async fn only_its_owner_can_read_the_files() {
    let (store, directory) = a_store().await;
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    let mut files = 0;
    for entry in fs::read_dir(directory.path()).expect("it can be listed") {
        let entry = entry.expect("it can be read");
        let mode = entry.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log, and what connections share");
}

#[tokio::test]
async fn what_was_asked_is_in_no_file_when_it_has_ended() {
    let (store, directory) = a_store().await;
    for index in 0..50 {
        let id = format!("slack:Ev{index}");
        store.accept(&a_delivery(&id)).await.expect("accepts");
        if index % 2 == 0 {
            store.begin(&id).await.expect("begins");
        }
    }
    assert!(holds(directory.path(), "canary-of-an-address"));
    assert!(holds(directory.path(), "why pod cart"));
    for index in 0..50 {
        store.finish(&format!("slack:Ev{index}"), Ending::Answered, now()).await.expect("ends");
    }
    store.prune(now()).await.expect("prunes");
    assert!(!holds(directory.path(), "canary-of-an-address"));
    assert!(!holds(directory.path(), "why pod cart"));
    assert!(holds(directory.path(), "slack:Ev49"), "the id stays");
}

/// Whether any file in a directory has these bytes in it.
fn holds(directory: &Path, words: &str) -> bool {
    fs::read_dir(directory).expect("it can be listed").any(|entry| {
        let bytes = fs::read(entry.expect("it can be read").path()).expect("it can be read");
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

#[tokio::test]
async fn a_lock_of_another_process_is_named_and_nothing_is_half_done() {
    let (store, directory) = a_store().await;
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    let mut other = another_program(directory.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("it gets the lock");

    let (second, third) = (a_delivery("slack:Ev2"), a_delivery("slack:Ev3"));
    let (alone, writable) = tokio::join!(store.accept(&second), store.is_writable());
    let together = tokio::join!(store.accept(&second), store.accept(&third), store.begin("slack:Ev1"));
    let results = [alone.err(), writable.err(), together.0.err(), together.1.err(), together.2.err()];
    for error in &results {
        assert!(matches!(error, Some(StoreError::Locked { .. })), "{error:?}");
    }
    let error = results[0].as_ref().expect("it failed");
    let place = file(directory.path()).display().to_string();
    assert_eq!(
        error.to_string(),
        format!("cannot keep a delivery: the store \"{place}\" is locked by another process")
    );
    assert!(error.is_retryable());
    assert_eq!(store.unfinished(hours_ago(1)).await.expect("reading goes on").len(), 1);

    let error = Store::open(&url(directory.path())).await.expect_err("nor can it be opened");
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");

    sqlx::query("ROLLBACK").execute(&mut other).await.expect("it gives the lock back");
    assert_eq!(store.accept(&second).await.expect("accepts"), Fresh::New);
    assert_eq!(store.accept(&third).await.expect("accepts"), Fresh::New);
    assert!(store.begin("slack:Ev1").await.expect("begins"));
    store.is_writable().await.expect("writes");
}

#[tokio::test]
async fn where_no_file_can_be_is_said_with_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing");
    let error = Store::open(&url(&missing)).await.expect_err("there is no such directory");
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("there is no directory \"{}\"", missing.display())), "{error}");
    assert_eq!(error.remedy(), format!("create the directory \"{}\"", missing.display()));

    fs::create_dir(file(directory.path())).expect("a directory in its place");
    let error = Store::open(&url(directory.path())).await.expect_err("it is a directory");
    assert!(error.to_string().ends_with("it is not a file"), "{error}");
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_refused() {
    let (store, directory) = a_store().await;
    store.close().await;
    fs::set_permissions(file(directory.path()), fs::Permissions::from_mode(0o444)).expect("it is ours");
    let error = Store::open(&url(directory.path())).await.expect_err("it is read-only");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot open the store: "), "{error}");
    assert!(error.remedy().contains("writable"), "{}", error.remedy());
}

#[tokio::test]
async fn what_this_program_cannot_read_is_left_out_and_hides_nothing_else() {
    let (store, directory) = a_store().await;
    for id in ["slack:Ev1", "slack:Ev2"] {
        store.accept(&a_delivery(id)).await.expect("accepts");
        store.add_wait(&a_wait(id, "pod shop/cart")).await.expect("adds");
    }
    let token = store.keep_press(&Press::Command("why".to_owned()), now()).await.expect("keeps");
    let mut other = another_program(directory.path()).await;
    for statement in [
        "UPDATE deliveries SET request = '{\"who\":' WHERE id = 'slack:Ev1'",
        "UPDATE waits SET person = 'null' WHERE person_id = 'slack:Ev1'",
        "UPDATE presses SET press = '{\"later\":1}'",
    ] {
        sqlx::query(statement).execute(&mut other).await.expect("it can be written");
    }
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    assert_eq!(unfinished.iter().map(|left| left.delivery.id.as_str()).collect::<Vec<_>>(), ["slack:Ev2"]);
    let waits = store.waits().await.expect("reads");
    assert_eq!(waits.iter().map(|left| left.wait.person.id.as_str()).collect::<Vec<_>>(), ["slack:Ev2"]);
    let error = store.press(&token, now()).await.expect_err("it cannot be read");
    assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
}

#[tokio::test]
async fn a_store_that_takes_no_write_is_not_opened() {
    let (store, directory) = a_store().await;
    store.close().await;
    let mut other = another_program(directory.path()).await;
    for event in ["INSERT", "UPDATE"] {
        let trigger = format!("CREATE TRIGGER no_{event} BEFORE {event} ON facts BEGIN SELECT RAISE(ABORT, 'no'); END");
        sqlx::query(AssertSqlSafe(trigger)).execute(&mut other).await.expect("it can be written");
    }
    other.close().await.expect("it closes");
    let error = Store::open(&url(directory.path())).await.expect_err("it takes no write");
    assert!(error.to_string().starts_with("cannot write in the store \""), "{error}");
}

#[tokio::test]
async fn the_first_ending_stays() {
    let (store, directory) = a_store().await;
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    store.finish("slack:Ev1", Ending::Failed, now()).await.expect("ends");
    store.finish("slack:Ev1", Ending::Answered, days_later(1)).await.expect("changes nothing");
    let mut other = another_program(directory.path()).await;
    let found: (String, i64) =
        sqlx::query_as("SELECT state, ended_at FROM deliveries").fetch_one(&mut other).await.expect("it can be read");
    assert_eq!(found, ("failed".to_owned(), now().as_millisecond()));
}
