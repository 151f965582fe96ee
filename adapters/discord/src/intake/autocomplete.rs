//! What a half-typed word of a command could become.

use std::collections::BTreeSet;
use std::time::Duration;

use kubewhy_chat::{Part, Typed};
use serde_json::json;
use serenity::model::application::{CommandDataOption, CommandDataOptionValue, CommandInteraction};
use tokio::time::timeout;

use super::Intake;
use super::interaction::{unfold, value};

/// How long suggestions may take. Discord waits for 3 s, and a person for less.
const PATIENCE: Duration = Duration::from_secs(2);
/// Suggestions that Discord shows.
const MOST: usize = 25;
/// The longest suggestion, in characters.
const LONGEST: usize = 100;

impl Intake {
    pub(super) async fn autocomplete(&self, command: &CommandInteraction) {
        let channel = command.channel.as_ref();
        let spot = self.line.places.told(channel, command.channel_id.get(), &self.line.api).await;
        let member = command.member.as_deref();
        let who = self.person(
            &command.user,
            member.and_then(|member| member.nick.as_deref()),
            command.guild_id,
            member.map(|member| member.roles.as_slice()),
        );
        let (_, options) = unfold(&command.data.options);
        let suggestions = match typed(options) {
            Some((part, words)) => {
                let filled = |name: &str| {
                    options.iter().find(|option| option.name == name).and_then(|option| value(&option.value))
                };
                let (kind, namespace, cluster) = (filled("kind"), filled("namespace"), filled("cluster"));
                let typed = Typed { who, place: spot.place(), part, words, kind, namespace, cluster };
                timeout(PATIENCE, self.inbox.suggest(typed)).await.unwrap_or_default()
            }
            None => Vec::new(),
        };
        let choices: Vec<_> = fitting(suggestions).map(|it| json!({ "name": it, "value": it })).collect();
        let body = json!({ "type": 8, "data": { "choices": choices } });
        if let Err(failure) = self.line.respond(command.id.get(), &command.token, body, &[]).await {
            tracing::debug!(error = %failure, "failed to show suggestions");
        }
    }
}

/// The part that is being typed, and what stands there so far.
fn typed(options: &[CommandDataOption]) -> Option<(Part, String)> {
    options.iter().find_map(|option| {
        let CommandDataOptionValue::Autocomplete { value, .. } = &option.value else { return None };
        let part = match option.name.as_str() {
            "name" => Part::Name,
            "kind" => Part::Kind,
            "namespace" => Part::Namespace,
            "cluster" => Part::Cluster,
            _ => return None,
        };
        Some((part, value.clone()))
    })
}

/// Those that Discord takes: one that is too long would have to be cut, and then name something else.
fn fitting(suggestions: Vec<String>) -> impl Iterator<Item = String> {
    let mut seen = BTreeSet::new();
    suggestions
        .into_iter()
        .filter(|it| !it.trim().is_empty() && it.encode_utf16().count() <= LONGEST)
        .filter(move |it| seen.insert(it.clone()))
        .take(MOST)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn what_discord_would_refuse_is_left_out() {
        let suggestions =
            [String::new(), " ".to_owned(), "x".repeat(101), "y".repeat(100), "a".to_owned(), "a".to_owned()];
        assert_eq!(fitting(suggestions.to_vec()).collect::<Vec<_>>(), ["y".repeat(100), "a".to_owned()]);
        assert_eq!(fitting((0..40).map(|index| index.to_string()).collect()).count(), 25);
    }
}
