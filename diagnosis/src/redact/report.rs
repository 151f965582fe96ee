//! The gate through which reports leave: every word of somebody else passes it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use kubewhy_text::{Span, Text, printable};

use super::{block, find, redact, redact_value};
use crate::ask::Answer;
use crate::finding::{Evidence, Finding, Fix, ObjectRef, Patch};
use crate::reader::World;
use crate::report::{Change, RankedFinding, Report, Target, TargetError};

/// Redacts what a report says. The rules before it see the words as they are.
///
/// Every type is taken apart without `..`: a new field does not compile until somebody has decided what it may show.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Lines of private keys in the logs that were read: one of them alone does not show what it is.
    key_lines: BTreeSet<String>,
}

impl Gate {
    /// A gate that knows which lines of these logs belong to private keys.
    pub(crate) fn new(world: &World) -> Self {
        let logs = world.iter().filter_map(|(_, answer)| match answer {
            Answer::Log(log) => Some(log),
            _ => None,
        });
        let key_lines = logs.filter(|log| log.contains("PRIVATE KEY")).flat_map(|log| {
            let keys = find(log).into_iter().filter(|found| found.kind == "private key");
            let bodies = keys.filter_map(|found| log.get(found.range)).collect::<Vec<_>>();
            bodies
                .into_iter()
                .flat_map(str::lines)
                .filter(|line| block::is_body(line))
                .map(|line| line.trim().to_owned())
        });
        Self { key_lines: key_lines.collect() }
    }

    /// The report as it may leave.
    pub(crate) fn pass(&self, report: &mut Report) {
        let Report {
            target,
            now: _,
            status: _,
            summary,
            findings,
            changed,
            caveats,
            checked: _,
            pods: _,
            requests: _,
            elapsed_ms: _,
            error,
        } = report;
        self.target(target);
        self.text(summary);
        for ranked in findings {
            self.ranked(ranked);
        }
        for Change { at: _, object, what } in changed {
            self.object(object);
            self.text(what);
        }
        for caveat in caveats {
            self.words(caveat);
        }
        if let Some(TargetError { code: _, message, next }) = error {
            self.words(message);
            for next in next {
                self.words(next);
            }
        }
    }

    /// The kind, the namespace and the name are what a person asked for, and what the next question needs as it is.
    fn target(&self, target: &mut Target) {
        let Target { cluster, context: _, kind: _, namespace: _, name: _ } = target;
        self.words(cluster);
    }

    fn ranked(&self, ranked: &mut RankedFinding) {
        let RankedFinding { finding, chain, caused_by: _ } = ranked;
        for link in chain {
            self.object(link);
        }
        let Finding {
            code: _,
            severity: _,
            confidence: _,
            object,
            root,
            via,
            title,
            explanation,
            evidence,
            fixes,
            follows: _,
            // References that are followed while the report is made; none is shown.
            beneath: _,
            reason: _,
            affected: _,
            since: _,
        } = finding;
        self.object(object);
        root.iter_mut().chain(via).for_each(|object| self.object(object));
        self.text(title);
        self.text(explanation);
        // Where a fact stands is told as it is, so that it can be looked up there.
        for Evidence { source, text, at: _ } in evidence {
            self.words(source);
            self.words(text);
        }
        for fix in fixes {
            self.fix(fix);
        }
    }

    fn fix(&self, fix: &mut Fix) {
        let Fix { title, commands, patch, remedy: _, safety: _ } = fix;
        self.text(title);
        for command in commands {
            self.words(command);
        }
        if let Some(Patch { type_: _, body }) = patch {
            redact_value(body);
        }
    }

    fn object(&self, object: &mut ObjectRef) {
        let ObjectRef { kind, namespace, name, container, detail } = object;
        if let Cow::Owned(kind) = kind {
            self.words(kind);
        }
        namespace.iter_mut().chain([name]).chain(container).chain(detail).for_each(|words| self.words(words));
    }

    /// The spans one by one, and then as they stand beside each other: `DB_PASSWORD is "x"` says what x is.
    fn text(&self, text: &mut Text) {
        for span in text.spans_mut() {
            if let Span::Name(words) | Span::Untrusted(words) | Span::Code(words) | Span::Own(Cow::Owned(words)) = span
            {
                self.words(words);
            }
        }
        let mut whole = String::new();
        let mut places = Vec::new();
        for span in text.spans() {
            let quote = if matches!(span, Span::Untrusted(_)) { "\"" } else { "" };
            whole.push_str(quote);
            let start = whole.len();
            match span {
                Span::Own(words) => whole.push_str(words),
                Span::Name(words) | Span::Untrusted(words) | Span::Code(words) => whole.push_str(words),
                Span::Time(_) => whole.push(' '),
            }
            places.push(start..whole.len());
            whole.push_str(quote);
        }
        for found in find(&whole) {
            for (span, place) in text.spans_mut().zip(&places) {
                let overlaps = found.range.start < place.end && place.start < found.range.end;
                if let Span::Name(words) | Span::Untrusted(words) | Span::Code(words) | Span::Own(Cow::Owned(words)) =
                    span
                    && overlaps
                {
                    *words = format!("{}{}]", super::MARK, found.kind);
                }
            }
        }
    }

    /// Redacts the words as they are, and as they are shown: what is dropped on the way to a reader (a zero-width space, an
    /// escape of a terminal) must not have kept a secret from being seen here.
    fn words(&self, words: &mut String) {
        super::object::clean(words);
        for line in &self.key_lines {
            if words.contains(line.as_str()) {
                *words = words.replace(line.as_str(), &format!("{}private key]", super::MARK));
            }
        }
        if let Cow::Owned(shown) = printable(words)
            && let Cow::Owned(clean) = redact(&shown)
            && clean != shown
        {
            *words = clean;
        }
    }
}
