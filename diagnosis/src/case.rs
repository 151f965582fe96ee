//! One object under examination: what a rule gets.

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Node, PersistentVolumeClaim, Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kubewhy_text::Text;

use crate::ask::Instance;
use crate::causes::Code;
use crate::event::Event;
use crate::finding::{Confidence, Evidence, Finding, Follows, ObjectRef, Severity};
use crate::kind::{Evidential, Kind, Object};
use crate::parse::log::{self, LastWords};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read, Reader, Reading};

/// What a rule says: its findings, none where it does not apply, or what it has to know first.
pub type Verdict = Result<Vec<Finding>, Needs>;

/// A controller of pods.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Workload {
    Deployment(Arc<Deployment>),
    ReplicaSet(Arc<ReplicaSet>),
    StatefulSet(Arc<StatefulSet>),
    DaemonSet(Arc<DaemonSet>),
    Job(Arc<Job>),
    CronJob(Arc<CronJob>),
}

impl Workload {
    /// The workload that an object is, if it is one.
    pub fn of(object: &Object) -> Option<Self> {
        Some(match object {
            Object::Deployment(it) => Self::Deployment(Arc::clone(it)),
            Object::ReplicaSet(it) => Self::ReplicaSet(Arc::clone(it)),
            Object::StatefulSet(it) => Self::StatefulSet(Arc::clone(it)),
            Object::DaemonSet(it) => Self::DaemonSet(Arc::clone(it)),
            Object::Job(it) => Self::Job(Arc::clone(it)),
            Object::CronJob(it) => Self::CronJob(Arc::clone(it)),
            _ => return None,
        })
    }

    /// It as an object.
    pub fn object(&self) -> Object {
        match self {
            Self::Deployment(it) => Object::Deployment(Arc::clone(it)),
            Self::ReplicaSet(it) => Object::ReplicaSet(Arc::clone(it)),
            Self::StatefulSet(it) => Object::StatefulSet(Arc::clone(it)),
            Self::DaemonSet(it) => Object::DaemonSet(Arc::clone(it)),
            Self::Job(it) => Object::Job(Arc::clone(it)),
            Self::CronJob(it) => Object::CronJob(Arc::clone(it)),
        }
    }

    /// The template of its pods.
    pub fn template(&self) -> Option<&PodTemplateSpec> {
        match self {
            Self::Deployment(it) => it.spec.as_ref().map(|spec| &spec.template),
            Self::ReplicaSet(it) => it.spec.as_ref().and_then(|spec| spec.template.as_ref()),
            Self::StatefulSet(it) => it.spec.as_ref().map(|spec| &spec.template),
            Self::DaemonSet(it) => it.spec.as_ref().map(|spec| &spec.template),
            Self::Job(it) => it.spec.as_ref().map(|spec| &spec.template),
            Self::CronJob(it) => {
                it.spec.as_ref().and_then(|spec| spec.job_template.spec.as_ref()).map(|spec| &spec.template)
            }
        }
    }

    /// The selector of its pods.
    pub fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Self::Deployment(it) => it.spec.as_ref().map(|spec| &spec.selector),
            Self::ReplicaSet(it) => it.spec.as_ref().map(|spec| &spec.selector),
            Self::StatefulSet(it) => it.spec.as_ref().map(|spec| &spec.selector),
            Self::DaemonSet(it) => it.spec.as_ref().map(|spec| &spec.selector),
            Self::Job(it) => it.spec.as_ref().and_then(|spec| spec.selector.as_ref()),
            Self::CronJob(_) => None,
        }
    }
}

/// The object that rules look at.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A pod.
    Pod(Arc<Pod>),
    /// A controller of pods: rules look at its own conditions and at refused creations of pods.
    Workload(Workload),
    /// A claim that was asked about itself.
    Claim(Arc<PersistentVolumeClaim>),
    /// A namespace.
    Namespace(Arc<Namespace>),
    /// Any other object, the cluster included: rules take it by its type, with [`Case::subject_as`].
    Other(Object),
}

