//! Tables of what programs print, and what it means.

mod config;
mod crashes;
mod fixtures;
mod healthy;
mod mixed;
mod network;
mod noise;
mod peers_say_no;
mod properties;
mod rare;
mod system;

use super::{Failure, LastWords, Peer, TlsFault, read};

/// Reads each log and compares a short form of its signature; all mismatches are shown at once.
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(log, expected)| {
            let words = read(log);
            let found = short(&words);
            (found != *expected)
                .then(|| format!("{log}\n  expected: {expected}\n  found:    {found}\n  others:   {:?}", words.others))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The signature in one line, its frame behind `@`.
fn short(words: &LastWords) -> String {
    match &words.signature {
        None if words.not_the_apps => "not the app's".to_owned(),
        None => "none".to_owned(),
        Some(signature) => match &signature.frame {
            Some(frame) => format!("{} @ {frame}", show(&signature.kind)),
            None => show(&signature.kind),
        },
    }
}

fn peer(peer: Option<&Peer>) -> String {
    let Some(peer) = peer else { return "?".to_owned() };
    let port = peer.port.map_or(String::new(), |port| format!(":{port}"));
    let ip = peer.ip.as_ref().filter(|ip| **ip != peer.host).map_or(String::new(), |ip| format!(" ({ip})"));
    format!("{}{port}{ip}", peer.host)
}

fn or<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "?".to_owned(), ToString::to_string)
}

fn show(kind: &Failure) -> String {
    let name: &'static str = kind.into();
    let rest = match kind {
        Failure::Panic { what }
        | Failure::Fatal { what }
        | Failure::HeapExhausted { what }
        | Failure::NoMemory { what }
        | Failure::NoThreads { what }
        | Failure::Migration { what }
        | Failure::DnsLoop { what } => what.clone(),
        Failure::MissingVariable { name } | Failure::MissingModule { name } => name.clone(),
        Failure::MissingFile { path } | Failure::NotExecutable { path } | Failure::ExecFormat { path } => path.clone(),
        Failure::BadFlag { flag } => flag.clone(),
        Failure::BadSetting { what, file, line } | Failure::UnreadableConfig { what, file, line } => match (file, line)
        {
            (None, None) => what.clone(),
            _ => format!("{what} ({}:{})", or(file.as_ref()), or(line.as_ref())),
        },
        Failure::Refused { peer: p }
        | Failure::Timeout { peer: p }
        | Failure::Reset { peer: p }
        | Failure::Unreachable { peer: p } => peer(p.as_ref()),
        Failure::UnknownHost { host, port, answer } => {
            format!("{host}{} {answer:?}", port.map_or(String::new(), |port| format!(":{port}")))
        }
        Failure::AuthFailed { peer: p, user, system, .. } => {
            format!("{} user {} {}", peer(p.as_ref()), or(user.as_ref()), system.map_or("?", Into::into))
        }
        Failure::Overloaded { peer: p, system, what } => {
            format!("{} {} {what}", peer(p.as_ref()), system.map_or("?", Into::into))
        }
        Failure::Tls { fault, peer: p, own } => {
            let fault = match fault {
                TlsFault::WrongName { valid_for, asked } => {
                    format!("WrongName {} not {}", valid_for.join(","), or(asked.as_ref()))
                }
                fault => format!("{fault:?}"),
            };
            format!("{fault} {}{}", peer(p.as_ref()), if *own { " own" } else { "" })
        }
        Failure::PortInUse { address, port } => format!("{address} {}", or(port.as_ref())),
        Failure::PermissionDenied { path, port, operation } => match port {
            Some(port) => format!("{operation} :{port}"),
            None => format!("{operation} {}", or(path.as_ref())),
        },
        Failure::ReadOnlyFileSystem { path } | Failure::NoSpace { path } | Failure::InstanceLocked { path } => {
            or(path.as_ref())
        }
        Failure::TooManyOpenFiles | Failure::InotifyExhausted => String::new(),
        Failure::CommandNotFound { command } => command.clone(),
        Failure::ShellSyntax { shell, detail } => format!("{shell} {detail}"),
        Failure::Usage { program } => program.clone(),
        Failure::KubernetesForbidden { user, verb, resource, group, namespace } => {
            format!("{user} {verb} {resource} {group:?} in {}", or(namespace.as_ref()))
        }
    };
    format!("{name} {rest}").trim_end().to_owned()
}
