//! The grammar of chats: what a line means. A file each.
//!
//! `[/why | @kubewhy] [why] [COMMAND] [KIND] NAME | KIND/NAME [in NS | -n NS] [on CLUSTER]`; a first word that is a command is
//! one. An object that is called like a command is asked about with its kind: `why pod/logs`.

mod acknowledge;
mod arguments;
mod audit;
mod catalogue;
mod debug;
mod explain;
mod fix;
mod help;
mod history;
mod incidents;
mod logs;
mod more;
mod pasted;
mod precheck;
mod quit;
mod scan;
mod silence;
mod tell;
mod timeline;

use std::collections::BTreeSet;
use std::fmt;

use kubewhy_diagnosis::kind::Kind;
use kubewhy_text::{quoted, text};

pub use acknowledge::Acknowledge;
pub use arguments::Place;
pub(crate) use arguments::is_keyword;
pub(crate) use arguments::short;
pub(crate) use arguments::shown;
pub use audit::Audit;
pub use catalogue::{Catalogue, code};
pub use debug::Debug;
pub use explain::Explain;
pub use fix::Fix;
pub use help::Help;
pub use history::History;
pub use incidents::Incidents;
pub use logs::{LINES, Logs, MOST_LINES};
pub use precheck::{Precheck, Proposal};
pub use scan::{Scan, Scope};
pub use silence::{Silence, Silenced};
pub use tell::Tell;
pub use timeline::Timeline;

use crate::UserError;
use crate::line::Line;
use crate::nearest::{likeness, nearest};
use crate::resolve::Wanted;
use arguments::{Arguments, is_one_of};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Why an object is as it is.
    Explain(Explain),
    /// What is broken now.
    Scan(Scan),
    /// The tail of a container's log.
    Logs(Logs),
    /// The remedies that apply, or the plan of one.
    Fix(Fix),
    /// What a cause means.
    Catalogue(Catalogue),
    /// The rest of the answer before.
    More,
    /// What works here.
    Help(Help),
    /// The end of a conversation at a terminal.
    Quit,
    /// One message when an object is healthy.
    Tell(Tell),
    /// The incidents that are open.
    Incidents(Incidents),
    /// No messages about something for a time.
    Silence(Silence),
    /// Somebody looks after an incident.
    Acknowledge(Acknowledge),
    /// What happened, in order.
    Timeline(Timeline),
    /// Restarts over days.
    History(History),
    /// A copy of a pod to look into.
    Debug(Debug),
    /// Who did what.
    Audit(Audit),
    /// Whether a change would start.
    Precheck(Precheck),
}

/// A part of kubewhy that is there or not.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::Display, strum::EnumIter,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Feature {
    /// Explanations, scans, the catalogue, help: always there.
    Chat,
    /// Log tails may be shown here.
    Logs,
    /// A terminal: a person can leave, and asks for the rest of an answer.
    Console,
    /// Plans of remedies are shown.
    Plans,
    /// A person can be called later.
    Tell,
    /// Incidents, notifications, the recorder.
    Incidents,
    /// Plans can be confirmed and are carried out.
    Remediation,
    /// Changes are checked before they are made.
    Precheck,
}

/// What is there in the place where a line was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Feature>);

impl Capabilities {
    /// These, and [`Feature::Chat`].
    pub fn new(features: impl IntoIterator<Item = Feature>) -> Self {
        Self(features.into_iter().chain([Feature::Chat]).collect())
    }

    /// What is built today, at a terminal.
    pub fn console() -> Self {
        Self::new([Feature::Logs, Feature::Console, Feature::Plans])
    }

    /// What is built today, in a chat that others read too.
    pub fn chat() -> Self {
        Self::new([Feature::Logs, Feature::Tell])
    }

    /// The same without a part.
    #[must_use]
    pub fn without(&self, feature: Feature) -> Self {
        Self(self.0.iter().copied().filter(|other| *other != feature).collect())
    }

    /// Tells whether it is there.
    pub fn has(&self, feature: Feature) -> bool {
        self.0.contains(&feature)
    }
}

/// Whether a command works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    Here,
    /// It does not: it comes with that part.
    ComesWith(Feature),
}

