//! What a thread is about.

use jiff::Timestamp;
use kubewhy_chat::Place;

use crate::database::Write;
use crate::time::to_stored;
use crate::{Store, StoreError};

impl Store {
    /// What the conversation in a place is about.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn about(&self, place: &Place) -> Result<Option<String>, StoreError> {
        let Place { channel, thread } = place;
        sqlx::query_scalar("SELECT about FROM threads WHERE channel = $1 AND thread = $2")
            .bind(channel)
            .bind(thread.as_deref().unwrap_or_default())
            .fetch_optional(self.database.readers())
            .await
            .map_err(self.database.failure("read what a thread is about"))
    }

    /// Says what the conversation in a place is about from now on.
    ///
    /// # Errors
    /// Where that was not stored.
    pub async fn set_about(&self, place: &Place, subject: &str, at: Timestamp) -> Result<(), StoreError> {
        let Place { channel, thread } = place;
        let write = Write {
            action: "keep what a thread is about",
            statement: "INSERT INTO threads (channel, thread, about, changed_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (channel, thread) DO UPDATE SET about = excluded.about, changed_at = excluded.changed_at",
            values: vec![
                channel.as_str().into(),
                thread.as_deref().unwrap_or_default().into(),
                subject.into(),
                to_stored(at).into(),
            ],
        };
        self.database.write(write).await.map(drop)
    }
}
