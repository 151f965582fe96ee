//! What a probe got: the messages of `Unhealthy` and `Killing` events, in the wording of 1.28 to 1.36.
//!
//! Source: pkg/kubelet/prober/prober.go, pkg/probe/{http,tcp,grpc,exec}.

/// Which of a container's probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Decides whether the container gets traffic.
    Readiness,
    /// Decides whether the container is killed.
    Liveness,
    /// Decides whether the container is killed while it starts, and holds the other two back.
    Startup,
}

impl ProbeKind {
    /// The word for it in a sentence: `readiness`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
            Self::Startup => "startup",
        }
    }

    /// The field of a container that holds it: `readinessProbe`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

/// What a probe got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An HTTP answer that is no success.
    Http {
        /// The status code.
        status: u16,
    },
    /// Nothing listens there: `connection refused`.
    Refused {
        /// `host:port`, where the message says it.
        address: Option<String>,
    },
    /// No answer in time.
    Timeout {
        /// `host:port`, where the message says it.
        address: Option<String>,
    },
    /// The connection was taken and dropped: `EOF`, `connection reset by peer`.
    Dropped,
    /// No way to the address: `no route to host`, `network is unreachable`.
    NoRoute,
    /// The probe's host is a name that does not resolve.
    UnknownHost {
        /// The name.
        host: String,
    },
    /// Asked with HTTPS, answered in plain HTTP.
    PlainHttp,
    /// Asked with HTTP, answered by something that does not speak it (TLS, gRPC, another protocol).
    NotHttp,
    /// The TLS handshake failed.
    TlsFailed,
    /// Redirected in a circle.
    Redirects,
    /// The command ran and failed.
    ExecFailed {
        /// What it printed; may be empty.
        output: String,
    },
    /// The command does not exist in the container.
    ExecMissing {
        /// The program.
        binary: String,
    },
    /// The command may not be executed.
    ExecNotExecutable {
        /// The program.
        binary: String,
    },
    /// The command did not end in time.
    ExecTimeout,
    /// The server has no gRPC health service.
    GrpcNotImplemented,
    /// The gRPC health service answered, and not with SERVING.
    GrpcUnhealthy {
        /// `NOT_SERVING`, `UNKNOWN` or `SERVICE_UNKNOWN`.
        status: String,
    },
    /// The probe names a port by a name that the container does not declare.
    PortNameUnknown {
        /// The name.
        port: String,
    },
    /// The container was gone when the probe came: says nothing about the probe.
    ContainerGone,
    /// Anything else, in the kubelet's words.
    Other {
        /// The words.
        words: String,
    },
}

/// One failed probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which probe.
    pub probe: ProbeKind,
    /// What it got.
    pub outcome: Outcome,
}

/// Reads the message of an `Unhealthy` event; `None` where it is none. A warning of a probe is a success.
pub fn unhealthy(message: &str) -> Option<Failed> {
    let message = message.strip_prefix("(combined from similar events): ").unwrap_or(message).trim();
    let (kind, rest) = message.split_once(' ')?;
    let probe = match kind {
        "Readiness" => ProbeKind::Readiness,
        "Liveness" => ProbeKind::Liveness,
        "Startup" => ProbeKind::Startup,
        _ => return None,
    };
    let rest = rest.strip_prefix("probe ")?;
    let words = if let Some(words) = rest.strip_prefix("failed:") {
        words
    } else if rest == "failed" {
        ""
    } else {
        rest.strip_prefix("errored")?.split_once(": ")?.1
    };
    Some(Failed { probe, outcome: outcome(words.trim()) })
}

/// Reads the message of a `Killing` event: the probe that has the container restarted.
pub fn kills(message: &str) -> Option<ProbeKind> {
    if message.contains("failed liveness probe") {
        return Some(ProbeKind::Liveness);
    }
    message.contains("failed startup probe").then_some(ProbeKind::Startup)
}

