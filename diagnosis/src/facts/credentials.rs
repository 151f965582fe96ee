//! Which Secrets feed a container's credentials, and whether they changed after it started.

use jiff::Timestamp;
use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::facts::settings::{self, Source};
use crate::finding::Evidence;
use crate::pods::ContainerView;
use crate::reader::Needs;
use crate::secret::Secret;

/// A Secret that feeds a container.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) secret: String,
    pub(crate) key: Option<String>,
    /// The variable or path by which the container takes it.
    pub(crate) by: Text,
    /// The variable is set at start and does not follow a change.
    pub(crate) is_variable: bool,
    score: usize,
}

/// The Secret that looks most like the credentials for a peer: by its names, against these words (host, user, system).
pub(crate) fn likely(container: &ContainerView<'_>, case: &Case<'_>, words: &[String], kinds: &[&str]) -> Option<Feed> {
    let mut feeds: Vec<Feed> = Vec::new();
    for setting in settings::explicit(container.spec) {
        let Source::Secret(secret, key) = setting.source else { continue };
        let text = format!("{} {secret} {key}", setting.name);
        let by = text![code(setting.name)];
        feeds.push(Feed { score: score(&text, words, kinds), secret, key: Some(key), by, is_variable: true });
    }
    for from in container.spec.env_from.iter().flatten() {
        let Some(source) = &from.secret_ref else { continue };
        let by = text!["envFrom"];
        let score = score(&source.name, words, kinds);
        feeds.push(Feed { score, secret: source.name.clone(), key: None, by, is_variable: true });
    }
    let volumes =
        case.pod().and_then(|pod| pod.spec.as_ref()).into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    for volume in volumes {
        let Some(secret) = volume.secret.as_ref().and_then(|source| source.secret_name.clone()) else { continue };
        let mounts = container.spec.volume_mounts.iter().flatten();
        let Some(mount) = mounts.into_iter().find(|mount| mount.name == volume.name) else { continue };
        let score = score(&secret, words, kinds);
        let by = text![code(mount.mount_path.clone())];
        let is_variable = mount.sub_path.is_some();
        feeds.push(Feed { score, secret, key: None, by, is_variable });
    }
    let only = feeds.len() == 1;
    feeds.sort_by_key(|feed| std::cmp::Reverse(feed.score));
    feeds.into_iter().next().filter(|feed| feed.score > 0 || only)
}

fn score(text: &str, words: &[String], kinds: &[&str]) -> usize {
    let text = text.to_lowercase();
    let hits = words.iter().filter(|word| word.len() > 1 && text.contains(&word.to_lowercase())).count();
    let kind = kinds.iter().filter(|kind| text.contains(**kind)).count();
    hits * 4 + kind
}

/// What is known of the Secret behind a feed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fed {
    /// It changed after the container started.
    pub(crate) changed: Option<Timestamp>,
    /// It exists without the key.
    pub(crate) lacks_key: bool,
    pub(crate) evidence: Option<Evidence>,
}

/// Reads the Secret behind a feed: whether it changed after that start.
///
/// # Errors
/// [`Needs`] where it has not been asked yet.
pub(crate) fn read(case: &Case<'_>, feed: &Feed, started: Option<Timestamp>) -> Result<Fed, Needs> {
    let Some(secret) = case.get::<Secret>(case.namespace(), &feed.secret)?.found() else { return Ok(Fed::default()) };
    let reference = case.neighbour(crate::kind::Kind::Secret, &feed.secret);
    let times = secret.metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    let written = times.map(|time| time.0).chain(secret.metadata.creation_timestamp.as_ref().map(|time| time.0)).max();
    let changed = written.filter(|written| started.is_some_and(|started| *written > started));
    let lacks_key = match (&feed.key, &secret.keys) {
        (Some(key), Some(keys)) => !keys.contains(key),
        _ => false,
    };
    let evidence =
        written.map(|written| Evidence::field(&reference, ".metadata.managedFields", "last written").at(Some(written)));
    Ok(Fed { changed, lacks_key, evidence })
}

impl Feed {
    /// `Secret queue-redis, key REDIS_PASSWORD (as REDIS_PASSWORD)`.
    pub(crate) fn describe(&self) -> Text {
        let key = self.key.as_ref().map(|key| text![", key ", name(key.clone())]);
        text!["Secret ", name(self.secret.clone()), key, " (as ", self.by.clone(), ")"]
    }
}
