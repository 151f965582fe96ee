//! Deliveries: persisted before they are acknowledged, each answered once.

use jiff::Timestamp;
use kubewhy_chat::{Address, Delivery, Request};
use sqlx::Row as _;

use crate::database::{Row, Write};
use crate::time::{from_stored, to_stored};
use crate::{Store, StoreError};

/// Whether a delivery was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fresh {
    /// It is stored now.
    New,
    /// It was stored before, whatever became of it.
    Seen,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// Who asked has an answer.
    Answered,
    /// An answer could not be shown, and it is not tried again.
    Failed,
}

/// A delivery that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// What was delivered.
    pub delivery: Delivery,
    /// Whether somebody had begun to answer it, so that an answer may have been shown already.
    pub begun: bool,
}

impl Store {
    /// Stores a delivery; when this returns, it survives a power loss. A repetition, known by its id, changes nothing.
    ///
    /// Let it run to its end: of one that is dropped half-way nobody knows whether it was stored, and a repetition may be
    /// taken for one that is being answered.
    ///
    /// # Errors
    /// Where it is not stored; it must not be acknowledged then.
    pub async fn accept(&self, delivery: &Delivery) -> Result<Fresh, StoreError> {
        const ACTION: &str = "keep a delivery";
        let Delivery { id, request, address, received_at } = delivery;
        let request = serde_json::to_string(request).map_err(|error| self.database.other(ACTION, error))?;
        let write = Write {
            action: ACTION,
            statement: "INSERT INTO deliveries (id, state, request, address, received_at) \
                VALUES ($1, 'received', $2, $3, $4) ON CONFLICT (id) DO NOTHING",
            values: vec![id.as_str().into(), request.into(), address.0.as_str().into(), to_stored(*received_at).into()],
        };
        let stored = self.database.write(write).await?;
        Ok(if stored.rows == 0 { Fresh::Seen } else { Fresh::New })
    }

    /// Takes a delivery to answer it: of all who call this for one delivery, one gets `true`, ever. `false` also for one
    /// that has ended or is not known.
    ///
    /// # Errors
    /// Where it cannot be told whether it is ours; it must not be answered then.
    pub async fn begin(&self, id: &str) -> Result<bool, StoreError> {
        let write = Write {
            action: "begin to answer a delivery",
            statement: "UPDATE deliveries SET state = 'answering' WHERE id = $1 AND state = 'received'",
            values: vec![id.into()],
        };
        Ok(self.database.write(write).await?.rows == 1)
    }

    /// Ends a delivery. What was asked and the way back are dropped: they hold people's words and tokens. Its id is kept,
    /// so that a repetition is known. A delivery that has ended before, or is not known, stays as it is.
    ///
    /// # Errors
    /// Where that was not stored; after a restart the delivery is among [`Store::unfinished`].
    pub async fn finish(&self, id: &str, ending: Ending, at: Timestamp) -> Result<(), StoreError> {
        let state = match ending {
            Ending::Answered => "answered",
            Ending::Failed => "failed",
        };
        let write = Write {
            action: "end a delivery",
            statement: "UPDATE deliveries SET state = $2, ended_at = $3, request = NULL, address = NULL \
                WHERE id = $1 AND ended_at IS NULL",
            values: vec![id.into(), state.into(), to_stored(at).into()],
        };
        self.database.write(write).await.map(drop)
    }

    /// What has been accepted since then and not ended, the oldest first: after a restart, what is left to do. One that
    /// this program cannot read is left out, and the log says so.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn unfinished(&self, since: Timestamp) -> Result<Vec<Unfinished>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, state, request, address, received_at FROM deliveries \
             WHERE ended_at IS NULL AND received_at >= $1 ORDER BY received_at, id",
        )
        .bind(to_stored(since))
        .fetch_all(self.database.readers())
        .await
        .map_err(self.database.failure("read the deliveries"))?;
        rows.iter()
            .filter_map(|row| read(row).transpose())
            .collect::<Result<_, _>>()
            .map_err(self.database.failure("read the deliveries"))
    }
}

fn read(row: &Row) -> Result<Option<Unfinished>, sqlx::Error> {
    let id: String = row.try_get("id")?;
    let request = match serde_json::from_str::<Request>(row.try_get("request")?) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(request.id = %id, %error, "a stored delivery cannot be read, and is left out");
            return Ok(None);
        }
    };
    let delivery = Delivery {
        id,
        request,
        address: Address(row.try_get("address")?),
        received_at: from_stored(row.try_get("received_at")?),
    };
    Ok(Some(Unfinished { delivery, begun: row.try_get::<&str, _>("state")? == "answering" }))
}
