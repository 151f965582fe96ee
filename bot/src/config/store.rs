//! `[store]`.

use serde::{Deserialize, Serialize};

use super::review::Review;

/// `[store]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawStore {
    url: String,
}

impl Default for RawStore {
    fn default() -> Self {
        Self { url: Store::default().url }
    }
}

/// Where deliveries and conversations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// `sqlite:FILE` or `sqlite::memory:`.
    pub url: String,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: "sqlite:kubewhy.db".to_owned() }
    }
}

pub(super) fn resolve(raw: &RawStore, review: &mut Review) -> Store {
    // What is written here can hold a password, so that it is never repeated.
    if raw.url.starts_with("postgres:") || raw.url.starts_with("postgresql:") {
        review.problem(
            "store.url",
            "names PostgreSQL, which is not built yet",
            "write a file of SQLite for now, such as \"sqlite:kubewhy.db\"",
        );
    } else if raw.url.strip_prefix("sqlite:").is_none_or(|file| file.trim_start_matches('/').is_empty()) {
        review.problem("store.url", "names no store", "write a file of SQLite, such as \"sqlite:kubewhy.db\"");
    } else {
        return Store { url: raw.url.clone() };
    }
    Store::default()
}
