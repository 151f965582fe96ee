//! What buttons mean.

use jiff::Timestamp;
use kubewhy_chat::Press;

use crate::database::Write;
use crate::time::{days_before, to_stored};
use crate::{Store, StoreError, token};

/// How long a button means something, in days after it was last shown.
pub(crate) const KEPT_DAYS: i64 = 30;

impl Store {
    /// Keeps what a button means, for 30 days, and gives the token to send in its place: 32 hexadecimal digits that nobody
    /// can guess. The same meaning kept again has the same token, and 30 days more.
    ///
    /// # Errors
    /// Where it was not stored: the button must not be shown.
    pub async fn keep_press(&self, press: &Press, at: Timestamp) -> Result<String, StoreError> {
        const ACTION: &str = "keep what a button means";
        let token = token::random().map_err(|error| self.database.other(ACTION, error))?;
        let press = serde_json::to_string(press).map_err(|error| self.database.other(ACTION, error))?;
        let write = Write {
            action: ACTION,
            statement: "INSERT INTO presses (token, press, kept_at) VALUES ($1, $2, $3) \
                ON CONFLICT (press) WHERE octet_length(press) <= 2000 DO UPDATE SET kept_at = \
                CASE WHEN excluded.kept_at > presses.kept_at THEN excluded.kept_at ELSE presses.kept_at END \
                RETURNING token",
            values: vec![token.into(), press.into(), to_stored(at).into()],
        };
        let kept = self.database.write(write).await?.returned;
        kept.ok_or_else(|| self.database.other(ACTION, "the database gave no token back"))
    }

    /// What the button with a token means. `None` for a token that was never given out, and after 30 days.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn press(&self, token: &str, now: Timestamp) -> Result<Option<Press>, StoreError> {
        const ACTION: &str = "read what a button means";
        let found: Option<String> = sqlx::query_scalar("SELECT press FROM presses WHERE token = $1 AND kept_at > $2")
            .bind(token)
            .bind(days_before(now, KEPT_DAYS))
            .fetch_optional(self.database.readers())
            .await
            .map_err(self.database.failure(ACTION))?;
        found.map(|press| serde_json::from_str(&press).map_err(|error| self.database.other(ACTION, error))).transpose()
    }
}
