//! The file before the database opens it.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// The smallest page of a database, in bytes. Pages of every size are a multiple of it.
const SMALLEST_PAGE: u64 = 512;

/// Makes the file where it is not there yet, for its owner alone, and refuses what the database would misread.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    match create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => look_at(path),
        Err(error) => Err(cannot_open(path, &error)),
    }
}

/// A file that is open, to find out whether it still is the one at its path.
pub(super) struct Opened {
    path: PathBuf,
    identity: Option<Identity>,
}

/// What tells a file from another that came into its place.
type Identity = (u64, u64);

impl Opened {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }

    /// A file that was taken away can be written until it is closed; then all of it is gone.
    pub(super) fn is_in_place(&self) -> Result<(), StoreError> {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(StoreError::CannotOpen {
            place: self.path.display().to_string(),
            why: "the file was taken away or replaced while it was in use".to_owned(),
            remedy: "start kubewhy anew: what it kept since then is lost".to_owned(),
        })
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|_| (0, 0))
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn look_at(path: &Path) -> Result<(), StoreError> {
    let action = "open the store";
    let place = path.display().to_string();
    let found = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    if !found.is_file() {
        return Err(StoreError::CannotOpen {
            why: "it is not a file".to_owned(),
            remedy: "set store.url to a file, like \"sqlite:kubewhy.db\"".to_owned(),
            place,
        });
    }
    // The database would open it for reading alone, and the superuser could even write; neither is what is meant.
    if found.permissions().readonly() {
        return Err(StoreError::ReadOnly { action, place });
    }
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    let why = match (found.len(), log) {
        // The database would take it for a new one and throw the log away.
        (0, 1..) => "the file is empty, and the log of its last writes is not",
        // The database would read zeros in the place of what is lost. While there is a log, it can still be completed.
        (length, 0) if !length.is_multiple_of(SMALLEST_PAGE) => "the file ends in the middle of a page",
        _ => return Ok(()),
    };
    Err(StoreError::Corrupt { action, place, why: why.to_owned() })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn cannot_open(path: &Path, error: &std::io::Error) -> StoreError {
    let place = path.display().to_string();
    let action = "open the store";
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return StoreError::Full { action, place },
        ErrorKind::ReadOnlyFilesystem => return StoreError::ReadOnly { action, place },
        _ => {}
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.display().to_string(),
        _ => ".".to_owned(),
    };
    let (why, remedy) = match error.kind() {
        ErrorKind::NotFound => {
            (format!("there is no directory \"{directory}\""), format!("create the directory \"{directory}\""))
        }
        ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            format!("make the directory \"{directory}\" and what is in it writable for the user that kubewhy runs as"),
        ),
        _ => (error.to_string().to_lowercase(), "set store.url to a file in a writable directory".to_owned()),
    };
    StoreError::CannotOpen { place, why, remedy }
}