/// What is known of a command besides its parser.
#[derive(Debug)]
pub struct Spec {
    /// The word it begins with; for the explanation, `why`.
    pub word: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// Its form: `logs [KIND] NAME [previous]`.
    pub usage: &'static str,
    /// What it answers, in one line.
    pub help: &'static str,
    /// A line that works as it stands.
    pub example: &'static str,
    /// What it comes with.
    pub needs: Feature,
    parse: fn(&mut Arguments<'_>) -> Result<Command, UserError>,
}

/// All commands, in the order in which help lists them.
pub const ALL: [&Spec; 17] = [
    &explain::SPEC,
    &scan::SPEC,
    &logs::SPEC,
    &fix::SPEC,
    &catalogue::SPEC,
    &tell::SPEC,
    &incidents::SPEC,
    &silence::SPEC,
    &acknowledge::SPEC,
    &timeline::SPEC,
    &history::SPEC,
    &debug::SPEC,
    &audit::SPEC,
    &precheck::SPEC,
    &more::SPEC,
    &help::SPEC,
    &quit::SPEC,
];

impl Command {
    /// What is known of it.
    pub fn spec(&self) -> &'static Spec {
        match self {
            Self::Explain(_) => &explain::SPEC,
            Self::Scan(_) => &scan::SPEC,
            Self::Logs(_) => &logs::SPEC,
            Self::Fix(_) => &fix::SPEC,
            Self::Catalogue(_) => &catalogue::SPEC,
            Self::More => &more::SPEC,
            Self::Help(_) => &help::SPEC,
            Self::Quit => &quit::SPEC,
            Self::Tell(_) => &tell::SPEC,
            Self::Incidents(_) => &incidents::SPEC,
            Self::Silence(_) => &silence::SPEC,
            Self::Acknowledge(_) => &acknowledge::SPEC,
            Self::Timeline(_) => &timeline::SPEC,
            Self::History(_) => &history::SPEC,
            Self::Debug(_) => &debug::SPEC,
            Self::Audit(_) => &audit::SPEC,
            Self::Precheck(_) => &precheck::SPEC,
        }
    }

    /// Whether it works in a place.
    pub fn availability(&self, here: &Capabilities) -> Availability {
        self.spec().availability(here)
    }

    /// The object it is about, if it is about one.
    pub fn wanted(&self) -> Option<Wanted> {
        self.clone().object().cloned()
    }

    /// The same about another object, where it is about one.
    #[must_use]
    pub fn about(&self, other: Wanted) -> Self {
        let mut command = self.clone();
        if let Some(object) = command.object() {
            *object = other;
        }
        command
    }

    fn object(&mut self) -> Option<&mut Wanted> {
        match self {
            Self::Explain(Explain { object })
            | Self::Logs(Logs { object, .. })
            | Self::Fix(Fix { object, .. })
            | Self::Tell(Tell { object })
            | Self::Timeline(Timeline { object })
            | Self::History(History { object })
            | Self::Debug(Debug { object, .. })
            | Self::Precheck(Precheck { object, .. })
            | Self::Silence(Silence { what: Silenced::Object(object), .. }) => Some(object),
            Self::Audit(Audit { object }) => object.as_mut(),
            Self::Silence(_)
            | Self::Scan(_)
            | Self::Catalogue(_)
            | Self::More
            | Self::Help(_)
            | Self::Quit
            | Self::Incidents(_)
            | Self::Acknowledge(_) => None,
        }
    }
}

/// The line that means it: what buttons send.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explain(command) => command.fmt(f),
            Self::Scan(command) => command.fmt(f),
            Self::Logs(command) => command.fmt(f),
            Self::Fix(command) => command.fmt(f),
            Self::Catalogue(command) => command.fmt(f),
            Self::More => f.write_str("more"),
            Self::Help(command) => command.fmt(f),
            Self::Quit => f.write_str("quit"),
            Self::Tell(command) => command.fmt(f),
            Self::Incidents(command) => command.fmt(f),
            Self::Silence(command) => command.fmt(f),
            Self::Acknowledge(command) => command.fmt(f),
            Self::Timeline(command) => command.fmt(f),
            Self::History(command) => command.fmt(f),
            Self::Debug(command) => command.fmt(f),
            Self::Audit(command) => command.fmt(f),
            Self::Precheck(command) => command.fmt(f),
        }
    }
}

