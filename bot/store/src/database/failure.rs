//! What the database's errors mean.

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

/// Makes an error of the database one that a caller can act on.
pub(super) fn of(action: &'static str, place: &str, error: sqlx::Error) -> StoreError {
    let place = place.to_owned();
    let Some(code) = code(&error) else {
        return match error {
            sqlx::Error::PoolTimedOut => StoreError::Locked { action, place },
            error => StoreError::Other { action, place, source: Box::new(error) },
        };
    };
    match code & CLASS {
        _ if code == SHARED_MEMORY_SIZE => StoreError::Full { action, place },
        BUSY | LOCKED => StoreError::Locked { action, place },
        READ_ONLY => StoreError::ReadOnly { action, place },
        FULL => StoreError::Full { action, place },
        CORRUPT | NOT_A_DATABASE => StoreError::Corrupt { action, place, why: words(&error) },
        CANNOT_OPEN | PERMISSION => StoreError::CannotOpen {
            remedy: format!(
                "see that \"{place}\" is a file and its directory writable for the user that kubewhy runs as"
            ),
            place,
            why: words(&error),
        },
        _ => StoreError::Other { action, place, source: Box::new(error) },
    }
}

/// Makes an error of a migration one that a caller can act on.
pub(super) fn of_migration(place: &str, known: i64, error: MigrateError) -> StoreError {
    let action = "bring the tables up to date";
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => of(action, place, error),
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
