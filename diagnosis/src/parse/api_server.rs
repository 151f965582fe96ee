//! What clients of the API server and of etcd are told when these are in trouble.
//!
//! Sources: `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`, etcd `api/v3rpc/rpctypes/error.go`,
//! `server/etcdserver/{raft,v3_server,server}.go`; the transport's own words are those of Go, rustls and the system.

/// Why the API server could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The machine answers, and nobody listens on the port.
    Refused,
    /// Silence.
    Timeout,
    /// The connection stands, and the handshake does not end.
    Handshake,
    /// The connection is cut.
    Cut,
    /// Its certificate is not trusted, expired, or for another name.
    Certificate,
    /// It does not know who asks.
    Credentials,
    /// Its name does not resolve.
    Name,
    /// There is no way to it.
    NoRoute,
    /// Anything else.
    Other,
}

/// Why the API server could not be reached, by the words of the transport.
pub fn unreachable(words: &str) -> Unreachable {
    let words = words.to_lowercase();
    let any = |of: &[&str]| of.iter().any(|part| words.contains(part));
    if any(&["tls handshake timeout", "handshake timed out"]) {
        Unreachable::Handshake
    } else if any(&["x509", "certificate", "unknownissuer", "tls: ", "invalid peer"]) {
        Unreachable::Certificate
    } else if any(&["401", "unauthorized", "provide credentials", "auth exec", "credential"]) {
        Unreachable::Credentials
    } else if any(&["dns error", "lookup ", "no such host", "name or service not known", "name resolution"]) {
        Unreachable::Name
    } else if any(&["connection refused", "econnrefused"]) {
        Unreachable::Refused
    } else if any(&["no route to host", "network is unreachable", "host is unreachable"]) {
        Unreachable::NoRoute
    } else if any(&["timed out", "timeout", "deadline", "no answer within"]) {
        Unreachable::Timeout
    } else if any(&["reset", "eof", "closed", "broken pipe"]) {
        Unreachable::Cut
    } else {
        Unreachable::Other
    }
}

/// What ails etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Etcd {
    /// Its database has reached its quota: reads work, writes fail.
    Full,
    /// Its data is damaged.
    Corrupt,
    /// The members have no leader: most of them are gone.
    NoLeader,
    /// Its disk or its network is too slow.
    Slow,
    /// It does not answer in time.
    TimedOut,
    /// It is asked more than it can answer.
    Busy,
}

/// What a message says of etcd; none where it is about something else. The messages of the API server and etcd's own log.
pub fn etcd(words: &str) -> Option<Etcd> {
    const WORDS: &[(&str, Etcd)] = &[
        ("database space exceeded", Etcd::Full),
        ("exceeded backend quota", Etcd::Full),
        ("alarm:nospace", Etcd::Full),
        ("alarm: nospace", Etcd::Full),
        ("etcdserver: corrupt", Etcd::Corrupt),
        ("alarm:corrupt", Etcd::Corrupt),
        ("data corruption detected", Etcd::Corrupt),
        ("etcdserver: no leader", Etcd::NoLeader),
        ("serving /health false; no leader", Etcd::NoLeader),
        ("raft: lost leader", Etcd::NoLeader),
        ("lost leader", Etcd::NoLeader),
        ("failed to reach the peer url", Etcd::NoLeader),
        ("etcdserver: leader changed", Etcd::Slow),
        ("slow fdatasync", Etcd::Slow),
        ("leader is overloaded likely from slow disk", Etcd::Slow),
        ("waiting for readindex response took too long", Etcd::Slow),
        ("apply request took too long", Etcd::Slow),
        ("etcdserver: request timed out", Etcd::TimedOut),
        ("etcdserver: too many requests", Etcd::Busy),
        ("etcdserver: server stopped", Etcd::TimedOut),
    ];
    let words = words.to_lowercase();
    WORDS.iter().find(|(part, _)| words.contains(part)).map(|(_, what)| *what)
}

/// Tells whether the API server says that it has too much to do.
pub fn is_overload(words: &str) -> bool {
    const WORDS: &[&str] = &[
        "too many requests",
        "the server has received too many requests and has asked us to try again later",
        "request did not complete within",
        "the request timed out",
        "stream error: stream id",
        "priority and fairness",
        "tls handshake timeout",
    ];
    let words = words.to_lowercase();
    etcd(&words).is_none() && WORDS.iter().any(|part| words.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_told_apart() {
        for (words, kind) in [
            ("tcp connect error: Connection refused (os error 111)", Unreachable::Refused),
            ("dial tcp 10.0.0.1:6443: connect: connection refused", Unreachable::Refused),
            ("no answer within 10 s", Unreachable::Timeout),
            ("net/http: TLS handshake timeout", Unreachable::Handshake),
            ("invalid peer certificate: UnknownIssuer", Unreachable::Certificate),
            ("x509: certificate has expired or is not yet valid", Unreachable::Certificate),
            ("failed to lookup address information: Name or service not known", Unreachable::Name),
            ("dial tcp: lookup api.example.com: no such host", Unreachable::Name),
            ("No route to host (os error 113)", Unreachable::NoRoute),
            ("unexpected EOF during handshake", Unreachable::Cut),
            ("Unauthorized (401)", Unreachable::Credentials),
            ("the moon is full", Unreachable::Other),
        ] {
            assert_eq!(unreachable(words), kind, "{words}");
        }
    }

    #[test]
    fn etcds_words_are_known() {
        let full = "rpc error: code = ResourceExhausted desc = etcdserver: mvcc: database space exceeded";
        assert_eq!(etcd(full), Some(Etcd::Full));
        let late = "etcdserver: request timed out, possibly due to previous leader failure";
        assert_eq!(etcd(late), Some(Etcd::TimedOut));
        assert_eq!(etcd("etcdserver: leader changed"), Some(Etcd::Slow));
        assert_eq!(etcd("connection refused"), None);
        assert!(is_overload("Too many requests, please try again later."));
        assert!(!is_overload("etcdserver: too many requests"));
    }
}
