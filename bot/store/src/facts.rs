//! Short facts.

use async_trait::async_trait;
use kubewhy_chat::Memory;

use crate::database::Write;
use crate::{Store, StoreError};

impl Store {
    /// What was kept under a key.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn recall(&self, key: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT value FROM facts WHERE key = $1")
            .bind(key)
            .fetch_optional(self.database.readers())
            .await
            .map_err(self.database.failure("read a fact"))
    }

    /// Keeps a value under a key, in the place of the one before.
    ///
    /// # Errors
    /// Where it was not stored.
    pub async fn keep(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let write = Write {
            action: "keep a fact",
            statement: "INSERT INTO facts (key, value) VALUES ($1, $2) \
                ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            values: vec![key.into(), value.into()],
        };
        self.database.write(write).await.map(drop)
    }
}

#[async_trait]
impl Memory for Store {
    async fn recall(&self, key: &str) -> Option<String> {
        match Self::recall(self, key).await {
            Ok(value) => value,
            Err(error) => {
                warn(&error);
                None
            }
        }
    }

    async fn keep(&self, key: &str, value: &str) {
        if let Err(error) = Self::keep(self, key, value).await {
            warn(&error);
        }
    }
}

fn warn(error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(cause, "{error}");
}
