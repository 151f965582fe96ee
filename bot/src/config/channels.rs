//! `[[channels]]`.

use serde::{Deserialize, Serialize};

use super::platform;
use super::raw::Raw;
use super::review::{Review, repeated};

/// An entry of `[[channels]]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawChannel {
    channel: String,
    clusters: Vec<String>,
    namespaces: Vec<String>,
}

/// What a channel is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The channel, as [`kubewhy_chat::Place`] writes it: `slack:C0123456`.
    pub channel: String,
    /// The names of its clusters; empty = all.
    pub clusters: Vec<String>,
    /// Its namespaces; empty = all that may be read.
    pub namespaces: Vec<String>,
}

pub(super) fn resolve(raw: &Raw, review: &mut Review) -> Vec<Channel> {
    let known: Vec<&str> = raw.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    for (index, RawChannel { channel, clusters, namespaces }) in raw.channels.iter().enumerate() {
        let key = format!("channels[{index}]");
        platform::channel(review, &format!("{key}.channel"), channel, raw);
        platform::namespaces(review, &format!("{key}.namespaces"), namespaces);
        for (at, cluster) in clusters.iter().enumerate() {
            if !known.contains(&cluster.as_str()) {
                review.unknown_reference(&format!("{key}.clusters[{at}]"), cluster, "[[clusters]]", &known);
            }
        }
    }
    for index in repeated(raw.channels.iter().map(|entry| entry.channel.as_str())) {
        let key = format!("channels[{index}].channel");
        review.problem(&key, "has an entry already", "put its clusters and namespaces into one entry");
    }
    let channels = raw.channels.iter();
    let channels = channels.map(|RawChannel { channel, clusters, namespaces }| Channel {
        channel: channel.clone(),
        clusters: clusters.clone(),
        namespaces: namespaces.clone(),
    });
    channels.collect()
}
