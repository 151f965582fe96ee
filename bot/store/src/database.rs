//! The database below the store: SQLite in a file, or in memory.
//!
//! Everything that SQLite alone knows is here: pragmas, files, error codes. The statements of the other modules are those
//! that PostgreSQL takes as well.

mod failure;
mod file;
mod migrations;

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::StoreError;
use crate::place::StorePlace;

pub(crate) type Pool = sqlx::SqlitePool;
pub(crate) type Row = sqlx::sqlite::SqliteRow;

/// How long a write waits for another process that writes. A platform waits three seconds for its acknowledgement.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call waits for its turn behind the others of this process.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// How many read at the same time, each without waiting for the one that writes.
const READERS: u32 = 4;

/// The database.
#[derive(Clone)]
pub(crate) struct Database {
    place: Arc<str>,
    writer: Pool,
    readers: Pool,
}

impl Database {
    /// Opens it, makes it where it is not there yet, and brings its tables up to date.
    pub(crate) async fn open(place: &StorePlace) -> Result<Self, StoreError> {
        let shown: Arc<str> = place.shown().into();
        let Some(path) = place.file() else {
            let options = options().in_memory(true).filename(":memory:");
            // One connection only: each has a memory of its own.
            let writer = connect(1, options).await.map_err(|error| failure::of("open the store", &shown, error))?;
            migrations::run(&writer, &shown).await?;
            return Ok(Self { place: shown, readers: writer.clone(), writer });
        };
        file::prepare(path)?;
        let options = options().filename(path).journal_mode(SqliteJournalMode::Wal);
        let writer = connect(1, options.clone()).await.map_err(|error| failure::of("open the store", &shown, error))?;
        migrations::run(&writer, &shown).await?;
        let read_only = options.pragma("query_only", "ON");
        let readers =
            connect(READERS, read_only).await.map_err(|error| failure::of("open the store", &shown, error))?;
        let database = Self { place: shown, writer, readers };
        database.look_for_damage().await?;
        Ok(database)
    }

    /// The one connection that writes: SQLite lets only one write at a time, and here they queue without polling.
    pub(crate) fn writer(&self) -> &Pool {
        &self.writer
    }

    /// The connections that read. They see every write that has returned.
    pub(crate) fn readers(&self) -> &Pool {
        &self.readers
    }

    /// Makes an error of the database one that a caller can act on.
    pub(crate) fn failure(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        let place = self.place.clone();
        move |error| failure::of(action, &place, error)
    }

    /// The same for any other error.
    pub(crate) fn other(
        &self,
        action: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Other { action, place: self.place.to_string(), source: source.into() }
    }

    /// Empties the log of writes into the file, so that words which were dropped are in neither.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await
            .map(drop)
            .map_err(self.failure("compact the store"))
    }

    /// Ends what is being done and closes the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A file that was cut off or overwritten is found when it is opened, not when the lost part is needed.
    async fn look_for_damage(&self) -> Result<(), StoreError> {
        let action = "open the store";
        let found: Vec<String> =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_all(&self.readers).await.map_err(self.failure(action))?;
        match found.first().map(String::as_str) {
            Some("ok") => Ok(()),
            other => Err(StoreError::Corrupt {
                action,
                place: self.place.to_string(),
                why: other.unwrap_or("no answer to a check").replace('\n', " "),
            }),
        }
    }
}

fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(LOCK_TIMEOUT)
        // What was acknowledged survives a power loss.
        .synchronous(SqliteSynchronous::Full)
        // What was dropped does not stay behind in unused parts of the file.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

async fn connect(most: u32, options: SqliteConnectOptions) -> Result<Pool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(most)
        .min_connections(most)
        .acquire_timeout(TURN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
}
