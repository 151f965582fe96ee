//! Refused creations: quota, `LimitRange`, Pod Security, webhooks, policies, validation, RBAC.
//!
//! The API's words are read once into [`Why`]; each cause of stage admission answers for one of its variants. What is not
//! known is kept as [`Why::Other`].

use std::sync::LazyLock;

use regex::Regex;

pub mod webhook;

pub use webhook::{Denial, Outage, Rule, Transport};

/// A creation that the API refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The refused object as far as the message names it: `pods`, `cart-7c9-`.
    pub object: Option<(String, String)>,
    /// Why it was refused.
    pub why: Why,
}

/// Why the API refused to create an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A quota would be exceeded.
    Quota(Excess),
    /// A quota has to be there and is not, or cannot be counted yet.
    QuotaUnready {
        /// The quota, where there is one.
        quota: Option<String>,
        /// What is missing, in the API's words.
        text: String,
    },
    /// A quota demands requests or limits that containers lack.
    QuotaNeeds {
        /// The quota.
        quota: String,
        /// Each resource with the containers that lack it (none where an older API did not say).
        missing: Vec<(String, Vec<String>)>,
    },
    /// A `LimitRange` does not let the sizes through.
    Limits(Vec<LimitBreach>),
    /// Pod Security admission.
    PodSecurity {
        /// `baseline` or `restricted`.
        level: String,
        /// `latest` or `v1.30`.
        version: String,
        /// Each rule that is broken.
        violations: Vec<Violation>,
    },
    /// A `PodSecurityPolicy` or `SecurityContextConstraint` that none lets through: its words.
    SecurityConstraint(String),
    /// An admission webhook said no.
    WebhookDenied(Denial),
    /// An admission webhook could not be asked.
    WebhookUnavailable(Outage),
    /// A `ValidatingAdmissionPolicy` said no.
    Policy {
        /// The policy.
        policy: String,
        /// Its binding.
        binding: Option<String>,
        /// What it says.
        message: String,
    },
    /// The `ServiceAccount` does not exist.
    ServiceAccount {
        /// Its namespace, where it is said.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// The `PriorityClass` does not exist.
    PriorityClass(String),
    /// The `RuntimeClass` does not exist.
    RuntimeClass(String),
    /// The namespace is being deleted.
    NamespaceTerminating(String),
    /// Validation found faults in these fields.
    Invalid(Vec<FieldFault>),
    /// The API does not serve that kind in that version.
    ApiRemoved {
        /// The kind.
        kind: String,
        /// `group/version`.
        version: String,
    },
    /// Somebody may not do something.
    Rbac(Denied),
    /// The API server itself was in trouble, or it heals by itself.
    Server,
    /// None of these.
    Other(String),
}

/// What a quota was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excess {
    /// The quota.
    pub quota: String,
    /// Each resource that is exceeded.
    pub resources: Vec<ExcessOf>,
}

/// One resource of an [`Excess`], in the API's quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExcessOf {
    /// The resource: `requests.cpu`, `pods`, `count/jobs.batch`.
    pub resource: String,
    /// What was asked for.
    pub asked: String,
    /// What was used then.
    pub used: String,
    /// What the quota allows.
    pub limit: String,
}

/// One bound of a `LimitRange` that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitBreach {
    /// `minimum`, `maximum` or `ratio`.
    pub bound: &'static str,
    /// The resource.
    pub resource: String,
    /// What it bounds: `Container`, `Pod`, `PersistentVolumeClaim`.
    pub of: String,
    /// The bound.
    pub allowed: String,
    /// `limit` or `request`.
    pub field: String,
    /// What the template has, if anything.
    pub got: Option<String>,
}

/// One rule of Pod Security that a pod breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule: `allowPrivilegeEscalation != false`.
    pub rule: String,
    /// What has to be set or dropped, and where.
    pub detail: String,
    /// The containers that it names.
    pub containers: Vec<String>,
}

/// One field that validation does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The path: `spec.containers[0].volumeMounts[0].name`.
    pub field: String,
    /// The rest: `Not found: "data"`.
    pub problem: String,
}

impl FieldFault {
    /// The value that it quotes, if any.
    pub fn value(&self) -> Option<&str> {
        let (_, rest) = self.problem.split_once(": ")?;
        rest.strip_prefix('"')?.split('"').next()
    }

