//! Java, Node and .NET: a header with class and message, then lines `at ...`, then perhaps causes.

use std::sync::LazyLock;

use regex::Regex;

use super::{Crash, Message, level, short};
use crate::parse::log::Language;
use crate::parse::log::lines::Line;

/// Lines of a message between its header and the first frame.
const MESSAGE: usize = 12;

static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[\s:\]>"])(?<class>(?:[a-zA-Z_$][\w$]*[.$])*[A-Z][\w$]*(?:Error|Exception|Throwable|Failure|Fault|Errors))(?: \[\w+\])?(?: \([^)]*\))?(?:$|: ?(?<message>.*))"#)
        .expect("a fixed expression")
});

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let header = lines.get(at)?;
    let body = header.body().trim();
    if body.is_empty() || is_frame(body) {
        return None;
    }
    let first = first_frame(lines, at)?;
    let found = HEADER.captures(body);
    let is_plain_text = found.is_none() && !body.contains("Exception in thread") && !body.contains("Uncaught");
    if is_plain_text && first > at + 1 {
        return None;
    }
    // A record announces, and the exception's own header stands below it.
    let better =
        lines.get(at + 1..first)?.iter().any(|line| HEADER.is_match(line.body().trim()) && !line.text.starts_with(' '));
    if better && (is_plain_text || body.contains("ausedBy")) {
        return None;
    }
    let language = language(lines.get(first)?.body().trim());
    let mut chain = vec![Message { at, text: body.to_owned() }];
    let mut frames: Vec<(usize, usize)> = Vec::new();
    let mut end = first;
    let mut is_node_header = false;
    for (index, line) in lines.iter().enumerate().skip(at + 1).take_while(|(_, line)| !line.is_gap()) {
        let text = line.text.trim();
        if is_frame(text) {
            frames.push((chain.len() - 1, index));
        } else if let Some(cause) = cause_of(text) {
            chain.push(Message { at: index, text: cause.to_owned() });
        } else if text.starts_with("Node.js v") {
            is_node_header = true;
        } else if index > first && !is_filler(line, text) {
            break;
        } else if index < first && !text.is_empty() {
            chain.insert(chain.len().saturating_sub(0), Message { at: index, text: text.to_owned() });
        }
        end = index + 1;
    }
    let is_cause = |message: &Message| lines.get(message.at).is_some_and(|line| cause_of(line.text.trim()).is_some());
    let root = chain.iter().rposition(is_cause).unwrap_or(0);
    let frame = frame(lines, &frames, root, language);
    let (what, root_at) = chain.get(root).map(|link| (what(&link.text), link.at))?;
    // The root first, then what it led to, then the lines of messages.
    let order: Vec<usize> =
        (0..chain.len()).rev().filter(|&index| index == 0 || chain.get(index).is_some_and(is_cause)).collect();
    let mut slots: Vec<Option<Message>> = chain.into_iter().map(Some).collect();
    let mut messages: Vec<Message> = order.into_iter().filter_map(|index| slots.get_mut(index)?.take()).collect();
    messages.extend(slots.into_iter().flatten());
    let level = level(lines, at);
    let says_unhandled = body.contains("Unhandled exception")
        || body.contains("Uncaught")
        || body.contains("Exception in thread \"main\"");
    let is_thrown = is_node_header || has_throw_above(lines, at);
    Some(Crash {
        language,
        what,
        at: root_at,
        messages,
        frame,
        end: end.max(first + 1),
        is_final: says_unhandled || is_thrown,
        level,
        fallback: None,
        prefers_fallback: false,
    })
}

