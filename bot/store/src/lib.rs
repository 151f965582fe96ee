//! What survives a restart: deliveries, what threads are about, what buttons mean, who waits.
//!
//! Entry points: [`Store`], [`StoreError`].
//!
//! What callers build on, and every database below has to keep:
//!
//! - **When a call returns `Ok`, what it wrote survives a power loss; when it returns an error, nothing of it is kept.** So a
//!   row comes first and its effect second, and what is left over after a crash can be read.
//! - **Who does a thing is decided by how many rows one statement changed.** Of all who call [`Store::begin`],
//!   [`Store::add_wait`] or [`Store::end_wait`] for one thing, in all processes, one gets `true`. Whatever has states later
//!   (an incident, a silence, a post that waits in a channel's queue, a plan) moves in the same way: from the state that the
//!   caller read to the next, or not at all.
//! - **A write is a value: a statement and what stands in it.** It can be taken back and run again, and a transaction is never
//!   open while a caller thinks. What has to stand or fall together, like a step of a plan and its line in the audit, is one
//!   such value with several statements; a line that names the one before it is added under the next number, and again when
//!   another was faster.
//! - **A read never waits for a write, and sees each that has returned.** Nothing is kept in memory beside the database.
//! - **What was asked goes when it has an answer; ids stay as long as they are needed.** [`Store::prune`] drops by table, so
//!   that what must be kept for long has a table that it does not name.
//! - **Tables change in one direction.** What a newer program wrote is refused, never read by halves.
//!
//! A time is kept to the millisecond (as a whole number: all databases compare those alike), and an empty thread is no thread.
//! No public function names a type of the database.
#![warn(missing_docs)]

mod database;
mod deliveries;
mod error;
mod facts;
mod place;
mod presses;
mod threads;
mod time;
mod token;
mod upkeep;
mod waits;

use std::fmt;

pub use deliveries::{Ending, Fresh, Unfinished};
pub use error::StoreError;
pub use waits::{Wait, Waiting};

use database::Database;
use place::StorePlace;

/// What survives a restart. A clone is the same store.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the store at a URL: `sqlite:kubewhy.db`, or `sqlite::memory:` for one that ends with the process. Makes the
    /// file where it is not there yet, readable for its owner alone, and brings its tables up to date.
    ///
    /// # Errors
    /// Where it cannot be opened or written, is damaged, or was written by a newer program. What was in it stays as it was.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self { database: Database::open(&StorePlace::parse(url)?).await? };
        // SQLite opens what it can only read as well, and says so when it is too late.
        store.is_writable().await?;
        Ok(store)
    }

    /// Ends what is being written and closes the store. Every later call is an error.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store(..)")
    }
}
