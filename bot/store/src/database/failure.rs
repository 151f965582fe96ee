//! What the database's errors mean.

use std::sync::Arc;

use sqlx::migrate::MigrateError;

use crate::StoreError;

/// The lower byte of a SQLite error code says what happened, the rest where.
const CLASS: u32 = 0xff;
const PERMISSION: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;
/// The file that the connections share cannot grow: that, too, is a full disk.
const SHARED_MEMORY_SIZE: u32 = 4874;

/// Why the database failed, for all whose call failed with it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    CannotOpen(String),
    Locked,
    Full,
    ReadOnly,
    Corrupt(String),
    Other(Arc<sqlx::Error>),
}

impl Failure {
    /// What an error of the database means.
    pub(super) fn of(error: sqlx::Error) -> Self {
        let Some(code) = code(&error) else {
            return match error {
                sqlx::Error::PoolTimedOut => Self::Locked,
                error => Self::Other(Arc::new(error)),
            };
        };
        match code & CLASS {
            _ if code == SHARED_MEMORY_SIZE => Self::Full,
            BUSY | LOCKED => Self::Locked,
            READ_ONLY => Self::ReadOnly,
            FULL => Self::Full,
            CORRUPT | NOT_A_DATABASE => Self::Corrupt(words(&error)),
            CANNOT_OPEN | PERMISSION => Self::CannotOpen(words(&error)),
            _ => Self::Other(Arc::new(error)),
        }
    }

    /// The one that writes has ended.
    pub(super) fn ended() -> Self {
        Self::of(sqlx::Error::PoolClosed)
    }

    /// Whether somebody else held the database for too long.
    pub(super) fn is_lock(&self) -> bool {
        matches!(self, Self::Locked)
    }

    /// The error of one who called.
    pub(super) fn into_error(self, action: &'static str, place: &str) -> StoreError {
        let place = place.to_owned();
        match self {
            Self::CannotOpen(why) => StoreError::CannotOpen {
                remedy: format!(
                    "see that \"{place}\" is a file, and its directory writable for the user that kubewhy runs as"
                ),
                place,
                why,
            },
            Self::Locked => StoreError::Locked { action, place },
            Self::Full => StoreError::Full { action, place },
            Self::ReadOnly => StoreError::ReadOnly { action, place },
            Self::Corrupt(why) => StoreError::Corrupt { action, place, why },
            Self::Other(source) => StoreError::Other { action, place, source: Box::new(source) },
        }
    }
}

/// Makes an error of a migration one that a caller can act on.
pub(super) fn of_migration(place: &str, known: i64, error: MigrateError) -> StoreError {
    let action = "bring the tables up to date";
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Failure::of(error).into_error(action, place)
        }
        MigrateError::VersionMissing(found) if found > known => {
            StoreError::Newer { place: place.to_owned(), found, known }
        }
        error => StoreError::Other { action, place: place.to_owned(), source: Box::new(error) },
    }
}

fn code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn words(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(String::new, |error| error.message().to_owned())
}