impl Subject {
    /// It as an object.
    pub fn object(&self) -> Object {
        match self {
            Self::Pod(it) => Object::Pod(Arc::clone(it)),
            Self::Workload(it) => it.object(),
            Self::Claim(it) => Object::PersistentVolumeClaim(Arc::clone(it)),
            Self::Namespace(it) => Object::Namespace(Arc::clone(it)),
            Self::Other(it) => it.clone(),
        }
    }
}

/// A refused creation: of a pod, or of a claim that a pod of a `StatefulSet` needs.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The API's words, whole: `pods "cart-7c9-" is forbidden: exceeded quota: ...`.
    pub message: String,
    /// Where they stand.
    pub evidence: Evidence,
    /// The controller that was refused.
    pub by: ObjectRef,
    /// Since when it is refused.
    pub since: Option<Timestamp>,
}

/// One object under examination, with all that is known of the world around it.
///
/// Dereferences to [`Reader`], so rules read through their case: `case.get::<Secret>(..)`.
#[derive(Debug)]
pub struct Case<'w> {
    reader: &'w Reader<'w>,
    subject: Subject,
    object: Object,
    context: Option<&'w str>,
    words: RefCell<BTreeMap<String, Rc<LastWords>>>,
    events: OnceCell<Vec<Arc<Event>>>,
    facts: RefCell<BTreeMap<TypeId, Rc<dyn Any>>>,
}

impl<'w> Deref for Case<'w> {
    type Target = Reader<'w>;
    fn deref(&self) -> &Reader<'w> {
        self.reader
    }
}

impl<'w> Case<'w> {
    /// A case about that subject; `context` is the kubeconfig context that a person named, for the commands.
    pub fn new(reader: &'w Reader<'w>, subject: Subject, context: Option<&'w str>) -> Self {
        let object = subject.object();
        Self {
            reader,
            subject,
            object,
            context,
            words: RefCell::default(),
            events: OnceCell::new(),
            facts: RefCell::default(),
        }
    }

    /// The object under examination.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The object under examination, whatever its kind.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The pod, if it is one.
    pub fn pod(&self) -> Option<&Pod> {
        if let Subject::Pod(pod) = &self.subject { Some(pod) } else { None }
    }

    /// The object as that type, if it is of that kind: `case.subject_as::<Node>()`.
    pub fn subject_as<T: Evidential>(&self) -> Option<Arc<T>> {
        T::of(&self.object)
    }

    /// The workload, if it is one.
    pub fn workload(&self) -> Option<&Workload> {
        if let Subject::Workload(workload) = &self.subject { Some(workload) } else { None }
    }

    /// Its metadata.
    pub fn meta(&self) -> &ObjectMeta {
        self.object.meta()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Its namespace, if it lives in one.
    pub fn namespace(&self) -> Option<&str> {
        self.object.namespace()
    }

    /// It as a reference.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.object.kind(), self.namespace(), self.name())
    }

    /// An object of the subject's namespace as a reference.
    pub fn neighbour(&self, kind: Kind, name: &str) -> ObjectRef {
        ObjectRef::new(kind, self.namespace().filter(|_| kind.is_namespaced()), name)
    }

    /// A finding of that code on the subject: an error, certain, its root the template, until the builder says otherwise.
    pub fn finding(&self, code: Code) -> Finding {
        Finding {
            code,
            severity: Severity::Error,
            confidence: Confidence::Certain,
            object: self.reference(),
            root: None,
            via: Vec::new(),
            title: Text::default(),
            explanation: Text::default(),
            evidence: Vec::new(),
            fixes: Vec::new(),
            follows: Follows::Nothing,
            beneath: Vec::new(),
            reason: None,
            affected: 1,
            since: None,
        }
    }

    /// A finding of that code on a container of the subject.
    pub fn finding_in(&self, code: Code, container: &ContainerView<'_>) -> Finding {
        self.finding(code).container(container.name())
    }

