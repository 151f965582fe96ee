//! The database below the store: SQLite in a file, or in memory.
//!
//! Everything that SQLite alone knows is here: pragmas, files, error codes. The statements of the other modules are those
//! that PostgreSQL takes as well.

mod failure;
mod file;
mod migrations;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::StoreError;
use crate::place::StorePlace;
use failure::Failure;
use writer::Writer;
pub(crate) use writer::{Write, Written};

pub(crate) type Connection = sqlx::SqliteConnection;
pub(crate) type Pool = sqlx::SqlitePool;
pub(crate) type Row = sqlx::sqlite::SqliteRow;

/// How long a write waits for another process that writes. A platform waits three seconds for its acknowledgement.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call waits for its turn behind the others of this process.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to leave a file alone that somebody else is opening.
const OPEN_PAUSE: Duration = Duration::from_millis(25);
/// Begins a transaction that writes. The lock is taken at once: taken later, it could not be waited for.
const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";
/// How many read at the same time, each without waiting for the one that writes.
const READERS: u32 = 4;

/// The database.
#[derive(Clone)]
pub(crate) struct Database {
    place: Arc<str>,
    writer: Arc<Writer>,
    /// One connection: SQLite lets only one write at a time, and here the writes queue without polling.
    writing: Pool,
    reading: Pool,
    /// None in memory.
    file: Option<Arc<file::Opened>>,
}

impl Database {
    /// Opens it, makes it where it is not there yet, and brings its tables up to date.
    pub(crate) async fn open(place: &StorePlace) -> Result<Self, StoreError> {
        let shown: Arc<str> = place.shown().into();
        let failed = |failure: Failure| failure.into_error("open the store", &shown);
        let mut opened = None;
        let (writing, reading) = match place {
            StorePlace::Memory => {
                // One connection only: each has a memory of its own.
                let pool = connect(1, options().in_memory(true).filename(":memory:")).await.map_err(failed)?;
                migrations::run(&pool, &shown).await?;
                (pool.clone(), pool)
            }
            StorePlace::File(path) => {
                file::prepare(path)?;
                let options = options().filename(path).journal_mode(SqliteJournalMode::Wal);
                let writing = connect_in_turn(options.clone()).await.map_err(failed)?;
                migrations::run(&writing, &shown).await?;
                opened = Some(Arc::new(file::Opened::new(path)));
                (writing, connect(READERS, options.pragma("query_only", "ON")).await.map_err(failed)?)
            }
        };
        let writer = Arc::new(Writer::start(writing.clone(), shown.clone()));
        let database = Self { place: shown, writer, writing, reading, file: opened };
        database.look_for_damage().await?;
        Ok(database)
    }

    /// Writes, and returns when it is on the disk.
    pub(crate) async fn write(&self, write: Write) -> Result<Written, StoreError> {
        self.writer.write(write).await
    }

    /// Whether the file is still where it was opened.
    pub(crate) fn is_in_place(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), |file| file.is_in_place())
    }

    /// The connections that read. They see every write that has returned.
    pub(crate) fn readers(&self) -> &Pool {
        &self.reading
    }

    /// Makes an error of the database one that a caller can act on.
    pub(crate) fn failure(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        let place = self.place.clone();
        move |error| Failure::of(error).into_error(action, &place)
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
            .execute(&self.writing)
            .await
            .map(drop)
            .map_err(self.failure("compact the store"))
    }

    /// Ends what is being done and closes the file.
    pub(crate) async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }

    /// A file that was cut off or overwritten is found when it is opened, not when the lost part is needed.
    async fn look_for_damage(&self) -> Result<(), StoreError> {
        let action = "open the store";
        let found: Vec<String> =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_all(&self.reading).await.map_err(self.failure(action))?;
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

/// Opens the connection that writes. The first to open a new file changes how it is logged, and who comes at that moment is
/// refused at once instead of waiting: that one tries again.
async fn connect_in_turn(options: SqliteConnectOptions) -> Result<Pool, Failure> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match connect(1, options.clone()).await {
            Err(Failure::Locked) if Instant::now() < deadline => tokio::time::sleep(OPEN_PAUSE).await,
            result => return result,
        }
    }
}

async fn connect(most: u32, options: SqliteConnectOptions) -> Result<Pool, Failure> {
    SqlitePoolOptions::new()
        .max_connections(most)
        .min_connections(most)
        .acquire_timeout(TURN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(Failure::of)
}

#[cfg(test)]
mod tests;
