//! An answer for a person at a terminal.

use std::fmt::Write as _;

use kubewhy_diagnosis::finding::Confidence;
use kubewhy_diagnosis::{RankedFinding, Report, Status};
use kubewhy_text::printable;

use super::{clock, mark, where_and_since};

/// Renders a report; escape sequences only with `colour`.
pub fn report(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    let (mark, word) = mark(report.status);
    let paint = Paint { on: colour, status: report.status };
    let _ = writeln!(out, "{} {}", paint.status(&format!("{mark} {word}:")), paint.bold(&report.summary.plain()));
    let _ = writeln!(out, "{}", where_and_since(report));
    if let Some(error) = &report.error
        && !error.next.is_empty()
    {
        let _ = writeln!(out, "did you mean: {}", error.next.join(", "));
    }
    for (index, ranked) in report.findings.iter().enumerate() {
        let _ = writeln!(out);
        finding(&mut out, index, ranked, report, paint);
    }
    if !report.changed.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("Changed before"));
        for change in &report.changed {
            let _ = writeln!(out, "  {}  {}: {}", clock(change.at), change.object, change.what.plain());
        }
    }
    if !report.caveats.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("Not known"));
        for caveat in &report.caveats {
            let _ = writeln!(out, "  {}", printable(caveat));
        }
    }
    let checked: Vec<&str> = report.checked.iter().copied().collect();
    let _ = writeln!(out, "\nlooked at {} ({} reads, {} ms)", checked.join(", "), report.requests, report.elapsed_ms);
    out
}

fn finding(out: &mut String, index: usize, ranked: &RankedFinding, report: &Report, paint: Paint) {
    let finding = &ranked.finding;
    let sure = match finding.confidence {
        Confidence::Certain => "",
        Confidence::Likely => ", likely",
        Confidence::Possible => ", possible",
    };
    if report.findings.len() > 1 {
        let follows = ranked.caused_by.map(|cause| format!(", follows from {}", cause + 1)).unwrap_or_default();
        let _ = writeln!(out, "{}. {}{follows}", index + 1, paint.bold(&finding.title.plain()));
    }
    let _ = writeln!(out, "{}", wrapped(&format!("[{}{sure}] {}", finding.code, finding.explanation.plain()), ""));
    if ranked.chain.len() > 1 {
        let chain: Vec<String> = ranked.chain.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "  chain: {}", printable(&chain.join(" > ")));
    }
    for evidence in &finding.evidence {
        let at = evidence.at.map(|at| format!(" ({})", clock(at))).unwrap_or_default();
        let _ = writeln!(out, "  {} {}{at}", paint.dim("seen in"), printable(&evidence.source));
        let _ = writeln!(out, "    {}", printable(&evidence.text));
    }
    for (number, fix) in finding.fixes.iter().enumerate() {
        let _ = writeln!(out, "  {} {}", paint.bold(&format!("fix {}:", number + 1)), fix.title.plain());
        for command in &fix.commands {
            let _ = writeln!(out, "    $ {}", printable(command));
        }
    }
}

/// A paragraph in lines that fit a terminal; evidence and commands stay whole, so that they can be copied.
fn wrapped(paragraph: &str, indent: &str) -> String {
    // Names are never divided.
    let options = textwrap::Options::new(100)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(paragraph, options)
}

#[derive(Clone, Copy)]
struct Paint {
    on: bool,
    status: Status,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn status(self, text: &str) -> String {
        let code = match self.status {
            Status::Failing => "1;31",
            Status::Degraded | Status::Pending => "1;33",
            Status::Healthy => "1;32",
            Status::Unknown => "1;35",
        };
        self.with(code, text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}

/// Renders a scan: one paragraph per root.
pub fn scan(scan: &kubewhy_diagnosis::scan::Scan, colour: bool) -> String {
    let mut out = String::new();
    if scan.roots.is_empty() {
        let _ = writeln!(out, "✔ nothing is broken");
    }
    for root in &scan.roots {
        let (mark, word) = mark(root.report.status);
        let paint = Paint { on: colour, status: root.report.status };
        let _ =
            writeln!(out, "{} {}", paint.status(&format!("{mark} {word}:")), paint.bold(&root.report.summary.plain()));
        let affected: Vec<String> = root.affects.iter().take(5).map(ToString::to_string).collect();
        let more = root.affects.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  breaks {}{more}", printable(&affected.join(", ")));
        if let Some(lead) = root.report.lead() {
            let explanation = format!("[{}] {}", lead.finding.code, lead.finding.explanation.plain());
            let _ = writeln!(out, "{}", wrapped(&explanation, "  "));
            if let Some(fix) = lead.finding.fixes.first() {
                let _ = writeln!(out, "  {} {}", paint.bold("fix:"), fix.title.plain());
            }
        }
    }
    for unread in &scan.unread {
        let _ = writeln!(out, "? {}", printable(unread));
    }
    out
}
