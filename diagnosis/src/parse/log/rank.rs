//! Which of the failures that a log names ended the program.

use std::sync::LazyLock;

use regex::Regex;

use super::clean::{self, Level};
use super::crash::{self, Crash};
use super::lines::Line;
use super::rule::{self, Found};
use super::{Failure, LINE_LIMIT, Peer, Signature, peer};

/// A failure, and how likely it is the end.
pub(super) struct Finding {
    signature: Signature,
    score: i32,
    is_final: bool,
}

const UNHANDLED: i32 = 30;
const PLAIN_ERROR: i32 = 20;
const WARNING: i32 = 10;
/// Below this a finding is only mentioned.
const ENOUGH: i32 = 1;

/// Reads crashes and single lines.
pub(super) fn findings(lines: &[Line<'_>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if let Some(crash) = crash::read(lines, at) {
            at = crash.end.max(at + 1);
            findings.push(of_crash(lines, crash));
            continue;
        }
        if !line.is_gap() && !line.is_access && !is_noise(line) {
            findings.extend(of_line(lines, at));
        }
        at += 1;
    }
    findings
}

/// Lines that hold words of failures without naming one: frames, source lines, requests served.
fn is_noise(line: &Line<'_>) -> bool {
    static ACCESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"HTTP/[0-9.]+" +[1-5][0-9]{2}\b|"(?:GET|POST|PUT|HEAD|DELETE|PATCH) /[^"]*" [1-5][0-9]{2}\b"#)
            .expect("a fixed expression")
    });
    let body = line.body().trim_start();
    body.starts_with("at ") && body.contains('(')
        || body.starts_with("File \"") && body.contains("\", line ")
        || body.starts_with("+ ")
        || body.starts_with("Completed ") && body.contains(" in ")
        || (line.text.contains("HTTP/") || line.text.contains("\" ")) && ACCESS.is_match(&line.text)
}

