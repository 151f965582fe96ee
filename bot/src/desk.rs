//! Where a request is answered: its line becomes a command, the command questions to a cluster, the answer a message.
//!
//! The decisions are `kubewhy-core`'s; here is only what has to be read for them. All chats come through here, whatever
//! platform they are on. It keeps nothing between questions: what a thread is about, its caller brings along.

mod find;
mod logs;

use kubewhy_chat::{Field, Form, Input, Message, Press, Reply, Visibility};
use kubewhy_core::access::{Grant, Namespaces, Policy};
use kubewhy_core::answer::{self, Clusters, Extras, Surface, Waited};
use kubewhy_core::commands::{
    self, Availability, Capabilities, Catalogue, Command, Explain, Feature, Fix, Help, Scan, Scope, Tell,
};
use kubewhy_core::resolve::{Candidate, Wanted};
use kubewhy_core::{UserError, mention};
use kubewhy_diagnosis::{Report, Status, Target, scan};
use kubewhy_text::{Text, name, quoted, text};

use crate::source::Source;

/// The form that asks which object is meant.
const WHICH: &str = "which";

/// A cluster or dump that questions are about.
#[derive(Debug)]
pub struct Served {
    /// Where evidence comes from.
    pub source: Source,
    /// The kubeconfig context that a person named; commands carry it.
    pub context: Option<String>,
}

/// Answers requests.
#[derive(Debug)]
pub struct Desk {
    served: Vec<Served>,
    here: Capabilities,
    /// Who may ask what elsewhere; a person at a terminal asks by an own kubeconfig.
    policy: Option<Policy>,
}

/// What is known of a question besides its words.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'q> {
    /// What the place is about.
    pub about: Option<&'q Wanted>,
    /// Whether the place is a thread about it.
    pub place: Whereabouts,
    /// What may be asked.
    pub grant: &'q Grant,
}

/// Where a question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whereabouts {
    /// In a channel or at a terminal.
    Open,
    /// In the thread about an object.
    Thread,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Reply(Box<Answered>),
    /// The rest of the answer before is wanted, which the place itself has.
    More,
    /// The conversation is over.
    Quit,
}

/// An answer, and what it means for what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What is said.
    pub reply: Reply,
    /// What the place is about from now on.
    pub about: Option<Wanted>,
    /// The object of which the person wants to be told when it is healthy.
    pub tell: Option<Wanted>,
}

impl Desk {
    /// A desk for one cluster or dump, whose person may ask for all of it.
    pub fn new(served: Served, here: Capabilities) -> Self {
        Self { served: vec![served], here, policy: None }
    }

    /// A desk for several, where a policy says who may ask what.
    pub fn shared(served: Vec<Served>, here: Capabilities, policy: Policy) -> Self {
        Self { served, here, policy: Some(policy) }
    }