    /// The list and the index of the container that it is about.
    pub fn container(&self) -> Option<(&str, usize)> {
        let (list, rest) = self.field.split_once("ontainers[")?;
        let index = rest.split(']').next()?.parse().ok()?;
        Some((if list.ends_with("initC") { "initContainers" } else { "containers" }, index))
    }
}

/// Somebody who may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Who: `system:serviceaccount:shop:cart`.
    pub user: String,
    /// The verb.
    pub verb: String,
    /// The resource, or the path of a URL.
    pub resource: String,
    /// The API group, empty for the core group.
    pub group: String,
    /// The namespace; `None` for the whole cluster.
    pub namespace: Option<String>,
}

impl Denied {
    /// The namespace and name of the `ServiceAccount`, if it is one.
    pub fn service_account(&self) -> Option<(&str, &str)> {
        self.user.strip_prefix("system:serviceaccount:")?.split_once(':')
    }

    /// `resource.group`, as `kubectl` takes it.
    pub fn resource_and_group(&self) -> String {
        if self.group.is_empty() || self.resource.contains('/') && self.resource.starts_with('/') {
            return self.resource.clone();
        }
        match self.resource.split_once('/') {
            Some((resource, sub)) => format!("{resource}.{}/{sub}", self.group),
            None => format!("{}.{}", self.resource, self.group),
        }
    }
}

/// Reads why a creation was refused.
pub fn parse(message: &str) -> Refused {
    Refused { object: object(message), why: why(message) }
}

static OBJECT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"([A-Za-z][A-Za-z.]*) "([^"]*)" is (?:forbidden|invalid)"#).ok());
static CLAIM: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"create Claim (\S+) for Pod \S+ in StatefulSet").ok());

fn object(message: &str) -> Option<(String, String)> {
    if let Some(found) = CLAIM.as_ref().and_then(|claim| claim.captures(message)) {
        return Some(("persistentvolumeclaims".to_owned(), group(&found, 1)));
    }
    let found = OBJECT.as_ref()?.captures(message)?;
    Some((group(&found, 1), group(&found, 2)))
}

fn group(captures: &regex::Captures<'_>, index: usize) -> String {
    captures.get(index).map_or_else(String::new, |found| found.as_str().to_owned())
}

fn why(message: &str) -> Why {
    // Webhooks and policies first: they quote words of their own, which may look like anything.
    let readers: [fn(&str) -> Option<Why>; 16] = [
        |text| webhook::outage(text).map(Why::WebhookUnavailable),
        |text| webhook::denial(text).map(Why::WebhookDenied),
        policy,
        terminating,
        quota,
        quota_needs,
        quota_unready,
        pod_security,
        security_constraint,
        service_account,
        classes,
        limits,
        api_removed,
        |text| denied(text).map(Why::Rbac),
        invalid,
        server,
    ];
    readers.iter().find_map(|read| read(message)).unwrap_or_else(|| Why::Other(reason(message).to_owned()))
}

/// What stands after `... is forbidden: `, or all of it.
fn reason(message: &str) -> &str {
    message.split_once(" is forbidden: ").map_or(message, |(_, reason)| reason)
}

fn policy(text: &str) -> Option<Why> {
    let (_, rest) = text.split_once("ValidatingAdmissionPolicy '")?;
    let (policy, rest) = rest.split_once('\'')?;
    let (head, message) = rest.split_once(" denied request: ").or_else(|| rest.split_once(": "))?;
    let binding = head.split_once("binding '").and_then(|(_, rest)| rest.split_once('\'')).map(|(it, _)| it.to_owned());
    Some(Why::Policy { policy: policy.to_owned(), binding, message: message.trim().to_owned() })
}

fn terminating(text: &str) -> Option<Why> {
    let rest = text
        .split_once("unable to create new content in namespace ")
        .map(|(_, rest)| rest)
        .filter(|rest| rest.contains("is being terminated"))?;
    Some(Why::NamespaceTerminating(rest.split(' ').next().unwrap_or_default().to_owned()))
}

