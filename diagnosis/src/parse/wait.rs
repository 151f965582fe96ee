//! What a script waits for: the peer that `until nc -z db 5432; do sleep 2; done` and its like ask for.

/// What a script waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A host, with its port where the script names one.
    Peer {
        /// Its name or address.
        host: String,
        /// Its port.
        port: Option<u16>,
    },
    /// An object of the cluster: the arguments of `kubectl wait` or `kubectl rollout status`.
    Object {
        /// The arguments.
        arguments: String,
    },
    /// A file.
    File {
        /// Its path.
        path: String,
    },
}

/// Tells whether a script has a loop that waits.
pub fn loops(script: &str) -> bool {
    let has = |word: &str| words(script).any(|other| other == word);
    (has("until") || has("while")) && (has("sleep") || has("do"))
}

/// Reads what a script waits for; `None` where it names nothing known.
pub fn awaited(script: &str) -> Option<Awaited> {
    if let Some((_, rest)) = script.split_once("/dev/tcp/") {
        let mut parts = rest.split(|c: char| c == '/' || c.is_whitespace() || "'\";)<&|".contains(c));
        let host = parts.next().filter(|host| is_host(host))?.to_owned();
        return Some(Awaited::Peer { host, port: parts.next().and_then(|port| port.parse().ok()) });
    }
    // Commands are separated by these; quotes and brackets only wrap words.
    for command in script.split([';', '|', '&', '\n', '(', ')', '`', '{', '}']) {
        let words: Vec<&str> = words(command).collect();
        if let Some(found) = words.iter().enumerate().find_map(|(at, word)| by_tool(word, words.get(at + 1..)?)) {
            return Some(found);
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ';')
        .map(|word| word.trim_matches(['"', '\'', '$', '(', ')', '[', ']']))
        .filter(|word| !word.is_empty())
}

fn by_tool(tool: &str, rest: &[&str]) -> Option<Awaited> {
    let tool = tool.rsplit('/').next().unwrap_or(tool);
    let peer = |host: &str, port: Option<u16>| is_host(host).then(|| Awaited::Peer { host: host.to_owned(), port });
    match tool {
        "nslookup" | "dig" | "host" | "ping" | "getent" => {
            let host =
                plain(rest).find(|word| !matches!(*word, "hosts" | "ahosts" | "A" | "+short") && is_host(word))?;
            peer(host, None)
        }
        "nc" | "ncat" | "netcat" | "telnet" => {
            let mut plain = plain(rest);
            let host = plain.find(|word| is_host(word) && word.parse::<u16>().is_err())?;
            peer(host, plain.next().and_then(|port| port.parse().ok()))
        }
        "wget" | "curl" | "http" => rest.iter().find_map(|word| url(word)).or_else(|| {
            let (host, port) = plain(rest).find_map(host_and_port)?;
            peer(host, Some(port))
        }),
        "pg_isready" | "psql" | "mysqladmin" | "mysql" | "mariadb" | "mariadb-admin" | "redis-cli" | "mongosh"
        | "mongo" | "cqlsh" | "kafka-topics.sh" | "rabbitmqctl" => {
            let host = option(rest, &["-h", "--host", "-hostname", "--bootstrap-server"])
                .or_else(|| plain(rest).find(|word| word.contains('.') || host_and_port(word).is_some()))?;
            let (host, port) = host_and_port(host).map_or((host, None), |(host, port)| (host, Some(port)));
            let given = option(rest, &["-p", "--port", "-P"]).and_then(|port| port.parse().ok());
            peer(host, port.or(given).or_else(|| usual_port(tool)))
        }
        "kubectl" => {
            let waits = matches!(rest.first(), Some(&"wait")) || rest.contains(&"status") || rest.contains(&"wait");
            waits.then(|| Awaited::Object { arguments: rest.join(" ") })
        }
        "wait-for-it.sh" | "wait-for-it" | "wait-for" | "wait-for.sh" | "wait4x" | "dockerize" | "wait-port"
        | "waitforit" => {
            let found = rest.iter().find_map(|word| url(word));
            let pair = || plain(rest).find_map(host_and_port).and_then(|(host, port)| peer(host, Some(port)));
            found.or_else(pair)
        }
        "-f" | "-e" | "-s" | "-d" | "-S" => {
            let path = rest.first().filter(|path| path.starts_with('/'))?;
            Some(Awaited::File { path: (*path).to_owned() })
        }
        _ => None,
    }
}

/// The words that are neither options nor redirections, nor the value of an option that takes a number.
fn plain<'a>(rest: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let mut skip = false;
    rest.iter().copied().filter(move |word| {
        let value = std::mem::take(&mut skip);
        if word.starts_with('-') {
            skip = matches!(
                *word,
                "-w" | "-W" | "-i" | "-c" | "-t" | "-q" | "-T" | "-O" | "-o" | "-n" | "-G" | "--timeout" | "-m"
            );
            return false;
        }
        !value && !word.contains(['<', '>'])
    })
}

fn option<'a>(rest: &[&'a str], names: &[&str]) -> Option<&'a str> {
    for (at, word) in rest.iter().enumerate() {
        for name in names {
            if word == name {
                return rest.get(at + 1).copied();
            }
            let Some(value) = word.strip_prefix(name) else { continue };
            let value = value.strip_prefix('=').unwrap_or(value);
            if !value.is_empty() && !value.starts_with('-') {
                return Some(value);
            }
        }
    }
    None
}

