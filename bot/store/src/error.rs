//! Why the store did not do what it was asked to.

/// Why the store did not do what it was asked to. Nothing of a failed call is kept. No message holds a secret or a word of
/// what was stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened where it is said to be.
    #[error("cannot open the store \"{place}\": {why}")]
    CannotOpen {
        /// Its file, or the kind of database.
        place: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// Somebody else holds it, for longer than a platform waits for an acknowledgement. The same call can succeed later.
    #[error("cannot {action}: the store \"{place}\" is locked by another process")]
    Locked {
        /// What was tried.
        action: &'static str,
        /// The store's file.
        place: String,
    },
    /// There is no room. The same call can succeed when there is.
    #[error("cannot {action}: the disk of the store \"{place}\" is full")]
    Full {
        /// What was tried.
        action: &'static str,
        /// The store's file.
        place: String,
    },
    /// It can be read and not written.
    #[error("cannot {action}: the store \"{place}\" is read-only")]
    ReadOnly {
        /// What was tried.
        action: &'static str,
        /// The store's file.
        place: String,
    },
    /// The file is not a database, or parts of it are destroyed.
    #[error("cannot {action}: the store \"{place}\" is damaged: {why}")]
    Corrupt {
        /// What was tried.
        action: &'static str,
        /// The store's file.
        place: String,
        /// What is damaged, in the database's words.
        why: String,
    },
    /// A newer program wrote it. It was not touched.
    #[error(
        "the store \"{place}\" has version {found}, written by a newer kubewhy; this one knows versions up to {known}"
    )]
    Newer {
        /// The store's file.
        place: String,
        /// The version of its tables.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Anything else.
    #[error("cannot {action} in the store \"{place}\"")]
    Other {
        /// What was tried.
        action: &'static str,
        /// The store's file.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::CannotOpen { remedy, .. } => remedy.clone(),
            Self::Locked { place, .. } => format!("stop the other program that has \"{place}\" open"),
            Self::Full { place, .. } => format!("make room on the disk of \"{place}\""),
            Self::ReadOnly { place, .. } => {
                format!("make \"{place}\", its directory and its volume writable for the user that kubewhy runs as")
            }
            Self::Corrupt { place, .. } => format!(
                "put a backup in the place of \"{place}\", or move it and the files \"{place}-wal\" and \"{place}-shm\" away \
                 to begin with an empty store"
            ),
            Self::Newer { .. } => "run the newer kubewhy, or name another store".to_owned(),
            Self::Other { .. } => "see the log".to_owned(),
        }
    }

    /// Whether the same call can succeed later without anybody changing the store.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Full { .. })
    }
}
