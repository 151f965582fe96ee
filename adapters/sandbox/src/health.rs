//! What a server says of its own health, where somebody has set it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The answers of the health endpoints, and the version.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Status and body by path.
    endpoints: BTreeMap<String, (u16, String)>,
    /// The version, where it is another than the one that is mimicked.
    pub(crate) version: Option<String>,
}

impl Health {
    pub(crate) fn set(&mut self, path: &str, status: u16, checks: &str) {
        self.endpoints.insert(path.to_owned(), (status, checks.to_owned()));
    }

    /// What an endpoint answers. One that is well tells its checks only where they are asked for.
    pub(crate) fn answer(&self, path: &str, query: &str) -> Option<(u16, String)> {
        let (status, checks) = self.endpoints.get(path.trim_end_matches('/'))?;
        let verbose = query.split('&').any(|word| word == "verbose" || word.starts_with("verbose="));
        let text = if verbose || *status != 200 { checks.clone() } else { "ok".to_owned() };
        Some((*status, text))
    }

    /// The document of `/version`, with the version that was set.
    pub(crate) fn versioned(&self, mut document: Value) -> Value {
        if let (Some(version), Some(fields)) = (&self.version, document.as_object_mut()) {
            let mut numbers = version.trim_start_matches('v').split('.');
            for field in ["major", "minor"] {
                fields.insert(field.to_owned(), numbers.next().unwrap_or_default().into());
            }
            fields.insert("gitVersion".to_owned(), version.as_str().into());
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failing_check_is_told_to_everybody_and_a_passing_one_where_it_is_asked_for() {
        let mut health = Health::default();
        health.set("/livez", 200, "[+]ping ok\nlivez check passed\n");
        health.set("/readyz", 500, "[-]etcd failed: reason withheld\nreadyz check failed\n");
        assert_eq!(health.answer("/livez", ""), Some((200, "ok".to_owned())));
        assert!(health.answer("/livez", "verbose=").is_some_and(|(_, text)| text.starts_with("[+]ping ok")));
        assert!(health.answer("/readyz", "").is_some_and(|(status, text)| status == 500 && text.contains("[-]etcd")));
        assert_eq!(health.answer("/healthz", "verbose"), None);
    }

    #[test]
    fn a_version_that_was_set_stands_in_the_document() {
        let health = Health { version: Some("v1.33.4".to_owned()), ..Health::default() };
        let told = health.versioned(json!({"major": "1", "minor": "34", "gitVersion": "v1.34.1"}));
        assert_eq!(told, json!({"major": "1", "minor": "33", "gitVersion": "v1.33.4"}));
    }
}
