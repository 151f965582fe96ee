//! Where a store is, as the configuration says it.

use std::path::{Path, PathBuf};

use crate::StoreError;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StorePlace {
    /// In memory: it ends with the process.
    Memory,
    /// In a file.
    File(PathBuf),
}

impl StorePlace {
    /// Reads `sqlite:kubewhy.db`, `sqlite:///var/lib/kubewhy.db`, `sqlite::memory:`. No error shows more of another URL
    /// than its scheme: it can hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(refuse("..", "its url has no scheme"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => Self::parse_path(rest),
            "postgres" | "postgresql" => Err(refuse("postgres:..", "PostgreSQL is not built into this kubewhy yet")),
            _ => Err(refuse("..", "its url has a scheme that is not known")),
        }
    }

    fn parse_path(rest: &str) -> Result<Self, StoreError> {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path == ":memory:" {
            return Ok(Self::Memory);
        }
        if path.is_empty() {
            return Err(refuse("sqlite:", "its url names no file"));
        }
        if path.contains(['?', '#', '\0']) {
            return Err(refuse("sqlite:..", "its url has parameters, or a file name with \"?\", \"#\" or NUL"));
        }
        Ok(Self::File(PathBuf::from(path)))
    }

    /// The file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(path),
        }
    }

    /// How errors name it.
    pub(crate) fn shown(&self) -> String {
        self.file().map_or_else(|| "memory".to_owned(), |path| path.display().to_string())
    }
}

fn refuse(place: &str, why: &str) -> StoreError {
    StoreError::CannotOpen {
        place: place.to_owned(),
        why: why.to_owned(),
        remedy: "set store.url to a file, like \"sqlite:kubewhy.db\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::StorePlace;

    #[test]
    fn a_file_and_memory_are_told_apart() {
        for (url, file) in [
            ("sqlite:kubewhy.db", Some("kubewhy.db")),
            ("sqlite://kubewhy.db", Some("kubewhy.db")),
            ("sqlite:/var/lib/kubewhy.db", Some("/var/lib/kubewhy.db")),
            (" SQLite:///var/lib/my store.db\n", Some("/var/lib/my store.db")),
            ("sqlite::memory:", None),
            ("sqlite://:memory:", None),
        ] {
            let place = StorePlace::parse(url).expect(url);
            assert_eq!(place.file().and_then(|path| path.to_str()), file, "{url}");
        }
    }

    #[test]
    fn another_url_is_refused_without_showing_its_password() {
        for url in [
            "postgres://kubewhy:hunter2@db/kubewhy",
            "PostgreSQL://kubewhy:hunter2@db/kubewhy",
            "mysql://kubewhy:hunter2@db/kubewhy",
            "//kubewhy:hunter2@db",
            "hunter2",
            "",
            "sqlite:",
            "sqlite://",
            "sqlite:kubewhy.db?key=hunter2",
            "sqlite:kube\0why.db",
        ] {
            let error = StorePlace::parse(url).expect_err(url);
            let shown = format!("{error} {error:?} {}", error.remedy());
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(error.remedy().contains("sqlite:kubewhy.db"), "{shown}");
        }
    }
}
