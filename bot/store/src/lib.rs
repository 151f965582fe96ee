//! What survives a restart: deliveries, what threads are about, what buttons mean, who waits.
//!
//! Entry points: [`Store`], [`StoreError`].
//!
//! Invariants: when a call returns `Ok`, what it wrote survives a power loss; when it returns an error, nothing of it is
//! kept. A time is kept to the millisecond, and an empty thread is no thread. No public function names a type of the
//! database.
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
    /// Where it cannot be opened, is damaged, or was written by a newer program. Nothing in it has been changed then.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let database = Database::open(&StorePlace::parse(url)?).await?;
        Ok(Self { database })
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