impl Spec {
    /// Whether the command works in a place.
    pub fn availability(&self, here: &Capabilities) -> Availability {
        if here.has(self.needs) { Availability::Here } else { Availability::ComesWith(self.needs) }
    }

    /// The command that a word names.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|spec| is_one_of(word, &[spec.word]) || is_one_of(word, spec.aliases))
    }
}

/// The command whose word is nearest, where one is near.
pub fn nearest_command(word: &str) -> Option<&'static str> {
    let words =
        ALL.into_iter().flat_map(|spec| spec.aliases.iter().copied().chain([spec.word])).filter(|word| word.len() > 2);
    nearest(word, words, 0.86, 1).first().copied()
}

/// Reads a line. `thread` is the object that the thread is about in which it was typed: it is meant where no name stands.
///
/// # Errors
/// Where a word is not understood or something is missing; the error says what to do.
pub fn parse(line: &str, thread: Option<&Wanted>) -> Result<Command, UserError> {
    let line = Line::new(line);
    let word = |at: usize| line.words.get(at).map_or("", |word| word.text.as_str());
    let mut at = 0;
    if let Some(slash) = word(0).strip_prefix('/') {
        // `/why ...` is how a chat calls us, under whatever name it was installed; `/help` means the command.
        if slash.is_empty() || is_one_of(slash, &["why"]) || Spec::of_word(slash).is_none() {
            at += 1;
        }
    } else if is_one_of(word(0), &["kubewhy"]) || (is_one_of(word(0), &["kubectl"]) && is_one_of(word(1), &["why"])) {
        at += 1;
    }
    // A prompt that was copied with a line.
    at += usize::from(word(at) == "$");
    let said_why = is_one_of(word(at), &["why"]);
    at += usize::from(said_why);
    if let Some(command) = pasted::kubectl(&line, at, said_why || at > 0 && word(at - 1).starts_with('/')) {
        return command;
    }
    let first = word(at).trim_start_matches(if at == 0 { "/" } else { "" });
    if first == "-h" || first == "--help" || line.clean.trim() == "?" {
        return Ok(Command::Help(Help { about: None }));
    }
    if first.is_empty() {
        let spec = if thread.is_some() { &explain::SPEC } else { &scan::SPEC };
        return (spec.parse)(&mut Arguments::new(&line, at, thread, spec.example));
    }
    match Spec::of_word(first) {
        Some(spec) => {
            let mut arguments = Arguments::new(&line, at + 1, thread, spec.example);
            let asks_help = arguments.peek().is_some_and(|next| is_one_of(next, &["-h", "--help"]));
            if asks_help { Ok(Command::Help(Help { about: Some(spec.word) })) } else { (spec.parse)(&mut arguments) }
        }
        None => {
            let is_everywhere = is_one_of(first, &["-A", "--all-namespaces"]);
            let spec = if is_everywhere { &scan::SPEC } else { &explain::SPEC };
            (spec.parse)(&mut Arguments::new(&line, at, thread, spec.example))
        }
    }
}

/// Says of a command that it is not there yet, and how an object that is called like it is asked about.
pub fn not_here(command: &Command, feature: Feature) -> UserError {
    let spec = command.spec();
    let alone = command.wanted().is_none_or(|wanted| wanted.kind.is_none());
    let part = feature.to_string();
    let comes_with = if part == spec.word {
        text![quoted(spec.word), " is not here yet"]
    } else {
        text![quoted(spec.word), " comes with ", kubewhy_text::own(part), ", which is not here"]
    };
    let error = UserError::new(comes_with).undone("Nothing was changed.");
    let example = format!("why {}/{}", Kind::Deployment.kubectl_name(), spec.word);
    if alone {
        error.next(text![
            "See ",
            kubewhy_text::code("help"),
            " for what works. An object that is called so: ",
            kubewhy_text::code(example)
        ])
    } else {
        error.next(text!["See ", kubewhy_text::code("help"), " for what works."])
    }
}

/// How alike a word is to the nearest command's, from 0 to 1.
pub fn likeness_to_a_command(word: &str) -> f64 {
    nearest_command(word).map_or(0.0, |command| likeness(word, command))
}

#[cfg(test)]
mod tests;
