//! Who may do what: rules of roles that are enforced, and a record of what was used.

mod review;

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

use crate::call::{Call, Verb};
use crate::object::{elements, meta, text};
use crate::status::Status;

pub(crate) use review::{is_review, review};

/// Who a request without a token is taken for.
pub(crate) const DEFAULT_USER: &str = "kubernetes-admin";

/// One rule of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The namespace the rule is about; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// Verbs, or `*`.
    pub verbs: Vec<String>,
    /// API groups, or `*`; the core group is empty.
    pub groups: Vec<String>,
    /// Resources such as `pods` and `pods/log`, or `*`.
    pub resources: Vec<String>,
    /// Names of objects; empty for all.
    pub names: Vec<String>,
    /// Paths that name no resource, such as `/metrics`; one may end in `*`.
    pub paths: Vec<String>,
}

/// One thing that somebody was allowed or refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Who asked.
    pub user: String,
    /// The verb, such as `list`.
    pub verb: String,
    /// The API group; the core group is empty.
    pub group: String,
    /// The resource with its subresource, such as `pods/log`, or the path where it is none.
    pub resource: String,
    /// The namespace; empty for the whole cluster.
    pub namespace: String,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// A person or program behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// What somebody asks to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The path, where it names no resource.
    pub(crate) path: String,
}

/// Rules by user, and what was used of them.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Rules of those who have none of their own; `None` allows everything.
    everyone: Option<Vec<Rule>>,
    users: BTreeMap<String, Vec<Rule>>,
    tokens: BTreeMap<String, User>,
    used: BTreeMap<Use, u64>,
}

impl Rule {
    /// The rules of a `Role` (in its namespace) or a `ClusterRole` (everywhere).
    pub fn of_role(role: &Value) -> Vec<Self> {
        let namespace = Some(meta(role, "namespace")).filter(|namespace| !namespace.is_empty());
        let words = |rule: &Value, field: &str| {
            let words = elements(rule, field).iter().filter_map(Value::as_str);
            words.map(ToOwned::to_owned).collect()
        };
        let rules = elements(role, "/rules").iter().map(|rule| Self {
            namespace: namespace.map(ToOwned::to_owned),
            verbs: words(rule, "/verbs"),
            groups: words(rule, "/apiGroups"),
            resources: words(rule, "/resources"),
            names: words(rule, "/resourceNames"),
            paths: words(rule, "/nonResourceURLs"),
        });
        rules.collect()
    }

    fn allows(&self, asked: &Attributes) -> bool {
        let has = |words: &[String], wanted: &str| words.iter().any(|word| word == "*" || word == wanted);
        if !has(&self.verbs, &asked.verb) {
            return false;
        }
        if !asked.path.is_empty() {
            return self.paths.iter().any(|path| match path.strip_suffix('*') {
                Some(start) => asked.path.starts_with(start),
                None => *path == asked.path,
            });
        }
        let resource = asked.qualified();
        let any_with_subresource = format!("*/{}", asked.subresource);
        let resources = has(&self.resources, &resource)
            || (!asked.subresource.is_empty() && self.resources.contains(&any_with_subresource));
        let place = self.namespace.as_ref().is_none_or(|namespace| *namespace == asked.namespace);
        let names = self.names.is_empty() || self.names.contains(&asked.name);
        place && resources && names && has(&self.groups, &asked.group)
    }
}

impl Attributes {
    pub(crate) fn of(call: &Call) -> Self {
        let Some(target) = &call.target else {
            let verb = match call.verb {
                Verb::List | Verb::Watch => "get",
                Verb::Create => "post",
                Verb::Update => "put",
                Verb::DeleteCollection => "delete",
                other => other.as_str(),
            };
            return Self { verb: verb.to_owned(), path: call.path.clone(), ..Self::default() };
        };
        Self {
            verb: call.verb.as_str().to_owned(),
            group: target.group.clone(),
            resource: target.plural.clone(),
            subresource: target.subresource.clone(),
            namespace: target.namespace.clone(),
            name: if target.name.is_empty() { selected_name(call) } else { target.name.clone() },
            path: String::new(),
        }
    }

    fn qualified(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }

    /// The sentence with which an API server says no.
    fn refusal(&self, user: &str) -> String {
        if !self.path.is_empty() {
            return format!("User \"{user}\" cannot {} path \"{}\"", self.verb, self.path);
        }
        let start = format!(
            "User \"{user}\" cannot {} resource \"{}\" in API group \"{}\"",
            self.verb,
            self.qualified(),
            self.group
        );
        if self.namespace.is_empty() {
            format!("{start} at the cluster scope")
        } else {
            format!("{start} in the namespace \"{}\"", self.namespace)
        }
    }
}

impl Access {
    pub(crate) fn allow_everything(&mut self) {
        self.everyone = None;
        self.users.clear();
    }

