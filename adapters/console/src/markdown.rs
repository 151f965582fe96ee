//! A message for a ticket, in `CommonMark`: foreign words stand in code spans and fences, in which nothing is interpreted and
//! which they cannot close.

use kubewhy_chat::{Block, Message, Press, Table};
use kubewhy_text::{Text, code, text};

use crate::render::foreign::Cut;
use crate::render::table_lines;

/// How wide tables are.
const WIDTH: usize = 120;

/// Renders a message as `CommonMark`, its thread below the first screen. Buttons are left out, as nobody can press them there;
/// what one can choose from is a list.
pub fn markdown(message: &Message) -> String {
    let mut page = Page::default();
    let headline = page.line(&message.headline);
    match message.tone.mark_and_word() {
        Some((mark, word)) => page.part(&format!("## {mark} {word}: {headline}")),
        None if headline.is_empty() => {}
        None => page.part(&format!("## {headline}")),
    }
    message.blocks.iter().chain(&message.thread).for_each(|block| page.block(block));
    if page.cut.happened() {
        page.part("Words were cut here because they are too long; `-o json` has them whole.");
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    cut: Cut,
}

impl Page {
    /// Appends a part, with an empty line before it.
    fn part(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(part);
        self.out.push('\n');
    }

    fn line(&mut self, text: &Text) -> String {
        self.cut.text(text).markdown()
    }

    fn list(&mut self, mark: &str, items: &[Text]) {
        let lines: Vec<String> = items.iter().map(|item| format!("{mark} {}", self.line(item))).collect();
        self.part(&lines.join("\n"));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(heading) => {
                let heading = self.line(heading);
                self.part(&format!("### {heading}"));
            }
            Block::Paragraph(words) | Block::Context(words) => {
                let words = self.line(words);
                self.part(&words);
            }
            Block::Facts(facts) => {
                let items: Vec<Text> =
                    facts.iter().map(|fact| text![fact.name.clone(), ": ", fact.value.clone()]).collect();
                self.list("-", &items);
            }
            Block::Quote(quote) => {
                let mut source = text!["Seen in ", quote.source.clone()];
                if let Some(at) = quote.at {
                    source.push(text![" (", at, ")"]);
                }
                source.push(":");
                let source = self.line(&source);
                self.part(&source);
                self.fence(&quote.words);
            }
            Block::Code(lines) => self.fence(lines),
            Block::Commands(commands) => self.commands(commands),
            Block::Steps(steps) => {
                let lines: Vec<String> = steps
                    .iter()
                    .enumerate()
                    .map(|(index, step)| format!("{}. {}", index + 1, self.line(step)))
                    .collect();
                self.part(&lines.join("\n"));
            }
            Block::Points(points) => self.list("-", points),
            Block::Table(table) => self.table(table),
            Block::Image(image) => {
                let words = self.line(&text!["Picture: ", image.alt.clone(), " (", code(&image.file), ")"]);
                self.part(&words);
            }
            Block::Buttons(buttons) => {
                let pages = buttons.iter().filter_map(|button| match &button.press {
                    Press::Link(address) => Some(text![button.label.clone(), ": ", code(address)]),
                    Press::Command(_) | Press::Token(_) => None,
                });
                self.list("-", &pages.collect::<Vec<_>>());
            }
            Block::Choice(choice) => {
                let prompt = self.line(&choice.prompt);
                self.part(&prompt);
                let options: Vec<Text> = choice.options.iter().map(|(label, _)| label.clone()).collect();
                self.list("-", &options);
            }
        }
    }

    fn commands(&mut self, commands: &[String]) {
        let lines: Vec<String> = commands
            .iter()
            .map(|command| match self.cut.command(command) {
                Ok(command) => command,
                Err(characters) => format!("# a command of {characters} characters, too long to be copied"),
            })
            .collect();
        self.fenced("sh", &lines);
    }

    /// Columns are aligned in a fence: `CommonMark` has no tables, and in those of its dialects a `|` would part foreign words.
    fn table(&mut self, table: &Table) {
        let lines = table_lines(table, WIDTH, &mut self.cut);
        self.fenced("", &lines.lines().map(str::to_owned).collect::<Vec<_>>());
    }

    fn fence(&mut self, words: &str) {
        let lines = self.cut.lines(words);
        self.fenced("", &lines);
    }

    /// Lines in a fence that is longer than any run of back-ticks in them.
    fn fenced(&mut self, language: &str, lines: &[String]) {
        let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        self.part(&format!("{fence}{language}\n{}\n{fence}", lines.join("\n")));
    }
}