    /// Where evidence comes from.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.served.iter().map(|served| &served.source)
    }

    /// All that is served, for those who may ask for all.
    pub fn everything(&self) -> Grant {
        Grant::everything(self.sources().map(Source::name))
    }

    /// Says unasked that something broke.
    pub fn news(&self, report: &Report) -> Message {
        answer::news(report, &self.extras(&self.everything()))
    }

    /// The command that an input means.
    ///
    /// # Errors
    /// Where its words are not understood, or it belongs to something that is over.
    pub fn read(&self, input: &Input, about: Option<&Wanted>, place: Whereabouts) -> Result<Command, UserError> {
        let line = match input {
            Input::Line(line) | Input::Press(Press::Command(line)) => line.clone(),
            Input::Shortcut(words) => {
                let object = mention::mentioned(words).into_iter().next().ok_or_else(nothing_named)?;
                return Ok(Command::Explain(Explain { object }));
            }
            Input::Form { token, values } if token == WHICH => {
                format!("why {}", values.get(WHICH).map_or("", String::as_str))
            }
            Input::Press(Press::Token(_) | Press::Link(_)) | Input::Form { .. } => return Err(outdated()),
        };
        // Outside a thread, the object of the answer before is meant only where nothing else can be: `logs` takes its name,
        // and `why` alone goes on asking what is broken.
        let alone = commands::parse(&line, None);
        if place == Whereabouts::Open && alone.is_ok() { alone } else { commands::parse(&line, about) }
    }

    /// The form that asks for what an input lacks, where it lacks something that can be asked for.
    pub fn form_for(input: &Input) -> Option<Form> {
        let Input::Shortcut(words) = input else { return None };
        mention::mentioned(words).is_empty().then(|| Form {
            title: text!["Why?"],
            blocks: Vec::new(),
            fields: vec![Field {
                id: WHICH.to_owned(),
                label: text!["No object is named in that message. Which one?"],
                placeholder: text!["pod cart-7c9 -n shop"],
                most: 300,
            }],
            submit: text!["Ask"],
            token: WHICH.to_owned(),
        })
    }

    /// Who will see the answer, as far as the words tell.
    pub fn visibility(&self, input: &Input, place: Whereabouts) -> Visibility {
        // In a thread the object may be the thread's, which is looked up later.
        let about = (place == Whereabouts::Thread).then(Wanted::default);
        match self.read(input, about.as_ref(), place) {
            Ok(Command::Help(_) | Command::Tell(_) | Command::Quit | Command::More) => Visibility::OnlyAsker,
            Ok(command) if command.availability(&self.here) == Availability::Here => Visibility::Everybody,
            _ => Visibility::OnlyAsker,
        }
    }

    /// Answers an input.
    pub fn answer(&self, input: &Input, asked: &Asked<'_>) -> Outcome {
        match self.read(input, asked.about, asked.place) {
            Ok(command) => self.run(&command, asked.grant),
            Err(error) => refusal(&error),
        }
    }

    /// Does what a command asks for, as far as the grant goes.
    pub fn run(&self, command: &Command, grant: &Grant) -> Outcome {
        let needs_logs = command.spec().needs == Feature::Logs;
        if let Some(why) = grant.no_logs.as_ref().filter(|_| needs_logs) {
            return refusal(why);
        }
        if let Availability::ComesWith(feature) = command.availability(&self.here) {
            return refusal(&commands::not_here(command, feature));
        }
        let here = self.here_for(grant);
        let extras = self.extras(grant);
        let counter = Counter { desk: self, grant, extras };
        let answered = match command {
            Command::Explain(Explain { object }) => counter.explain(command, object),
            Command::Scan(scan) => counter.scan(scan).map(Answered::to_everybody),
            Command::Logs(logs) => counter.log(command, logs),
            Command::Fix(fix) => counter.fix(command, fix),
            Command::Tell(Tell { object }) => counter.tell(command, object),
            Command::Catalogue(Catalogue { code }) => Ok(Answered::to_everybody(answer::cause(*code, &counter.extras))),
            Command::Help(Help { about: None }) => Ok(Answered::to_asker(answer::help(&here))),
            Command::Help(Help { about: Some(word) }) => Ok(Answered::to_asker(answer::help_about(word, &here))),
            Command::More => return Outcome::More,
            Command::Quit => return Outcome::Quit,
            // Their features are not offered anywhere yet, so that the availability above has refused them.
            Command::Incidents(_)
            | Command::Silence(_)
            | Command::Acknowledge(_)
            | Command::Timeline(_)
            | Command::History(_)
            | Command::Debug(_)
            | Command::Audit(_)
            | Command::Precheck(_) => Err(UserError::new(text![quoted(command.spec().word), " is not here"]).message()),
        };
        Outcome::Reply(Box::new(answered.unwrap_or_else(Answered::to_asker)))
    }

    /// The report about an object that was found before, and nothing said of it.
    pub fn look(&self, object: &Wanted) -> Option<Report> {
        let served = match &object.cluster {
            Some(cluster) => self.served_as(cluster)?,
            None => self.served.first()?,
        };
        let kind = match &object.word {
            Some(word) => served.source.kinds_named(word).ok()?.first().copied(),
            None => object.kind,
        };
        let candidate = find::exact(&object.known_as(kind?))?;
        Some(served.explained(&candidate))
    }

    /// Says how a wait for an object ended.
    pub fn told(&self, waited: Waited<'_>) -> Message {
        answer::told(waited, &self.extras(&self.everything()))
    }

    fn served_as(&self, cluster: &str) -> Option<&Served> {
        self.served.iter().find(|served| served.source.name() == cluster)
    }

    /// What is there for those whose grant it is.
    fn here_for(&self, grant: &Grant) -> Capabilities {
        if grant.no_logs.is_some() { self.here.without(Feature::Logs) } else { self.here.clone() }
    }

    fn extras(&self, grant: &Grant) -> Extras {
        let here = self.here_for(grant);
        let clusters = if self.served.len() > 1 { Clusters::Several } else { Clusters::One };
        Extras { surface: Surface::Chat(here), clusters }
    }
}