fn quota(text: &str) -> Option<Why> {
    let (_, rest) = text.split_once("exceeded quota: ")?;
    let (quota, rest) = rest.split_once(", requested: ")?;
    let (asked, rest) = rest.split_once(", used: ")?;
    let (used, limited) = rest.split_once(", limited: ")?;
    let of = |list: &str, resource: &str| {
        list.split(',')
            .filter_map(|pair| pair.trim().trim_end_matches([']', ')', '.', '"']).split_once('='))
            .find(|(key, _)| *key == resource)
            .map(|(_, value)| value.split_whitespace().next().unwrap_or_default().to_owned())
            .unwrap_or_default()
    };
    let resources = asked
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(resource, _)| ExcessOf {
            resource: resource.to_owned(),
            asked: of(asked, resource),
            used: of(used, resource),
            limit: of(limited, resource),
        })
        .collect();
    Some(Why::Quota(Excess { quota: quota.to_owned(), resources }))
}

fn quota_needs(text: &str) -> Option<Why> {
    let (_, rest) = text.split_once("failed quota: ")?;
    let (quota, rest) = rest.split_once(": must specify ")?;
    let mut missing = Vec::new();
    for part in rest.split(';') {
        let (resources, containers) = part.trim().split_once(" for: ").unwrap_or((part.trim(), ""));
        let containers: Vec<String> =
            containers.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        for resource in resources.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            missing.push((resource.to_owned(), containers.clone()));
        }
    }
    Some(Why::QuotaNeeds { quota: quota.to_owned(), missing })
}

fn quota_unready(text: &str) -> Option<Why> {
    let markers = [
        "insufficient quota to consume",
        "insufficient quota to match these scopes",
        "status unknown for quota: ",
        "resource quota evaluation timed out",
        "quota usage is negative",
    ];
    let found = markers.iter().find_map(|marker| text.find(marker).and_then(|at| text.get(at..)))?;
    let quota = found
        .strip_prefix("status unknown for quota: ")
        .and_then(|rest| rest.split(',').next())
        .map(|quota| quota.trim().to_owned());
    Some(Why::QuotaUnready { quota, text: found.to_owned() })
}

fn pod_security(text: &str) -> Option<Why> {
    let (_, rest) = text.split_once("violates PodSecurity \"")?;
    let (policy, rest) = rest.split_once("\": ")?;
    let (level, version) = policy.split_once(':').unwrap_or((policy, "latest"));
    let violations = top_level(rest).into_iter().map(violation).collect();
    Some(Why::PodSecurity { level: level.to_owned(), version: version.to_owned(), violations })
}

fn violation(item: &str) -> Violation {
    let (rule, detail) = item.split_once(" (").unwrap_or((item, ""));
    let detail = detail.strip_suffix(')').unwrap_or(detail);
    let named = detail.split_once("ontainer").map_or("", |(_, rest)| rest);
    let named = named.split(" must").next().unwrap_or_default();
    let containers = named.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    Violation { rule: rule.trim().to_owned(), detail: detail.to_owned(), containers }
}

/// Splits at the commas that stand in no parentheses.
fn top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(text.get(start..));
    found.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn security_constraint(text: &str) -> Option<Why> {
    let markers = [
        "unable to validate against any security context constraint: ",
        "unable to validate against any pod security policy: ",
        "PodSecurityPolicy: unable to admit pod: ",
    ];
    let found = markers.iter().find_map(|marker| text.split_once(marker))?;
    Some(Why::SecurityConstraint(found.1.to_owned()))
}

fn service_account(text: &str) -> Option<Why> {
    let missing = |namespace: Option<&str>, name: &str| Why::ServiceAccount {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    if let Some((_, rest)) = text.split_once("error looking up service account ") {
        let (path, error) = rest.split_once(": ").unwrap_or((rest, ""));
        if !error.contains("not found") {
            return None;
        }
        let (namespace, name) = path.split_once('/').map_or((None, path), |(ns, name)| (Some(ns), name));
        return Some(missing(namespace, name));
    }
    if let Some((_, rest)) = text.split_once("No API token found for service account \"") {
        return rest.split('"').next().map(|name| missing(None, name));
    }
    let (_, rest) = text.split_once("serviceaccount \"").or_else(|| text.split_once("serviceaccounts \""))?;
    let (name, rest) = rest.split_once('"')?;
    rest.trim_start().starts_with("not found").then(|| missing(None, name))
}

fn classes(text: &str) -> Option<Why> {
    if let Some((_, rest)) = text.split_once("no PriorityClass with name ") {
        let name = rest.split(" was found").next().unwrap_or_default();
        return Some(Why::PriorityClass(name.trim_matches('"').to_owned()));
    }
    let (_, rest) = text.split_once("RuntimeClass \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.starts_with(" not found").then(|| Why::RuntimeClass(name.to_owned()))
}

static BOUND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(minimum|maximum) (\S+) usage per (\w+) is ([^\s,]+?)(?:, but (limit|request) is ([^\s,\]]+)|\.\s+No (limit|request) is specified)",
    )
    .ok()
});
static RATIO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(\S+) max limit to request ratio per (\w+) is ([^\s,]+), but (?:provided ratio is ([^\s,\]]+)|no request)",
    )
    .ok()
});

