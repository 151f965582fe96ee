//! The application commands: what is registered with Discord, and how an invocation becomes the one line of the grammar.
//!
//! The names are public interface. This crate knows nothing of the grammar's types: a test of the binary holds the table below
//! against it.

mod table;

use serenity::all::{CommandOptionType, CommandType, InstallationContext, InteractionContext};
use serenity::builder::{CreateCommand, CreateCommandOption};

use table::{Choice, EXPLAIN, Entry, Form, KIND, NAME, Offer, SUBCOMMANDS};

/// The command that explains.
pub const WHY: &str = "why";
/// The command whose subcommands are the other commands of the grammar.
pub const KUBEWHY: &str = "kubewhy";
/// What stands in the menu of a message: finds the object that the message names, and explains it.
pub const WHY_MESSAGE: &str = "Why?";

/// All commands as they are registered: `/why`, `/kubewhy SUBCOMMAND`, and "Why?" in the menu of a message.
pub fn commands() -> Vec<CreateCommand> {
    let why = in_guilds(CreateCommand::new(WHY).kind(CommandType::ChatInput))
        .description(EXPLAIN.description)
        .set_options(EXPLAIN.options.iter().map(option).collect());
    let kubewhy = in_guilds(CreateCommand::new(KUBEWHY).kind(CommandType::ChatInput))
        .description("Ask kubewhy about logs, remedies, causes, and what is broken")
        .set_options(SUBCOMMANDS.iter().map(subcommand).collect());
    let message = in_guilds(CreateCommand::new(WHY_MESSAGE).kind(CommandType::Message));
    vec![why, kubewhy, message]
}

/// A question belongs to a channel, whose clusters and namespaces and whose people are configured: there are none in a direct
/// message, nor where a person brought the app along.
fn in_guilds(command: CreateCommand) -> CreateCommand {
    command.add_integration_type(InstallationContext::Guild).add_context(InteractionContext::Guild)
}

fn subcommand(entry: &Entry) -> CreateCommandOption {
    CreateCommandOption::new(CommandOptionType::SubCommand, entry.name, entry.description)
        .set_sub_options(entry.options.iter().map(option).collect::<Vec<_>>())
}

fn option(choice: &Choice) -> CreateCommandOption {
    let new = |kind| CreateCommandOption::new(kind, choice.name, choice.description).required(false);
    match choice.form {
        Form::Bare | Form::After(_) => offered(new(CommandOptionType::String).max_length(LONGEST_VALUE), choice.offer),
        Form::Flag(_) => new(CommandOptionType::Boolean),
        Form::Number(_, most) => new(CommandOptionType::Integer).min_int_value(1).max_int_value(most),
    }
}

fn offered(option: CreateCommandOption, offer: Offer) -> CreateCommandOption {
    match offer {
        Offer::Nothing => option,
        Offer::Completion => option.set_autocomplete(true),
        Offer::These(words) => words.iter().fold(option, |option, word| option.add_string_choice(*word, *word)),
    }
}

/// The longest name of Kubernetes.
const LONGEST_VALUE: u16 = 253;

