//! Where evidence comes from: a cluster or a dump. Everything above asks and does not care.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kubewhy_core::resolve::{Candidate, ResolveError};
use kubewhy_diagnosis::ask::{Answer, Ask, Filter};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::scan::{self, Scan};
use kubewhy_diagnosis::{Inquiry, Report, Snapshot, Step, Target, vocabulary};
use kubewhy_kubernetes::{Cluster, ConnectError, Connection};

use tokio::runtime::{Builder, Runtime};

use crate::dump::{self, DumpError};
use crate::output::Output;

/// How long an answer may take before progress is shown.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// Why there is no evidence at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The dump cannot be used.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The cluster cannot be reached.
    #[error(transparent)]
    Cluster(#[from] ConnectError),
}

/// A cluster or a dump.
#[derive(Debug)]
pub enum Source {
    /// A dump in memory.
    Dump {
        /// What it holds.
        snapshot: Box<Snapshot>,
        /// Its name for the reader.
        name: String,
        /// The time of the answers; without one, the newest time of the dump.
        clock: Option<Timestamp>,
    },
    /// A live cluster.
    Cluster {
        /// The connection.
        cluster: Cluster,
        /// The runtime that its requests run on.
        runtime: Arc<Runtime>,
        /// The time there: the system's, but for an embedded cluster.
        clock: Clock,
    },
}

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that is read by calling.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").finish()
    }
}

