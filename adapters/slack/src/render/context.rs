//! Small print. Words stand in elements of plain text, in which Slack interprets nothing; only a time, which holds no words of
//! anybody, stands in one of Slack's own language, so that it is told in the zone of its reader.

use jiff::Timestamp;
use kubewhy_text::{Span, Text};
use slack_morphism::prelude::{
    SlackBlock, SlackBlockMarkDownText, SlackBlockPlainText, SlackContextBlock, SlackContextBlockElement,
};

use super::{inline, words};
use crate::limits;

/// The blocks of a text in small print, and whether words of it were cut.
pub(super) fn blocks(text: &Text) -> (Vec<SlackBlock>, bool) {
    let mut line = Line::default();
    for span in text.spans() {
        match span {
            Span::Own(own) => line.words.push_str(own),
            Span::Name(foreign) | Span::Code(foreign) => line.foreign(foreign, ("", "")),
            Span::Untrusted(foreign) => {
                // Words that hold quotation marks themselves stand in the other kind.
                let marks = if foreign.contains('"') { ("\u{201c}", "\u{201d}") } else { ("\"", "\"") };
                line.foreign(foreign, marks);
            }
            Span::Time(time) => line.time(*time),
        }
    }
    line.close();
    (grouped(line.elements), line.cut)
}

#[derive(Default)]
struct Line {
    elements: Vec<SlackContextBlockElement>,
    words: String,
    cut: bool,
}

impl Line {
    fn foreign(&mut self, foreign: &str, (open, close): (&str, &str)) {
        let (kept, rest) = words::shown(foreign, limits::WORDS);
        self.words.push_str(&format!("{open}{kept}{close}"));
        if rest > 0 {
            self.cut = true;
            self.words.push_str(&format!(" … ({rest} more characters)"));
        }
    }

    fn time(&mut self, time: Timestamp) {
        self.close();
        let token = format!("<!date^{}^{}|{}>", time.as_second(), inline::TIME, inline::utc(time));
        self.elements.push(SlackBlockMarkDownText::new(token).with_verbatim(true).into());
    }

    /// Ends the words before a time or the end. The room between elements stands for the spaces.
    fn close(&mut self) {
        let words = std::mem::take(&mut self.words);
        let safe = words::without_brackets(&words::clean(&words));
        let mut rest = safe.trim();
        while !rest.is_empty() {
            let (first, more) = words::part(rest, limits::TEXT_OBJECT / 2, limits::character);
            let text = SlackBlockPlainText::new(first.trim_end().to_owned()).with_emoji(false);
            if !text.text.is_empty() {
                self.elements.push(text.into());
            }
            rest = more.trim_start();
        }
    }
}

fn grouped(elements: Vec<SlackContextBlockElement>) -> Vec<SlackBlock> {
    let mut blocks = Vec::new();
    let mut open = Vec::new();
    let mut used = 0;
    for element in elements {
        let weight = limits::weight(&element) + 1;
        if open.len() == limits::CONTEXT_ELEMENTS || used + weight > limits::BLOCK / 2 {
            blocks.push(std::mem::take(&mut open));
            used = 0;
        }
        used += weight;
        open.push(element);
    }
    blocks.push(open);
    blocks.into_iter().filter(|elements| !elements.is_empty()).map(|open| SlackContextBlock::new(open).into()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kubewhy_text::{name, text};
    use serde_json::json;

    use super::blocks;

    #[test]
    fn a_time_in_small_print_is_told_in_the_zone_of_its_reader() {
        let text = text!["Pod ", name("a<b"), " since ", Timestamp::UNIX_EPOCH, " or so"];
        let elements = serde_json::to_value(blocks(&text).0).unwrap()[0]["elements"].clone();
        assert_eq!(
            elements,
            json!([
                {"type": "plain_text", "text": "Pod a‹b since", "emoji": false},
                {"type": "mrkdwn", "verbatim": true,
                 "text": "<!date^0^{date_short_pretty} {time_secs}|1970-01-01 00:00:00 UTC>"},
                {"type": "plain_text", "text": "or so", "emoji": false},
            ])
        );
    }

    #[test]
    fn nothing_makes_no_block() {
        assert_eq!(blocks(&text![" ", name("")]).0, []);
    }
}