fn outcome(words: &str) -> Outcome {
    grpc(words)
        .or_else(|| exec_could_not_run(words))
        .or_else(|| port_name(words))
        .or_else(|| http_status(words))
        .or_else(|| transport(words))
        .or_else(|| exec_output(words))
        .unwrap_or_else(|| Outcome::Other { words: words.to_owned() })
}

fn http_status(words: &str) -> Option<Outcome> {
    let status = words.split_once("HTTP probe failed with statuscode: ")?.1;
    let digits: String = status.chars().take_while(char::is_ascii_digit).collect();
    Some(Outcome::Http { status: digits.parse().ok()? })
}

fn grpc(words: &str) -> Option<Outcome> {
    if words.contains("does not implement the grpc health protocol") {
        return Some(Outcome::GrpcNotImplemented);
    }
    if let Some((_, status)) = words.split_once("service unhealthy (responded with \"") {
        return Some(Outcome::GrpcUnhealthy { status: status.split('"').next().unwrap_or_default().to_owned() });
    }
    if let Some((_, address)) = words.split_once("failed to connect service ") {
        let address = address.split('"').nth(1).map(str::to_owned);
        let refused = words.contains("connection refused");
        return Some(if refused { Outcome::Refused { address } } else { Outcome::Timeout { address } });
    }
    words.contains("health rpc did not complete within").then_some(Outcome::Timeout { address: None })
}

/// The runtime could not run the command at all.
fn exec_could_not_run(words: &str) -> Option<Outcome> {
    if words.contains("executable file not found in $PATH") || words.contains("executable file `") {
        return Some(Outcome::ExecMissing { binary: program(words)? });
    }
    let runtime = words.contains("OCI runtime exec failed") || words.contains("unable to start container process");
    if runtime && words.contains("no such file or directory") {
        return Some(Outcome::ExecMissing { binary: program(words)? });
    }
    if runtime && words.contains("permission denied") {
        return Some(Outcome::ExecNotExecutable { binary: program(words)? });
    }
    let gone = words.contains("container not running")
        // `Container abc is not running`; a program may say the same of its peers or of itself.
        || (words.contains("ontainer ") && words.contains(" is not running"))
        || words.contains("not found: not found")
        || (words.contains("task ") && words.contains(" not found"))
        || words.contains("cannot exec in a stopped")
        || words.contains("cannot exec a container that has stopped")
        || words.contains("procReady not received")
        || words.contains("container is in CONTAINER_EXITED state");
    if gone {
        return Some(Outcome::ContainerGone);
    }
    (words.starts_with("command ") && words.contains("timed out")).then_some(Outcome::ExecTimeout)
}