    /// The containers of the pod; none for other subjects.
    pub fn containers(&self) -> impl Iterator<Item = ContainerView<'_>> {
        self.pod().into_iter().flat_map(pods::containers)
    }

    /// The events about the subject, oldest first.
    ///
    /// # Errors
    /// [`Needs`] where they have not been asked yet.
    pub fn own_events(&self) -> Result<&[Arc<Event>], Needs> {
        if let Some(events) = self.events.get() {
            return Ok(events);
        }
        let events = self.events(self.object.kind(), self.namespace(), self.name(), self.meta().uid.as_deref())?;
        Ok(self.events.get_or_init(|| events))
    }

    /// The newest event about the subject with one of these reasons, whose message passes.
    ///
    /// # Errors
    /// [`Needs`] where they have not been asked yet.
    pub fn newest_event(&self, reasons: &[&str], passes: impl Fn(&Event) -> bool) -> Result<Option<Arc<Event>>, Needs> {
        let newest_first = self.own_events()?.iter().rev();
        Ok(newest_first.filter(|event| reasons.contains(&event.reason.as_str())).find(|event| passes(event)).cloned())
    }

    /// The node that the pod is bound to; absent also where it is bound to none.
    ///
    /// # Errors
    /// [`Needs`] where it has not been asked yet.
    pub fn node(&self) -> Reading<Arc<Node>> {
        match self.pod().and_then(pods::node_name) {
            Some(node) => self.get::<Node>(None, node),
            None => Ok(Read::Absent),
        }
    }

    /// What a container said last before it ended (its present log where it has not ended): the log of the instance that
    /// ended last, read through the signature library. Unreadable where no log is to be had.
    ///
    /// # Errors
    /// [`Needs`] where the log has not been asked yet.
    pub fn last_words(&self, container: &ContainerView<'_>) -> Reading<Rc<LastWords>> {
        if let Some(words) = self.words.borrow().get(container.name()) {
            return Ok(Read::Found(Rc::clone(words)));
        }
        Ok(match self.last_log(container)? {
            Read::Found(text) => {
                let words = Rc::new(log::read(&text));
                self.words.borrow_mut().insert(container.name().to_owned(), Rc::clone(&words));
                Read::Found(words)
            }
            Read::Absent | Read::Unreadable => Read::Unreadable,
        })
    }

    /// The log of the instance of a container that ended last (its present one where it has not ended), as it is.
    /// Unreadable where none is to be had.
    ///
    /// # Errors
    /// [`Needs`] where the log has not been asked yet.
    pub fn last_log(&self, container: &ContainerView<'_>) -> Reading<Arc<str>> {
        let Some(pod) = self.pod() else { return Ok(Read::Unreadable) };
        let ended_before = container.terminated().is_none() && container.last_terminated().is_some();
        let instances: &[Instance] =
            if ended_before { &[Instance::Previous, Instance::Current] } else { &[Instance::Current] };
        for instance in instances {
            // After a restart the current log is another instance's, good only where it is a dead one too.
            if *instance == Instance::Current && ended_before && container.running().is_some() {
                break;
            }
            if let Read::Found(text) = self.log(pod, container.name(), *instance)?
                && log::is_log(&text)
            {
                return Ok(Read::Found(text));
            }
        }
        Ok(Read::Unreadable)
    }

    /// Evidence from a container's log: the line, where it stands.
    pub fn log_evidence(&self, container: &ContainerView<'_>, line_number: usize, line: &str) -> Evidence {
        let which =
            if container.terminated().is_none() && container.last_terminated().is_some() { " (previous)" } else { "" };
        Evidence {
            source: format!("log of container {}{which} of {}, line {line_number}", container.name(), self.reference()),
            text: line.to_owned(),
            at: None,
        }
    }

    /// Evidence from the subject's fields.
    pub fn field(&self, path: &str, text: impl Into<String>) -> Evidence {
        Evidence::field(&self.reference(), path, text)
    }

    /// Evidence from a container's waiting state.
    pub fn waiting_evidence(&self, container: &ContainerView<'_>) -> Evidence {
        let (reason, message) = (container.waiting_reason(), container.waiting_message());
        let text = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
        self.field(&format!("{}.state.waiting", container.status_path()), text)
    }

    /// Evidence from the way in which a container ended last.
    pub fn end_evidence(&self, container: &ContainerView<'_>) -> Option<Evidence> {
        let end = container.last_end()?;
        let state = if container.terminated().is_some() { "state" } else { "lastState" };
        let mut text = format!("exitCode {}, reason {}", end.exit_code, end.reason.as_deref().unwrap_or("none"));
        if let Some(message) = end.message.as_deref().filter(|message| !message.is_empty()) {
            text = format!("{text}, message: {message}");
        }
        let path = format!("{}.{state}.terminated", container.status_path());
        Some(self.field(&path, text).at(end.finished_at.as_ref().map(|time| time.0)))
    }

    /// How long ago a time is; zero for times ahead.
    pub fn age(&self, time: Timestamp) -> SignedDuration {
        self.now().duration_since(time).max(SignedDuration::ZERO)
    }

    /// A `kubectl` command in the subject's namespace, quoted for a shell: `kubectl -n shop describe pod cart`.
    pub fn kubectl<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        self.command(self.namespace(), arguments)
    }

    /// A `kubectl` command in another namespace.
    pub fn kubectl_in<S: AsRef<str>>(&self, namespace: &str, arguments: impl IntoIterator<Item = S>) -> String {
        self.command(Some(namespace), arguments)
    }

    /// A `kubectl` command about cluster-wide objects.
    pub fn kubectl_cluster<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        self.command(None, arguments)
    }

    fn command<S: AsRef<str>>(&self, namespace: Option<&str>, arguments: impl IntoIterator<Item = S>) -> String {
        let mut command = String::from("kubectl");
        let mut push = |word: &str| {
            command.push(' ');
            command.push_str(&shell_quoted(word));
        };
        for (flag, value) in [("--context", self.context), ("-n", namespace)] {
            if let Some(value) = value {
                push(flag);
                push(value);
            }
        }
        for argument in arguments {
            push(argument.as_ref());
        }
        command
    }

    /// A fact about the subject that several causes share, worked out once. There is one fact of a type.
    ///
    /// # Errors
    /// [`Needs`] where something has to be asked first; then nothing is kept.
    pub(crate) fn once<T: 'static>(&self, work: impl FnOnce() -> Result<T, Needs>) -> Result<Rc<T>, Needs> {
        let known = self.facts.borrow().get(&TypeId::of::<T>()).cloned();
        if let Some(fact) = known.and_then(|fact| fact.downcast::<T>().ok()) {
            return Ok(fact);
        }
        let fact = Rc::new(work()?);
        self.facts.borrow_mut().insert(TypeId::of::<T>(), Rc::clone(&fact) as Rc<dyn Any>);
        Ok(fact)
    }

    /// What the API said when the workload's pods were refused; none where they were not, or are no longer.
    ///
    /// # Errors
    /// [`Needs`] where the events have not been asked yet.
    pub fn refusals(&self) -> Result<Vec<Refusal>, Needs> {
        let Some(workload) = self.workload() else { return Ok(Vec::new()) };
        crate::scope::refusals(self, workload)
    }

    /// A case about another object of the same world: a pod of the workload.
    pub fn about(&self, subject: Subject) -> Case<'_> {
        Case::new(self.reader, subject, self.context)
    }
}

/// A word quoted for a POSIX shell, without characters that would steer a terminal.
pub fn shell_quoted(word: &str) -> String {
    let word = kubewhy_text::printable(word);
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '%' | '+' | '=' | ':' | ',' | '.' | '/' | '-');
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.into_owned();
    }
    // Quoting fails for NUL only, which `printable` has dropped.
    shlex::try_quote(&word).map(std::borrow::Cow::into_owned).unwrap_or_default()
}
