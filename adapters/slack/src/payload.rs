//! What comes in, read leniently: nothing of it is ours, and a field that is odd must not lose a click.

mod command;
mod event;
mod interaction;
mod markup;
mod words;

use kubewhy_chat::{Input, Person, Place};
use serde_json::Value;

use crate::way::{Way, is_id, is_time, person_id};

pub(crate) use command::command;
pub(crate) use event::event;
pub(crate) use interaction::{interaction, is_submission};

/// Something that a person sent.
pub(crate) struct Incoming {
    /// The same for each repetition.
    pub(crate) id: String,
    pub(crate) who: Person,
    pub(crate) place: Place,
    pub(crate) input: Input,
    pub(crate) way: Way,
}

/// What a payload is.
pub(crate) enum Heard {
    /// Something that a person sent.
    Question(Box<Incoming>),
    /// It is known, and meant for nobody here: our own message, another bot's, an edit.
    Idle,
    /// The app was removed, or its tokens were revoked.
    Farewell,
    /// It is not known, or cannot be read.
    Strange(&'static str),
}

/// Words at a path of a payload; empty ones are none.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str).filter(|words| !words.is_empty())
}

/// The first of several paths at which an id stands.
fn id_at<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| at(value, path).filter(|id| is_id(id)))
}

/// The first of several paths at which the time of a message stands.
fn time_at<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| at(value, path).filter(|time| is_time(time)))
}

fn somebody(team: &str, user: &str, name: Option<&str>) -> Person {
    Person { id: person_id(team, user), name: name.unwrap_or(user).to_owned(), identity: None }
}
