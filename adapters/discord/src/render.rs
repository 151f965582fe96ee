//! A message and a form as Discord shows them. Pure: no clock, no network; the same message gives the same form.
//!
//! Words of a cluster or a person stand in code spans and fences only, which they cannot close; nothing else is foreign in the
//! markup that is made here. What does not fit goes on in further messages, and beyond those in a text file.

mod blocks;
mod components;
mod fence;
mod line;
mod modal;
mod pages;
mod plain;
mod whole;

use kubewhy_chat::{Message, Tone};
use serenity::all::Colour;
use serenity::builder::{CreateActionRow, CreateEmbed};

use crate::limits;
use blocks::Blocks;
use pages::Page;

pub use modal::{NOTE_FIELD, modal};

/// A message of Discord.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    /// Words above the embeds; empty where the embeds say all.
    pub content: String,
    /// What is shown, in its colour.
    pub embeds: Vec<CreateEmbed>,
    /// Buttons and menus.
    pub components: Vec<CreateActionRow>,
    /// What is attached: an embed refers to its picture as `attachment://NAME`, so that they are sent together.
    pub files: Vec<File>,
}

/// A file that is attached to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name with its ending: ASCII letters, digits, `-`, `.` and `_`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A message in Discord's form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendering {
    /// What is read first.
    pub first: Screen,
    /// What stands one tap below it, in order.
    pub thread: Vec<Screen>,
    /// How the thread is called: 1 to 100 characters, plain and harmless.
    pub thread_name: String,
}

/// Renders a message.
pub fn render(message: &Message) -> Rendering {
    let mut blocks = Blocks::default();
    let (title, is_whole) = line::title(message);
    if !is_whole {
        blocks.headline(&message.headline);
    }
    blocks.first_screen(&message.blocks);
    blocks.thread(&message.thread);
    let (mut pages, whole) = blocks.into_pages();
    if let (Some(last), Some(file)) = (pages.last_mut(), whole) {
        last.files.push(file);
    }
    let mut screens = pages.into_iter();
    let first = first_screen(message.tone, title, screens.next().unwrap_or_default());
    Rendering {
        first,
        thread: screens.map(|page| screen(CreateEmbed::new(), page)).collect(),
        thread_name: plain::thread_name(message),
    }
}

fn first_screen(tone: Tone, title: String, page: Page) -> Screen {
    let mut embed = CreateEmbed::new();
    if let Some(colour) = colour(tone) {
        embed = embed.colour(colour);
    }
    let says_nothing = title.is_empty() && page.text.is_empty() && page.pictures.is_empty();
    if !title.is_empty() {
        embed = embed.title(title);
    }
    if says_nothing {
        embed = embed.description("-# (an empty message)");
    }
    screen(embed, page)
}

fn screen(mut embed: CreateEmbed, page: Page) -> Screen {
    let Page { text, pictures, components, mut files, .. } = page;
    if !text.is_empty() {
        embed = embed.description(text);
    }
    let mut names = pictures.iter().map(|picture| picture.name.clone());
    if let Some(name) = names.next() {
        embed = embed.attachment(name);
    }
    // An embed shows one picture.
    let others = names.map(|name| CreateEmbed::new().attachment(name));
    let embeds = std::iter::once(embed).chain(others).take(limits::EMBEDS).collect();
    files.splice(..0, pictures);
    Screen { content: String::new(), embeds, components, files }
}

/// The colour beside the headline, which says by mark and word what it means.
fn colour(tone: Tone) -> Option<Colour> {
    let colour = match tone {
        Tone::Plain => return None,
        Tone::Failing => 0x00ED_4245,
        Tone::Degraded => 0x00F0_A020,
        Tone::Pending => 0x0058_65F2,
        Tone::Healthy => 0x0023_A55A,
        Tone::Unknown | Tone::Refused => 0x0080_848E,
    };
    Some(Colour::new(colour))
}
