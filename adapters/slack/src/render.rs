//! A message in the form of Slack: blocks, threads and files.
//!
//! Foreign words stand only where Slack interprets nothing: in `text` elements of rich text and in plain text. Slack's own
//! language (`mrkdwn`) is used for times alone. So no words of a cluster can ping, link or format, whatever they are; they are
//! cleaned and cut in [`words`] all the same, and marked by the look of code.

mod context;
mod inline;
mod layout;
mod modal;
mod picture;
mod piece;
mod press;
mod table;
mod whole;
mod words;

use kubewhy_chat::{Form, Message, Tone};
use kubewhy_text::Text;
use slack_morphism::prelude::{SlackBlock, SlackMessageAttachment, SlackMessageContent, SlackView};

use crate::limits;
use layout::Layout;
use piece::{Piece, Pieces, Surface};

/// What is posted as one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// What a notification shows, and who cannot see blocks: escaped, without any sign of Slack.
    pub text: String,
    /// What is shown.
    pub blocks: Vec<SlackBlock>,
    /// The colour of the bar beside the blocks below the first; comes on top of mark and word.
    pub color: Option<&'static str>,
}

/// A file that goes into the thread of the first screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with its ending.
    pub name: String,
    /// What it shows, in words.
    pub title: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A message in the form of Slack.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering {
    /// What stands in the channel.
    pub first: Screen,
    /// What stands in its thread, in order.
    pub thread: Vec<Screen>,
    /// Pictures, and the whole message as text where it is too long for Slack.
    pub files: Vec<File>,
}

impl Screen {
    /// Its form for `chat.postMessage` and `chat.update`. What has a colour stands in an attachment, since only those have one;
    /// the headline stays outside, as Slack would show [`Screen::text`] above it otherwise.
    pub fn content(&self) -> SlackMessageContent {
        let content = SlackMessageContent::new().with_text(self.text.clone());
        match (self.color, self.blocks.split_first()) {
            (Some(color), Some((headline, rest))) if !rest.is_empty() => {
                let bar = SlackMessageAttachment::new()
                    .with_color(color.to_owned())
                    .with_fallback(self.text.clone())
                    .with_blocks(rest.to_vec());
                content.with_blocks(vec![headline.clone()]).with_attachments(vec![bar])
            }
            _ => content.with_blocks(self.blocks.clone()),
        }
    }
}

/// Renders a message within the limits of Slack. What does not fit the first screen goes on in the thread, and what is too
/// long even for that stands in a file; the screen says so.
///
/// The value behind a button or an option is [`kubewhy_chat::Press::encode`] of its place among all buttons of the message;
/// a command that is too long for that is told in words.
pub fn render(message: &Message) -> Rendering {
    let mut pieces = Pieces::new(Surface::Message);
    pieces.headline(message);
    pieces.blocks(&message.blocks);
    let first = pieces.take();
    pieces.blocks(&message.thread);
    let thread = pieces.take();
    let layout = layout::lay_out(first, thread);
    let cut = pieces.cut || layout.left_out > 0;
    let Layout { mut first, goes_on, mut thread, left_out } = layout;
    if let Some(last) = thread.last_mut().filter(|_| left_out > 0) {
        last.push(note(&mut pieces, "More of it than fits a thread is in the file "));
    }
    let hint = match (goes_on, cut) {
        (false, false) => None,
        (true, false) => Some(small(&mut pieces, Text::from("It goes on in the thread."))),
        (true, true) => Some(note(&mut pieces, "It goes on in the thread. What is too long for Slack is in the file ")),
        (false, true) => Some(note(&mut pieces, "What is too long for Slack is in the file ")),
    };
    if first.is_empty() && hint.is_none() {
        first.push(small(&mut pieces, Text::from("(an empty message)")));
    }
    first.extend(hint);
    let mut files = std::mem::take(&mut pieces.files);
    if cut {
        files.push(whole::file(message));
    }
    let color = color(message.tone).filter(|_| can_be_coloured(&first));
    Rendering {
        first: screen(first, color),
        thread: thread.into_iter().map(|pieces| screen(pieces, None)).collect(),
        files,
    }
}

/// Renders a form as a modal; `private_metadata` comes back with what is filled in. Each field is a block whose `block_id`, and
/// whose element's `action_id`, is the field's id.
pub fn view(form: &Form, private_metadata: &str) -> SlackView {
    modal::view(form, private_metadata)
}

/// A line of ours that names the file with the whole message.
fn note(pieces: &mut Pieces, lead: &'static str) -> Piece {
    let mut text = Text::from(lead);
    text.push(whole::FILE);
    text.push(" in the thread.");
    small(pieces, text)
}

/// A line of ours in small print.
fn small(pieces: &mut Pieces, text: Text) -> Piece {
    pieces.context(&text);
    let words = text.plain();
    let block = pieces.take().pop().map(|piece| piece.block);
    Piece { words, ..Piece::new(block.unwrap_or_else(|| slack_morphism::prelude::SlackDividerBlock::new().into())) }
}

fn screen(pieces: Vec<Piece>, color: Option<&'static str>) -> Screen {
    let lines: Vec<&str> =
        pieces.iter().map(|piece| piece.words.as_str()).filter(|words| !words.trim().is_empty()).collect();
    let all = lines.join("\n");
    let (kept, rest) = words::part(&all, limits::TEXT, char::len_utf16);
    let ellipsis = if rest.is_empty() { "" } else { "…" };
    let text = if all.is_empty() { "More of it".to_owned() } else { words::without_signs(kept) + ellipsis };
    Screen { text, blocks: pieces.into_iter().map(|piece| piece.block).collect(), color }
}

/// The colour of a state.
fn color(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain | Tone::Refused => None,
        Tone::Failing => Some("#c62828"),
        Tone::Degraded => Some("#ef8f00"),
        Tone::Pending => Some("#1e78c8"),
        Tone::Healthy => Some("#2e7d32"),
        Tone::Unknown => Some("#757575"),
    }
}

/// Whether the blocks below the headline are so few that Slack shows all of them beside a bar of colour.
fn can_be_coloured(pieces: &[Piece]) -> bool {
    let below = pieces.iter().skip(1);
    let weight: usize = below.clone().map(|piece| piece.weight).sum();
    below.clone().count() <= limits::COLOURED_BLOCKS && weight <= limits::COLOURED && below.count() > 0
}
