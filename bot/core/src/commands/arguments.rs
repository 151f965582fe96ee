//! The words of a command, read from left to right.

mod duration;
mod words;

use std::fmt;

use kubewhy_diagnosis::kind::Kind;
use kubewhy_text::{code, quoted, text};

pub(crate) use duration::{duration, shown};
use words::is_filler;
pub(crate) use words::{is_keyword, is_one_of, short};

use super::Spec;
use crate::UserError;
use crate::line::{Line, Word};
use crate::nearest::{likeness, nearest};
use crate::remedy;
use crate::resolve::{Wanted, kind_of, kinds, may_be_kind, usual};

/// The longest name that Kubernetes allows, in bytes.
const LONGEST_NAME: usize = 253;

/// The longest rest of a line that is offered again behind a word that was mended, in bytes.
const LONGEST_OFFER: usize = 300;

/// Where a command is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The namespace, if one was named.
    pub namespace: Option<String>,
    /// The cluster, if one was named.
    pub cluster: Option<String>,
}

/// ` -n shop on prod`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, " -n {namespace}")?;
        }
        if let Some(cluster) = &self.cluster {
            write!(f, " on {cluster}")?;
        }
        Ok(())
    }
}

/// The words of a command and how far they have been read.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    line: &'a Line,
    at: usize,
    end: usize,
    thread: Option<&'a Wanted>,
    place: Place,
    /// Whether `ns shop` names where the object is; before, it would be the object.
    has_object: bool,
    /// What the command looks like, for mistakes.
    example: &'static str,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(line: &'a Line, at: usize, thread: Option<&'a Wanted>, example: &'static str) -> Self {
        Self { line, at, end: line.words.len(), thread, place: Place::default(), has_object: false, example }
    }

    /// Says that what the command is about was read, so that `ns shop` and `namespace shop` say where it is.
    pub(crate) fn object_is_read(&mut self) {
        self.has_object = true;
    }

    fn word(&self, at: usize) -> Option<&'a Word> {
        self.line.words.get(at).filter(|_| at < self.end)
    }

    /// The next word, which is not taken.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.word(self.at).map(|word| word.text.as_str())
    }

    fn peek_second(&self) -> Option<&'a str> {
        self.word(self.at + 1).map(|word| word.text.as_str())
    }

    /// Takes the next word.
    pub(crate) fn take(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// Takes the next word if it is one of those, in any case.
    pub(crate) fn take_word(&mut self, words: &[&str]) -> bool {
        let is_it = self.peek().is_some_and(|next| is_one_of(next, words));
        self.at += usize::from(is_it);
        is_it
    }

    /// Cuts off what follows one of those words, as it was typed.
    pub(crate) fn cut_after(&mut self, words: &[&str]) -> Option<String> {
        let found = (self.at..self.end).find(|at| self.word(*at).is_some_and(|word| is_one_of(&word.text, words)))?;
        let rest = self.word(found + 1).map(|word| self.line.from_word(word).to_owned());
        self.end = found;
        Some(rest.unwrap_or_default())
    }

    /// Takes `-x VALUE`, `--long VALUE`, `--long=VALUE` or `word VALUE`.
    pub(crate) fn option(&mut self, names: &[&str]) -> Result<Option<&'a str>, UserError> {
        let Some(word) = self.peek() else { return Ok(None) };
        if let Some((name, value)) = word.split_once('=').filter(|(name, _)| name.starts_with('-'))
            && is_one_of(name, names)
        {
            if value.is_empty() {
                return Err(self.lacks_value(name));
            }
            self.at += 1;
            return Ok(Some(value));
        }
        if !is_one_of(word, names) {
            return Ok(None);
        }
        let value = self.peek_second().filter(|value| !value.starts_with('-')).ok_or_else(|| self.lacks_value(word))?;
        self.at += 2;
        Ok(Some(value))
    }

    fn lacks_value(&self, option: &str) -> UserError {
        UserError::new(text!["a word is missing after ", quoted(short(option))]).example(self.example)
    }

    /// Takes where the command is about: `in NS`, `-n NS`, `on CLUSTER`, `--context C`. Tells whether it took anything.
    pub(crate) fn take_place(&mut self) -> Result<bool, UserError> {
        let glued = self
            .peek()
            .and_then(|word| word.strip_prefix("-n"))
            .filter(|rest| !rest.is_empty() && !rest.starts_with('='));
        if let Some(namespace) = glued {
            self.at += 1;
            self.set_namespace(namespace)?;
            return Ok(true);
        }
        if self.peek().is_some_and(|word| is_one_of(word, &["in"])) && self.word(self.at + 2).is_some() {
            // `in namespace shop` and `in the shop namespace` read as `in shop`.
            let no_name = ["the", "namespace", "ns"];
            self.at += usize::from(self.peek_second().is_some_and(|word| is_one_of(word, &no_name)));
            if let Some(namespace) = self.peek_second() {
                self.at += 2;
                self.set_namespace(namespace)?;
            }
            if self.peek_second().is_none_or(is_filler) {
                self.take_word(&["namespace", "ns"]);
            }
            return Ok(true);
        }
        if self.has_object
            && let Some(namespace) = self.option(&["ns", "namespace"])?
        {
            self.set_namespace(namespace)?;
            return Ok(true);
        }
        if let Some(namespace) = self.option(&["in", "-n", "--namespace"])? {
            self.set_namespace(namespace)?;
            return Ok(true);
        }
        let Some(cluster) = self.option(&["on", "--context", "--cluster"])? else { return Ok(false) };
        if self.place.cluster.as_ref().is_some_and(|other| other != cluster) {
            return Err(UserError::new(text!["two clusters are named: one answer is about one"]).example(self.example));
        }
        self.place.cluster = Some(cluster_name(cluster).ok_or_else(|| {
            UserError::new(text![quoted(short(cluster)), " is no name of a cluster"]).example(self.example)
        })?);
        Ok(true)
    }

    fn set_namespace(&mut self, namespace: &str) -> Result<(), UserError> {
        let namespace = self.name(namespace)?;
        if self.place.namespace.as_ref().is_some_and(|other| *other != namespace) {
            return Err(
                UserError::new(text!["two namespaces are named: one answer is about one"]).example(self.example)
            );
        }
        self.place.namespace = Some(namespace);
        Ok(())
    }

    /// A name of an object, checked. Nearly all names are lower case, and phones begin lines in upper case.
    pub(crate) fn name(&self, word: &str) -> Result<String, UserError> {
        self.name_as_typed(word).map(|name| name.to_ascii_lowercase())
    }

    /// The name of an object of a kind. Those of roles and their bindings may hold upper case.
    fn name_of(&self, kind: Kind, word: &str) -> Result<String, UserError> {
        if kind.group() == "rbac.authorization.k8s.io" { self.name_as_typed(word) } else { self.name(word) }
    }

    fn name_as_typed(&self, word: &str) -> Result<String, UserError> {
        let fits = word.len() <= LONGEST_NAME
            && word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_'));
        if fits {
            return Ok(word.to_owned());
        }
        Err(UserError::new(text![quoted(short(word)), " is no name that Kubernetes allows"]).example(self.example))
    }

    /// Takes an object: `KIND NAME`, `KIND/NAME`, `NAME`, `NAMESPACE/NAME`; `None` where none stands there. After a kind, the
    /// next word is the name, whatever it is; without a kind, `keywords` end the object.
    pub(crate) fn object(&mut self, keywords: &[&str]) -> Result<Option<Wanted>, UserError> {
        let object = self.object_after_places(keywords)?;
        self.has_object |= object.is_some();
        Ok(object)
    }

    fn object_after_places(&mut self, keywords: &[&str]) -> Result<Option<Wanted>, UserError> {
        while self.take_place()? {}
        let Some(word) = self.peek() else { return Ok(None) };
        if word.starts_with('-') || is_one_of(word, keywords) {
            return Ok(None);
        }
        if let Some((before, name)) = word.split_once('/') {
            self.at += 1;
            return self.with_slash(before, name).map(Some);
        }
        let Some(kind) = kind_of(word) else { return self.bare_or_foreign(word, keywords).map(Some) };
        let name = self.peek_second().filter(|name| !name.starts_with('-'));
        // There is one cluster where nobody says which.
        let name = name.filter(|next| kind != Kind::Cluster || Self::is_stray(next, keywords));
        let Some(name) = name else {
            if kind == Kind::Cluster {
                self.at += 1;
                return Ok(Some(Wanted { kind: Some(kind), ..Wanted::default() }));
            }
            return Err(UserError::new(text![
                "which ",
                kubewhy_text::own(kind.kubectl_name()),
                "? The name is missing"
            ])
            .example(self.example));
        };
        self.at += 2;
        let name = match name.split_once('/') {
            Some((namespace, name)) if kind.is_namespaced() => {
                self.set_namespace(namespace)?;
                name
            }
            _ => name,
        };
        Ok(Some(Wanted { kind: Some(kind), name: self.name_of(kind, name)?, ..Wanted::default() }))
    }

    /// A word that is no kind of the table: a name, or, where another word stands behind it that can be a name, a kind that
    /// only the cluster may know.
    fn bare_or_foreign(&mut self, word: &str, keywords: &[&str]) -> Result<Wanted, UserError> {
        let Some(follower) = self.peek_second().filter(|next| Self::is_stray(next, keywords)) else {
            let name = self.name(word)?;
            self.at += 1;
            return Ok(Wanted { name, ..Wanted::default() });
        };
        let ends_there = self.word(self.at + 2).is_none_or(|next| !Self::is_stray(&next.text, keywords));
        let is_command = self.is_first() && remedy::of_verb(word).is_some();
        let (namespace, name) = follower.split_once('/').map_or((None, follower), |(ns, name)| (Some(ns), name));
        match self.name(name) {
            Ok(name) if ends_there && !is_command && may_be_kind(word) => {
                self.at += 2;
                if let Some(namespace) = namespace {
                    self.set_namespace(namespace)?;
                }
                Ok(Wanted { word: Some(word.to_owned()), name, ..Wanted::default() })
            }
            _ => Err(self.no_kind(word, follower)),
        }
    }

    /// Tells whether no command stands before the next word.
    fn is_first(&self) -> bool {
        (0..self.at).all(|at| self.word(at).is_none_or(|word| Spec::of_word(&word.text).is_none()))
    }

    /// `KIND/NAME`, and `NAMESPACE/NAME` as Kubernetes' own messages and ours write it.
    fn with_slash(&mut self, before: &str, name: &str) -> Result<Wanted, UserError> {
        if let Some(kind) = kind_of(before) {
            return Ok(Wanted { kind: Some(kind), name: self.name_of(kind, name)?, ..Wanted::default() });
        }
        let name = self.name(name)?;
        let looks_like_a_kind = usual().any(|kind| {
            likeness(before, kind.plural()) > 0.92
                || kind.short_names().iter().any(|short| likeness(before, short) > 0.92)
        });
        // No namespace has a dot or upper case in its name.
        if before.contains(|c: char| c == '.' || c.is_ascii_uppercase()) && may_be_kind(before) {
            return Ok(Wanted { word: Some(before.to_owned()), name, ..Wanted::default() });
        }
        if looks_like_a_kind {
            return Err(unknown_kind(before, &format!("/{name}")));
        }
        self.set_namespace(before)?;
        Ok(Wanted { name, ..Wanted::default() })
    }

    /// Tells whether a word after a bare name cannot belong to the command: then the "name" was meant as a kind.
    fn is_stray(word: &str, keywords: &[&str]) -> bool {
        !word.starts_with('-')
            && !is_one_of(word, &["in", "on", "ns", "namespace"])
            && !is_one_of(word, keywords)
            && !is_filler(word)
    }

    fn no_kind(&self, word: &str, follower: &str) -> UserError {
        let rest: Vec<&str> =
            (self.at + 1..self.end).filter_map(|at| self.word(at)).map(|word| word.text.as_str()).collect();
        let is_pair = rest.len() == 1;
        let rest = rest.join(" ");
        // Behind a command stands no other.
        if self.is_first() && rest.len() <= LONGEST_OFFER {
            if let Some(action) = remedy::of_verb(word) {
                return UserError::new(text![
                    quoted(short(word)),
                    " is a remedy, and remedies begin with ",
                    code("fix")
                ])
                .meant(format!("fix {rest} --action {}", <&str>::from(action)));
            }
            if let Some(command) = super::nearest_command(word) {
                return UserError::new(text![quoted(short(word)), " is neither a command nor a kind"])
                    .meant(format!("{command} {rest}"));
            }
        }
        let error = unknown_kind(word, &format!(" {follower}"));
        match (is_pair && error.lines.is_empty(), self.name(word), self.name(follower)) {
            (true, Ok(namespace), Ok(name)) => error.meant(format!("{}{namespace}/{name}", self.begun())),
            _ => error,
        }
    }

    /// The command as far as it stands before the object, as it is offered again: `logs `.
    fn begun(&self) -> String {
        let command = (0..self.at).filter_map(|at| self.word(at)).find_map(|word| Spec::of_word(&word.text));
        command.map_or_else(|| "why ".to_owned(), |spec| format!("{} ", spec.word))
    }

    /// The object and where it is; in a thread without a name, the thread's.
    ///
    /// # Errors
    /// Where nothing says which object is meant.
    pub(crate) fn settle(&self, object: Option<Wanted>) -> Result<Wanted, UserError> {
        self.settle_if_any(object)?.ok_or_else(|| {
            UserError::new(text!["which object? Its name is missing, and this is no thread about one"])
                .example(self.example)
        })
    }

    /// The same where there need not be one.
    pub(crate) fn settle_if_any(&self, object: Option<Wanted>) -> Result<Option<Wanted>, UserError> {
        let Some(mut object) = object.or_else(|| self.thread.cloned()) else { return Ok(None) };
        if object.kind.is_some_and(|kind| !kind.is_namespaced()) {
            object.namespace = None;
        } else if self.place.namespace.is_some() {
            object.namespace.clone_from(&self.place.namespace);
        }
        if self.place.cluster.is_some() {
            object.cluster.clone_from(&self.place.cluster);
        }
        Ok(Some(object))
    }

    /// Where the command is about, as far as it was read.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Takes the next word as the namespace.
    pub(crate) fn take_namespace(&mut self) -> Result<(), UserError> {
        let Some(word) = self.take() else { return Ok(()) };
        self.set_namespace(word)
    }

    /// Takes what may follow everywhere: places, and the words of a whole sentence (`is cart not ready?`).
    ///
    /// # Errors
    /// Where a word stands there that means nothing.
    pub(crate) fn rest(&mut self) -> Result<(), UserError> {
        while let Some(word) = self.peek() {
            if self.take_place()? {
                continue;
            }
            if !is_filler(word) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Skips the words before the object of a whole sentence: `is`, `does my`, `what is wrong with`. Tells whether none is
    /// left to name an object, as in `what is broken in shop`.
    pub(crate) fn skip_fillers(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(is_filler) && self.peek_second().is_some_and(|next| !next.starts_with('-')) {
            if self.at > from && self.peek_second().is_some_and(|next| is_one_of(next, &["in", "on"])) {
                break;
            }
            self.at += 1;
        }
        let has_skipped = self.at > from;
        if has_skipped && self.peek_second().is_some() {
            self.take_word(&["with"]);
        }
        has_skipped && self.peek().is_some_and(is_filler)
    }

    /// What is said of the next word where it means nothing.
    pub(crate) fn unexpected(&self) -> UserError {
        let word = self.peek().unwrap_or_default();
        UserError::new(text![quoted(short(word)), " is not understood here"]).example(self.example)
    }

    /// What is said where something is missing or wrong.
    pub(crate) fn wrong(&self, what: kubewhy_text::Text) -> UserError {
        UserError::new(what).example(self.example)
    }
}

/// A name of a kubeconfig context: `arn:aws:eks:...`, `admin@prod`, `gke_project_zone_name`.
fn cluster_name(word: &str) -> Option<String> {
    let fits = word.len() <= LONGEST_NAME && word.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/@+=".contains(c));
    fits.then(|| word.to_owned())
}

fn unknown_kind(word: &str, rest: &str) -> UserError {
    let words = usual().flat_map(|kind| kind.short_names().iter().copied().chain([kind.plural()]));
    let mut error = UserError::new(text![quoted(short(word)), " is no kind that is known"]).next(text![
        "Explained are: ",
        kubewhy_text::own(kinds()),
        "."
    ]);
    let mut kinds: Vec<Kind> = nearest(word, words, 0.8, 4).into_iter().filter_map(Kind::from_word).collect();
    kinds.dedup();
    for kind in kinds.into_iter().take(2) {
        error = error.meant(format!("why {}{rest}", kind.kubectl_name()));
    }
    error
}
