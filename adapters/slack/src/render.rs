//! A message in the form of Slack: blocks, threads and files.

use kubewhy_chat::{Form, Message};
use slack_morphism::prelude::{
    SlackBlock, SlackBlockPlainText, SlackMessageAttachment, SlackMessageContent, SlackModalView, SlackSectionBlock,
    SlackView,
};

/// What is posted as one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// What a notification shows, and who cannot see blocks: escaped, without any control sequence.
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
    /// Pictures, and what is too long for messages.
    pub files: Vec<File>,
}

impl Screen {
    /// Its form for `chat.postMessage` and `chat.update`.
    pub fn content(&self) -> SlackMessageContent {
        let content = SlackMessageContent::new().with_text(self.text.clone());
        match (self.color, self.blocks.split_first()) {
            (Some(color), Some((headline, rest))) if !rest.is_empty() => {
                let bar = SlackMessageAttachment::new().with_color(color.to_owned()).with_blocks(rest.to_vec());
                content.with_blocks(vec![headline.clone()]).with_attachments(vec![bar])
            }
            _ => content.with_blocks(self.blocks.clone()),
        }
    }
}

/// Renders a message within the limits of Slack.
pub fn render(message: &Message) -> Rendering {
    let text = message.headline.plain();
    let words = SlackBlockPlainText::new(text.chars().take(2_000).collect());
    let first = Screen {
        text: text.chars().take(1_000).collect(),
        blocks: vec![SlackSectionBlock::new().with_text(words.into()).into()],
        color: None,
    };
    Rendering { first, thread: Vec::new(), files: Vec::new() }
}

/// Renders a form as a modal; `private_metadata` comes back with what is filled in.
pub fn view(form: &Form, private_metadata: &str) -> SlackView {
    let title: String = form.title.plain().chars().take(24).collect();
    SlackView::Modal(
        SlackModalView::new(title.as_str().into(), Vec::new())
            .with_callback_id("form".into())
            .with_private_metadata(private_metadata.to_owned()),
    )
}