impl Source {
    /// Opens a dump.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub fn dump(path: &Path) -> Result<Self, SourceError> {
        let snapshot = Box::new(dump::read(path)?);
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
        Ok(Self::Dump { snapshot, name, clock: None })
    }

    /// Connects to a cluster.
    ///
    /// # Errors
    /// Where there is no kubeconfig, or it cannot be used.
    pub fn cluster(connection: &Connection) -> Result<Self, SourceError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(ConnectError::Runtime)?;
        Self::cluster_on(Arc::new(runtime), connection)
    }

    /// The same on a runtime that is there already. Questions are asked from outside of it, or from threads on which it lets
    /// one block.
    ///
    /// # Errors
    /// Where there is no kubeconfig, or it cannot be used.
    pub fn cluster_on(runtime: Arc<Runtime>, connection: &Connection) -> Result<Self, SourceError> {
        let cluster = runtime.block_on(Cluster::connect(connection))?;
        Ok(Self::Cluster { cluster, runtime, clock: Clock::new(Timestamp::now) })
    }

    /// The same with its clock standing still at that time.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        match &mut self {
            Self::Dump { clock, .. } => *clock = Some(at),
            Self::Cluster { clock, .. } => *clock = Clock::new(move || at),
        }
        self
    }

    /// The cluster's name, for the reader.
    pub fn name(&self) -> &str {
        match self {
            Self::Dump { name, .. } => name,
            Self::Cluster { cluster, .. } => cluster.name(),
        }
    }

    /// The namespace that is meant where none is named; `None` for a dump, in which all are searched.
    pub fn default_namespace(&self) -> Option<&str> {
        match self {
            Self::Dump { .. } => None,
            Self::Cluster { cluster, .. } => Some(cluster.default_namespace()),
        }
    }

    /// The time of the answer where none is given: now, or the newest time of the dump.
    pub fn clock(&self) -> Timestamp {
        match self {
            Self::Dump { snapshot, clock, .. } => {
                clock.or_else(|| snapshot.newest_time()).unwrap_or_else(Timestamp::now)
            }
            Self::Cluster { clock, .. } => clock.now(),
        }
    }

    /// What could not be read while the source was opened.
    pub fn caveats(&self) -> &[String] {
        match self {
            Self::Dump { snapshot, .. } => snapshot.caveats(),
            Self::Cluster { .. } => &[],
        }
    }

    /// How many requests were sent so far; for a dump none.
    pub fn requests(&self) -> usize {
        match self {
            Self::Dump { .. } => 0,
            Self::Cluster { cluster, .. } => cluster.requests(),
        }
    }

    /// Answers asks, all at once.
    pub fn answer(&self, asks: Vec<Ask>) -> Vec<(Ask, Answer)> {
        match self {
            Self::Dump { snapshot, .. } => asks
                .into_iter()
                .map(|ask| {
                    let answer = snapshot.answer(&ask);
                    (ask, answer)
                })
                .collect(),
            Self::Cluster { cluster, runtime, .. } => runtime.block_on(cluster.answer(asks)),
        }
    }

    /// The objects of a kind as `(namespace, name)`; empty where they cannot be listed.
    pub fn names(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Option<String>, String)> {
        match self {
            Self::Cluster { cluster, .. } if kind == Kind::Cluster => vec![(None, cluster.name().to_owned())],
            Self::Dump { snapshot, name, .. } if kind == Kind::Cluster => {
                let own = snapshot.objects(kind).map(|object| object.name().to_owned()).next();
                vec![(None, own.filter(|own| !own.is_empty()).unwrap_or_else(|| name.clone()))]
            }
            Self::Dump { snapshot, .. } => snapshot
                .objects(kind)
                .filter(|object| {
                    namespace.is_none_or(|wanted| !kind.is_namespaced() || object.namespace() == Some(wanted))
                })
                .map(|object| (object.namespace().map(str::to_owned), object.name().to_owned()))
                .collect(),
            Self::Cluster { cluster, runtime, .. } => runtime.block_on(cluster.names(kind, namespace)),
        }
    }

    /// The objects of several kinds that may be the one that is meant, in the order of the kinds.
    pub fn candidates(&self, kinds: &[Kind], namespace: Option<&str>) -> Vec<Candidate> {
        let of_kind = |kind: &Kind| {
            let kind = *kind;
            let names = self.names(kind, namespace).into_iter();
            names.map(move |(namespace, name)| Candidate { kind, namespace, name, cluster: None })
        };
        kinds.iter().flat_map(of_kind).collect()
    }

    /// The objects of several kinds that have exactly that name, in the order of the kinds.
    pub fn named(&self, kinds: &[Kind], namespace: Option<&str>, name: &str) -> Vec<Candidate> {
        let found = match self {
            Self::Dump { .. } => {
                let mut all = self.candidates(kinds, namespace);
                all.retain(|candidate| candidate.name == name);
                return all;
            }
            Self::Cluster { cluster, runtime, .. } => runtime.block_on(cluster.named(kinds, namespace, name)),
        };
        let candidate = |(kind, namespace, name)| Candidate { kind, namespace, name, cluster: None };
        found.into_iter().map(candidate).collect()
    }

    /// The kinds that a word means which no table has: in a cluster, those that it serves; in a dump, those of its objects
    /// and of its definitions of custom resources. At least one.
    ///
    /// # Errors
    /// Where there is none.
    pub fn kinds_named(&self, word: &str) -> Result<Vec<Kind>, ResolveError> {
        let (kinds, others, unread) = match self {
            Self::Dump { snapshot, .. } => {
                let all = dump::kinds(snapshot);
                (vocabulary::named(&all, word), all.into_iter().map(|known| known.kind).collect(), None)
            }
            Self::Cluster { cluster, runtime, .. } => {
                let found = runtime.block_on(cluster.kinds_named(word));
                (found.kinds, found.others, found.unread)
            }
        };
        if kinds.is_empty() { Err(ResolveError::unknown_to_cluster(word, &others, unread)) } else { Ok(kinds) }
    }

    /// All objects of a kind, in one namespace or in all.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Answer {
        let ask = Ask::List { kind, namespace: namespace.map(str::to_owned), filter: Filter::All };
        self.answer(vec![ask]).pop().map_or_else(|| Answer::Failed("no answer".to_owned()), |(_, answer)| answer)
    }

    /// Looks for everything that is broken, in one namespace or in all.
    pub fn scan(&self, namespace: Option<&str>, context: Option<&str>, now: Timestamp) -> Scan {
        let (reports, unread) = self.reports(namespace, context, now);
        Scan::new(reports, unread)
    }

    /// A report for each object that may be broken, in one namespace or in all, and what could not be read.
    pub fn reports(
        &self,
        namespace: Option<&str>,
        context: Option<&str>,
        now: Timestamp,
    ) -> (Vec<Report>, Vec<String>) {
        let (kinds, asks): (Vec<_>, Vec<_>) = scan::asks(namespace).into_iter().unzip();
        let answers = kinds.into_iter().zip(self.answer(asks).into_iter().map(|(_, answer)| answer));
        let (suspects, unread) = scan::suspects(&answers.collect::<Vec<_>>(), namespace, now);
        let reports = suspects
            .into_iter()
            .map(|suspect| {
                let (cluster, context) = (self.name().to_owned(), context.map(str::to_owned));
                self.explain(Target { cluster, context, ..suspect }, now).0
            })
            .collect();
        (reports, unread)
    }

    /// Answers a question; the inquiry comes back for those who want to know what was read.
    pub fn explain(&self, target: Target, now: Timestamp) -> (Report, Inquiry) {
        let started = Instant::now();
        let question = match self {
            Self::Dump { .. } => None,
            Self::Cluster { cluster, .. } => Some(cluster.for_one_question()),
        };
        let mut inquiry = Inquiry::new(target, now).noting(self.caveats());
        let mut answers = Vec::new();
        let mut told = false;
        loop {
            match inquiry.step(answers) {
                Step::Needs(asks) => {
                    if !told && started.elapsed() > SILENT_FOR && Output::shows_progress() {
                        told = true;
                        Output::new().note(&format!(
                            "still reading: {} ...",
                            asks.first().map(ToString::to_string).unwrap_or_default()
                        ));
                    }
                    answers = match (self, &question) {
                        (Self::Cluster { runtime, .. }, Some(question)) => runtime.block_on(question.answer(asks)),
                        _ => self.answer(asks),
                    };
                }
                Step::Done(mut report) => {
                    if let (Self::Cluster { cluster, .. }, Some(question)) = (self, &question) {
                        cluster.add_requests(question);
                        report.requests = question.requests();
                    }
                    report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                    return (*report, inquiry);
                }
            }
        }
    }
}