fn usual_port(tool: &str) -> Option<u16> {
    Some(match tool {
        "pg_isready" | "psql" => 5432,
        "mysqladmin" | "mysql" | "mariadb" | "mariadb-admin" => 3306,
        "redis-cli" => 6379,
        "mongosh" | "mongo" => 27017,
        "cqlsh" => 9042,
        _ => return None,
    })
}

/// `http://host:port/path`, `tcp://host:port`.
fn url(word: &str) -> Option<Awaited> {
    let (scheme, rest) = word.split_once("://")?;
    let authority = rest.split(['/', '?', '"', '\'']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (host, port) = host_and_port(authority).map_or((authority, None), |(host, port)| (host, Some(port)));
    let usual = if scheme.ends_with("https") { Some(443) } else { scheme.ends_with("http").then_some(80) };
    is_host(host).then(|| Awaited::Peer { host: host.to_owned(), port: port.or(usual) })
}

fn host_and_port(word: &str) -> Option<(&str, u16)> {
    let (host, port) = word.rsplit_once(':')?;
    let port = port.split('/').next()?.parse().ok()?;
    is_host(host).then_some((host, port))
}

fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !matches!(word, "do" | "then" | "done" | "echo" | "sleep" | "localhost")
}

/// What a line of a log says it waits for: `waiting for mongodb-geo:27017`, `Waiting for db to be ready`.
pub fn in_log(line: &str) -> Option<Awaited> {
    let lower = line.to_lowercase();
    let at =
        ["waiting for ", "waiting on ", "wait for "].iter().find_map(|words| Some(lower.find(words)? + words.len()))?;
    let rest = line.get(at..)?;
    let word = rest.split_whitespace().next()?.trim_matches(['"', '\'', '.', ',', '(', ')', '`']);
    if let Some(found) = url(word) {
        return Some(found);
    }
    if let Some((host, port)) = host_and_port(word) {
        return Some(Awaited::Peer { host: host.to_owned(), port: Some(port) });
    }
    let named = is_host(word) && (word.contains(['-', '.']) || word.len() > 3) && !is_common(word);
    named.then(|| Awaited::Peer { host: word.to_owned(), port: None })
}

fn is_common(word: &str) -> bool {
    let common =
        ["database", "service", "connection", "server", "startup", "another", "cluster", "migrations", "pods", "files"];
    common.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_scripts_name_their_peer() {
        let peer = |host: &str, port: Option<u16>| Some(Awaited::Peer { host: host.to_owned(), port });
        let rows = [
            (
                "until nc -w 2 mongodb-geo 27017 </dev/null; do echo \"waiting for mongodb-geo:27017\"; sleep 2; done",
                peer("mongodb-geo", Some(27017)),
            ),
            (
                "until nslookup myservice.default.svc.cluster.local; do echo waiting; sleep 2; done",
                peer("myservice.default.svc.cluster.local", None),
            ),
            ("while ! nc -z postgres 5432; do sleep 1; done", peer("postgres", Some(5432))),
            ("until wget -q -O- http://cart-api:8080/health; do sleep 3; done", peer("cart-api", Some(8080))),
            ("until curl -sf https://auth.shop.svc/healthz; do sleep 3; done", peer("auth.shop.svc", Some(443))),
            ("until pg_isready -h billing-db -p 5433 -U app; do sleep 2; done", peer("billing-db", Some(5433))),
            ("until pg_isready --host=billing-db; do sleep 2; done", peer("billing-db", Some(5432))),
            ("until redis-cli -h cache ping; do sleep 1; done", peer("cache", Some(6379))),
            ("until mysqladmin ping -hdb --silent; do sleep 1; done", peer("db", Some(3306))),
            ("/wait-for-it.sh rabbit:5672 -t 0 -- echo up", peer("rabbit", Some(5672))),
            ("dockerize -wait tcp://kafka:9092 -timeout 60s", peer("kafka", Some(9092))),
            ("until (echo > /dev/tcp/kafka/9092); do sleep 1; done", peer("kafka", Some(9092))),
            ("until getent hosts queue; do sleep 1; done", peer("queue", None)),
            (
                "kubectl wait --for=condition=complete job/migrate",
                Some(Awaited::Object { arguments: "wait --for=condition=complete job/migrate".to_owned() }),
            ),
            (
                "while [ ! -f /shared/ready ]; do sleep 1; done",
                Some(Awaited::File { path: "/shared/ready".to_owned() }),
            ),
            ("python manage.py migrate", None),
            ("sleep 3600", None),
        ];
        for (script, wanted) in rows {
            assert_eq!(awaited(script), wanted, "{script}");
        }
    }

    #[test]
    fn logs_say_what_they_wait_for() {
        let peer = |host: &str, port: Option<u16>| Some(Awaited::Peer { host: host.to_owned(), port });
        assert_eq!(in_log("waiting for mongodb-geo:27017"), peer("mongodb-geo", Some(27017)));
        assert_eq!(in_log("2026 INFO Waiting for billing-db to be ready"), peer("billing-db", None));
        assert_eq!(in_log("Waiting for database connection"), None);
        assert_eq!(in_log("done"), None);
    }

    #[test]
    fn loops_are_seen() {
        assert!(loops("until nslookup x; do sleep 2; done"));
        assert!(!loops("python manage.py migrate"));
    }
}
