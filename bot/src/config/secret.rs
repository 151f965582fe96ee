//! Secrets: from the file of settings, from files of their own, from the environment.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::review::{Place, Review};

/// What stands for a secret that is there.
const SET: &str = "<set>";
/// How many bytes a file of a secret may have.
const MAX_BYTES: u64 = 64 * 1024;

/// Whether secrets are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    /// They are read, and must be there.
    Read,
    /// They are left alone.
    Leave,
}

/// A secret as written; an empty one is none. Serialized, it only says whether it is there.
#[derive(Clone, Debug, Default)]
pub struct RawSecret(Option<SecretString>);

impl<'de> Deserialize<'de> for RawSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self((!text.is_empty()).then(|| SecretString::from(text))))
    }
}

impl Serialize for RawSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_some() { SET } else { "" })
    }
}

/// Reads a secret that is given as `key` or as a file at `key_file`.
pub(super) fn read(review: &mut Review, key: &str, value: &RawSecret, file: &str) -> Option<SecretString> {
    let file_key = format!("{key}_file");
    let (place, file_place) = (review.places.of_exactly(key), review.places.of_exactly(&file_key));
    let from_environment = |place: &Place| matches!(place, Place::Environment { .. });
    match (&value.0, file) {
        (None, "") => None,
        (Some(value), "") => of_value(review, key, value, &place),
        (None, file) => of_file(review, &file_key, Path::new(file)),
        // What comes later takes the place of what came before, whichever of the two keys it uses.
        (Some(value), _) if from_environment(&place) && !from_environment(&file_place) => {
            of_value(review, key, value, &place)
        }
        (Some(_), file) if from_environment(&file_place) && !from_environment(&place) => {
            of_file(review, &file_key, Path::new(file))
        }
        (Some(_), _) => {
            review.problem(key, format!("is given twice, here and as {file_key}"), "keep one of the two");
            None
        }
    }
}

/// The secret, which has to be there where secrets are read.
pub(super) fn required(review: &mut Review, key: &str, secret: Option<SecretString>, how: &str) -> SecretString {
    if secret.is_none() && review.secrets == Secrets::Read && !review.has_problem(&format!("{key}_file")) {
        review.problem(key, "is missing", format!("{how} and write it here, or its file as {key}_file"));
    }
    secret.unwrap_or_default()
}

/// Tokens say in their first letters what they are; one is easily taken for another.
pub(super) fn prefix(review: &mut Review, key: &str, secret: &SecretString, own: &str, other: &str) {
    let secret = secret.expose_secret();
    if secret.starts_with(other) {
        review.problem(
            key,
            format!("begins with {other}, which is another token"),
            format!("write the one that begins with {own}"),
        );
    } else if !secret.is_empty() && !secret.contains(own) {
        review.warning(key, format!("does not begin with {own}"), "see whether it is the right token");
    }
}

fn of_value(review: &mut Review, key: &str, secret: &SecretString, place: &Place) -> Option<SecretString> {
    review.secret_in_file |= matches!(place, Place::File { .. });
    if review.secrets == Secrets::Leave {
        return None;
    }
    if secret.expose_secret() == SET {
        review.problem(
            key,
            "is the mark that `kubewhy print config` writes for a secret",
            "write the secret itself, or its file",
        );
        return None;
    }
    checked(review, key, secret.expose_secret())
}

fn of_file(review: &mut Review, key: &str, path: &Path) -> Option<SecretString> {
    if review.secrets == Secrets::Leave {
        return None;
    }
    let text = match text_of(path) {
        Ok(text) => text,
        Err(why) => {
            review.problem(
                key,
                format!("{} cannot be read: {why}", path.display()),
                "name a file that holds the secret alone",
            );
            return None;
        }
    };
    if is_open_to_all(path) {
        review.warning(
            key,
            format!("{} can be read by every user of this machine", path.display()),
            format!("chmod 600 {}; for a mounted Secret, defaultMode: 0400", path.display()),
        );
    }
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        review.problem(key, format!("{} is empty", path.display()), "write the secret into it");
        return None;
    }
    checked(review, key, secret)
}

fn checked(review: &mut Review, key: &str, secret: &str) -> Option<SecretString> {
    if !secret.chars().all(|c| c.is_ascii_graphic()) {
        review.problem(
            key,
            "holds a space, a line break or another sign that no token has",
            "write the token alone, whole and once",
        );
        return None;
    }
    Some(SecretString::from(secret))
}

/// The text of a file, in words without any of it where it cannot be had.
fn text_of(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} KiB", MAX_BYTES / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())
}

/// Whether every user of the machine may read a file.
#[cfg(unix)]
pub(super) fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

/// Only Unix tells.
#[cfg(not(unix))]
pub(super) fn is_open_to_all(_path: &Path) -> bool {
    false
}
