//! Names that were not resolved, in two families: a server said no, or no server answered.

use super::rule::{Hit, Rule};
use super::{DnsAnswer, Failure, peer};

pub(super) const RULES: &[Rule] = &[
    Rule::sure("lookup ", r"\blookup (?<host>[^\s:]+)(?: on \S+)?: (?<why>.*)", |hit| {
        let why = hit.get("why")?;
        let no_answer =
            ["timeout", "refused", "misbehaving", "unreachable", "no route", "Temporary", "Try again", "canceled"];
        if why.contains("no such host") || why.contains("no such name") {
            return unknown(hit, DnsAnswer::NoSuchName);
        }
        no_answer.iter().any(|word| why.contains(word)).then(|| unknown(hit, DnsAnswer::NoAnswer)).flatten()
    }),
    // curl does not say which name; the program's configuration does.
    Rule::sure("resolving timed out after", r"Resolving timed out after [0-9]+ (?:milli)?seconds", |_| {
        Some(Failure::UnknownHost { host: String::new(), port: None, answer: DnsAnswer::NoAnswer })
    }),
    Rule::sure(
        "enotfound|eai_again",
        concat!(
            "(?:getaddrinfo |querySrv |queryTxt |queryA )?(?<code>ENOTFOUND|",
            "EAI_AGAIN),? +(?<host>[A-Za-z0-9_][A-Za-z0-9._-]*)(?::(?<port>[0-9]+))?"
        ),
        |hit| {
            let answer = if hit.get("code") == Some("EAI_AGAIN") { DnsAnswer::NoAnswer } else { DnsAnswer::NoSuchName };
            unknown(hit, answer)
        },
    ),
    Rule::sure(
        "unknownhostexception|unresolvedaddressexception|gaierror|could not translate host name|\
         name or service not known|temporary failure in name resolution|nodename nor servname|\
         no address associated with hostname|name does not resolve|failed to lookup address|bad address|\
         could not resolve host|couldn't resolve|getaddrinfo|unknown mysql server host|host not found|\
         name resolution|unknown host|cannot resolve|could not resolve|no such host is known|\
         failed to resolve|try again|eai_noname|resolution failed|no resolvable bootstrap|nxdomain|\
         resource temporarily unavailable",
        concat!(
            "(?x)(?: UnknownHost(?:Exception)? | UnresolvedAddressException |",
            r" gaierror | could\ not\ translate\ host\ name | [Nn]ame\ or\ service\ not\ known |",
            r" [Tt]emporary\ failure\ in\ name\ resolution | nodename\ nor\ servname |",
            r" No\ address\ associated\ with\ hostname | [Nn]ame\ does\ not\ resolve |",
            r" failed\ to\ lookup\ address | bad\ address\ ' | (?i-u:could\ not\ resolve\ (?:host|",
            r"proxy|hostname)) | Couldn't\ resolve\ (?:server|host) |",
            r" getaddrinfo\ (?:for|failed) | php_network_getaddresses |",
            r" Unknown\ MySQL\ server\ host | host\ not\ found\ in\ (?:upstream|resolver) |",
            r" \b(?:NXDOMAIN|nxdomain)\b | [Nn]ame\ resolution\ fail |",
            r" [Uu]nknown\ host\b | No\ such\ host\ is\ known | [Ff]ailed\ to\ resolve |",
            r" EAI_NONAME | DNS\ resolution\ failed | No\ resolvable\ bootstrap |",
            r#" could\ not\ be\ resolved\ \([0-9]+: | host\ (?:"[^"]*"|"#,
            r"'[^']*')\ not\ found | unable\ to\ resolve\ host )"
        ),
        |hit| {
            let no_answer = [
                "Temporary failure",
                "Errno -3",
                "Try again",
                "EAI_AGAIN",
                "Resource temporarily unavailable",
                "timed out",
                "Device or resource busy",
                "error(-3)",
            ];
            let answer = if no_answer.iter().any(|word| hit.text.contains(word)) {
                DnsAnswer::NoAnswer
            } else {
                DnsAnswer::NoSuchName
            };
            unknown(hit, answer)
        },
    ),
];