/// A hash of the commands that is the same in every build: where it is known, they need not be registered again.
pub fn fingerprint(commands: &[CreateCommand]) -> String {
    // FNV-1a: nobody gains by a collision, and the standard library's hash may change from release to release.
    let json = serde_json::to_vec(commands).unwrap_or_default();
    let hash = json
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// The line of the grammar that an invocation means: `command` and `subcommand` as they were registered, and each option that
/// was filled in, its value as plain words (`true` for a flag). What is not known here is left out. `/why` with nothing filled
/// in is `why` alone: what is broken, or in a thread its object; with no more than a place it is a scan of that place.
pub fn line(command: &str, subcommand: Option<&str>, values: &[(&str, &str)]) -> String {
    let entry = match (command, subcommand) {
        (KUBEWHY, Some(name)) => SUBCOMMANDS.iter().find(|entry| entry.name == name),
        (WHY, _) => Some(&EXPLAIN),
        _ => None,
    };
    let Some(entry) = entry else { return "help".to_owned() };
    let value = |name: &str| {
        let (_, value) = values.iter().find(|(filled, _)| *filled == name)?;
        Some(kubewhy_text::printable(value).trim().to_owned()).filter(|value| !value.is_empty())
    };
    // The kind stands before the name, wherever Discord shows it.
    let (kind, others): (Vec<&Choice>, Vec<&Choice>) =
        entry.options.iter().partition(|choice| choice.name == KIND.name);
    let words: Vec<String> =
        kind.into_iter().chain(others).filter_map(|choice| choice.form.words(&value(choice.name)?)).collect();
    let names_object = value(KIND.name).or_else(|| value(NAME.name)).is_some();
    let word = match (entry.name, words.is_empty(), names_object) {
        // An object that is called like a command is still one behind this word; `why logs` would be a command.
        (WHY, _, true) => entry.word,
        (WHY, true, _) => WHY,
        (WHY, false, _) => "scan",
        _ => entry.word,
    };
    std::iter::once(word.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A line of each command with each of its options, which the grammar has to understand.
pub fn examples() -> Vec<String> {
    let commands = std::iter::once((WHY, None, &EXPLAIN));
    let commands = commands.chain(SUBCOMMANDS.iter().map(|entry| (KUBEWHY, Some(entry.name), entry)));
    let mut lines = Vec::new();
    for (command, subcommand, entry) in commands {
        let name = entry.options.iter().find(|choice| choice.name == NAME.name);
        let name: Vec<(&str, &str)> = name.into_iter().map(|name| (name.name, name.example)).collect();
        lines.push(line(command, subcommand, &name));
        lines.extend(entry.options.iter().filter(|choice| choice.name != NAME.name).map(|choice| {
            let values: Vec<_> = name.iter().copied().chain([(choice.name, choice.example)]).collect();
            line(command, subcommand, &values)
        }));
    }
    lines.push(line(WHY, None, &[]));
    lines
}

impl Form {
    /// What stands in the line for a value, if anything does.
    fn words(self, value: &str) -> Option<String> {
        match self {
            Self::Bare => Some(value.to_owned()),
            Self::After(word) | Self::Number(word, _) => Some(format!("{word} {value}")),
            Self::Flag(word) => (value == "true").then(|| word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_becomes_the_line_that_a_person_would_have_typed() {
        for (command, subcommand, values, expected) in [
            (WHY, None, vec![], "why"),
            (WHY, None, vec![("name", "cart"), ("kind", "deploy")], "explain deploy cart"),
            (WHY, None, vec![("name", "logs")], "explain logs"),
            (
                WHY,
                None,
                vec![("name", " cart "), ("namespace", "shop"), ("cluster", "prod")],
                "explain cart -n shop on prod",
            ),
            (WHY, None, vec![("namespace", "shop"), ("name", "  ")], "scan -n shop"),
            (KUBEWHY, Some("scan"), vec![("everywhere", "true")], "scan everywhere"),
            (KUBEWHY, Some("scan"), vec![("everywhere", "false"), ("cluster", "prod")], "scan on prod"),
            (
                KUBEWHY,
                Some("logs"),
                vec![("lines", "20"), ("previous", "true"), ("name", "cart"), ("container", "app")],
                "logs cart previous container app last 20",
            ),
            (KUBEWHY, Some("tell"), vec![("kind", "pod"), ("name", "x")], "tell pod x"),
            (KUBEWHY, Some("catalogue"), vec![("code", "oom-limit")], "catalogue oom-limit"),
            (KUBEWHY, Some("help"), vec![("unknown", "x")], "help"),
            (KUBEWHY, Some("unknown"), vec![], "help"),
            (KUBEWHY, None, vec![], "help"),
        ] {
            assert_eq!(line(command, subcommand, &values), expected);
        }
    }

    #[test]
    fn each_option_of_each_command_has_an_example() {
        let lines = examples();
        for line in ["explain cart", "explain pod cart", "logs cart last 20", "tell pod cart", "why"] {
            assert!(lines.iter().any(|example| example == line), "{line} is none of {lines:?}");
        }
        assert_eq!(lines.len(), 24);
    }

    #[test]
    fn what_was_typed_stays_one_line() {
        let typed = "ca\nrt\u{202e}\u{0}";
        assert_eq!(line(WHY, None, &[("name", typed)]), "explain ca rt");
    }

    #[test]
    fn the_fingerprint_tells_commands_apart() {
        let all = commands();
        assert_eq!(fingerprint(&all), fingerprint(&commands()));
        assert_ne!(fingerprint(&all), fingerprint(all.get(1..).unwrap()));
        assert_eq!(fingerprint(&all).len(), 16);
    }
}
