//! Where a request is answered: its line becomes a command, the command questions to a cluster, the answer a message.
//!
//! The decisions are `kubewhy-core`'s; here is only what has to be read for them. All chats come through here, whatever
//! platform they are on.

mod logs;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kubewhy_chat::{Input, Message, Place, Press, Reply, Request};
use kubewhy_core::answer::{self, Extras};
use kubewhy_core::commands::{self, Availability, Capabilities, Catalogue, Command, Explain, Fix, Help, Scan, Scope};
use kubewhy_core::resolve::{self, Candidate, ResolveError, Wanted};
use kubewhy_core::{UserError, mention};
use kubewhy_diagnosis::Report;
use kubewhy_text::{name, quoted, text};

use crate::source::Source;

/// How many threads keep their object in mind.
const MOST_THREADS: usize = 10_000;

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
    served: Served,
    here: Capabilities,
    /// What each thread is about.
    threads: Mutex<HashMap<Place, Wanted>>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Reply(Box<Reply>),
    /// The rest of the answer before is wanted, which the place itself has.
    More,
    /// The conversation is over.
    Quit,
}

impl Desk {
    /// A desk for one cluster or dump.
    pub fn new(served: Served, here: Capabilities) -> Self {
        Self { served, here, threads: Mutex::default() }
    }

    /// Where evidence comes from.
    pub fn source(&self) -> &Source {
        &self.served.source
    }

    /// Says unasked that something broke.
    pub fn news(&self, report: &Report) -> Message {
        answer::news(report, &self.extras())
    }

    /// Answers a request.
    pub fn answer(&self, request: &Request) -> Outcome {
        let line = match &request.input {
            Input::Line(line) | Input::Press(Press::Command(line)) => line.clone(),
            Input::Shortcut(words) => match mention::mentioned(words).first() {
                Some(object) => Command::Explain(Explain { object: object.clone() }).to_string(),
                None => return refusal(&nothing_named()),
            },
            Input::Press(Press::Token(_) | Press::Link(_)) | Input::Form { .. } => return refusal(&outdated()),
        };
        match self.read(&line, &request.place) {
            Ok(command) => self.run(&command, &request.place),
            Err(error) => refusal(&error),
        }
    }

    /// What a line means. Outside a thread, the object of the answer before is meant only where nothing else can be: `logs`
    /// takes its name, and `why` alone goes on asking what is broken.
    fn read(&self, line: &str, place: &Place) -> Result<Command, UserError> {
        let thread = self.thread(place);
        let alone = commands::parse(line, None);
        if place.thread.is_none() && alone.is_ok() {
            return alone;
        }
        commands::parse(line, thread.as_ref())
    }

    fn run(&self, command: &Command, place: &Place) -> Outcome {
        if let Availability::ComesWith(feature) = command.availability(&self.here) {
            return refusal(&commands::not_here(command, feature));
        }
        if let Some(other) = self.other_cluster(command) {
            return refusal(&other);
        }
        let answered = match command {
            Command::Explain(Explain { object }) => self.explain(command, object, place),
            Command::Scan(scan) => self.scan(scan),
            Command::Logs(logs) => self.log(command, logs),
            Command::Fix(fix) => self.fix(command, fix, place),
            Command::Catalogue(Catalogue { code }) => Ok(answer::cause(*code, &self.extras())),
            Command::Help(Help { about: None }) => Ok(answer::help(&self.here)),
            Command::Help(Help { about: Some(word) }) => Ok(answer::help_about(word, &self.here)),
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
        match answered {
            Ok(message) => Outcome::Reply(Box::new(Reply::to_everybody(message))),
            Err(remark) => Outcome::Reply(Box::new(Reply::to_asker(remark))),
        }
    }

    /// Says so where a cluster is named that is not served here.
    fn other_cluster(&self, command: &Command) -> Option<UserError> {
        let of_scan = match command {
            Command::Scan(scan) => scan.place.cluster.clone(),
            _ => None,
        };
        let named = command.wanted().and_then(|wanted| wanted.cluster).or(of_scan)?;
        let here = self.source().name();
        (named != here).then(|| {
            UserError::new(text!["there is no cluster ", quoted(named), " here"]).next(text![
                "This conversation is about ",
                name(here),
                "; leave the cluster out."
            ])
        })
    }

    fn explain(&self, command: &Command, object: &Wanted, place: &Place) -> Result<Message, Message> {
        let report = self.report(command, object)?;
        self.remember(place, &report);
        Ok(answer::report(&report, &self.extras()))
    }

    /// Answers the question that a command asks about an object. A name that is whole is asked about at once; only where
    /// nothing has it, names are looked through.
    fn report(&self, command: &Command, object: &Wanted) -> Result<Report, Message> {
        if let Some(candidate) = exact(object) {
            let report = self.explained(&candidate);
            if report.error.as_ref().is_none_or(|error| !["not-found", "not-in-dump"].contains(&error.code)) {
                return Ok(report);
            }
        }
        let candidate = self.find(object).map_err(|error| answer::unresolved(&error, command, &self.extras()))?;
        Ok(self.explained(&candidate))
    }

    fn explained(&self, candidate: &Candidate) -> Report {
        let target = candidate.to_target(self.source().name(), self.served.context.as_deref());
        self.source().explain(target, self.source().clock()).0
    }

    /// Finds the object that is meant among the names that there are.
    fn find(&self, object: &Wanted) -> Result<Candidate, ResolveError> {
        // Where nobody named a namespace the whole cluster is meant: a chat has no current one.
        let candidates = self.source().candidates(&object.kinds(), object.namespace.as_deref());
        resolve::resolve(object, &candidates).cloned()
    }

    fn scan(&self, scan: &Scan) -> Result<Message, Message> {
        let namespace = match scan.scope {
            Scope::Here | Scope::Everywhere => None,
            Scope::Named => scan.place.namespace.as_deref(),
        };
        let source = self.source();
        let found = source.scan(namespace, self.served.context.as_deref(), source.clock());
        Ok(answer::scan(&found, &self.extras()))
    }

    fn fix(&self, command: &Command, fix: &Fix, place: &Place) -> Result<Message, Message> {
        let report = self.report(command, &fix.object)?;
        self.remember(place, &report);
        Ok(match fix.action {
            Some(action) => answer::plan_preview(&report, action, &self.extras()).map_err(|error| error.message())?,
            None => answer::remedies(&report, &self.extras()),
        })
    }

    fn extras(&self) -> Extras {
        Extras::chat(self.here.clone())
    }

    fn thread(&self, place: &Place) -> Option<Wanted> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn remember(&self, place: &Place, report: &Report) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.len() >= MOST_THREADS {
            threads.clear();
        }
        threads.insert(place.clone(), Wanted::of_report(report).in_any_cluster());
    }
}

/// The object that is meant, where the words say all of it.
fn exact(object: &Wanted) -> Option<Candidate> {
    let Wanted { kind, name, namespace, cluster } = object.clone();
    let kind = kind.filter(|kind| namespace.is_some() || !kind.is_namespaced())?;
    Some(Candidate { kind, namespace: namespace.filter(|_| kind.is_namespaced()), name, cluster })
}

fn refusal(error: &UserError) -> Outcome {
    Outcome::Reply(Box::new(Reply::to_asker(error.message())))
}

fn nothing_named() -> UserError {
    UserError::new(text!["no object is named in that message"]).example("why pod cart-7c9 -n shop")
}

fn outdated() -> UserError {
    UserError::new(text!["that button belongs to something that is over"]).example("why pod cart-7c9 -n shop")
}