/// Node prints the place, the source line and carets above an exception that nobody caught.
fn has_throw_above(lines: &[Line<'_>], at: usize) -> bool {
    let above = lines.get(at.saturating_sub(4)..at).unwrap_or_default();
    above.iter().any(|line| {
        let text = line.text.trim();
        !text.is_empty() && text.bytes().all(|byte| byte == b'^')
    })
}

fn first_frame(lines: &[Line<'_>], at: usize) -> Option<usize> {
    for (index, line) in lines.iter().enumerate().skip(at + 1).take(MESSAGE) {
        if is_frame(line.text.trim()) {
            return Some(index);
        }
        if line.is_gap() || line.is_record() {
            return None;
        }
    }
    None
}

fn is_frame(text: &str) -> bool {
    text.strip_prefix("at ").is_some_and(|rest| {
        rest.contains('(') || rest.contains(':') || rest.starts_with("async ") || rest.contains(" in ")
    })
}

fn cause_of(text: &str) -> Option<&str> {
    let text = text.trim();
    text.strip_prefix("Caused by: ")
        .or_else(|| text.strip_prefix("---> "))
        .or_else(|| text.strip_prefix("[cause]: "))
        .or_else(|| text.strip_prefix("cause: "))
        .or_else(|| text.strip_prefix("[errors]: "))
        .or_else(|| text.strip_prefix("Wrapped by: "))
        .map(|text| text.split("---> ").last().unwrap_or(text))
}

/// What stands between frames, or closes a block.
fn is_filler(line: &Line<'_>, text: &str) -> bool {
    text.is_empty()
        || text.starts_with("... ")
        || text.starts_with("--- End of")
        || text.starts_with("Suppressed: ")
        || text.starts_with("at ")
        || text == "}"
        || text == "]"
        || line.text.starts_with("  ") && !line.is_record()
        || line.text.starts_with(' ') && (text.starts_with('*') || text.starts_with('|'))
}

fn language(frame: &str) -> Language {
    let is_java = [
        ".java:",
        "(Native Method)",
        "(Unknown Source)",
        ".java)",
        ".scala)",
        ".kt)",
        ".kt:",
        ".scala:",
        ".groovy:",
        ".clj:",
        "(<generated>)",
        "jar!/",
    ]
    .iter()
    .any(|mark| frame.contains(mark));
    if is_java {
        return Language::Java;
    }
    let is_node = frame.contains("node:")
        || frame.contains(".js:")
        || frame.contains(".ts:")
        || frame.contains(".mjs:")
        || frame.contains(".cjs:")
        || frame.contains("<anonymous>")
        || frame.starts_with("at async ")
        || frame.contains("file://");
    if is_node { Language::Node } else { Language::DotNet }
}

/// Class and message without what a logger put before.
fn what(text: &str) -> String {
    let Some(found) = HEADER.captures(text) else { return text.trim_start_matches("Uncaught ").to_owned() };
    let class = found.name("class").map_or("", |class| class.as_str());
    match found.name("message").map(|message| message.as_str().trim()).filter(|message| !message.is_empty()) {
        Some(message) => format!("{class}: {message}"),
        None => class.to_owned(),
    }
}

/// The top frame that is the program's: of the root, else of what it led to.
fn frame(lines: &[Line<'_>], frames: &[(usize, usize)], root: usize, language: Language) -> Option<String> {
    let place = |&(_, at): &(usize, usize)| lines.get(at).map(|line| line.text.trim().trim_start_matches("at "));
    let mut own =
        frames.iter().filter(|(link, _)| *link == root).filter_map(place).find(|text| !is_library(text, language));
    if own.is_none() {
        own = frames.iter().rev().filter_map(place).find(|text| !is_library(text, language));
        // Of the last section with a frame of the program, the top one.
        if let Some(link) = frames
            .iter()
            .rev()
            .find(|frame| place(frame).is_some_and(|text| !is_library(text, language)))
            .map(|frame| frame.0)
        {
            own = frames
                .iter()
                .filter(|frame| frame.0 == link)
                .filter_map(place)
                .find(|text| !is_library(text, language));
        }
    }
    let is_internal =
        |text: &&str| text.contains("node:") || text.starts_with("java.base/") || text.starts_with("System.");
    let text = own
        .or_else(|| frames.iter().filter_map(place).find(|text| !is_internal(text)))
        .or_else(|| frames.iter().find(|frame| frame.0 == root).and_then(place))?;
    describe(text, language)
}

fn describe(text: &str, language: Language) -> Option<String> {
    match language {
        Language::Java => {
            let (method, place) = text.split_once('(')?;
            let place = place.split(')').next()?;
            let method = method.rsplit('/').next().unwrap_or(method);
            let mut parts = method.rsplit('.');
            let name = parts.next().unwrap_or_default();
            let class = parts.next().unwrap_or_default();
            Some(format!("{place} in {class}.{name}"))
        }
        Language::DotNet => {
            let method = text.split('(').next()?;
            match text.rsplit_once(" in ") {
                Some((_, place)) => Some(format!("{} in {method}", short(&place.replace(":line ", ":")))),
                None => Some(method.to_owned()),
            }
        }
        _ => {
            let (method, place) = match text.split_once(" (") {
                Some((method, place)) => (method, place.trim_end_matches([')', '{', ' '])),
                None => ("", text.trim_end_matches([')', '{', ' '])),
            };
            let place = place.trim_end_matches([')', '{', ' ']);
            let mut parts = place.rsplitn(3, ':');
            let (_, line, file) = (parts.next(), parts.next()?, parts.next()?);
            let method = method.trim_start_matches("async ").split(" [as ").next().unwrap_or_default();
            let place = format!("{}:{line}", short(file.trim_start_matches("async ")));
            Some(if method.is_empty() || method.contains("<anonymous>") {
                place
            } else {
                format!("{place} in {method}")
            })
        }
    }
}

fn is_library(text: &str, language: Language) -> bool {
    const JAVA: &[&str] = &[
        "java.",
        "javax.",
        "jdk.",
        "sun.",
        "com.sun.",
        "org.springframework.",
        "org.apache.",
        "org.hibernate.",
        "com.zaxxer.",
        "com.typesafe.",
        "io.netty.",
        "reactor.",
        "org.postgresql.",
        "com.mysql.",
        "org.mariadb.",
        "kotlin.",
        "kotlinx.",
        "scala.",
        "akka.",
        "org.eclipse.",
        "org.jboss.",
        "io.lettuce.",
        "redis.",
        "com.fasterxml.",
        "org.elasticsearch.",
        "com.google.",
        "org.flywaydb.",
        "liquibase.",
        "com.mongodb.",
        "ch.qos.",
        "org.slf4j.",
        "feign.",
        "okhttp3.",
        "io.grpc.",
        "io.vertx.",
        "io.quarkus.",
        "io.micronaut.",
        "jakarta.",
        "oracle.",
        "org.yaml.",
        "com.rabbitmq.",
        "org.h2.",
        "groovy.",
        "org.codehaus.",
        "io.undertow.",
        "io.confluent.",
        "com.amazonaws.",
        "software.amazon.",
        "rx.",
        "io.reactivex.",
        "org.quartz.",
        "clojure.",
        "org.aspectj.",
        "smallrye.",
        "io.smallrye.",
    ];
    match language {
        Language::Java => {
            let name = text
                .rsplit_once('/')
                .filter(|_| !text.contains("jar!"))
                .map_or(text, |(module, rest)| if module.contains('(') { text } else { rest });
            text.starts_with("java.base/") || JAVA.iter().any(|start| name.starts_with(start))
        }
        Language::DotNet => [
            "System.",
            "Microsoft.",
            "Npgsql.",
            "StackExchange.",
            "MySqlConnector.",
            "MySql.",
            "MongoDB.",
            "RabbitMQ.",
            "Confluent.",
            "Grpc.",
        ]
        .iter()
        .any(|start| text.starts_with(start)),
        _ => {
            text.contains("node_modules/")
                || text.contains("node:")
                || text.contains("(internal/")
                || text.starts_with("internal/")
                || text.contains("<anonymous>)")
                || !text.contains(':')
                || text.contains("(native)")
        }
    }
}
