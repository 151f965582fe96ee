//! Files that other versions of the program wrote.

use std::fs;

use kubewhy_chat::Press;
use kubewhy_store::{Fresh, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _};

use super::{another_program, file};
use crate::given::{a_delivery, a_store, a_thread, a_wait, hours_ago, now, open, url};

/// What the first version wrote: `sqlite3 kubewhy.db .dump`, after one call of each kind.
const FIRST: &str = include_str!("version-1.sql");

#[tokio::test]
async fn what_the_first_version_wrote_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(file(directory.path()), []).expect("it can be written");
    let mut other = another_program(directory.path()).await;
    sqlx::raw_sql(AssertSqlSafe(FIRST)).execute(&mut other).await.expect("it can be written");
    other.close().await.expect("it closes");

    let store = open(directory.path()).await;
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    assert_eq!(unfinished.len(), 1);
    assert_eq!((&unfinished[0].delivery, unfinished[0].begun), (&a_delivery("slack:Ev1"), true));
    assert_eq!(store.accept(&a_delivery("slack:Ev2")).await.expect("accepts"), Fresh::Seen);
    assert_eq!(store.about(&a_thread("1")).await.expect("reads").as_deref(), Some("pod shop/cart"));
    let waits: Vec<_> = store.waits().await.expect("reads").into_iter().map(|waiting| waiting.wait).collect();
    assert_eq!(waits, [a_wait("slack:T01:U01", "pod shop/cart")]);
    let press = Press::Command("why pod cart -n shop".to_owned());
    let token = store.keep_press(&press, now()).await.expect("keeps");
    assert!(FIRST.contains(&token), "the token that was given out by the first version: {token}");
    assert_eq!(store.recall("fact").await.expect("reads").as_deref(), Some("value"));
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_refused_and_left_as_it_is() {
    let (store, directory) = a_store().await;
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    store.close().await;
    let mut other = another_program(directory.path()).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (7, 'incidents', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut other).await.expect("it can be written");
    other.close().await.expect("it closes");

    let before = fs::read(file(directory.path())).expect("it is there");
    let error = Store::open(&url(directory.path())).await.expect_err("it is newer");
    let StoreError::Newer { found: 7, known, .. } = &error else { panic!("{error:?}") };
    let place = file(directory.path()).display().to_string();
    let expected = format!(
        "the store \"{place}\" has version 7, written by a newer kubewhy; this one knows versions up to {known}"
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.remedy().starts_with("run the newer kubewhy"), "{}", error.remedy());
    assert!(fs::read(file(directory.path())).expect("it is there") == before, "it was changed");
}

#[tokio::test]
async fn a_version_whose_statements_are_others_is_refused() {
    let (store, directory) = a_store().await;
    store.close().await;
    let mut other = another_program(directory.path()).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut other).await.expect("it can be written");
    other.close().await.expect("it closes");
    let error = Store::open(&url(directory.path())).await.expect_err("it is another");
    assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
}