fn of_line(lines: &[Line<'_>], at: usize) -> Option<Finding> {
    let line = lines.get(at)?;
    let below = lines.get(at + 1..).unwrap_or_default();
    // Some words that look like a level belong to the wording.
    let is_worded = ["[emerg]", "[alert]", "[ALERT]", "[FATAL tini"].iter().any(|word| line.text.contains(word));
    let whole = || if is_worded { rule::classify(&line.text, below) } else { None };
    let found = joined(lines, at).or_else(|| rule::classify(line.body(), below)).or_else(whole);
    let found = match found {
        Some(found) => found,
        None if line.level == Some(Level::Fatal) && line.body().trim().len() > 3 => Found {
            failure: Failure::Fatal { what: clean::bound(line.body(), LINE_LIMIT) },
            certain: false,
            language: None,
        },
        None => return None,
    };
    let is_fatal = line.level == Some(Level::Fatal);
    let is_told = is_never_chatter(&found.failure);
    let mut score = match line.level {
        Some(Level::Fatal) => UNHANDLED,
        Some(Level::Error) | None => PLAIN_ERROR,
        Some(Level::Warn) => WARNING,
        // PostgreSQL logs the sockets that it cannot bind as LOG, client-go its watches as INFO.
        Some(Level::Info | Level::Debug) if is_told => WARNING + 5,
        Some(Level::Info | Level::Debug) => 0,
    };
    if is_retry(&line.text) {
        score -= 8;
    }
    score += match &found.failure {
        Failure::Fatal { .. } => -18,
        Failure::Usage { .. } => -15,
        _ if found.certain => 0,
        _ => -5,
    };
    let mut signature = Signature {
        kind: found.failure,
        line: clean::bound(&line.text, LINE_LIMIT),
        line_number: line.number,
        frame: None,
        language: found.language,
        decisive: found.certain && (is_told || !matches!(line.level, Some(Level::Info | Level::Debug | Level::Warn))),
    };
    name_peer(&mut signature.kind, lines, at);
    Some(Finding { signature, score, is_final: is_fatal })
}

/// Rust's chains give the system's reason on a line of its own, below what was tried.
fn joined(lines: &[Line<'_>], at: usize) -> Option<Found> {
    let body = lines.get(at)?.body().trim();
    let above = lines.get(at.checked_sub(1)?)?.body().trim();
    let is_chained = body.contains("(os error ") && body.len() < 80 && !above.is_empty() && above.len() < 300;
    if !is_chained {
        return None;
    }
    rule::classify(&format!("{above}: {body}"), lines.get(at + 1..).unwrap_or_default())
}

fn of_crash(lines: &[Line<'_>], crash: Crash) -> Finding {
    let mut best: Option<(Found, usize)> = None;
    for message in &crash.messages {
        let below = lines.get(message.at + 1..crash.end).unwrap_or_default();
        let Some(found) = rule::classify(&message.text, below) else { continue };
        if matches!(found.failure, Failure::Fatal { .. } | Failure::Usage { .. }) {
            continue;
        }
        match &mut best {
            None => best = Some((found, message.at)),
            Some((first, _)) => complete(&mut first.failure, &found.failure),
        }
    }
    let fallback = crash.fallback.map(|failure| (Found { failure, certain: true, language: None }, crash.at));
    let best = if crash.prefers_fallback { fallback.or(best) } else { best.or(fallback) };
    let is_plain = best.is_none();
    let what = clean::bound(&crash.what, LINE_LIMIT);
    let (found, at) =
        best.unwrap_or((Found { failure: Failure::Panic { what }, certain: true, language: None }, crash.at));
    let (text, number) = lines.get(at).map_or(("", 1), |line| (line.text.as_ref(), line.number));
    let score = match crash.level {
        _ if crash.is_final => UNHANDLED,
        Some(Level::Info | Level::Debug) => 0,
        Some(Level::Warn) => WARNING,
        Some(Level::Fatal) => UNHANDLED,
        Some(Level::Error) | None => PLAIN_ERROR,
    };
    let mut signature = Signature {
        kind: found.failure,
        line: clean::bound(text, LINE_LIMIT),
        line_number: number,
        frame: crash.frame,
        language: Some(crash.language),
        decisive: found.certain && (crash.is_final || !is_plain),
    };
    name_peer(&mut signature.kind, lines, crash.at);
    Finding { signature, score: score - i32::from(is_plain), is_final: crash.is_final }
}

/// Failures that a program does not mention in passing, whatever level it gives them.
fn is_never_chatter(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::PortInUse { .. }
            | Failure::KubernetesForbidden { .. }
            | Failure::NoSpace { .. }
            | Failure::DnsLoop { .. }
    )
}

fn is_retry(text: &str) -> bool {
    static RETRY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i-u:\bretry|\bretries\b|reconnect|\battempt #?[0-9]|try again|trying again|",
            r"back(?:ing)?[ -]?off|waiting for)"
        ))
        .expect("a fixed expression")
    });
    RETRY.is_match(text)
}

/// Gives a failure without a peer the one that another failure of the same kind names.
fn complete(failure: &mut Failure, other: &Failure) {
    if std::mem::discriminant(failure) != std::mem::discriminant(other) {
        // A pool's timeout says where the refused connection went.
        if let (Some(slot @ None), Some(Some(other))) = (peer_slot(failure), peer_of(other)) {
            *slot = Some(other.clone());
        }
        return;
    }
    match (&mut *failure, other) {
        (
            Failure::PortInUse { port: slot @ None, address },
            Failure::PortInUse { port: Some(port), address: theirs },
        ) => {
            *slot = Some(*port);
            address.clone_from(theirs);
        }
        (Failure::PermissionDenied { path: slot @ None, .. }, Failure::PermissionDenied { path: Some(path), .. })
        | (Failure::NoSpace { path: slot @ None }, Failure::NoSpace { path: Some(path) })
        | (Failure::ReadOnlyFileSystem { path: slot @ None }, Failure::ReadOnlyFileSystem { path: Some(path) })
        | (Failure::InstanceLocked { path: slot @ None }, Failure::InstanceLocked { path: Some(path) }) => {
            *slot = Some(path.clone());
        }
        (Failure::UnknownHost { host: slot, port: own, .. }, Failure::UnknownHost { host, port, .. })
            if slot.is_empty() || slot == host =>
        {
            slot.clone_from(host);
            *own = own.or(*port);
        }
        _ => {}
    }
    match (peer_slot(failure), peer_of(other)) {
        (Some(slot @ None), Some(Some(other))) => *slot = Some(other.clone()),
        (Some(Some(own)), Some(Some(other)))
            if own.ip.as_ref() == Some(&own.host) && !peer::is_ip(&other.host) && other.port == own.port =>
        {
            own.host.clone_from(&other.host);
        }
        _ => {}
    }
}

