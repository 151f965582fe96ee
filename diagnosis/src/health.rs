//! What the API server says of itself: its health endpoints and its version.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

/// The cluster as its API server shows it. kubewhy's own kind (`kubewhy/v1`): no server serves it, readers make it of
/// `/readyz?verbose`, `/livez?verbose` and `/version`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name stands here.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// The server's version: `v1.34.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What `/readyz?verbose` answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readyz: Option<Endpoint>,
    /// What `/livez?verbose` answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub livez: Option<Endpoint>,
    /// Why the API server could not be reached at all: `connection refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

impl Cluster {
    /// A cluster of which nothing but its name is known.
    pub fn named(name: &str) -> Self {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Self { metadata, ..Self::default() }
    }
}

/// The answer of a health endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The HTTP status.
    pub status: u16,
    /// The body: a line for each check, `[+]etcd ok` or `[-]etcd failed: reason withheld`.
    #[serde(default)]
    pub body: String,
}

impl Endpoint {
    /// The checks that failed, each with its line.
    ///
    /// Source: `staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go`.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.body.lines().filter_map(|line| {
            let rest = line.trim().strip_prefix("[-]")?;
            Some((rest.split(' ').next().unwrap_or(rest), line.trim()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_checks_are_told_by_name() {
        let body = "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nreadyz check failed\n".to_owned();
        let failed: Vec<_> = Endpoint { status: 500, body }.failed().map(|(check, _)| check.to_owned()).collect();
        assert_eq!(failed, ["etcd"]);
    }
}
