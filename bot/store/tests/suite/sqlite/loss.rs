//! Power that fails and processes that are killed: what was acknowledged is there, and nothing that was not said.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use kubewhy_store::{Ending, Fresh, Store};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::file;
use crate::given::{a_delivery, a_store, hours_ago, now, open};

/// Where the process to be killed has its store.
const DIRECTORY: &str = "KUBEWHY_STORE_TEST_DIRECTORY";

/// What is on the disk now, in another directory: the file and the log, as they are after a power loss.
fn copy(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for name in ["kubewhy.db", "kubewhy.db-wal"] {
        fs::copy(directory.join(name), copy.path().join(name)).expect("it is there");
    }
    copy
}

/// The ids of the deliveries that have not ended, in order.
async fn ids(store: &Store) -> Vec<String> {
    let unfinished = store.unfinished(hours_ago(1)).await.expect("reads");
    unfinished.into_iter().map(|unfinished| unfinished.delivery.id).collect()
}

#[tokio::test]
async fn what_has_returned_survives_a_power_loss_at_any_moment() {
    let (store, directory) = a_store().await;
    let mut expected = Vec::new();
    for index in 0..40 {
        let id = format!("slack:Ev{index:02}");
        store.accept(&a_delivery(&id)).await.expect("accepts");
        expected.push(id.clone());
        assert_eq!(ids(&open(copy(directory.path()).path()).await).await, expected);
        assert!(store.begin(&id).await.expect("begins"));
        let after = open(copy(directory.path()).path()).await;
        assert!(!after.begin(&id).await.expect("begins"), "it was begun before the loss");
        if index % 3 == 0 {
            store.finish(&id, Ending::Answered, now()).await.expect("ends");
            expected.pop();
            let after = open(copy(directory.path()).path()).await;
            assert_eq!(after.accept(&a_delivery(&id)).await.expect("accepts"), Fresh::Seen);
            assert_eq!(ids(&after).await, expected);
        }
        if index == 20 {
            store.prune(now()).await.expect("empties the log");
        }
    }
}

#[tokio::test]
async fn a_log_that_is_torn_anywhere_loses_only_its_end() {
    let (store, directory) = a_store().await;
    store.prune(now()).await.expect("empties the log");
    let all: Vec<_> = (0..12).map(|index| format!("slack:Ev{index:02}")).collect();
    for id in &all {
        store.accept(&a_delivery(id)).await.expect("accepts");
    }
    let log = fs::read(directory.path().join("kubewhy.db-wal")).expect("it is there");
    let mut before = 0;
    for torn_at in (0..log.len()).step_by(1_237).chain([log.len()]) {
        let copy = copy(directory.path());
        fs::write(copy.path().join("kubewhy.db-wal"), &log[..torn_at]).expect("it can be written");
        let found = ids(&open(copy.path()).await).await;
        assert_eq!(found, all[..found.len()], "torn at {torn_at}: the first ones, without a gap");
        assert!(found.len() >= before, "torn at {torn_at}");
        before = found.len();
    }
    assert_eq!(before, all.len(), "nothing is torn off");

    // A block that was never written, or half written, before the end.
    let mut holed = log.clone();
    let middle = log.len() / 2;
    holed[middle..middle + 512].fill(0);
    let copy = copy(directory.path());
    fs::write(copy.path().join("kubewhy.db-wal"), holed).expect("it can be written");
    let found = ids(&open(copy.path()).await).await;
    assert!(!found.is_empty() && found.len() < all.len(), "{found:?}");
    assert_eq!(found, all[..found.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_behind_all_that_it_acknowledged() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return accept_until_killed(Path::new(&directory)).await;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mut process = Command::new(std::env::current_exe().expect("it runs"))
        .args(["--exact", "--nocapture", "sqlite::loss::a_killed_process_leaves_behind_all_that_it_acknowledged"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    let acknowledged = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("ok ").map(str::to_owned));
    let mut ids: Vec<String> = Vec::new();
    for id in acknowledged {
        ids.push(id);
        if ids.len() == 400 {
            process.kill().expect("it is ours");
        }
    }
    process.wait().expect("it ends");
    assert!(ids.len() >= 400, "it ended by itself after {}", ids.len());
    assert!(fs::metadata(directory.path().join("kubewhy.db-wal")).is_ok_and(|log| log.len() > 0), "it was not closed");
    let store = open(directory.path()).await;
    for id in ids {
        assert_eq!(store.accept(&a_delivery(&id)).await.expect("accepts"), Fresh::Seen, "{id}");
    }
    assert!(file(directory.path()).exists());
}

/// What the process does that is killed: the test calls itself.
async fn accept_until_killed(directory: &Path) {
    let store = open(directory).await;
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            for index in 0..10_000 {
                let id = format!("slack:Ev{task}-{index}");
                store.accept(&a_delivery(&id)).await.expect("accepts");
                writeln!(std::io::stdout(), "ok {id}").expect("somebody reads");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_file_that_was_taken_away_while_it_is_open_is_a_store_that_is_lost() {
    let (store, directory) = a_store().await;
    store.is_writable().await.expect("writes");
    let file = file(directory.path());
    fs::rename(&file, directory.path().join("elsewhere")).expect("moves");
    store.is_writable().await.expect_err("it is not there");
    fs::write(&file, "").expect("writes");
    store.is_writable().await.expect_err("it is another");
}
