//! Sections of features that are not built yet: what product.md gives keys for is checked, and said to be without effect.

use serde::{Deserialize, Serialize};

use super::platform;
use super::raw::Raw;
use super::review::Review;

/// An entry of `[[routes]]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRoute {
    #[serde(rename = "match")]
    matches: RawMatch,
    channel: String,
}

/// `match` of a route as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawMatch {
    namespaces: Vec<String>,
    severity: Severity,
}

/// A section that has no keys yet.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLater {}

/// Where failures are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The namespaces it is about; empty = all.
    pub namespaces: Vec<String>,
    /// The least severity.
    pub severity: Severity,
    /// The channel, as [`kubewhy_chat::Place`] writes it: `slack:C0123456`.
    pub channel: String,
}

/// How bad a failure is at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Everything.
    #[default]
    Info,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

pub(super) fn routes(raw: &Raw, review: &mut Review) -> Vec<Route> {
    for (index, route) in raw.routes.iter().enumerate() {
        platform::channel(review, &format!("routes[{index}].channel"), &route.channel, raw);
        platform::namespaces(review, &format!("routes[{index}].match.namespaces"), &route.matches.namespaces);
    }
    if !raw.routes.is_empty() {
        review.warning("routes", "notifications are not built yet: routes are ignored", "ask with /why meanwhile");
    }
    let sections = [
        ("notify", raw.notify.is_some(), "notifications"),
        ("recorder", raw.recorder.is_some(), "the recorder"),
        ("registry", raw.registry.is_some(), "asking registries"),
        ("prometheus", raw.prometheus.is_some(), "asking Prometheus"),
    ];
    for (section, present, feature) in sections {
        if present {
            let verb = if section == "notify" { "are" } else { "is" };
            review.warning(
                section,
                format!("{feature} {verb} not built yet: the section is ignored"),
                "it can stay where it is",
            );
        }
    }
    let routes = raw.routes.iter().map(|RawRoute { matches: RawMatch { namespaces, severity }, channel }| Route {
        namespaces: namespaces.clone(),
        severity: *severity,
        channel: channel.clone(),
    });
    routes.collect()
}
