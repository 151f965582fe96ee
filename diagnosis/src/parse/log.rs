//! The last words of a dead container: what its log says it died of.
//!
//! [`read`] takes the log of the instance that ended and gives the decisive line, typed. It reads wording only: it does
//! no I/O, owns no clock, never fails and never panics, whatever the bytes. It works in four steps:
//!
//! 1. `lines` picks the regions worth reading by one search for the words of all rules, strips colours, prefixes and
//!    JSON (`clean`, `json`), and forgets the rest;
//! 2. `crash` finds the blocks that a runtime prints when a program dies (tracebacks, stacks);
//! 3. `rule` tries the families of rules on the block's messages and on the lines between;
//! 4. `rank` decides which finding is the cause, and which are noise.
//!
//! It does not know the cluster: binding a peer to a Service or a path to a volume is the caller's work.

mod auth;
mod clean;
mod crash;
mod databases;
mod dns;
mod files;
mod json;
mod kubernetes;
mod lines;
mod listen;
mod memory;
mod modules;
mod native;
mod network;
mod overload;
mod peer;
mod rank;
mod rule;
mod servers;
mod settings;
mod shell;
mod tls;
mod variables;

#[cfg(test)]
mod tests;

/// The longest line that [`LastWords`] holds, in characters.
pub const LINE_LIMIT: usize = 400;

/// The most lines in [`LastWords::tail`].
pub const TAIL_LIMIT: usize = 8;

/// Reads the log of a container instance that ended.
pub fn read(log: &str) -> LastWords {
    if clean::is_not_the_apps(log) {
        return LastWords { not_the_apps: true, ..LastWords::default() };
    }
    let raw: Vec<&str> = log.lines().collect();
    let lines = lines::interesting(&raw);
    let mut findings = rank::findings(&lines);
    rank::forget_recovered(&mut findings, &raw);
    let (signature, others) = rank::choose(findings, raw.len());
    LastWords { signature, others, tail: lines::tail(&raw), not_the_apps: false }
}

/// Tells whether a text is a log that says anything, not an error of the API or the kubelet in its place.
pub fn is_log(text: &str) -> bool {
    !clean::is_not_the_apps(text) && text.chars().any(char::is_alphanumeric)
}

/// What a log says in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastWords {
    /// The failure that most likely ended the program.
    pub signature: Option<Signature>,
    /// Other failures that the log names, most likely first, at most four.
    pub others: Vec<Signature>,
    /// The last meaningful lines, oldest first: at most [`TAIL_LIMIT`] of at most [`LINE_LIMIT`] characters.
    pub tail: Vec<String>,
    /// The text is the API's or the kubelet's own error, served in place of a log.
    pub not_the_apps: bool,
}

impl LastWords {
    /// The line that most likely says why: the last of level error or worse, else the last line. A program often says
    /// goodbye ("connection closed") after it has said what is wrong.
    pub fn last_word(&self) -> Option<&str> {
        let complaint = self.tail.iter().rev().find(|line| {
            let (_, level) = clean::head(line);
            matches!(level, Some(clean::Level::Error | clean::Level::Fatal))
        });
        complaint.or(self.tail.last()).map(String::as_str)
    }
}

/// A failure that a log names, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What failed.
    pub kind: Failure,
    /// The decisive line, without colours and control characters, at most [`LINE_LIMIT`] characters.
    pub line: String,
    /// The number of that line in the log, from 1.
    pub line_number: usize,
    /// The top frame of the application itself, such as `main.go:17` or `app.py:3 in load`.
    pub frame: Option<String>,
    /// The runtime whose wording it is.
    pub language: Option<Language>,
    /// Whether wording and place make it certain; otherwise it is a plausible reading.
    pub decisive: bool,
}

/// A runtime that prints its own last words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    Go,
    Java,
    Python,
    Node,
    Rust,
    Ruby,
    Php,
    DotNet,
    Erlang,
    Native,
    Shell,
}

/// A server program that a log speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[expect(missing_docs, reason = "the names say it")]
pub enum System {
    PostgreSql,
    MySql,
    MongoDb,
    Redis,
    Kafka,
    RabbitMq,
    Elasticsearch,
    Nats,
    Etcd,
    Cassandra,
    SqlServer,
    Oracle,
    Ldap,
    Smtp,
    Vault,
    Aws,
    Kubernetes,
    Grpc,
    Http,
    Ssh,
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name where the log gives one, else its address.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// Its address, where the log gives one.
    pub ip: Option<String>,
}

/// How a name lookup failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The name server said that there is no such name.
    NoSuchName,
    /// No name server answered, or none could.
    NoAnswer,
}

/// What is wrong with a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// Nobody trusted signed the certificate.
    UnknownAuthority,
    /// The certificate's time is over; Go uses one wording for this and [`TlsFault::NotYetValid`].
    Expired,
    /// The certificate's time has not begun: often a wrong clock.
    NotYetValid,
    /// The certificate is for other names.
    WrongName {
        /// The names it is for, as far as the log tells.
        valid_for: Vec<String>,
        /// The name that was asked for.
        asked: Option<String>,
    },
    /// Certificate and private key do not belong together.
    KeyMismatch,
    /// One side speaks TLS and the other does not.
    PlainHttp,
    /// Anything else: handshake failed, unreadable certificate file, protocol version.
    Other,
}