fn peer_slot(failure: &mut Failure) -> Option<&mut Option<Peer>> {
    match failure {
        Failure::Refused { peer }
        | Failure::Timeout { peer }
        | Failure::Reset { peer }
        | Failure::Unreachable { peer }
        | Failure::AuthFailed { peer, .. }
        | Failure::Overloaded { peer, .. }
        | Failure::Tls { peer, .. } => Some(peer),
        _ => None,
    }
}

fn peer_of(failure: &Failure) -> Option<&Option<Peer>> {
    match failure {
        Failure::Refused { peer }
        | Failure::Timeout { peer }
        | Failure::Reset { peer }
        | Failure::Unreachable { peer }
        | Failure::AuthFailed { peer, .. }
        | Failure::Overloaded { peer, .. }
        | Failure::Tls { peer, .. } => Some(peer),
        _ => None,
    }
}

/// Names a peer by the line above that says whereto the program is connecting.
fn name_peer(failure: &mut Failure, lines: &[Line<'_>], at: usize) {
    let Some(slot) = peer_slot(failure) else { return };
    if slot.as_ref().is_some_and(|own| own.ip.as_ref() != Some(&own.host)) {
        return;
    }
    let above = lines.get(at.saturating_sub(14)..at).unwrap_or_default();
    for line in above.iter().rev().take_while(|line| !line.is_gap()) {
        let text = line.text.to_ascii_lowercase();
        if !text.contains("connecting to")
            && !text.contains("connect to")
            && !text.contains("waiting for")
            && !text.contains("dialing")
        {
            continue;
        }
        let Some(found) = peer::find(&line.text) else { continue };
        match slot {
            None => *slot = Some(found),
            Some(own) if found.port == own.port && !peer::is_ip(&found.host) => own.host = found.host,
            Some(_) => continue,
        }
        return;
    }
}

/// Drops failures to connect after which the log says that the connection was made.
pub(super) fn forget_recovered(findings: &mut Vec<Finding>, raw: &[&str]) {
    static SUCCESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i-u:\bconnected\b|connection (?:to (?u-i:[^ ])+ )?(?:was |is )?(?:established|restored|re-established|succeeded|",
            r"successful|acquired|accepted|ok\b)|established connection|",
            r"(?:database|db|redis|broker|server|host|service|[a-z0-9-]+:[0-9]+)(?: is|:)? ",
            r"(?:ready|up|available|reachable|open|accepting connections)\b|succeeded after|listening (?:on|at|to)|",
            r"\bstarted (?u-i:[^ ])+ in [0-9.]+ sec|ready to accept connections|now serving|",
            r"server (?:is )?(?:started|running|listening))"
        ))
        .expect("a fixed expression")
    });
    static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i-u:\bnot (?:yet )?(?:connected|ready|up|available|reachable|established)|could not|cannot|can't|n't |fail|",
            r"error|refused|unable|disconnected|never|until|before|when|if |is the server|once |please|make sure|ensure|check)"
        ))
        .expect("a fixed expression")
    });
    let is_network = |finding: &Finding| {
        matches!(
            finding.signature.kind,
            Failure::Refused { .. }
                | Failure::Timeout { .. }
                | Failure::UnknownHost { .. }
                | Failure::Reset { .. }
                | Failure::Unreachable { .. }
                | Failure::Overloaded { .. }
        )
    };
    let Some(first) =
        findings.iter().filter(|finding| is_network(finding)).map(|finding| finding.signature.line_number).min()
    else {
        return;
    };
    let successes: Vec<(usize, &str)> = raw
        .iter()
        .enumerate()
        .skip(first)
        .filter(|(_, line)| line.len() < 4096 && SUCCESS.is_match(line) && !FAILURE.is_match(line))
        .map(|(index, line)| (index + 1, *line))
        .collect();
    findings.retain(|finding| {
        if finding.is_final || !is_network(finding) {
            return true;
        }
        let host = host_of(&finding.signature.kind);
        !successes.iter().any(|(number, line)| {
            *number > finding.signature.line_number
                && match (host, peer::find(line)) {
                    (Some(host), Some(other)) if !peer::is_local(&other.host) => {
                        other.host == host || line.contains(host) || peer::is_ip(host) != peer::is_ip(&other.host)
                    }
                    _ => true,
                }
        })
    });
}

