//! The other end of a connection, from any wording that names one.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

use super::Peer;

static URL: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r#"\b(?<scheme>[a-z][a-z0-9+:]{1,30})://(?:[^\s/@"']*@)?(?<host>\[[0-9a-fA-F:.]+\]|"#,
        "[A-Za-z0-9._-]+)(?::(?<port>[0-9]{1,5}))?"
    ))
});
static DIAL: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"\b(?:dial|read|write) (?:tcp|udp)[46]? (?:\S+->)?(?<host>\[[0-9a-fA-F:.%a-z]+\]|",
        "[A-Za-z0-9._-]+):(?<port>[0-9]{1,5})"
    ))
});
static LIBPQ: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r#"(?:at|on host|host|for|to) "(?<host>[^"\s]+)"(?: \((?<ip>[0-9a-fA-F.:]+)\))?,? (?:and accepting "#,
        r#"TCP/IP connections on )?port "?(?<port>[0-9]+)"#
    ))
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r#"\b(?i-u:host|hostname|address|server|node)\s?[=:]\s?['"]?(?<host>\[[0-9a-fA-F:.]+\]|"#,
        r#"[A-Za-z0-9][A-Za-z0-9._-]*)['"]?,? (?i-u:port)\s?[=:]\s?['"]?(?<port>[0-9]+)"#
    ))
});
static KEYED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\bhost=(?<host>[A-Za-z0-9][A-Za-z0-9._-]*)(?:[ ;,&].*?\bport=(?<port>[0-9]+))?"));
static TUPLE: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\('(?<host>[A-Za-z0-9][A-Za-z0-9._-]*|[0-9a-fA-F:]+)', (?<port>[0-9]{1,5})[,)]"));
static REMOTE: LazyLock<Regex> = LazyLock::new(|| compile(r"remote host \((?<host>[0-9a-fA-F.:]+)\)"));
static NODE: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"\bE(?:CONNREFUSED|TIMEDOUT|HOSTUNREACH|NETUNREACH|CONNRESET)(?::? connect)? (?<host>[A-Za-z0-9._-]+|",
        r"[0-9a-fA-F:]+):(?<port>[0-9]{1,5})\b"
    ))
});
static UPSTREAM: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"upstream: "[a-z]+://(?<host>\[[0-9a-fA-F:]+\]|[^:/"]+)(?::(?<port>[0-9]+))?"#));
static SLASHED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?:^|[\s\[(=])(?<host>[A-Za-z0-9][A-Za-z0-9._-]*)?/(?:<unresolved>|",
        r"(?<ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[?[0-9a-fA-F:]*:[0-9a-fA-F:]*\]?)):(?<port>[0-9]{2,5})\b"
    ))
});
static BRACKETED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\[(?:::ffff:)?(?<host>[0-9a-fA-F:]*:[0-9a-fA-F:.]*|[0-9.]+)\]:(?<port>[0-9]{1,5})\b"));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r#"\b(?i-u:on|to|host|server|at|address) ['"](?<host>[A-Za-z0-9][A-Za-z0-9._-]*)(?:(?::|"#,
        r#"['"],? (?:on )?port[: ]['"]?)(?<port>[0-9]{2,5}))?['"]?"#
    ))
});
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?:^|[\s\[({'=,@>])(?<host>[A-Za-z0-9][A-Za-z0-9._-]*):(?<port>[0-9]{2,5})(?:[^0-9A-Za-z:.-]|",
        "[.:,](?:[^0-9]|$)|$)"
    ))
});
static WORDED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        "(?i-u:connect(?:ing)? to|connection to|contact|reach) (?:server |",
        r"host |node |the )?(?<host>[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])(?: \((?<ip>[0-9.]+)\))?(?:,? ",
        "(?:on )?port:? ?(?<port>[0-9]+))?"
    ))
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed expression")
}

/// Words before a number that is no port, in any form.
const NEVER: &str = "line port error exit status code errno pid id column version at offset level";

/// Words that stand in prose where a host may stand.
const PROSE: &str = "the a an any server host database db be this it remote line all node upstream was is at port http https error \
    your connect redis postgresql mysql mongodb kafka rabbitmq socket peer local process proxy closed refused failed timed not exit \
    status code errno pid id one network endpoint address service broker cluster backend sql";

/// Ends of names of files, which have a line number as hosts have a port.
const FILES: &str = ".go .py .js .ts .rs .rb .php .java .cs .c .cc .cpp .h .kt .scala .ex .exs .erl .mjs .cjs .tsx .sh .conf .yaml \
    .yml .json .sql .xml .tf .toml .ini .s .cfg exception file caddyfile";

/// Whether a host is an address and no name.
pub(super) fn is_ip(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// Whether a host is the program's own side.
pub(super) fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "0.0.0.0" | "::" | "127.0.0.1" | "::1" | "*")
}