/// What a log names as failed.
#[derive(Clone, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Failure {
    /// An unhandled exception, panic, failed assertion or crash; `what` is class and message.
    Panic {
        /// Class and message.
        what: String,
    },
    /// The program gave up by itself, in words that no other variant knows.
    Fatal {
        /// The message.
        what: String,
    },
    /// The runtime's own heap is full.
    HeapExhausted {
        /// The runtime's words, such as `Java heap space`.
        what: String,
    },
    /// The system refused memory.
    NoMemory {
        /// The program's words.
        what: String,
    },
    /// The system refused a thread or a process: often a limit on pids.
    NoThreads {
        /// The program's words.
        what: String,
    },
    /// An environment variable or a required setting is not set.
    MissingVariable {
        /// Its name.
        name: String,
    },
    /// A file that the program needs is not there.
    MissingFile {
        /// Its path, as printed.
        path: String,
    },
    /// A module, class, library or main program that the program needs is not in the image.
    MissingModule {
        /// Its name.
        name: String,
    },
    /// A command line flag or argument is unknown or wrong.
    BadFlag {
        /// The flag, as printed.
        flag: String,
    },
    /// A setting is unknown or wrong.
    BadSetting {
        /// The program's words.
        what: String,
        /// The file that holds it.
        file: Option<String>,
        /// The line in the file.
        line: Option<u32>,
    },
    /// A configuration file is not valid YAML, JSON, TOML or the like.
    UnreadableConfig {
        /// The parser's words.
        what: String,
        /// The file.
        file: Option<String>,
        /// The line in the file.
        line: Option<u32>,
    },
    /// The peer refused the connection: nobody listens.
    Refused {
        /// The other end.
        peer: Option<Peer>,
    },
    /// The peer did not answer in time.
    Timeout {
        /// The other end.
        peer: Option<Peer>,
    },
    /// The peer's name was not resolved.
    UnknownHost {
        /// The name.
        host: String,
        /// The port that was wanted, where the line tells.
        port: Option<u16>,
        /// How the lookup failed.
        answer: DnsAnswer,
    },
    /// The peer, or something between, cut the connection.
    Reset {
        /// The other end.
        peer: Option<Peer>,
    },
    /// No route leads to the peer.
    Unreachable {
        /// The other end.
        peer: Option<Peer>,
    },
    /// The peer answered and refused the credentials or the right.
    AuthFailed {
        /// The other end.
        peer: Option<Peer>,
        /// The user that was refused.
        user: Option<String>,
        /// What the peer is.
        system: Option<System>,
        /// The peer's words.
        detail: String,
    },
    /// The peer answered "not now": its load, a limit, or its own start.
    Overloaded {
        /// The other end.
        peer: Option<Peer>,
        /// What the peer is.
        system: Option<System>,
        /// The peer's words.
        what: String,
    },
    /// A TLS connection or certificate failed.
    Tls {
        /// What is wrong.
        fault: TlsFault,
        /// The other end.
        peer: Option<Peer>,
        /// The program's own certificate is at fault, not its peer's.
        own: bool,
    },
    /// The address to listen on is taken.
    PortInUse {
        /// The address, as printed.
        address: String,
        /// Its port.
        port: Option<u16>,
    },
    /// The system refused access to a file or a port.
    PermissionDenied {
        /// The path, as printed.
        path: Option<String>,
        /// The port, where listening was refused.
        port: Option<u16>,
        /// What was tried, such as `open` or `bind`.
        operation: String,
    },
    /// A write to a read-only file system.
    ReadOnlyFileSystem {
        /// The path.
        path: Option<String>,
    },
    /// No space left on a device, or a quota is used up.
    NoSpace {
        /// The path.
        path: Option<String>,
    },
    /// Too many open files.
    TooManyOpenFiles,
    /// The node's inotify watches or instances are used up.
    InotifyExhausted,
    /// Another instance holds the data directory.
    InstanceLocked {
        /// The lock file or directory.
        path: Option<String>,
    },
    /// A shell did not find a command.
    CommandNotFound {
        /// The command.
        command: String,
    },
    /// A shell found a command that it may not execute.
    NotExecutable {
        /// The path.
        path: String,
    },
    /// A binary for another architecture, or a script without an interpreter line.
    ExecFormat {
        /// The path.
        path: String,
    },
    /// A shell did not understand a script.
    ShellSyntax {
        /// The shell, as it names itself.
        shell: String,
        /// Its words.
        detail: String,
    },
    /// The program printed how to call it and left.
    Usage {
        /// The program.
        program: String,
    },
    /// The Kubernetes API refused a request for lack of rights.
    KubernetesForbidden {
        /// The user, such as `system:serviceaccount:ns:name`.
        user: String,
        /// The verb.
        verb: String,
        /// The resource.
        resource: String,
        /// The API group, empty for the core group.
        group: String,
        /// The namespace, none for a request on the whole cluster.
        namespace: Option<String>,
    },
    /// A schema migration failed.
    Migration {
        /// The tool's words.
        what: String,
    },
    /// `CoreDNS` found that its queries come back to itself.
    DnsLoop {
        /// Its words.
        what: String,
    },
}
