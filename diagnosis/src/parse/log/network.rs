//! Peers that refuse, do not answer, cut the line, or that no route leads to.

use super::rule::Rule;
use super::{Failure, Peer, peer};

pub(super) const RULES: &[Rule] = &[
    // Kafka's clients word it their own way.
    Rule::sure(
        "could not be established. node may not|could not be established. broker may not",
        concat!(
            r"Connection to node -?[0-9]+ \((?<host>[^/)\s]*)/(?<ip>[0-9a-fA-F.:]+):(?<port>[0-9]+)\) ",
            "could not be established"
        ),
        |hit| Some(Failure::Refused { peer: hit.peer() }),
    ),
    Rule::likely("bootstrap broker", r"Bootstrap broker (?<host>[^\s:]+):(?<port>[0-9]+) .*disconnected", |hit| {
        Some(Failure::Refused { peer: hit.peer() })
    }),
    Rule::sure(
        "nobrokersavailable|no brokers available|run out of available brokers|\
         all broker connections are down|brokers are down",
        "(?i-u:no ?brokers ?available|available brokers to talk to|broker connections are down|\
         brokers are down)",
        |hit| Some(refused_or(hit.text, hit.peer())),
    ),
    Rule::likely("not present in metadata after", r"Topic \S+ not present in metadata after [0-9]+ ms", |_| {
        Some(Failure::Timeout { peer: None })
    }),
    Rule::likely(
        "terminated during authentication. this may",
        r"Connection to node .*terminated during authentication",
        |hit| Some(Failure::Reset { peer: hit.peer() }),
    ),
    Rule::sure(
        "no servers available for connection|not possible to connect to the redis|\
         error occurred while establishing a connection to sql server|\
         unable to connect to any of the specified",
        concat!(
            "no servers available for connection|not possible to connect to the redis|",
            "error occurred while establishing a connection to SQL Server|",
            "Unable to connect to any of the specified MySQL hosts"
        ),
        |hit| Some(Failure::Refused { peer: peer_of(hit.text) }),
    ),
    Rule::sure(
        "connection refused|econnrefused|actively refused|(os error 111)|connectionrefused|\
         refused the connection|connect call failed|connectionrefusederror| refused|errno 111|(111)",
        concat!(
            "(?i-u:connection refused|econnrefused|actively refused|",
            "os error 111|connectionrefused|refused the connection|connect call failed|",
            r"errno 111|connection to (?u-i:\S)+ refused|server on '(?u-i:[^'])*' \(111\))"
        ),
        |hit| Some(Failure::Refused { peer: peer_of(hit.text) }),
    ),
    Rule::sure(
        "no route to host|ehostunreach|enetunreach|network is unreachable|noroutetohost|(os error 113)|\
         (os error 101)|host is unreachable|errno 113|errno 101|host unreachable",
        concat!(
            "(?i-u:no route to host|ehostunreach|enetunreach|network is unreachable|",
            "noroutetohost|os error 113|os error 101|host is unreachable|",
            "errno 113|errno 101|host unreachable)"
        ),
        |hit| Some(Failure::Unreachable { peer: peer_of(hit.text) }),
    ),
    Rule::sure(
        "i/o timeout|etimedout|connection timed out|connect timed out|timed out|(os error 110)|\
         deadline has elapsed|connecttimeout|sockettimeout|timeout expired|connecttimeouterror|\
         serverselectiontimeouterror|connection timeout|und_err_connect_timeout|read timeout|timeouterror|\
         serverselectionerror|mongotimeoutexception|dial timeout|request timeout|err_socket_timeout|\
         timedoutexception|acquiring a connection|read timed out|operation timed out|timeoutexception|\
         mongoose|download timed out|timeout was reached|timeout waiting for|timeout occurred",
        concat!(
            r"(?x)(?i-u: i/o\ timeout | etimedout | connect(?:ion)?\ timed?\ ?out |",
            " (?:read|dial|request|operation|command|query|socket|",
            "resolving|dns|attempt|upstream|server|host|redis|session|",
            r"future|call|fetch)\ timed\ ?out | (?:dial|handshake)\ timeout |",
            r" os\ error\ 110 | deadline\ has\ elapsed | connecttimeout |",
            r" sockettimeout | timeout\ expired | und_err_connect_timeout |",
            r" \btimeouterror\b | serverselection(?:timeout)?error |",
            r" mongotimeoutexception | err_socket_timeout | errno\ 110 |",
            r" tim(?:ed\ out|eout)\ (?:occurred|while|waiting|after|connecting|",
            r"when|trying) | timeoutexception | connection\ is\ not\ available,\ request |",
            r" timeout\ was\ reached | timeout\ exceeded\ when\ trying\ to\ connect |",
            r" ^timed\ out$ )"
        ),
        |hit| Some(Failure::Timeout { peer: peer_of(hit.text) }),
    ),
    Rule::likely(
        "context deadline exceeded|server selection error|deadline_exceeded|deadlineexceeded",
        concat!(
            "(?i-u:context deadline exceeded|server selection error|",
            "deadline_exceeded|code = deadlineexceeded)"
        ),
        |hit| Some(Failure::Timeout { peer: peer_of(hit.text) }),
    ),
    Rule::sure(
        "connection reset|econnreset|socket hang up|broken pipe|epipe|closed the connection unexpectedly|\
         connection aborted|lost connection to mysql server|gone away|upstream prematurely closed|\
         (os error 104)|remote end closed connection|connection was forcibly closed|\
         eofexception: ssl peer|premature eof|unexpected eof|prematurely closed|connection closed by|\
         connection was closed|server closed the connection|und_err_socket|connectionreset|errno 104|\
         communications link failure",
        concat!(
            "(?i-u:connection reset|econnreset|socket hang up|closed the connection unexpectedly|",
            "connection aborted|lost connection to mysql server|server has gone away|",
            "prematurely closed|os error 104|remote end closed connection|",
            "forcibly closed|connection closed by (?:remote|peer|server|",
            "foreign)|server closed the connection|und_err_socket|",
            "connectionreset|errno 104|communications link failure)"
        ),
        |hit| Some(Failure::Reset { peer: peer_of(hit.text) }),
    ),
    Rule::likely(
        "broken pipe|unexpected eof|: eof",
        concat!(
            "(?:(?:write|read) tcp .*broken pipe|Get .*: (?:unexpected )?EOF$|",
            r"Post .*: (?:unexpected )?EOF$|\brpc error: .*EOF)"
        ),
        |hit| Some(Failure::Reset { peer: peer_of(hit.text) }),
    ),
    Rule::likely(
        "the connection attempt failed|unable to connect to|could not connect to|failed to connect to|\
         can't connect to|couldn't connect to|cannot connect to|error connecting to|unable to reach|\
         connection attempt failed|unable to obtain connection from database|could not connect|\
         can't reach|cannot reach|could not reach|failed to reach",
        concat!(
            "(?i-u:connection attempt failed|(?:unable|failed|could not|",
            "couldn't|can't|cannot) (?:to )?(?:connect to|reach|establish|",
            "obtain (?:a )?(?:jdbc )?connection)|error connecting to)"
        ),
        |hit| Some(refused_or(hit.text, peer::find(hit.text)?.into())),
    ),
    Rule::likely(
        "no response|no live upstreams|connection failure|no nodes are available|\
         none of the configured nodes",
        concat!(
            r"(?:^\S+:(?<port>[0-9]+) - no response|no live upstreams|",
            "NoNodeAvailableException|None of the configured nodes)"
        ),
        |hit| Some(Failure::Refused { peer: peer_of(hit.text) }),
    ),
];

/// Who refused: never the source of a request that a server logs.
fn peer_of(text: &str) -> Option<Peer> {
    peer::find(text)
}

/// What a client says without a reason: the error number of `MySQL` tells.
fn refused_or(text: &str, peer: Option<Peer>) -> Failure {
    if text.contains("(110)") || text.contains("timed out") {
        Failure::Timeout { peer }
    } else {
        Failure::Refused { peer }
    }
}
