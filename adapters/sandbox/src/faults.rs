//! Faults on demand: what API servers and the networks before them do to clients, scripted by a test.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Call, Verb};
use crate::handle::Sandbox;
use crate::journal::is_dry_run;
use crate::status::Status;

/// One fault: for which requests, what happens, how often.
#[derive(Clone, Debug)]
pub struct Fault {
    filter: Filter,
    effect: Effect,
    /// How many matching requests pass before it starts.
    skip: u32,
    /// How many requests it still meets; `None` for all.
    left: Option<u32>,
}

/// Which requests a fault meets: those that fit everything that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    verbs: Vec<Verb>,
    resource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    path: Option<String>,
    continued: bool,
    dry_run: bool,
}

/// What a fault does.
#[derive(Clone)]
pub enum Effect {
    /// Answers with this and does nothing.
    Refuse(Status),
    /// Does what was asked, then answers with this.
    RefuseAfterwards(Status),
    /// Waits before anything else.
    Delay(Duration),
    /// Drops the connection and does nothing.
    Disconnect,
    /// Does what was asked, then drops the connection instead of answering.
    DisconnectAfterwards,
    /// Drops the connection after so many bytes of the answer's body.
    Truncate(usize),
    /// Sends the answer's body in pieces of so many bytes, with a pause before each.
    Trickle(usize, Duration),
    /// Never answers.
    Hang,
    /// Runs something between the arrival of a request and its handling: what another client did just then.
    Meanwhile(Hook),
    /// Reads answer with what was there at this revision, as a replica that lags does.
    Stale(u64),
    /// Does something to the stream of a watch.
    Watch(WatchFault),
}

/// What can happen to the stream of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFault {
    /// It ends at once, without an event.
    EndAtOnce,
    /// It stays open and nothing comes, not even bookmarks.
    Silent,
    /// Its first event is the error 410.
    Expired,
    /// Bookmarks are left out.
    NoBookmarks,
    /// Only bookmarks come.
    OnlyBookmarks,
    /// Every bookmark is followed by an older one.
    BackwardBookmarks,
    /// Every event comes twice.
    Doubled,
    /// Events that are sent together come in the opposite order.
    Reordered,
    /// Deletions are left out.
    NoDeletions,
    /// Its first line is no JSON.
    Garbage,
}

/// Something to run when a request arrives.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&Sandbox) + Send + Sync>);

impl Hook {
    /// Makes a hook.
    pub fn new(run: impl Fn(&Sandbox) + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    pub(crate) fn run(&self, sandbox: &Sandbox) {
        (self.0)(sandbox);
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(status) => write!(formatter, "Refuse({})", status.code),
            Self::RefuseAfterwards(status) => write!(formatter, "RefuseAfterwards({})", status.code),
            Self::Delay(time) => write!(formatter, "Delay({time:?})"),
            Self::Disconnect => formatter.write_str("Disconnect"),
            Self::DisconnectAfterwards => formatter.write_str("DisconnectAfterwards"),
            Self::Truncate(bytes) => write!(formatter, "Truncate({bytes})"),
            Self::Trickle(bytes, pause) => write!(formatter, "Trickle({bytes}, {pause:?})"),
            Self::Hang => formatter.write_str("Hang"),
            Self::Meanwhile(_) => formatter.write_str("Meanwhile"),
            Self::Stale(revision) => write!(formatter, "Stale({revision})"),
            Self::Watch(fault) => write!(formatter, "Watch({fault:?})"),
        }
    }
}

impl Filter {
    /// Every request.
    pub fn all() -> Self {
        Self::default()
    }

    /// Requests with one of these verbs.
    #[must_use]
    pub fn verbs(mut self, verbs: &[Verb]) -> Self {
        self.verbs = verbs.to_vec();
        self
    }

    /// Requests for this resource (`pods`, `deployments.apps`), or for a subresource of it (`pods/log`).
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Requests for this namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Requests for the object of this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Requests whose path contains this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Requests for a page other than the first.
    #[must_use]
    pub fn continued(mut self) -> Self {
        self.continued = true;
        self
    }

    /// Writes that are to store nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    fn meets(&self, call: &Call, body: &[u8]) -> bool {
        let Self { verbs, resource, namespace, name, path, continued, dry_run } = self;
        let target = call.target.clone().unwrap_or_default();
        let mut asked = crate::status::qualified(&target.group, &target.plural);
        if !target.subresource.is_empty() {
            asked = format!("{asked}/{}", target.subresource);
        }
        (verbs.is_empty() || verbs.contains(&call.verb))
            && resource.as_ref().is_none_or(|wanted| *wanted == asked)
            && namespace.as_ref().is_none_or(|wanted| *wanted == target.namespace)
            && name.as_ref().is_none_or(|wanted| *wanted == target.name)
            && path.as_ref().is_none_or(|wanted| call.path.contains(wanted))
            && (!continued || !call.query.get("continue").is_empty())
            && (!dry_run || is_dry_run(call, &serde_json::from_slice(body).unwrap_or_default()))
    }
}

impl Fault {
    /// A fault that meets every request of the filter.
    pub fn always(filter: Filter, effect: Effect) -> Self {
        Self { filter, effect, skip: 0, left: None }
    }

    /// A fault that meets the first requests of the filter, as many as said.
    pub fn times(times: u32, filter: Filter, effect: Effect) -> Self {
        Self { filter, effect, skip: 0, left: Some(times) }
    }

    /// A fault that meets the first request of the filter.
    pub fn once(filter: Filter, effect: Effect) -> Self {
        Self::times(1, filter, effect)
    }

    /// Lets so many requests of the filter pass first.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }
}

/// The faults that are set, in the order they were set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The effects that this request meets, which counts.
    pub(crate) fn meet(&mut self, call: &Call, body: &[u8]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for fault in &mut self.0 {
            if fault.left == Some(0) || !fault.filter.meets(call, body) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.left = fault.left.map(|left| left.saturating_sub(1));
            effects.push(fault.effect.clone());
        }
        self.0.retain(|fault| fault.left != Some(0));
        effects
    }
}