/// The program in `exec: "x": ...` (runc), ``executable file `x` not found`` (crun).
fn program(words: &str) -> Option<String> {
    let plain = words.replace("\\\"", "\"");
    let quoted = plain.rsplit_once("exec: \"").and_then(|(_, rest)| rest.split('"').next());
    let crun = || plain.split_once("executable file `").and_then(|(_, rest)| rest.split('`').next());
    quoted.or_else(crun).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A port name that is not declared ends as a number that does not parse.
fn port_name(words: &str) -> Option<Outcome> {
    let named = words.split_once("strconv.Atoi: parsing \"").and_then(|(_, rest)| rest.split('"').next());
    let missing = || words.strip_prefix("couldn't find port: ").and_then(|rest| rest.split_whitespace().next());
    let port = named.or_else(missing)?.to_owned();
    Some(Outcome::PortNameUnknown { port })
}

fn transport(words: &str) -> Option<Outcome> {
    let address = dialled(words);
    if words.contains("connection refused") && (address.is_some() || words.contains("Get ")) {
        return Some(Outcome::Refused { address });
    }
    let over_the_wire = words.contains("Get ") || words.starts_with("dial ");
    if !over_the_wire {
        return None;
    }
    if words.contains("server gave HTTP response to HTTPS client") {
        return Some(Outcome::PlainHttp);
    }
    if words.contains("malformed HTTP") {
        return Some(Outcome::NotHttp);
    }
    if words.contains("tls: ") || words.contains("x509: ") {
        return Some(Outcome::TlsFailed);
    }
    if let Some((_, host)) = words.split_once("lookup ") {
        let host = host.split([' ', ':']).next().unwrap_or_default().to_owned();
        return Some(Outcome::UnknownHost { host });
    }
    if words.contains("no route to host") || words.contains("network is unreachable") {
        return Some(Outcome::NoRoute);
    }
    let waited = ["context deadline exceeded", "request canceled", "i/o timeout", "Client.Timeout exceeded"];
    if waited.iter().any(|wording| words.contains(wording)) {
        return Some(Outcome::Timeout { address: address.or_else(|| asked(words)) });
    }
    if words.contains("stopped after 10 redirects") {
        return Some(Outcome::Redirects);
    }
    let dropped = words.contains("EOF") || words.contains("connection reset by peer") || words.contains("broken pipe");
    dropped.then_some(Outcome::Dropped)
}

/// The address in `dial tcp 10.0.0.1:8080: connect: ...`.
fn dialled(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("dial tcp ")?;
    let address = rest.split(": ").next()?.trim();
    (!address.is_empty() && !address.contains(' ')).then(|| address.to_owned())
}

/// The address in `Get "http://10.0.0.1:8080/health": ...`.
fn asked(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("://")?;
    rest.split(['/', '"']).next().filter(|address| !address.is_empty()).map(str::to_owned)
}

/// What a command printed: a shell that lacks the program says so.
fn exec_output(words: &str) -> Option<Outcome> {
    if words.contains("Get \"") || words.starts_with("dial ") {
        return None;
    }
    let lines = words.lines().map(str::trim);
    for line in lines {
        if let Some(binary) = crate::parse::start::shell_lacks(line) {
            return Some(Outcome::ExecMissing { binary });
        }
    }
    Some(Outcome::ExecFailed { output: words.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Outcome {
        unhealthy(message).unwrap_or_else(|| panic!("{message}")).outcome
    }

    #[test]
    fn every_row_of_the_grammar_is_read() {
        let address = |text: &str| Some(text.to_owned());
        let rows = [
            ("Readiness probe failed: HTTP probe failed with statuscode: 503", Outcome::Http { status: 503 }),
            (
                "Liveness probe failed: Get \"http://10.244.0.252:8081/\": dial tcp 10.244.0.252:8081: connect: connection refused",
                Outcome::Refused { address: address("10.244.0.252:8081") },
            ),
            (
                "Liveness probe failed: Get http://10.1.0.3:80/: dial tcp 10.1.0.3:80: connect: connection refused",
                Outcome::Refused { address: address("10.1.0.3:80") },
            ),
            (
                "Startup probe failed: Get \"http://10.1.2.3:8080/healthz\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                Outcome::Timeout { address: address("10.1.2.3:8080") },
            ),
            (
                "Readiness probe failed: Get \"http://10.1.2.3:8080/\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
                Outcome::Timeout { address: address("10.1.2.3:8080") },
            ),
            ("Readiness probe failed: Get \"http://10.1.2.3:8080/\": EOF", Outcome::Dropped),
            (
                "Readiness probe failed: Get \"http://10.1.2.3:8080/\": read tcp 10.1.2.1:39482->10.1.2.3:8080: read: connection reset by peer",
                Outcome::Dropped,
            ),
            (
                "Readiness probe failed: Get \"https://10.1.2.3:8080/\": http: server gave HTTP response to HTTPS client",
                Outcome::PlainHttp,
            ),
            (
                "Readiness probe failed: Get \"http://10.1.2.3:9090/\": net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x00\\x00\"",
                Outcome::NotHttp,
            ),
            (
                "Readiness probe failed: Get \"https://10.1.2.3/\": remote error: tls: handshake failure",
                Outcome::TlsFailed,
            ),
            (
                "Liveness probe failed: dial tcp 10.1.2.3:6379: i/o timeout",
                Outcome::Timeout { address: address("10.1.2.3:6379") },
            ),
            ("Liveness probe failed: dial tcp 10.1.2.3:6379: connect: no route to host", Outcome::NoRoute),
            (
                "Readiness probe failed: timeout: failed to connect service \"10.1.2.3:50051\" within 1s: context deadline exceeded",
                Outcome::Timeout { address: address("10.1.2.3:50051") },
            ),
            (
                "Readiness probe failed: error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service",
                Outcome::GrpcNotImplemented,
            ),
            (
                "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")",
                Outcome::GrpcUnhealthy { status: "NOT_SERVING".to_owned() },
            ),
            ("Liveness probe failed: command \"pg_isready -U app\" timed out", Outcome::ExecTimeout),
            (
                "Liveness probe failed: command timed out: \"pg_isready -U app\" timed out after 1s",
                Outcome::ExecTimeout,
            ),
            ("Liveness probe failed: ", Outcome::ExecFailed { output: String::new() }),
            (
                "Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory",
                Outcome::ExecFailed { output: "cat: can't open '/tmp/ready': No such file or directory".to_owned() },
            ),
            ("Readiness probe failed: /bin/sh: curl: not found", Outcome::ExecMissing { binary: "curl".to_owned() }),
            ("Readiness probe failed: sh: 1: curl: not found", Outcome::ExecMissing { binary: "curl".to_owned() }),
            (
                "(combined from similar events): Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"b9\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"grpc_health_probe\": executable file not found in $PATH: unknown",
                Outcome::ExecMissing { binary: "grpc_health_probe".to_owned() },
            ),
            (
                "Liveness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"b9\": OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"/probe.sh\": permission denied: unknown",
                Outcome::ExecNotExecutable { binary: "/probe.sh".to_owned() },
            ),
            (
                "Liveness probe errored: strconv.Atoi: parsing \"http\": invalid syntax",
                Outcome::PortNameUnknown { port: "http".to_owned() },
            ),
            (
                "Readiness probe failed: Error: RabbitMQ on node rabbit@rabbitmq-0 is not running or has not fully booted yet",
                Outcome::ExecFailed {
                    output: "Error: RabbitMQ on node rabbit@rabbitmq-0 is not running or has not fully booted yet"
                        .to_owned(),
                },
            ),
            (
                "Liveness probe errored: rpc error: code = NotFound desc = failed to exec in container: failed to load task: no running task found: task 12ab not found",
                Outcome::ContainerGone,
            ),
        ];
        for (message, wanted) in rows {
            assert_eq!(read(message), wanted, "{message}");
        }
    }

    #[test]
    fn what_is_no_failed_probe_is_left_alone() {
        for message in [
            "",
            "Readiness",
            "Readiness probe warning: Probe terminated redirects",
            "Back-off restarting",
            "Readiness probe",
        ] {
            assert_eq!(unhealthy(message), None, "{message}");
        }
    }

    #[test]
    fn a_kill_names_its_probe() {
        assert_eq!(kills("Container app failed liveness probe, will be restarted"), Some(ProbeKind::Liveness));
        assert_eq!(kills("Init container wait failed startup probe"), Some(ProbeKind::Startup));
        assert_eq!(kills("Stopping container app"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_message_makes_a_parser_panic(words in ".{0,200}", kind in "(Readiness|Liveness) probe (failed|errored): ") {
            let _ = unhealthy(&format!("{kind}{words}"));
            let _ = crate::parse::start::parse(&words);
            let _ = crate::parse::start::shell_lacks(&words);
            let _ = crate::parse::start::heart(&words);
            let _ = crate::parse::wait::awaited(&words);
            let _ = crate::parse::wait::in_log(&format!("Waiting for {words}"));
            let _ = crate::parse::eviction::read("Evicted", &format!("The node was low on resource: {words}"));
        }
    }
}
