//! The tables, version by version. A migration that was released is never changed; a new one is added below it.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::{BEGIN_TO_WRITE, Pool, failure};
use crate::StoreError;

/// Every version: what it is about, and its statements.
const VERSIONS: &[(i64, &str, &str)] =
    &[(1, "deliveries, threads, presses, waits, facts", include_str!("../../migrations/0001_first.sql"))];

/// Brings the tables up to date: all of it, or nothing. A database that a newer program wrote is left as it is. Of several
/// that open a database at once, one does it, and the others wait.
pub(super) async fn run(writing: &Pool, place: &str) -> Result<(), StoreError> {
    let migrations = VERSIONS.iter().map(|(version, about, statements)| {
        Migration::new(*version, (*about).into(), MigrationType::Simple, statements.into_sql_str(), false)
    });
    let newest = VERSIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
    let failed = |error| failure::of_migration(place, newest, error);
    let mut transaction = writing.begin_with(BEGIN_TO_WRITE).await.map_err(|error| failed(error.into()))?;
    let migrator = Migrator::with_migrations(migrations.collect());
    // Not `run`: the future of that is not seen to be `Send` (the bounds of `sqlx::Acquire`), which this one is there for.
    migrator.run_direct(None, &mut *transaction, false).await.map_err(failed)?;
    transaction.commit().await.map_err(|error| failed(error.into()))
}
