//! Files that are damaged: said when they are opened, and left as they are.

use std::fs;
use std::path::Path;

use kubewhy_store::{Fresh, Store, StoreError};

use super::file;
use crate::given::{a_delivery, a_store, hours_ago, open, url};

/// Sees that a damaged file is refused and not changed.
async fn check_refused(directory: &Path, what: &str) {
    let before = fs::read(file(directory)).expect("it is there");
    let error = Store::open(&url(directory)).await.expect_err(what);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{what}: {error:?}");
    assert!(error.to_string().contains("is damaged: "), "{what}: {error}");
    assert!(error.remedy().contains("backup"), "{what}: {}", error.remedy());
    assert!(fs::read(file(directory)).expect("it is there") == before, "{what}: it was changed");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    for garbage in [b"kubewhy: not a database".repeat(1_000), vec![0; 8_192], b"short".to_vec(), vec![0xff; 512]] {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(file(directory.path()), &garbage).expect("it can be written");
        check_refused(directory.path(), &format!("{} bytes of garbage", garbage.len())).await;
    }
}

#[tokio::test]
async fn a_file_that_lost_its_end_or_its_middle_is_refused() {
    let (store, directory) = a_store().await;
    for index in 0..300 {
        store.accept(&a_delivery(&format!("slack:Ev{index}"))).await.expect("accepts");
    }
    store.close().await;
    let whole = fs::read(file(directory.path())).expect("it is there");
    assert!(whole.len() > 100_000, "{}", whole.len());
    for kept in [100, 4_096, 5_000, whole.len() / 2, whole.len() - 4_096, whole.len() - 1] {
        fs::write(file(directory.path()), &whole[..kept]).expect("it can be written");
        check_refused(directory.path(), &format!("{kept} of {} bytes", whole.len())).await;
    }
    let mut holed = whole.clone();
    holed[40_960..45_056].fill(0xa5);
    fs::write(file(directory.path()), &holed).expect("it can be written");
    check_refused(directory.path(), "a page overwritten").await;

    fs::write(file(directory.path()), &whole).expect("it can be written");
    let store = open(directory.path()).await;
    assert_eq!(store.unfinished(hours_ago(1)).await.expect("reads").len(), 300);
}

#[tokio::test]
async fn an_emptied_file_beside_its_log_is_refused() {
    let (store, directory) = a_store().await;
    store.accept(&a_delivery("slack:Ev1")).await.expect("accepts");
    let copy = tempfile::tempdir().expect("a directory");
    let log = |directory: &Path| directory.join("kubewhy.db-wal");
    fs::copy(log(directory.path()), log(copy.path())).expect("it is there");
    fs::write(file(copy.path()), []).expect("it can be written");
    check_refused(copy.path(), "an empty file").await;
    assert!(fs::metadata(log(copy.path())).is_ok_and(|log| log.len() > 0), "the log is still there");
}

#[tokio::test]
async fn an_empty_file_is_a_new_store() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(file(directory.path()), []).expect("it can be written");
    let store = open(directory.path()).await;
    assert_eq!(store.accept(&a_delivery("slack:Ev1")).await.expect("accepts"), Fresh::New);
}
