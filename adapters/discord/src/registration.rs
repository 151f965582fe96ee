//! The application commands: what is registered with Discord, and how an invocation becomes the one line of the grammar.
//!
//! The names are public interface. This crate knows nothing of the grammar's types: a test of the binary holds the table below
//! against it.

use serenity::all::{CommandOptionType, CommandType, InstallationContext, InteractionContext};
use serenity::builder::{CreateCommand, CreateCommandOption};

/// The command that explains.
pub const WHY: &str = "why";
/// The command whose subcommands are the other commands of the grammar.
pub const KUBEWHY: &str = "kubewhy";
/// What stands in the menu of a message: finds the object that the message names, and explains it.
pub const WHY_MESSAGE: &str = "Why?";

/// How the value of an option becomes words of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Bare,
    /// Behind a word: `-n shop`.
    After(&'static str),
    /// A word by itself, where the value is true.
    Flag(&'static str),
    /// Behind a word, a number from 1 to this.
    Number(&'static str, u64),
}

/// An option of a command.
#[derive(Debug)]
struct Choice {
    name: &'static str,
    description: &'static str,
    form: Form,
    /// Whether what is typed so far is answered with what it could become.
    completed: bool,
}

/// A command of the grammar and its options, in the order in which they stand in the line.
#[derive(Debug)]
struct Entry {
    /// Its name here, and the word that the line begins with.
    name: &'static str,
    word: &'static str,
    description: &'static str,
    options: &'static [Choice],
}

const KIND: Choice = Choice {
    name: "kind",
    description: "Its kind: pod, deploy, sts, job, pvc, node ... (none: all kinds are looked at)",
    form: Form::Bare,
    completed: true,
};
const NAME: Choice = Choice { name: "name", description: "The name of the object", form: Form::Bare, completed: true };
const NAMESPACE: Choice = Choice {
    name: "namespace",
    description: "Its namespace (none: those of this channel)",
    form: Form::After("-n"),
    completed: true,
};
const CLUSTER: Choice = Choice {
    name: "cluster",
    description: "Its cluster (none: those of this channel)",
    form: Form::After("on"),
    completed: true,
};

/// `/why`. Discord shows the options in this order; the name is what most people type.
const EXPLAIN: Entry = Entry {
    name: WHY,
    word: "explain",
    description: "Why it is broken: the root cause, the evidence, the fix. Without a name: what is broken now",
    options: &[NAME, KIND, NAMESPACE, CLUSTER],
};

/// The subcommands of `/kubewhy`: those commands of the grammar that work in a chat. One that comes later is a line here.
const SUBCOMMANDS: &[Entry] = &[
    Entry {
        name: "scan",
        word: "scan",
        description: "What is broken now, one entry per root cause",
        options: &[
            Choice {
                name: "everywhere",
                description: "In all namespaces",
                form: Form::Flag("everywhere"),
                completed: false,
            },
            NAMESPACE,
            CLUSTER,
        ],
    },
    Entry {
        name: "logs",
        word: "logs",
        description: "The last lines of its log, secrets taken out",
        options: &[
            NAME,
            KIND,
            NAMESPACE,
            CLUSTER,
            Choice {
                name: "previous",
                description: "Of the run before this one",
                form: Form::Flag("previous"),
                completed: false,
            },
            Choice {
                name: "container",
                description: "Of this container (none: the one that it is about)",
                form: Form::After("container"),
                completed: false,
            },
            Choice { name: "lines", description: "How many lines", form: Form::Number("last", 500), completed: false },
        ],
    },
    Entry {
        name: "fix",
        word: "fix",
        description: "The remedies that apply; with an action its plan: what it would do, and what it costs",
        options: &[
            NAME,
            KIND,
            NAMESPACE,
            CLUSTER,
            Choice {
                name: "action",
                description: "The remedy whose plan is shown: delete-pod, restart, undo ...",
                form: Form::After("--action"),
                completed: false,
            },
        ],
    },
    Entry {
        name: "catalogue",
        word: "catalogue",
        description: "What a cause means, its signals and look-alikes; without a code, all causes",
        options: &[Choice {
            name: "code",
            description: "The code of a cause: secret-key-missing",
            form: Form::Bare,
            completed: false,
        }],
    },
    Entry {
        name: "help",
        word: "help",
        description: "What works here, and what you may do",
        options: &[Choice {
            name: "command",
            description: "The command that help is wanted about",
            form: Form::Bare,
            completed: false,
        }],
    },
];

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
        Form::Bare | Form::After(_) => {
            let option = new(CommandOptionType::String).max_length(LONGEST_VALUE);
            if choice.completed { option.set_autocomplete(true) } else { option }
        }
        Form::Flag(_) => new(CommandOptionType::Boolean),
        Form::Number(_, most) => new(CommandOptionType::Integer).min_int_value(1).max_int_value(most),
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
            (KUBEWHY, Some("fix"), vec![("kind", "pod"), ("name", "x"), ("action", "undo")], "fix pod x --action undo"),
            (KUBEWHY, Some("catalogue"), vec![("code", "oom-limit")], "catalogue oom-limit"),
            (KUBEWHY, Some("help"), vec![("unknown", "x")], "help"),
            (KUBEWHY, Some("unknown"), vec![], "help"),
            (KUBEWHY, None, vec![], "help"),
        ] {
            assert_eq!(line(command, subcommand, &values), expected);
        }
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