fn limits(text: &str) -> Option<Why> {
    let mut found = Vec::new();
    for captures in BOUND.as_ref().into_iter().flat_map(|bound| bound.captures_iter(text)) {
        let bound = if group(&captures, 1) == "minimum" { "minimum" } else { "maximum" };
        let got = captures.get(6).map(|got| got.as_str().trim_end_matches('.').to_owned());
        let field = captures.get(5).or_else(|| captures.get(7)).map_or("limit", |field| field.as_str());
        found.push(LimitBreach {
            bound,
            resource: group(&captures, 2),
            of: group(&captures, 3),
            allowed: group(&captures, 4),
            field: field.to_owned(),
            got,
        });
    }
    for captures in RATIO.as_ref().into_iter().flat_map(|ratio| ratio.captures_iter(text)) {
        found.push(LimitBreach {
            bound: "ratio",
            resource: group(&captures, 1).trim_start_matches('[').to_owned(),
            of: group(&captures, 2),
            allowed: group(&captures, 3),
            field: "limit".to_owned(),
            got: captures.get(4).map(|got| got.as_str().trim_end_matches('.').to_owned()),
        });
    }
    (!found.is_empty()).then_some(Why::Limits(found))
}

fn api_removed(text: &str) -> Option<Why> {
    let (kind, version) = no_matches(text)?;
    Some(Why::ApiRemoved { kind, version })
}

/// `no matches for kind "K" in version "group/version"`: the kind and the version.
pub fn no_matches(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.split_once("no matches for kind \"")?;
    let (kind, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once("in version \"")?;
    Some((kind.to_owned(), rest.split('"').next()?.to_owned()))
}

static DENIED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"User \\?"([^"\\]+)\\?" cannot (\S+) (?:resource|path) \\?"([^"\\]+)\\?"(?: in API group \\?"([^"\\]*)\\?")?(?: in the namespace \\?"([^"\\]+)\\?")?"#,
    )
    .ok()
});
static DENIED_BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // The wording of API servers before 1.12, still in the logs of old clients.
    Regex::new(
        r#"User \\?"([^"\\]+)\\?" cannot (\S+) (\S+?)(?:\.([a-z0-9.-]+))? (?:in the namespace \\?"([^"\\]+)\\?"|at the cluster scope)"#,
    )
    .ok()
});

/// `User "U" cannot VERB resource "R" in API group "G" in the namespace "N"`, in a log line too.
pub fn denied(text: &str) -> Option<Denied> {
    // In a log of JSON lines the quotes are escaped.
    let text = text.replace("\\\"", "\"");
    let text = text.as_str();
    let found = DENIED
        .as_ref()
        .and_then(|denied| denied.captures(text))
        .or_else(|| DENIED_BEFORE.as_ref().and_then(|denied| denied.captures(text)))?;
    Some(Denied {
        user: group(&found, 1),
        verb: group(&found, 2),
        resource: group(&found, 3),
        group: group(&found, 4),
        namespace: found.get(5).map(|namespace| namespace.as_str().to_owned()),
    })
}

fn invalid(text: &str) -> Option<Why> {
    let Some((_, rest)) = text.split_once(" is invalid: ") else {
        let (_, rest) = text.split_once("unknown field \"")?;
        let field = rest.split('"').next().unwrap_or_default().to_owned();
        return Some(Why::Invalid(vec![FieldFault { field, problem: "unknown field".to_owned() }]));
    };
    let rest = rest.trim();
    let rest = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
    let mut faults: Vec<FieldFault> = Vec::new();
    for part in rest.split(", ") {
        let path = part.split_once(": ").filter(|(path, _)| is_path(path));
        match (path, faults.last_mut()) {
            (Some((field, problem)), _) => {
                faults.push(FieldFault { field: field.to_owned(), problem: problem.to_owned() });
            }
            // A comma within the words before.
            (None, Some(before)) => before.problem = format!("{}, {part}", before.problem),
            (None, None) => faults.push(FieldFault { field: String::new(), problem: part.to_owned() }),
        }
    }
    Some(Why::Invalid(faults))
}