/// The peer that a text names: a name and an address where it has both.
pub(super) fn find(text: &str) -> Option<Peer> {
    let mut peer = named_or_not(text)?;
    if peer.ip.as_ref() == Some(&peer.host) && !text.contains("->") {
        // `failed to connect to db:5432: dial tcp 10.0.0.1:5432` names it elsewhere in the line.
        let names = PLAIN.captures_iter(text).filter_map(|found| {
            let port: u16 = found.name("port")?.as_str().parse().ok()?;
            Some((found.name("host")?.as_str(), port))
        });
        let mut names = names.filter(|(host, port)| Some(*port) == peer.port && !is_ip(host) && is_host(host, NEVER));
        if let Some((host, _)) = names.next() {
            host.clone_into(&mut peer.host);
        }
    }
    Some(peer)
}

fn named_or_not(text: &str) -> Option<Peer> {
    if text.contains('`') {
        return named_or_not(&text.replace("`:`", ":").replace('`', " "));
    }
    let upstream = text.contains("upstream: \"").then(|| first(&UPSTREAM, text)).flatten();
    if upstream.is_some() {
        return upstream;
    }
    let dialled = (text.contains("tcp") || text.contains("udp")).then(|| first(&DIAL, text)).flatten();
    let url = text.contains("://").then(|| url(text)).flatten();
    let mut peer = match (url, dialled) {
        (Some(url), Some(dialled)) => {
            Some(Peer { port: dialled.port.or(url.port), ip: dialled.ip.or(url.ip), host: url.host })
        }
        (url, dialled) => dialled.or(url),
    };
    if peer.is_some() {
        return peer;
    }
    let has_port = text.contains("port");
    if has_port {
        peer = first(&LIBPQ, text).or_else(|| first(&NAMED, text));
    }
    peer.or_else(|| text.contains("host=").then(|| first(&KEYED, text)).flatten())
        .or_else(|| text.contains("('").then(|| first(&TUPLE, text)).flatten())
        .or_else(|| text.contains(" E").then(|| first(&NODE, text)).flatten())
        .or_else(|| text.contains('/').then(|| first(&SLASHED, text)).flatten())
        .or_else(|| text.contains("]:").then(|| first(&BRACKETED, text)).flatten())
        .or_else(|| text.contains(':').then(|| first(&PLAIN, text)).flatten())
        .or_else(|| text.contains(['\'', '"']).then(|| first(&QUOTED, text)).flatten())
        .or_else(|| text.contains("remote host (").then(|| first(&REMOTE, text)).flatten())
        .or_else(|| first_but(PROSE, &WORDED, text))
}

fn first(regex: &Regex, text: &str) -> Option<Peer> {
    first_but(NEVER, regex, text)
}

fn first_but(words: &str, regex: &Regex, text: &str) -> Option<Peer> {
    regex.captures_iter(text).find_map(|found| {
        let get = |name: &str| found.name(name).map(|part| part.as_str().trim_matches(['[', ']']));
        let ip = get("ip").or_else(|| get("host").filter(|host| is_ip(host)));
        let host = get("host").or(ip)?;
        let port = get("port").and_then(|port| port.parse().ok());
        is_host(host, words).then(|| Peer { host: host.to_owned(), port, ip: ip.map(str::to_owned) })
    })
}

/// A word that can be a host: no source file, no version, no ordinary word.
fn is_host(host: &str, words: &str) -> bool {
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit());
    let lower = host.to_ascii_lowercase();
    let is_word = words.split_whitespace().any(|word| word == lower);
    !(is_number || is_word || FILES.split_whitespace().any(|end| lower.ends_with(end)))
}

fn url(text: &str) -> Option<Peer> {
    URL.captures_iter(text).find_map(|found| {
        let host = found.name("host")?.as_str().trim_matches(['[', ']']);
        let scheme = found.name("scheme")?.as_str();
        if matches!(scheme, "file" | "classpath" | "unix" | "containerd" | "docker" | "jar") || is_help(host) {
            return None;
        }
        let port = found.name("port").and_then(|port| port.as_str().parse().ok()).or_else(|| default_port(scheme));
        Some(Peer { host: host.to_owned(), port, ip: is_ip(host).then(|| host.to_owned()) })
    })
}

/// Sites that error texts send their readers to.
fn is_help(host: &str) -> bool {
    const SITES: &[&str] = &[
        "github.com",
        "curl.se",
        "curl.haxx.se",
        "nodejs.org",
        "docs.rs",
        "errors.pydantic.dev",
        "go.dev",
        "stackoverflow.com",
    ];
    SITES.contains(&host)
        || ["docs.", "www.", "developer.", "help.", "wiki.", "urllib3.", "pris."]
            .iter()
            .any(|start| host.starts_with(start))
}

fn default_port(scheme: &str) -> Option<u16> {
    Some(match scheme.rsplit(':').next().unwrap_or(scheme) {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "postgres" | "postgresql" => 5432,
        "mysql" | "mariadb" => 3306,
        "redis" | "rediss" => 6379,
        "mongodb" => 27017,
        "amqp" => 5672,
        "amqps" => 5671,
        "nats" => 4222,
        "ldap" => 389,
        "ldaps" => 636,
        "smtp" => 25,
        _ => return None,
    })
}