    pub(crate) fn restrict(&mut self, user: Option<&str>, rules: Vec<Rule>) {
        match user {
            Some(user) => drop(self.users.insert(user.to_owned(), rules)),
            None => self.everyone = Some(rules),
        }
    }

    pub(crate) fn know(&mut self, token: &str, user: &str, groups: &[&str]) {
        let groups = groups.iter().map(ToString::to_string).collect();
        self.tokens.insert(token.to_owned(), User { name: user.to_owned(), groups });
    }

    pub(crate) fn used(&self) -> Vec<(Use, u64)> {
        self.used.iter().map(|(what, times)| (what.clone(), *times)).collect()
    }

    pub(crate) fn forget_used(&mut self) {
        self.used.clear();
    }

    /// Who is behind a request, impersonation included.
    ///
    /// # Errors
    /// 401 for an unknown token where tokens are known, 403 for an impersonation that is not allowed.
    pub(crate) fn user(&mut self, headers: &HeaderMap) -> Result<User, Status> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let real = match token.and_then(|token| self.tokens.get(token.trim())) {
            Some(user) => user.clone(),
            None if self.tokens.is_empty() => {
                User { name: DEFAULT_USER.to_owned(), groups: vec!["system:masters".to_owned()] }
            }
            None => return Err(Status::new(401, "Unauthorized", "Unauthorized")),
        };
        let Some(name) = header("impersonate-user") else { return Ok(real) };
        let asked = |resource: &str, name: &str| Attributes {
            verb: "impersonate".to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        self.check(&real, &asked("users", name))?;
        let groups = headers.get_all("impersonate-group").iter().filter_map(|value| value.to_str().ok());
        let mut impersonated = User { name: name.to_owned(), groups: Vec::new() };
        for group in groups {
            self.check(&real, &asked("groups", group))?;
            impersonated.groups.push(group.to_owned());
        }
        impersonated.groups.push("system:authenticated".to_owned());
        Ok(impersonated)
    }

    /// The name of who claims to be behind a request, whether that is allowed or not.
    pub(crate) fn claimed(&self, headers: &HeaderMap) -> String {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| self.tokens.get(token.trim())).map(|user| user.name.as_str());
        let default = if self.tokens.is_empty() { DEFAULT_USER } else { "" };
        header("impersonate-user").or(known).unwrap_or(default).to_owned()
    }

    /// Records what somebody wants to do, and refuses what no rule allows.
    pub(crate) fn check(&mut self, user: &User, asked: &Attributes) -> Result<(), Status> {
        let allowed = self.allows(&user.name, asked);
        let resource = if asked.path.is_empty() { asked.qualified() } else { asked.path.clone() };
        let what = Use {
            user: user.name.clone(),
            verb: asked.verb.clone(),
            group: asked.group.clone(),
            resource,
            namespace: asked.namespace.clone(),
            allowed,
        };
        *self.used.entry(what).or_default() += 1;
        if allowed {
            return Ok(());
        }
        let why = asked.refusal(&user.name);
        Err(Status::forbidden(&asked.group, &asked.resource, &asked.name, &why))
    }

    /// Whether a rule allows something.
    pub(crate) fn allows(&self, user: &str, asked: &Attributes) -> bool {
        if !asked.path.is_empty() && is_public(&asked.path) {
            return true;
        }
        self.rules(user).is_none_or(|rules| rules.iter().any(|rule| rule.allows(asked)))
    }

    /// The rules of a user; `None` where everything is allowed.
    pub(crate) fn rules(&self, user: &str) -> Option<&[Rule]> {
        self.users.get(user).or(self.everyone.as_ref()).map(Vec::as_slice)
    }
}

/// The one name that a collection's field selector lets through: who may read one object may list it by its name.
fn selected_name(call: &Call) -> String {
    let mut parts = call.query.get("fieldSelector").split(',');
    let name = parts.find_map(|part| part.strip_prefix("metadata.name="));
    name.map(|name| name.trim_start_matches('=').to_owned()).unwrap_or_default()
}

/// Paths that every authenticated user may read.
fn is_public(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "" | "api" | "apis" | "version" | "openapi" | "healthz" | "livez" | "readyz")
}

/// The attributes that a review's spec asks about.
pub(crate) fn reviewed(spec: &Value) -> Attributes {
    let word = |pointer: &str| text(spec, pointer).to_owned();
    if spec.get("nonResourceAttributes").is_some() {
        return Attributes {
            verb: word("/nonResourceAttributes/verb"),
            path: word("/nonResourceAttributes/path"),
            ..Attributes::default()
        };
    }
    Attributes {
        verb: word("/resourceAttributes/verb"),
        group: word("/resourceAttributes/group"),
        resource: word("/resourceAttributes/resource"),
        subresource: word("/resourceAttributes/subresource"),
        namespace: word("/resourceAttributes/namespace"),
        name: word("/resourceAttributes/name"),
        path: String::new(),
    }
}