/// The host that could not be resolved, by whatever wording names it.
#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn unknown(hit: &Hit<'_>, answer: DnsAnswer) -> Option<Failure> {
    static HOSTS: &[&str] = &[
        r"(?:host|HOST)=?'(?<host>[^']+)'(?:, port=(?<port>[0-9]+))?",
        r"\((?<host>[A-Za-z][A-Za-z0-9._-]*):(?<port>[0-9]+)\)(?:$|:)",
        concat!(
            "(?:host name|resolve host(?:name)?:?|resolve proxy:?|",
            "getaddresses: getaddrinfo for|upstream|resolver|server host|bad address|",
            "resolve server|unknown host|Unknown host|failed for|getaddrinfo for|",
            "host|resolve|lookup address information for|hostname|",
            r#"Host) ["']?(?<host>[A-Za-z0-9_][A-Za-z0-9._-]*[A-Za-z0-9_])(?::(?<port>[0-9]+))?["']?"#
        ),
        r"UnknownHostException: (?<host>[A-Za-z0-9_][A-Za-z0-9._-]*)(?::(?<port>[0-9]+))?(?:$|[\s:,)])",
        r"(?:connecting to|connect to|ssh:) (?<host>[A-Za-z0-9_][A-Za-z0-9._-]*)(?::(?<port>[0-9]+))",
        concat!(
            r"(?:^|[\s(])(?<host>[A-Za-z0-9_][A-Za-z0-9._-]*?)(?::(?<port>[0-9]+))?:? (?:could not be ",
            r"resolved|\[?Errno -[23]|Name or service|Name does not|",
            r"\(nodename|Temporary failure)"
        ),
    ];
    static COMPILED: std::sync::LazyLock<Vec<regex::Regex>> =
        std::sync::LazyLock::new(|| HOSTS.iter().filter_map(|pattern| regex::Regex::new(pattern).ok()).collect());
    const WORDS: &[&str] = &[
        "known",
        "not",
        "name",
        "is",
        "error",
        "node",
        "Name",
        "to",
        "the",
        "in",
        "failed",
        "socket.gaierror",
        "address",
        "found",
        "information",
        "for",
        "nor",
    ];
    let named = peer::find(hit.text).filter(|_| hit.text.contains("://"));
    if let Some(host) = hit.get("host") {
        // The line names the name server too, with a port that is not the peer's.
        let is_it = |peer: &&super::Peer| peer.host.trim_end_matches('.') == host.trim_end_matches('.');
        let port = hit.number("port").or_else(|| named.as_ref().filter(is_it)?.port);
        return Some(Failure::UnknownHost { host: host.trim_end_matches('.').to_owned(), port, answer });
    }
    let port = hit.number("port").or_else(|| named.as_ref().and_then(|peer| peer.port));
    for regex in COMPILED.iter() {
        let is_name = |host: &&str| {
            !WORDS.contains(host) && !peer::is_ip(host) && !host.ends_with("Exception") && !host.ends_with("Error")
        };
        let named = regex.captures_iter(hit.text).find_map(|found| {
            let host = found.name("host").map(|host| host.as_str()).filter(is_name)?;
            Some((found, host))
        });
        let Some((found, host)) = named else { continue };
        let port = found.name("port").and_then(|port| port.as_str().parse().ok()).or(port);
        return Some(Failure::UnknownHost { host: host.trim_end_matches('.').to_owned(), port, answer });
    }
    let peer = peer::find(hit.text).filter(|peer| !peer::is_ip(&peer.host));
    let (host, port) = peer.map_or((String::new(), None), |peer| (peer.host, peer.port));
    Some(Failure::UnknownHost { host, port, answer })
}
