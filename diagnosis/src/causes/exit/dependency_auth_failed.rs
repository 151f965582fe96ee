//! `dependency-auth-failed`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::credentials::{self, Fed, Feed};
use crate::facts::ends;
use crate::facts::peers::{self, Peer};
use crate::facts::settings;
use crate::finding::{Finding, Fix};
use crate::kind::Kind;
use crate::parse::log::{Failure, Signature, System};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program reached its peer, and the peer refused the credentials or the right.
    /// ## Signals
    /// PostgreSQL `password authentication failed for user "x"`, `no pg_hba.conf entry`, `role "x" does not exist`;
    /// MySQL `Access denied for user 'x'@'host' (using password: YES)`; Redis `WRONGPASS invalid username-password pair
    /// or user is disabled.`, `NOAUTH Authentication required.`; MongoDB `Authentication failed.`; Kafka `Invalid
    /// username or password`; RabbitMQ `ACCESS_REFUSED`; 401 and 403; gRPC `Unauthenticated`.
    /// ## Look-alikes
    /// `dependency-unreachable`: no answer at all. `rbac-forbidden`: the Kubernetes API refused. `image-unauthorized`:
    /// the registry refused the kubelet. `app-config-error`: the password variable is missing, and the program says so
    /// itself.
    /// ## Fixes
    /// Make the Secret and the peer agree; start the pods anew where the Secret changed after they started, since
    /// variables are fixed at start. A database takes its own Secret only when its volume is empty.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/configuration/secret/>; the servers' own wording.
    DependencyAuthFailed, stage Exit, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    matches!(failure, Failure::AuthFailed { .. })
}

fn detect(case: &Case<'_>) -> Verdict {
    ends::explained(case, Code::DependencyAuthFailed, is_mine, |container, finding, signature| {
        explain(case, container, finding, signature)
    })
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let Failure::AuthFailed { peer, user, system, detail } = &signature.kind else { return Ok(None) };
    let who = match peer {
        Some(peer) => Some(peers::resolve(case, container, Some(peer))?),
        None => None,
    };
    let system_name = system.map(display);
    let mut words: Vec<String> = user.iter().cloned().collect();
    words.extend(who.as_ref().and_then(|peer| peer.host.clone()));
    let kinds = kinds(*system);
    let feed = credentials::likely(container, case, &words, &kinds);
    let started = container
        .running()
        .and_then(|running| running.started_at.as_ref())
        .or_else(|| container.last_end().and_then(|end| end.started_at.as_ref()))
        .map(|time| time.0);
    let known = match &feed {
        Some(feed) => credentials::read(case, feed, started)?,
        None => Fed::default(),
    };
    let said = if detail.is_empty() { signature.line.clone() } else { detail.clone() };
    let address = who.as_ref().and_then(Peer::address);
    let refuser = match (&address, system_name) {
        (Some(address), _) => text![name(address.clone())],
        (None, Some(system)) => text![system],
        (None, None) => text!["The peer of container ", name(container.name())],
    };
    let as_user = user.as_ref().map(|user| text![" of user ", code(user.clone())]);
    let title = text![refuser.clone(), " refuses the credentials", as_user, ": ", quoted(said)];
    let empty = signature.line.contains("using password: NO") || signature.line.contains("no password supplied");
    let nothing_sent = empty.then(|| text!["The program sent no password at all: the variable is empty or not read."]);
    let finding = finding
        .confidence(ends::confidence(signature))
        .title(title)
        .also(text!["It reached ", inside(refuser), ", which answered and refused its user or password."])
        .also(nothing_sent)
        .evidence(known.evidence.clone());
    let finding = with_feed(case, container, finding, feed.as_ref(), &known)?;
    Ok(Some(finding))
}

/// A subject within a sentence.
fn inside(subject: Text) -> Text {
    if subject.plain().starts_with("The peer") { text!["its peer"] } else { subject }
}

fn with_feed(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    feed: Option<&Feed>,
    known: &Fed,
) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let server = Fix::disruptive(text![
        "or set the same password at the server itself: a database takes its own Secret only at its first start"
    ]);
    let Some(feed) = feed else {
        let literal = settings::explicit(container.spec).into_iter().find(|setting| {
            let upper = setting.name.to_uppercase();
            upper.contains("PASS") || upper.contains("TOKEN") || upper.contains("CREDENTIAL")
        });
        let place = literal.map(|literal| {
            text!["The credentials seem to come from variable ", code(literal.name.clone()), literal.origin(), "."]
        });
        return Ok(finding
            .also(place)
            .fix(
                Fix::disruptive(text![
                    "correct user and password of container ",
                    name(container.name()),
                    " for that peer"
                ])
                .command(template.edit(case)),
            )
            .fix(server));
    };
    let reference = case.neighbour(Kind::Secret, &feed.secret);
    let root = feed.key.as_ref().map_or(reference.clone(), |key| reference.clone().with_detail(key));
    let changed = known.changed.map(|at| {
        let effect = if feed.is_variable { ", and variables are fixed at start" } else { "" };
        text!["The Secret was written at ", at, ", after the container started", effect, "."]
    });
    let lacks = known.lacks_key.then(|| text!["The Secret does not have that key."]);
    let restart = known.changed.is_some().then(|| {
        Fix::disruptive(text!["start the pods anew, so that they take the Secret as it is now"])
            .command(template.restart(case))
    });
    Ok(finding
        .root(root)
        .also(text!["Its credentials come from ", feed.describe(), "."])
        .also(changed)
        .also(lacks)
        .evidence(case.field(&format!("{}.env", container.spec_path()), feed.describe().plain()))
        .fix(restart)
        .fix(
            Fix::disruptive(text![
                "correct the password in Secret ",
                name(reference.path()),
                ", then start the pods anew"
            ])
            .command(case.kubectl(["edit", "secret", feed.secret.as_str()]))
            .command(template.restart(case)),
        )
        .fix(server))
}

fn kinds(system: Option<System>) -> Vec<&'static str> {
    let mut kinds = vec!["pass", "token", "auth", "cred", "key", "user"];
    kinds.extend(match system {
        Some(System::PostgreSql) => &["pg", "postgres", "db"][..],
        Some(System::MySql) => &["mysql", "maria", "db"],
        Some(System::MongoDb) => &["mongo", "db"],
        Some(System::Redis) => &["redis", "cache"],
        Some(System::RabbitMq) => &["rabbit", "amqp"],
        Some(System::Kafka) => &["kafka", "sasl"],
        Some(System::Elasticsearch) => &["elastic"],
        Some(System::Aws) => &["aws", "s3"],
        Some(System::Smtp) => &["smtp", "mail"],
        Some(System::Ldap) => &["ldap"],
        _ => &[],
    });
    kinds
}

/// The name of a server program as its makers write it.
pub(crate) fn display(system: System) -> &'static str {
    match system {
        System::PostgreSql => "PostgreSQL",
        System::MySql => "MySQL",
        System::MongoDb => "MongoDB",
        System::Redis => "Redis",
        System::Kafka => "Kafka",
        System::RabbitMq => "RabbitMQ",
        System::Elasticsearch => "Elasticsearch",
        System::Nats => "NATS",
        System::Etcd => "etcd",
        System::Cassandra => "Cassandra",
        System::SqlServer => "SQL Server",
        System::Oracle => "Oracle",
        System::Ldap => "LDAP",
        System::Smtp => "the mail server",
        System::Vault => "Vault",
        System::Aws => "AWS",
        System::Kubernetes => "The Kubernetes API",
        System::Grpc => "the gRPC server",
        System::Http => "the HTTP server",
        System::Ssh => "the SSH server",
    }
}
