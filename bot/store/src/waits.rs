//! Who waits to be told that something is healthy.

use jiff::Timestamp;
use kubewhy_chat::{Person, Place};
use sqlx::Row as _;

use crate::database::{Row, Write};
use crate::time::{from_stored, to_stored};
use crate::{Store, StoreError, token};

/// A person who waits to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Where to tell.
    pub place: Place,
    /// Whom.
    pub person: Person,
    /// Of what.
    pub subject: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when at most.
    pub until: Timestamp,
}

/// A wait that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its identity, for [`Store::end_wait`].
    pub id: String,
    /// Who waits for what.
    pub wait: Wait,
}

impl Store {
    /// Keeps that a person waits. `false`: the same person waits for the same in the same place already, and nothing
    /// changes. A wait that should have ended before this one began is replaced.
    ///
    /// # Errors
    /// Where it was not stored.
    pub async fn add_wait(&self, wait: &Wait) -> Result<bool, StoreError> {
        const ACTION: &str = "keep who waits";
        let Wait { place, person, subject, since, until } = wait;
        let id = token::random().map_err(|error| self.database.other(ACTION, error))?;
        let person_words = serde_json::to_string(person).map_err(|error| self.database.other(ACTION, error))?;
        let write = Write {
            action: ACTION,
            statement: "INSERT INTO waits (id, channel, thread, person_id, person, subject, since, until) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                ON CONFLICT (channel, thread, person_id, subject) DO UPDATE SET id = excluded.id, \
                person = excluded.person, since = excluded.since, until = excluded.until \
                WHERE waits.until <= excluded.since",
            values: vec![
                id.into(),
                place.channel.as_str().into(),
                place.thread.as_deref().unwrap_or_default().into(),
                person.id.as_str().into(),
                person_words.into(),
                subject.as_str().into(),
                to_stored(*since).into(),
                to_stored(*until).into(),
            ],
        };
        Ok(self.database.write(write).await?.rows == 1)
    }

    /// Who waits, the longest first. One that this program cannot read is left out, and the log says so.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn waits(&self) -> Result<Vec<Waiting>, StoreError> {
        const ACTION: &str = "read who waits";
        let rows =
            sqlx::query("SELECT id, channel, thread, person, subject, since, until FROM waits ORDER BY since, id")
                .fetch_all(self.database.readers())
                .await
                .map_err(self.database.failure(ACTION))?;
        rows.iter()
            .filter_map(|row| read(row).transpose())
            .collect::<Result<_, _>>()
            .map_err(self.database.failure(ACTION))
    }

    /// Ends a wait. Of all who call this for one wait, one gets `true`: only that one tells the person.
    ///
    /// # Errors
    /// Where it cannot be told whether it is ours to tell.
    pub async fn end_wait(&self, id: &str) -> Result<bool, StoreError> {
        let write =
            Write { action: "end a wait", statement: "DELETE FROM waits WHERE id = $1", values: vec![id.into()] };
        Ok(self.database.write(write).await?.rows == 1)
    }
}

fn read(row: &Row) -> Result<Option<Waiting>, sqlx::Error> {
    let id: String = row.try_get("id")?;
    let person = match serde_json::from_str::<Person>(row.try_get("person")?) {
        Ok(person) => person,
        Err(error) => {
            tracing::warn!(wait.id = %id, %error, "a stored wait cannot be read, and is left out");
            return Ok(None);
        }
    };
    let thread: String = row.try_get("thread")?;
    let wait = Wait {
        place: Place { channel: row.try_get("channel")?, thread: (!thread.is_empty()).then_some(thread) },
        person,
        subject: row.try_get("subject")?,
        since: from_stored(row.try_get("since")?),
        until: from_stored(row.try_get("until")?),
    };
    Ok(Some(Waiting { id, wait }))
}
