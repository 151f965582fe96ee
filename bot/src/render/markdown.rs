//! An answer for a ticket or a chat, in `CommonMark`. Words of the cluster stand in code spans, where nothing is interpreted.

use std::fmt::Write as _;

use kubewhy_diagnosis::{RankedFinding, Report};
use kubewhy_text::code_span;

use super::{clock, mark, where_and_since};

/// Renders a report.
pub fn report(report: &Report) -> String {
    let mut out = String::new();
    let (mark, word) = mark(report.status);
    let _ = writeln!(out, "## {mark} {word}: {}\n", report.summary.markdown());
    let _ = writeln!(out, "{}", code_span(&where_and_since(report)));
    if let Some(error) = report.error.as_ref().filter(|error| !error.next.is_empty()) {
        let next: Vec<String> = error.next.iter().map(|next| code_span(next)).collect();
        let _ = writeln!(out, "\nDid you mean {}?", next.join(", "));
    }
    for (index, ranked) in report.findings.iter().enumerate() {
        finding(&mut out, index, ranked);
    }
    if !report.changed.is_empty() {
        let _ = writeln!(out, "\n### Changed before\n");
        for change in &report.changed {
            let _ = writeln!(
                out,
                "- {} {}: {}",
                clock(change.at),
                code_span(&change.object.to_string()),
                change.what.markdown()
            );
        }
    }
    if !report.caveats.is_empty() {
        let _ = writeln!(out, "\n### Not known\n");
        for caveat in &report.caveats {
            let _ = writeln!(out, "- {}", code_span(caveat));
        }
    }
    out
}

fn finding(out: &mut String, index: usize, ranked: &RankedFinding) {
    let finding = &ranked.finding;
    let sure: &str = finding.confidence.into();
    let _ = writeln!(out, "\n### {}. {}\n", index + 1, finding.title.markdown());
    let follows = ranked.caused_by.map(|cause| format!(", follows from {}", cause + 1)).unwrap_or_default();
    let _ = writeln!(out, "`{}` ({sure}{follows})\n\n{}", finding.code, finding.explanation.markdown());
    if ranked.chain.len() > 1 {
        let chain: Vec<String> = ranked.chain.iter().map(|link| code_span(&link.to_string())).collect();
        let _ = writeln!(out, "\n{}", chain.join(" > "));
    }
    if !finding.evidence.is_empty() {
        let _ = writeln!(out, "\n**Evidence**\n");
    }
    for evidence in &finding.evidence {
        let at = evidence.at.map(|at| format!(" ({})", clock(at))).unwrap_or_default();
        let _ = writeln!(out, "- {}{at}: {}", code_span(&evidence.source), code_span(&evidence.text));
    }
    if !finding.fixes.is_empty() {
        let _ = writeln!(out, "\n**Fix**\n");
    }
    for (number, fix) in finding.fixes.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", number + 1, fix.title.markdown());
        for command in &fix.commands {
            let _ = writeln!(out, "   {}", code_span(command));
        }
    }
}

/// Renders a scan: one section per root.
pub fn scan(scan: &kubewhy_diagnosis::scan::Scan) -> String {
    let mut out = String::new();
    if scan.roots.is_empty() {
        let _ = writeln!(out, "Nothing is broken.");
    }
    for root in &scan.roots {
        let affected: Vec<String> = root.affects.iter().map(|object| code_span(&object.to_string())).collect();
        let _ = writeln!(out, "{}\nBreaks {}.\n", report(&root.report), affected.join(", "));
    }
    for unread in &scan.unread {
        let _ = writeln!(out, "- {}", code_span(unread));
    }
    out
}
