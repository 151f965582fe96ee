//! Addresses that a program could not listen on.

use super::rule::{Hit, Rule};
use super::{Failure, peer};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "was already in use",
        r"(?:Port (?<port>[0-9]+) was already in use|port (?<port2>[0-9]+) was already in use)",
        in_use,
    ),
    Rule::sure(
        "already have another mysqld server running",
        r"another mysqld server running on port: ?(?<port>[0-9]+)",
        in_use,
    ),
    Rule::sure(
        "address already in use|eaddrinuse|errno 98|(os error 98)|98: address|address in use|\
         port is already in use|addressinuse|only one usage of each socket address|port already in use|\
         failed to bind to|eaddrinuse|address is already in use|is already in use|already allocated|\
         could not bind to|unable to bind|eaddr_in_use|:eaddrinuse",
        concat!(
            "(?i-u:address (?:is )?already in use|eaddrinuse|address in use|",
            "port (?:[0-9]+ )?is already in use|only one usage of each socket address|",
            "port already in use|addressinuse)"
        ),
        in_use,
    ),
    Rule::sure(
        "bind|listen eacces|listen on",
        concat!(
            r"(?:(?:listen (?:tcp|udp)[46]? (?<addr>\S*):(?<port>[0-9]+): )?bind: permission denied|",
            r"listen EACCES: permission denied (?<addr2>\S+?)(?::(?<port2>[0-9]+))?$|",
            r"bind\(\) to \S*?:?(?<port3>[0-9]+) failed \(13: Permission denied\)|",
            r"could not bind to address \S*?:(?<port4>[0-9]+)$|(?i-u:permission denied).*: (?:AH00072: ",
            r")?make_sock: could not bind to address \S*?:(?<port5>[0-9]+)|",
            "(?:[Ff]ailed|[Uu]nable|could not|cannot|can't) (?:to )?(?:bind|",
            r"listen)[^:]*(?:\S*:(?<port6>[0-9]+))?.*(?i-u:permission denied)|",
            r"\bbind\b.*Permission denied.*)"
        ),
        |hit| {
            if !hit.text.contains("ermission denied") {
                return None;
            }
            Some(Failure::PermissionDenied {
                path: None,
                port: port(hit).or_else(|| trailing_port(hit.text)),
                operation: "bind".to_owned(),
            })
        },
    ),
    Rule::sure(
        "cannot assign requested address|eaddrnotavail",
        r"(?i-u:bind|listen).*(?i-u:cannot assign requested address|EADDRNOTAVAIL)|EADDRNOTAVAIL",
        |hit| Some(Failure::BadSetting { what: hit.whole(), file: None, line: None }),
    ),
];

fn port(hit: &Hit<'_>) -> Option<u16> {
    ["port", "port2", "port3", "port4", "port5", "port6"].iter().find_map(|name| hit.number(name))
}

/// `:8080`, `:::8080`, `0.0.0.0:8080`, `[::]:8080`, `port 8080`, `http://0.0.0.0:80`
fn trailing_port(text: &str) -> Option<u16> {
    static PORT: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
        regex::Regex::new(concat!(
            r"(?:(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\]|\*|:|localhost|",
            r"\s)|[(\['=/])?:(?<a>[0-9]{2,5})(?:$|[^0-9:.]|[.:](?:[^0-9]|",
            r"$))|\b[Pp]ort\s*[=:]?\s*(?<b>[0-9]{2,5})|', (?<c>[0-9]{2,5})\)|address '(?<d>[0-9]{2,5})'"
        ))
        .ok()
    });
    let is_clock = |text: &str, at: usize| {
        text.get(at.saturating_sub(2)..at)
            .is_some_and(|before| before.len() == 2 && before.bytes().all(|byte| byte.is_ascii_digit()))
    };
    PORT.as_ref()?.captures_iter(text).find_map(|found| {
        let part =
            found.name("a").or_else(|| found.name("b")).or_else(|| found.name("c")).or_else(|| found.name("d"))?;
        let colon = part.start().saturating_sub(1);
        let is_time = part.len() == 2 && text.as_bytes().get(colon) == Some(&b':') && is_clock(text, colon);
        if is_time { None } else { part.as_str().parse().ok() }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn in_use(hit: &Hit<'_>) -> Option<Failure> {
    // nginx and Python lists: the address stands before the words or after them.
    let port = port(hit).or_else(|| trailing_port(hit.text));
    let below = if port.is_none() { hit.below_text(8) } else { String::new() };
    let port = port.or_else(|| {
        ["port: '", "port: ", "on port "]
            .iter()
            .find_map(|key| below.split_once(*key)?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
    });
    let address = match peer::find(hit.text) {
        Some(peer) if peer.port.is_some() && peer.port == port => {
            let port = port.unwrap_or_default();
            if peer.host.contains(':') { format!("[{}]:{port}", peer.host) } else { format!("{}:{port}", peer.host) }
        }
        _ => port.map(|port| format!(":{port}")).unwrap_or_default(),
    };
    Some(Failure::PortInUse { address, port })
}