impl Served {
    fn explained(&self, candidate: &Candidate) -> Report {
        let target = candidate.to_target(self.source.name(), self.context.as_deref());
        let target = Target { cluster: self.source.name().to_owned(), ..target };
        self.source.explain(target, self.source.clock()).0
    }
}

impl Answered {
    fn to_everybody(message: Message) -> Self {
        Self { reply: Reply::to_everybody(message), about: None, tell: None }
    }

    /// A remark that only who asked sees.
    pub fn to_asker(message: Message) -> Self {
        Self { reply: Reply::to_asker(message), about: None, tell: None }
    }

    fn about(self, object: Wanted) -> Self {
        Self { about: Some(object), ..self }
    }
}

/// The desk while it serves one person.
struct Counter<'d> {
    desk: &'d Desk,
    grant: &'d Grant,
    extras: Extras,
}

impl Counter<'_> {
    fn explain(&self, command: &Command, object: &Wanted) -> Result<Answered, Message> {
        let report = self.report(command, object)?;
        let message = answer::report(&report, &self.extras);
        Ok(Answered::to_everybody(message).about(self.extras.named(&report)))
    }

    fn fix(&self, command: &Command, fix: &Fix) -> Result<Answered, Message> {
        let report = self.report(command, &fix.object)?;
        let message = match fix.action {
            Some(action) => answer::plan_preview(&report, action, &self.extras).map_err(|error| error.message())?,
            None => answer::remedies(&report, &self.extras),
        };
        Ok(Answered::to_everybody(message).about(self.extras.named(&report)))
    }

    fn tell(&self, command: &Command, object: &Wanted) -> Result<Answered, Message> {
        let report = self.report(command, object)?;
        if report.error.is_some() || report.status == Status::Healthy {
            return Ok(Answered::to_asker(answer::report(&report, &self.extras)).about(self.extras.named(&report)));
        }
        let message = answer::will_tell(&report);
        let tell = Some(Wanted::of_report(&report));
        Ok(Answered { tell, ..Answered::to_asker(message) }.about(self.extras.named(&report)))
    }

    fn scan(&self, scan: &Scan) -> Result<Message, Message> {
        let scopes = self.scopes(scan.place.cluster.as_deref())?;
        let (mut roots, mut unread) = (Vec::new(), Vec::new());
        let mut refused = None;
        for scope in &scopes {
            let namespaces = match (scan.scope, &scan.place.namespace) {
                (Scope::Named, Some(namespace)) if !scope.namespaces.has(namespace) => {
                    refused = Some(self.not_here(scope, namespace));
                    continue;
                }
                (Scope::Named, Some(namespace)) => Namespaces::Only([namespace.clone()].into()),
                _ => scope.namespaces.clone(),
            };
            let Some(served) = self.desk.served_as(&scope.name) else { continue };
            let found = served.scan(&namespaces);
            roots.extend(found.roots);
            unread.extend(found.unread);
        }
        if let Some(refused) = refused.filter(|_| roots.is_empty() && unread.is_empty()) {
            return Err(refused);
        }
        roots.sort_by_key(|root| root.report.status);
        Ok(answer::scan(&scan::Scan { roots, unread }, &self.extras))
    }
}

impl Served {
    fn scan(&self, namespaces: &Namespaces) -> scan::Scan {
        let (now, context) = (self.source.clock(), self.context.as_deref());
        let Namespaces::Only(these) = namespaces else { return self.source.scan(None, context, now) };
        let (mut reports, mut unread) = (Vec::new(), Vec::new());
        for namespace in these {
            let (more, also_unread) = self.source.reports(Some(namespace), context, now);
            reports.extend(more);
            unread.extend(also_unread);
        }
        scan::Scan::new(reports, unread)
    }
}

fn refusal(error: &UserError) -> Outcome {
    Outcome::Reply(Box::new(Answered::to_asker(error.message())))
}

/// Says so where a cluster is named that is not served here.
fn no_cluster(named: &str, here: &[&str]) -> UserError {
    let error = UserError::new(text!["there is no cluster ", quoted(named), " here"]);
    match here {
        [only] => error.next(text!["This conversation is about ", name(*only), "; leave the cluster out."]),
        _ => error.next(text!["Here: ", Text::names(here.iter().copied(), 10), "."]),
    }
}

fn nothing_named() -> UserError {
    UserError::new(text!["no object is named in that message"]).example("why pod cart-7c9 -n shop")
}

fn outdated() -> UserError {
    UserError::new(text!["that button belongs to something that is over"]).example("why pod cart-7c9 -n shop")
}
