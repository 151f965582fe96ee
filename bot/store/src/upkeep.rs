//! What keeps the store sound and small.

use jiff::Timestamp;

use crate::time::days_before;
use crate::{Store, StoreError, presses};

/// How long a delivery is known. Slack repeats one up to 5 minutes later, and a day off must not make an old one new.
const DELIVERIES_DAYS: i64 = 7;
/// How long it is known what a thread is about, after that was last said.
const THREADS_DAYS: i64 = 90;
/// How long a wait stays after its end, for somebody to say that it ended: it is ended by a person's being told, not by time.
const WAITS_DAYS: i64 = 1;
/// The fact whose writing shows that the store takes writes.
const PROBE: &str = "store/probe";

impl Store {
    /// Writes, and returns when the write is on the disk.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub async fn is_writable(&self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO facts (key, value) VALUES ($1, '') ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(PROBE)
        .execute(self.database.writer())
        .await
        .map(drop)
        .map_err(self.database.failure("write"))
    }

    /// Drops what is too old to be of use: deliveries after 7 days, meanings of buttons after 30, what threads are about
    /// after 90, and waits a day after their end. Says how many rows those were.
    ///
    /// # Errors
    /// Where that is not possible; it can be tried again at any time.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        const STATEMENTS: [(&str, i64); 4] = [
            ("DELETE FROM deliveries WHERE received_at < $1", DELIVERIES_DAYS),
            ("DELETE FROM presses WHERE kept_at <= $1", presses::KEPT_DAYS),
            ("DELETE FROM threads WHERE changed_at < $1", THREADS_DAYS),
            ("DELETE FROM waits WHERE until < $1", WAITS_DAYS),
        ];
        let mut dropped = 0;
        for (statement, days) in STATEMENTS {
            let done = sqlx::query(statement)
                .bind(days_before(now, days))
                .execute(self.database.writer())
                .await
                .map_err(self.database.failure("drop what is old"))?;
            dropped += done.rows_affected();
        }
        self.database.compact().await?;
        Ok(dropped)
    }
}
