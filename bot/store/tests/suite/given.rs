//! What the tests begin with.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{Address, Delivery, Identity, Input, Person, Place, Press, Request, Standing};
use kubewhy_store::{Store, Wait};

/// The time at which the tests are run: always the same.
pub(crate) fn now() -> Timestamp {
    kubewhy_chat::samples::now()
}

/// Some time before [`now`].
pub(crate) fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

/// A time of day after [`now`].
pub(crate) fn days_later(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

/// A store in a file of its own, and the directory that it stands in as long as that is held.
pub(crate) async fn a_store() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    (open(directory.path()).await, directory)
}

/// Opens the store in a directory.
pub(crate) async fn open(directory: &Path) -> Store {
    Store::open(&url(directory)).await.expect("the store opens")
}

pub(crate) fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("kubewhy.db").display())
}

/// A place with a thread.
pub(crate) fn a_thread(thread: &str) -> Place {
    Place { channel: "slack:C01".to_owned(), thread: Some(thread.to_owned()) }
}

pub(crate) fn a_person(id: &str) -> Person {
    let groups = ["slack:S01".to_owned()].into();
    Person {
        id: id.to_owned(),
        name: "Ada \u{202e}\0 <!channel>".to_owned(),
        identity: Some(Identity { standing: Standing::Member, groups }),
    }
}

/// A delivery that arrived at [`now`].
pub(crate) fn a_delivery(id: &str) -> Delivery {
    an_older_delivery(id, now())
}

pub(crate) fn an_older_delivery(id: &str, received_at: Timestamp) -> Delivery {
    Delivery {
        id: id.to_owned(),
        request: Request {
            who: a_person("slack:T01:U01"),
            place: a_thread("17.2"),
            input: Input::Line("why pod cart -n shop".to_owned()),
        },
        address: Address("{\"token\":\"canary-of-an-address\"}".to_owned()),
        received_at,
    }
}

/// One of each input.
pub(crate) fn inputs() -> Vec<Input> {
    vec![
        Input::Line("'; DROP TABLE deliveries; --\0\n\u{1f4a5}".to_owned()),
        Input::Line(String::new()),
        Input::Press(Press::Token("0aF".to_owned())),
        Input::Form {
            token: "t".to_owned(),
            values: BTreeMap::from([("reason".to_owned(), "{\"$1\": null}".to_owned())]),
        },
        Input::Shortcut("x".repeat(1_000_000)),
    ]
}

/// A wait that began at [`now`] and lasts a day.
pub(crate) fn a_wait(person: &str, subject: &str) -> Wait {
    Wait {
        place: a_thread("17.2"),
        person: a_person(person),
        subject: subject.to_owned(),
        since: now(),
        until: days_later(1),
    }
}