fn host_of(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::UnknownHost { host, .. } => Some(host),
        other => peer_of(other)?.as_ref().map(|peer| peer.host.as_str()),
    }
}

/// The cause, and up to four other failures.
pub(super) fn choose(findings: Vec<Finding>, log_length: usize) -> (Option<Signature>, Vec<Signature>) {
    let mut ranked: Vec<Finding> = findings;
    for finding in &mut ranked {
        let after = log_length.saturating_sub(finding.signature.line_number);
        finding.score -= match after {
            _ if finding.is_final => 0,
            0..60 => 0,
            60..400 => 4,
            _ => 15,
        };
        // A program that goes on for long did not die of it.
        finding.signature.decisive &= finding.is_final || after < 60;
    }
    // The latest of equals: what comes last is what it died of.
    ranked.sort_by_key(|finding| std::cmp::Reverse((finding.score, finding.signature.line_number)));
    let enough = ranked.first().is_some_and(|finding| finding.score >= ENOUGH);
    let mut signature: Option<Signature> = None;
    let mut others: Vec<Signature> = Vec::new();
    for finding in ranked {
        let next = finding.signature;
        match &mut signature {
            None if enough => signature = Some(next),
            Some(best) if is_same(best, &next) => {
                complete(&mut best.kind, &next.kind);
                best.frame = best.frame.take().or(next.frame);
            }
            _ => {
                if others.len() < 4 && !others.iter().any(|other| is_same(other, &next)) {
                    others.push(next);
                }
            }
        }
    }
    (signature, others)
}

/// The same failure said twice, perhaps with fewer details.
fn is_same(one: &Signature, other: &Signature) -> bool {
    if one.kind == other.kind {
        return true;
    }
    if std::mem::discriminant(&one.kind) != std::mem::discriminant(&other.kind) {
        return false;
    }
    if let (Failure::PortInUse { port, .. }, Failure::PortInUse { port: theirs, .. }) = (&one.kind, &other.kind) {
        return port.is_none() || theirs.is_none() || port == theirs;
    }
    if let (Failure::UnknownHost { host, .. }, Failure::UnknownHost { host: theirs, .. }) = (&one.kind, &other.kind) {
        return host == theirs || host.is_empty() || theirs.is_empty();
    }
    match (peer_of(&one.kind), peer_of(&other.kind)) {
        (Some(None), _) | (_, Some(None)) => one.line_number.abs_diff(other.line_number) < 40,
        (Some(Some(a)), Some(Some(b))) => a.port == b.port && (a.host == b.host || a.ip.is_some() && a.ip == b.ip),
        _ => false,
    }
}