fn is_path(path: &str) -> bool {
    ["spec", "metadata", "status", "template", "data"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
        && !path.contains(' ')
}

fn server(text: &str) -> Option<Why> {
    let markers = [
        "etcdserver:",
        "request did not complete within",
        "Too many requests",
        "too many requests",
        "unable to handle the request",
        "the object has been modified",
        "already exists",
        "connection refused",
        "connection reset",
        "http2:",
        "context deadline exceeded",
        "i/o timeout",
        "Unauthorized",
        "not yet ready to handle request",
        "unexpected EOF",
        "exceeded its progress deadline",
    ];
    markers.iter().any(|marker| text.contains(marker)).then_some(Why::Server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_with_its_arithmetic() {
        let message = r#"Error creating: pods "cart-7c9-abc" is forbidden: exceeded quota: compute, requested: limits.memory=2Gi,pods=1, used: limits.memory=3Gi,pods=4, limited: limits.memory=4Gi,pods=4"#;
        let refused = parse(message);
        assert_eq!(refused.object, Some(("pods".to_owned(), "cart-7c9-abc".to_owned())));
        let Why::Quota(excess) = refused.why else { panic!("{:?}", refused.why) };
        assert_eq!(excess.quota, "compute");
        let first = excess.resources.first().expect("a resource");
        assert_eq!((first.asked.as_str(), first.used.as_str(), first.limit.as_str()), ("2Gi", "3Gi", "4Gi"));
        assert_eq!(excess.resources.len(), 2);
    }

    #[test]
    fn a_claim_of_a_stateful_set_can_be_what_is_refused() {
        let message = r#"create Claim data-db-1 for Pod db-1 in StatefulSet db failed error: persistentvolumeclaims "data-db-1" is forbidden: exceeded quota: storage, requested: requests.storage=10Gi, used: requests.storage=95Gi, limited: requests.storage=100Gi"#;
        let refused = parse(message);
        assert_eq!(refused.object, Some(("persistentvolumeclaims".to_owned(), "data-db-1".to_owned())));
        assert!(matches!(refused.why, Why::Quota(_)));
    }

    #[test]
    fn what_a_quota_demands_is_read_old_and_new() {
        let new = parse(
            r#"pods "a-" is forbidden: failed quota: q: must specify limits.cpu for: app,proxy; requests.memory for: app"#,
        );
        let both = || vec!["app".to_owned(), "proxy".to_owned()];
        let expected = vec![("limits.cpu".to_owned(), both()), ("requests.memory".to_owned(), vec!["app".to_owned()])];
        assert_eq!(new.why, Why::QuotaNeeds { quota: "q".to_owned(), missing: expected });
        let old = parse(r#"pods "a-" is forbidden: failed quota: q: must specify limits.cpu,limits.memory"#);
        assert!(matches!(old.why, Why::QuotaNeeds { ref missing, .. } if missing.len() == 2));
    }

    #[test]
    fn bounds_of_a_limit_range_are_read() {
        let message = r#"pods "a-" is forbidden: [maximum memory usage per Container is 1Gi, but limit is 2Gi, minimum cpu usage per Container is 100m, but request is 50m., cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000, maximum cpu usage per Pod is 2.  No limit is specified]"#;
        let Why::Limits(found) = parse(message).why else { panic!("no limits") };
        let got: Vec<_> =
            found.iter().map(|b| (b.bound, b.resource.as_str(), b.allowed.as_str(), b.got.as_deref())).collect();
        assert_eq!(
            got,
            [
                ("maximum", "memory", "1Gi", Some("2Gi")),
                ("minimum", "cpu", "100m", Some("50m")),
                ("maximum", "cpu", "2", None),
                ("ratio", "cpu", "4", Some("10.000000")),
            ]
        );
    }

    #[test]
    fn pod_security_names_rule_and_container() {
        let message = r#"pods "a-" is forbidden: violates PodSecurity "restricted:v1.30": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "app", "proxy" must set securityContext.capabilities.drop=["ALL"]), hostPath volumes (volume "data"), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#;
        let Why::PodSecurity { level, version, violations } = parse(message).why else { panic!("not read") };
        assert_eq!((level.as_str(), version.as_str()), ("restricted", "v1.30"));
        let got: Vec<_> = violations.iter().map(|v| (v.rule.as_str(), v.containers.join("+"))).collect();
        assert_eq!(
            got,
            [
                ("allowPrivilegeEscalation != false", "app".to_owned()),
                ("unrestricted capabilities", "app+proxy".to_owned()),
                ("hostPath volumes", String::new()),
                ("seccompProfile", "app".to_owned()),
            ]
        );
    }

    #[test]
    fn every_other_refusal_finds_its_variant() {
        let policy = |message: &str| match parse(message).why {
            Why::Policy { policy, binding, message } => (policy, binding.unwrap_or_default(), message),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            policy(
                r#"pods "a-" is forbidden: ValidatingAdmissionPolicy 'replica-limit' with binding 'prod' denied request: failed expression: object.spec.replicas <= 5"#
            ),
            ("replica-limit".into(), "prod".into(), "failed expression: object.spec.replicas <= 5".into())
        );
        assert_eq!(
            parse(
                r#"pods "a-" is forbidden: error looking up service account shop/cart: serviceaccount "cart" not found"#
            )
            .why,
            Why::ServiceAccount { namespace: Some("shop".into()), name: "cart".into() }
        );
        assert_eq!(
            parse(r#"pods "a-" is forbidden: no PriorityClass with name high was found"#).why,
            Why::PriorityClass("high".into())
        );
        assert_eq!(
            parse(r#"pods "a-" is forbidden: pod rejected: RuntimeClass "gvisor" not found"#).why,
            Why::RuntimeClass("gvisor".into())
        );
        assert_eq!(
            parse(r#"pods "a-" is forbidden: unable to create new content in namespace shop because it is being terminated"#).why,
            Why::NamespaceTerminating("shop".into())
        );
        assert_eq!(
            parse(r#"no matches for kind "CronJob" in version "batch/v1beta1""#).why,
            Why::ApiRemoved { kind: "CronJob".into(), version: "batch/v1beta1".into() }
        );
        assert!(matches!(parse("etcdserver: request timed out").why, Why::Server));
        assert!(matches!(
            parse(
                r#"pods "a-" is forbidden: pod node label selector conflicts with its namespace node label selector"#
            )
            .why,
            Why::Other(_)
        ));
    }

    #[test]
    fn a_denial_of_rbac_is_read_from_events_and_logs() {
        let event = r#"Error creating: pods is forbidden: User "system:serviceaccount:kube-system:job-controller" cannot create resource "pods" in API group "" in the namespace "shop""#;
        let denied_ = denied(event).expect("denied");
        assert_eq!(denied_.service_account(), Some(("kube-system", "job-controller")));
        assert_eq!(
            (denied_.verb.as_str(), denied_.resource.as_str(), denied_.namespace.as_deref()),
            ("create", "pods", Some("shop"))
        );
        let log = r#"level=error msg="leases.coordination.k8s.io \"x\" is forbidden: User \"system:serviceaccount:shop:op\" cannot get resource \"leases\" in API group \"coordination.k8s.io\" in the namespace \"shop\"""#;
        let log = denied(log).expect("denied");
        assert_eq!(log.resource_and_group(), "leases.coordination.k8s.io");
        let old =
            denied(r#"pods is forbidden: User "system:serviceaccount:shop:op" cannot list pods at the cluster scope"#);
        assert_eq!(old.map(|denied| (denied.resource, denied.namespace)), Some(("pods".into(), None)));
    }

    #[test]
    fn faults_of_fields_are_listed_with_their_container() {
        let message = r#"Pod "a-1" is invalid: [spec.containers[1].volumeMounts[0].name: Not found: "data", spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1, or more]"#;
        let Why::Invalid(faults) = parse(message).why else { panic!("not read") };
        assert_eq!(faults.len(), 2);
        let first = faults.first().expect("a fault");
        assert_eq!((first.value(), first.container()), (Some("data"), Some(("containers", 1))));
        assert!(faults.iter().any(|fault| fault.problem.ends_with("limit of 1, or more")));
    }

    proptest::proptest! {
        #[test]
        fn no_words_make_it_panic(words in ".*") {
            parse(&words);
        }
    }
}
