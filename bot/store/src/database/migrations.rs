//! The tables, version by version. A migration that was released is never changed; a new one is added below it.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::{Pool, failure};
use crate::StoreError;

/// Every version: what it is about, and its statements.
const VERSIONS: &[(i64, &str, &str)] =
    &[(1, "deliveries, threads, presses, waits, facts", include_str!("../../migrations/0001_first.sql"))];

/// Brings the tables up to date. A database that a newer program wrote is left as it is.
pub(super) async fn run(writer: &Pool, place: &str) -> Result<(), StoreError> {
    let migrations = VERSIONS.iter().map(|(version, about, statements)| {
        Migration::new(*version, (*about).into(), MigrationType::Simple, statements.into_sql_str(), false)
    });
    let newest = VERSIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
    Migrator::with_migrations(migrations.collect())
        .run(writer)
        .await
        .map_err(|error| failure::of_migration(place, newest, error))
}
