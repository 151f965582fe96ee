//! What stands one tap below a report: all that it rests on.

use kubewhy_chat::{Block, Button, Message, Quote};
use kubewhy_diagnosis::finding::{Fix, Safety, Severity};
use kubewhy_diagnosis::{RankedFinding, Report, Status};
use kubewhy_text::{Text, code, name, own, text};

use super::super::{Extras, code_and_confidence, dotted, object};
use super::{MOST_CHANGES, is_near};
use crate::commands::{Catalogue, Command, Feature};

/// Adds to a message what stands one tap below it.
pub(super) fn of_report(mut message: Message, report: &Report, extras: &Extras) -> Message {
    for (index, ranked) in report.findings.iter().enumerate() {
        message = of_finding(message, report, index, ranked);
    }
    // A few changes stand whole on the first screen, if they are near.
    let are_told = report.changed.len() <= MOST_CHANGES && report.changed.iter().all(|change| is_near(change, report));
    if !are_told && report.status != Status::Healthy {
        let lines = report
            .changed
            .iter()
            .map(|change| text![change.at, " ", object(&change.object), ": ", change.what.clone()]);
        message = message.below(Block::Heading(text!["Changed before"])).below(Block::Points(lines.collect()));
    }
    if !report.caveats.is_empty() {
        let lines = report.caveats.iter().map(|caveat| text![name(caveat.clone())]).collect();
        message = message.below(Block::Heading(text!["Not known"])).below(Block::Points(lines));
    }
    // In a conversation what is healthy is said to be healthy, and nothing else.
    let says_nothing = report.status == Status::Healthy && message.thread.is_empty();
    if says_nothing && extras.offers(Feature::Chat) {
        return message;
    }
    message = message.below(Block::Heading(text!["What was looked at"])).below(Block::Context(looked_at(report)));
    let Some(lead) = report.lead().filter(|_| extras.offers(Feature::Chat)) else { return message };
    let meaning = Command::Catalogue(Catalogue { code: Some(lead.finding.code) });
    let label = text!["What is ", code(lead.finding.code.as_str()), "?"];
    message.below(Block::Buttons(vec![Button::command(label, meaning.to_string())]))
}

fn of_finding(mut message: Message, report: &Report, index: usize, ranked: &RankedFinding) -> Message {
    let finding = &ranked.finding;
    let heading = match report.findings.as_slice() {
        // Its title is the headline.
        [_] => text!["Evidence"],
        _ => text![index + 1, ". ", finding.title.clone()],
    };
    message = message.below(Block::Heading(heading));
    message = message.below(Block::Context(standing(ranked)));
    // The explanation of the root cause stands on the first screen.
    if index > 0 && !finding.explanation.is_empty() {
        message = message.below(Block::Paragraph(finding.explanation.clone()));
    }
    if ranked.chain.len() > 1 {
        let mut chain = text!["Chain: "];
        for (link, at) in ranked.chain.iter().zip(0_usize..) {
            if at > 0 {
                chain.push(" > ");
            }
            chain.push(object(link));
        }
        message = message.below(Block::Paragraph(chain));
    }
    for evidence in &finding.evidence {
        message = message.below(Block::Quote(Quote {
            source: text![name(evidence.source.clone())],
            words: evidence.text.clone(),
            at: evidence.at,
        }));
    }
    for (number, fix) in finding.fixes.iter().enumerate() {
        message = message.below(Block::Paragraph(text!["Fix ", number + 1, ": ", fix.title.clone(), cost(fix)]));
        if !fix.commands.is_empty() {
            message = message.below(Block::Commands(fix.commands.clone()));
        }
    }
    message
}

/// `secret-key-missing, likely · warning · follows from 1`.
fn standing(ranked: &RankedFinding) -> Text {
    let severity = match ranked.finding.severity {
        Severity::Error => "",
        Severity::Warning => "warning",
        Severity::Info => "for information",
    };
    let follows = ranked.caused_by.map_or_else(Text::default, |cause| text!["follows from ", cause + 1]);
    let severity = if severity.is_empty() { Text::default() } else { text![severity] };
    dotted([code_and_confidence(&ranked.finding), severity, follows])
}

fn cost(fix: &Fix) -> &'static str {
    match fix.safety {
        Safety::Safe => "",
        Safety::Disruptive => " (disruptive)",
        Safety::DataLossPossible => " (data can be lost)",
    }
}

fn looked_at(report: &Report) -> Text {
    let checked: Vec<&str> = report.checked.iter().copied().collect();
    let reads = if report.requests == 1 { " read, " } else { " reads, " };
    text![own(checked.join(", ")), " (", report.requests, reads, report.elapsed_ms, " ms)"]
}
