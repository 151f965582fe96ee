//! What keeps the store sound and small.

use jiff::Timestamp;

use crate::database::Write;
use crate::time::days_before;
use crate::{Store, StoreError, presses};

/// How long a delivery is known. Slack repeats one up to 5 minutes later, and a day off must not make an old one new.
const DELIVERIES_DAYS: i64 = 7;
/// How long it is known what a thread is about, after that was last said.
const THREADS_DAYS: i64 = 90;
/// How long a wait stays after its end, for somebody to say that it ended: it is ended by a person's being told, not by time.
const WAITS_DAYS: i64 = 1;
/// How many rows are dropped at a time: a few milliseconds for those who wait to write.
const SLICE: i64 = 1_000;
/// The fact whose writing shows that the store takes writes.
const PROBE: &str = "store/probe";

impl Store {
    /// Writes, and returns when the write is on the disk.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub async fn is_writable(&self) -> Result<(), StoreError> {
        self.database.is_in_place()?;
        let write = Write {
            action: "write",
            statement: "INSERT INTO facts (key, value) VALUES ($1, '') \
                ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            values: vec![PROBE.into()],
        };
        self.database.write(write).await.map(drop)
    }

    /// Drops what is too old to be of use: deliveries after 7 days, meanings of buttons after 30, what threads are about
    /// after 90, and waits a day after their end. Says how many rows those were.
    ///
    /// # Errors
    /// Where that is not possible; it can be tried again at any time.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        const OLD: [(&str, i64); 4] = [
            (
                "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE received_at < $1 LIMIT $2)",
                DELIVERIES_DAYS,
            ),
            (
                "DELETE FROM presses WHERE token IN (SELECT token FROM presses WHERE kept_at <= $1 LIMIT $2)",
                presses::KEPT_DAYS,
            ),
            (
                "DELETE FROM threads WHERE (channel, thread) IN \
                (SELECT channel, thread FROM threads WHERE changed_at < $1 LIMIT $2)",
                THREADS_DAYS,
            ),
            ("DELETE FROM waits WHERE id IN (SELECT id FROM waits WHERE until < $1 LIMIT $2)", WAITS_DAYS),
        ];
        let mut dropped = 0;
        for (statement, days) in OLD {
            dropped += self.drop_old(statement, days_before(now, days)).await?;
        }
        self.database.compact().await?;
        Ok(dropped)
    }
    /// Drops in slices, between which others write.
    async fn drop_old(&self, statement: &'static str, before: i64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let values = vec![before.into(), SLICE.into()];
            let rows = self.database.write(Write { action: "drop what is old", statement, values }).await?.rows;
            if rows == 0 {
                return Ok(dropped);
            }
            dropped += rows;
        }
    }
}
