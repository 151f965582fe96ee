//! A text as elements of rich text. Slack interprets nothing in them: they are the home of foreign words, which stand in the
//! look of code, so that they cannot pass for ours.

use jiff::Timestamp;
use kubewhy_text::{Span, Text};
use slack_morphism::prelude::{
    SlackDateTime, SlackRichTextDate, SlackRichTextInlineElement, SlackRichTextSection, SlackRichTextText,
};

use super::words;
use crate::limits;

/// An element of rich text.
pub(super) type Inline = SlackRichTextInlineElement;

/// How a time is shown, in the zone of its reader: `today at 3:12:04 AM`.
pub(super) const TIME: &str = "{date_short_pretty} {time_secs}";

/// Whether words of ours are bold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Strong,
}

/// The elements of a text, and whether words of it were cut.
pub(super) fn elements(text: &Text, look: Look) -> (Vec<Inline>, bool) {
    let mut line = Line { look, elements: Vec::new(), cut: false };
    for span in text.spans() {
        match span {
            Span::Own(own) => line.own(&words::clean(own)),
            Span::Name(foreign) | Span::Code(foreign) => line.foreign(foreign, ""),
            Span::Untrusted(foreign) => line.foreign(foreign, "\"\""),
            Span::Time(time) => line.elements.push(date(*time)),
        }
    }
    (line.elements, line.cut)
}

/// A time; who cannot see it in their zone sees it in UTC.
fn date(time: Timestamp) -> Inline {
    SlackRichTextDate::new(SlackDateTime(time), TIME.to_owned()).with_fallback(utc(time)).into()
}

/// A time with its zone.
pub(super) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Words of ours.
pub(super) fn own(words: impl Into<String>, look: Look) -> Inline {
    let text = SlackRichTextText::new(words.into());
    match look {
        Look::Plain => text.into(),
        Look::Strong => text.bold().into(),
    }
}

/// Foreign words that are clean.
pub(super) fn code(words: impl Into<String>, look: Look) -> Inline {
    let text = SlackRichTextText::new(words.into()).code();
    match look {
        Look::Plain => text.into(),
        Look::Strong => text.bold().into(),
    }
}

struct Line {
    look: Look,
    elements: Vec<Inline>,
    cut: bool,
}

impl Line {
    fn own(&mut self, words: &str) {
        if !words.is_empty() {
            self.elements.push(own(words, self.look));
        }
    }

    /// Foreign words; where there are none, `none` says so.
    fn foreign(&mut self, words: &str, none: &str) {
        let (kept, rest) = words::shown(words, limits::WORDS);
        if kept.trim().is_empty() {
            self.own(none);
        } else {
            self.elements.push(code(kept, self.look));
        }
        if rest > 0 {
            self.cut = true;
            self.own(&format!(" … ({rest} more characters)"));
        }
    }
}

/// Elements in groups that each weigh at most `most`; what is heavier is parted at the end of a word.
pub(super) fn groups(elements: Vec<Inline>, most: usize) -> Vec<Vec<Inline>> {
    let mut groups = Groups { most, done: Vec::new(), open: Vec::new(), used: 0 };
    for element in elements {
        groups.add(element);
    }
    groups.finish()
}

struct Groups {
    most: usize,
    done: Vec<Vec<Inline>>,
    open: Vec<Inline>,
    used: usize,
}

impl Groups {
    fn add(&mut self, element: Inline) {
        let weight = limits::weight(&element) + 1;
        if self.used + weight > self.most && !self.open.is_empty() {
            self.close();
        }
        if self.used + weight <= self.most {
            self.used += weight;
            self.open.push(element);
            return;
        }
        let Inline::Text(text) = element else {
            self.open.push(element);
            self.close();
            return;
        };
        let empty = Inline::from(SlackRichTextText { text: String::new(), ..text.clone() });
        let room = self.most.saturating_sub(limits::weight(&empty) + 1);
        let mut words = text.text.as_str();
        while !words.is_empty() {
            let (first, rest) = words::part(words, room, limits::character);
            self.used = limits::string(first) + self.most.saturating_sub(room);
            self.open.push(SlackRichTextText { text: first.to_owned(), ..text.clone() }.into());
            if !rest.is_empty() {
                self.close();
            }
            words = rest;
        }
    }

    fn close(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
        self.used = 0;
    }

    fn finish(mut self) -> Vec<Vec<Inline>> {
        if !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}

/// Elements as a section; those beside each other that look alike become one.
pub(super) fn section(elements: Vec<Inline>) -> SlackRichTextSection {
    let mut merged: Vec<Inline> = Vec::with_capacity(elements.len());
    for element in elements {
        match (merged.last_mut(), &element) {
            (Some(Inline::Text(last)), Inline::Text(next)) if last.style == next.style && !is_code(next) => {
                last.text.push_str(&next.text);
            }
            _ => merged.push(element),
        }
    }
    SlackRichTextSection::new(merged)
}

fn is_code(text: &SlackRichTextText) -> bool {
    text.style.as_ref().is_some_and(|style| style.code == Some(true))
}

#[cfg(test)]
mod tests {
    use kubewhy_text::{name, quoted, text};

    use super::*;

    #[test]
    fn words_that_are_not_there_make_no_element() {
        assert_eq!(elements(&text!["", name("")], Look::Plain).0, []);
        assert_eq!(elements(&text!["is ", quoted("")], Look::Plain).0, [own("is \"\"", Look::Plain)]);
    }

    #[test]
    fn a_long_element_is_parted_into_groups_that_fit() {
        let long = own("word ".repeat(1_000), Look::Plain);
        let groups = groups(vec![own("first", Look::Strong), long], 500);
        assert!(groups.len() > 10);
        assert!(groups.iter().all(|group| limits::weight(group) <= 502));
        let all: usize = groups.iter().flatten().map(|element| limits::weight(element)).sum();
        assert!(all > 5_000, "nothing is lost");
    }
}
