//! What is broken, as a message.

use kubewhy_chat::{Block, Choice, Message, Press, Tone};
use kubewhy_diagnosis::Status;
use kubewhy_diagnosis::finding::ObjectRef;
use kubewhy_diagnosis::scan::{Root, Scan};
use kubewhy_text::{Text, name, text};

use super::{Extras, Surface, code_and_confidence, dotted, object, since, tone};
use crate::commands::{self, Command, Feature};

/// The most roots that the first screen lists.
const MOST_ROOTS: usize = 10;

/// The most roots that a conversation explains at once; the rest are a line each.
const MOST_DETAILS: usize = 20;

/// The most objects that are named as broken by one root.
const MOST_BROKEN: usize = 5;

/// Turns what a scan found into a message: a line per root on the first screen, with a menu to ask about each; in the thread
/// what each is, what it breaks and what to do first.
pub fn scan(scan: &Scan, extras: &Extras) -> Message {
    let mut message = Message::new(overall(scan), headline(scan));
    // On paper all is open: each root stands below with what it is, once.
    let is_paper = extras.surface == Surface::Paper;
    let is_only = scan.roots.len() == 1;
    if let Some(only) = scan.roots.first().filter(|_| is_only && !is_paper) {
        message = message
            .with(Block::Paragraph(only.report.summary.clone()))
            .with(Block::Context(text!["breaks ", broken(&only.affects)]));
    } else if !scan.roots.is_empty() && !is_paper {
        let mut lines: Vec<Text> = scan.roots.iter().take(MOST_ROOTS).map(|root| line(root, message.tone)).collect();
        let more = scan.roots.len().saturating_sub(MOST_ROOTS);
        if more > 0 {
            lines.push(text!["and ", more, " more, ", extras.where_the_rest_is()]);
        }
        message = message.with(Block::Points(lines));
    }
    if !scan.roots.is_empty() && extras.offers(Feature::Chat) {
        let options = scan.roots.iter().take(MOST_ROOTS).map(|root| {
            let line = Command::Explain(commands::Explain { object: extras.named(&root.report) }).to_string();
            (object(&root.report.target.reference()), Press::Command(line))
        });
        message = message.with(Block::Choice(Choice { prompt: text!["Why?"], options: options.collect() }));
    }
    let detailed = if is_paper { scan.roots.len() } else { MOST_DETAILS };
    for root in scan.roots.iter().take(detailed) {
        let heading = if is_only && !is_paper { text!["Details"] } else { line_without_objects(root) };
        message = details(message.below(Block::Heading(heading)), root);
    }
    if scan.roots.len() > detailed {
        let rest = scan.roots.iter().skip(detailed).map(|root| line(root, message.tone)).collect();
        message = message.below(Block::Heading(text!["And also"])).below(Block::Points(rest));
    }
    if scan.unread.is_empty() {
        return message;
    }
    // What could not be read limits the headline, so it does not hide in the thread.
    let unread = scan.unread.iter().map(|unread| text![name(unread.clone())]).collect();
    message.with(Block::Heading(text!["Not known"])).with(Block::Points(unread))
}

fn overall(scan: &Scan) -> Tone {
    match scan.roots.iter().map(|root| root.report.status).min() {
        Some(status) => tone(status),
        None if scan.unread.is_empty() => Tone::Healthy,
        None => Tone::Unknown,
    }
}

fn headline(scan: &Scan) -> Text {
    let broken = |status: Status| scan.roots.iter().filter(|root| root.report.status == status).count();
    let (failing, all) = (broken(Status::Failing), scan.roots.len());
    match (failing, all - failing) {
        (0, 0) if scan.unread.is_empty() => text!["nothing is broken"],
        (0, 0) => text!["nothing broken was seen, and not everything could be read"],
        (0, 1) => text!["1 thing is worth a look"],
        (0, rest) => text![rest, " things are worth a look"],
        (1, 0) => text!["1 thing is broken"],
        (failing, 0) => text![failing, " things are broken"],
        (1, rest) => text!["1 thing is broken, ", rest, " worth a look"],
        (failing, rest) => text![failing, " things are broken, ", rest, " worth a look"],
    }
}

/// `title (Deployment shop/cart and 2 more)`; the mark and the word stand before it only where the headline does not say them.
fn line(root: &Root, overall: Tone) -> Text {
    let mut line =
        if tone(root.report.status) == overall { root.report.summary.clone() } else { line_without_objects(root) };
    match root.affects.as_slice() {
        [] => {}
        [only] => line.push(text![" (", object(only), ")"]),
        [first, rest @ ..] => line.push(text![" (", object(first), " and ", rest.len(), " more)"]),
    }
    line
}

fn line_without_objects(root: &Root) -> Text {
    let mut line = Text::default();
    if let Some((mark, word)) = tone(root.report.status).mark_and_word() {
        line.push(text![mark, " ", word, ": "]);
    }
    line.push(root.report.summary.clone());
    line
}

fn details(mut message: Message, root: &Root) -> Message {
    let report = &root.report;
    let mut parts = vec![text!["breaks ", broken(&root.affects)]];
    if let Some(lead) = report.lead() {
        parts.insert(0, code_and_confidence(&lead.finding));
        parts.push(lead.finding.since.map(since).unwrap_or_default());
    }
    message = message.below(Block::Context(dotted(parts)));
    let Some(lead) = report.lead() else { return message };
    if !lead.finding.explanation.is_empty() {
        message = message.below(Block::Paragraph(lead.finding.explanation.clone()));
    }
    match lead.finding.fixes.first() {
        Some(fix) => message.below(Block::Paragraph(text!["Fix: ", fix.title.clone()])),
        None => message,
    }
}

fn broken(affects: &[ObjectRef]) -> Text {
    let mut list = Text::default();
    for (at, one) in affects.iter().take(MOST_BROKEN).enumerate() {
        if at > 0 {
            list.push(", ");
        }
        list.push(object(one));
    }
    let more = affects.len().saturating_sub(MOST_BROKEN);
    if more > 0 {
        list.push(text![" and ", more, " more"]);
    }
    list
}
