//! Lines that are shown as they are, in fences that nothing inside can close.

use std::fmt::Write as _;

use kubewhy_text::printable;

use super::line::head;
use super::whole::Whole;
use crate::limits;

/// The most that is shown of such lines in UTF-16 code units; of more, the beginning and the end are shown.
const MOST: usize = 7_000;
/// How much of the beginning is shown then, and of the end, where a log says what happened last.
const BEGINNING: usize = 700;
const END: usize = 2_500;
/// The most of one line.
const LONGEST_LINE: usize = 600;
/// The longest command: a part of one is worse than none.
const LONGEST_COMMAND: usize = 2_500;
/// How wide a tab is.
const TAB: &str = "    ";

/// Lines, or notes of ours between them.
pub(super) enum Shown {
    /// A line inside a fence.
    Line(String),
    /// Words of ours outside of it.
    Note(String),
}

/// Lines of a log or a manifest.
pub(super) fn lines<'m>(words: &'m str, whole: &mut Whole<'m>) -> Vec<Shown> {
    let body = trimmed(words);
    if body.is_empty() {
        return nothing();
    }
    // A character takes one code unit at least and three bytes at most of each: what is short in bytes is short.
    let is_short = body.len() <= MOST || body.len() <= 3 * MOST && limits::length(body) <= MOST;
    let has_long_line = body.split('\n').any(|line| line.len() > LONGEST_LINE && limits::length(line) > LONGEST_LINE);
    if is_short && !has_long_line {
        let lines: Vec<String> = body.split('\n').map(harmless).collect();
        // Marks without a letter are cleaned away.
        let is_blank = lines.iter().all(|line| line.trim().is_empty());
        return if is_blank { nothing() } else { lines.into_iter().map(Shown::Line).collect() };
    }
    let place = whole.keep(words);
    if is_short {
        return body.split('\n').map(|line| Shown::Line(short(line, &place))).collect();
    }
    beginning_and_end(body, &place)
}

fn nothing() -> Vec<Shown> {
    vec![Shown::Note("(nothing)".to_owned())]
}

fn beginning_and_end(body: &str, place: &str) -> Vec<Shown> {
    let all = body.split('\n').count();
    let mut shown = within(body.split('\n'), BEGINNING, place);
    let mut end = within(body.rsplit('\n').take(all - shown.len()), END, place);
    let left_out = all - shown.len() - end.len();
    if left_out > 0 {
        let lines = if left_out == 1 { "line" } else { "lines" };
        shown.push(Shown::Note(format!("… {left_out} more {lines} in {place}, attached")));
    }
    end.reverse();
    shown.extend(end);
    shown
}

/// The first lines that have room, at least one.
fn within<'a>(lines: impl Iterator<Item = &'a str>, most: usize, place: &str) -> Vec<Shown> {
    let mut used = 0;
    let mut shown = Vec::new();
    for line in lines {
        let line = short(line, place);
        used += limits::length(&line) + 1;
        if used > most && !shown.is_empty() {
            break;
        }
        shown.push(Shown::Line(line));
    }
    shown
}

fn short(line: &str, place: &str) -> String {
    let (kept, rest) = head(line, LONGEST_LINE);
    let mut shown = harmless(kept);
    // Writing to a String cannot fail.
    if !rest.is_empty() {
        let _ = write!(shown, " … ({} more characters in {place})", rest.chars().count());
    }
    shown
}

/// Commands to copy: each whole, or a note where to find it.
pub(super) fn commands<'m>(commands: &'m [String], whole: &mut Whole<'m>) -> Vec<Shown> {
    let show = |command: &'m String| {
        let (kept, rest) = head(command, LONGEST_COMMAND);
        let shown = clean(kept);
        // A sign that has to be written otherwise would be another command.
        if rest.is_empty() && !shown.contains("```") {
            return if shown.trim().is_empty() {
                Shown::Note("(an empty command)".to_owned())
            } else {
                Shown::Line(shown)
            };
        }
        let place = whole.keep(command);
        Shown::Note(format!("A command that cannot be shown here is in {place}, attached"))
    };
    commands.iter().map(show).collect()
}

/// A line that cannot close a fence: back-ticks of a run of three become letters that look like them.
fn harmless(line: &str) -> String {
    let line = clean(line);
    if line.contains("```") { line.replace('`', "ˋ") } else { line }
}

fn clean(line: &str) -> String {
    let line = line.trim_end_matches('\r').replace('\t', TAB);
    printable(&line).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

/// Without the empty lines around it.
fn trimmed(words: &str) -> &str {
    let start = words.split_inclusive('\n').take_while(|line| is_blank(line)).map(str::len).sum();
    let body = words.get(start..).unwrap_or_default();
    let end = body.rsplit('\n').take_while(|line| is_blank(line)).map(|line| line.len() + 1).sum::<usize>();
    body.get(..body.len().saturating_sub(end)).unwrap_or_default()
}

fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || kubewhy_text::is_hostile(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[Shown]) -> Vec<&str> {
        lines
            .iter()
            .map(|line| match line {
                Shown::Line(line) | Shown::Note(line) => line.as_str(),
            })
            .collect()
    }

    #[test]
    fn a_fence_is_not_closed_from_inside() {
        let lines = lines("a\n``\u{200b}`\n``x``\n", &mut Whole::default());
        assert_eq!(shown(&lines), ["a", "ˋˋˋ", "``x``"]);
    }

    #[test]
    fn a_long_log_shows_its_beginning_and_its_end() {
        let log = (0..2_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let mut whole = Whole::default();
        let lines = lines(&log, &mut whole);
        let shown = shown(&lines);
        assert_eq!(shown.first(), Some(&"line 0"));
        assert_eq!(shown.last(), Some(&"line 1999"));
        assert!(shown.iter().any(|line| line.ends_with("more lines in whole.txt, attached")));
        assert_eq!(whole.file().unwrap().bytes.len(), log.len() + 1);
    }

    #[test]
    fn a_command_is_whole_or_in_the_file() {
        let long = vec!["kubectl get pod".to_owned(), "x".repeat(3_000), "echo ```".to_owned()];
        let mut whole = Whole::default();
        let lines = commands(&long, &mut whole);
        assert_eq!(shown(&lines)[0], "kubectl get pod");
        assert!(matches!(&lines[1], Shown::Note(note) if note.contains("whole.txt")));
        assert!(matches!(&lines[2], Shown::Note(note) if note.contains("no. 2")));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        for words in ["", "\n\n", " \n\u{200b}\n", "\u{20e3}", "\u{301}\n\u{301}"] {
            assert_eq!(shown(&lines(words, &mut Whole::default())), ["(nothing)"], "{words:?}");
        }
    }
}
