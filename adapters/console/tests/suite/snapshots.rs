//! Every sample as people see it, committed: a changed form is a changed file. A stale file is rewritten, and the test fails.

use std::fs;
use std::path::Path;

use kubewhy_chat::{Block, Message, samples};
use kubewhy_console::{Details, View, markdown, render};
use kubewhy_text::Text;

const WIDTHS: [usize; 3] = [40, 80, 120];

fn view(width: usize) -> View {
    View { width, now: Some(samples::now()), ..View::default() }
}

/// A snapshot keeps a page or two: of a message without end its beginning and end.
fn shortened(rendered: &str) -> String {
    const LINES: usize = 60;
    const COLUMNS: usize = 300;
    let cut = |line: &str| match line.char_indices().nth(COLUMNS) {
        Some((end, _)) => format!("{}<and {} more>", &line[..end], line[end..].chars().count()),
        None => line.to_owned(),
    };
    let lines: Vec<String> = rendered.lines().map(cut).collect();
    if lines.len() <= 2 * LINES {
        return lines.join("\n") + "\n";
    }
    let middle = format!("<{} more lines>", lines.len() - 2 * LINES);
    [&lines[..LINES], &[middle], &lines[lines.len() - LINES..]].concat().join("\n") + "\n"
}

fn check(file: &str, form: impl Fn(&Message) -> String) -> Vec<String> {
    let mut stale = Vec::new();
    for (name, message) in samples::all() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.{file}"));
        // Escape sequences are written out, so that the files can be read and compared by eye.
        let fresh = shortened(&form(&message)).replace('\u{1b}', "␛");
        if fs::read_to_string(&path).ok().as_deref() != Some(fresh.as_str()) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, fresh).unwrap();
            stale.push(path.display().to_string());
        }
    }
    stale
}

#[test]
fn what_is_below_is_named_only_where_that_fits_a_line() {
    let below = |headings: &[&'static str]| {
        let first = Message { headline: Text::from("x"), ..Message::default() };
        let message =
            headings.iter().fold(first, |message, heading| message.below(Block::Heading(Text::from(*heading))));
        render(&message, &View { details: Details::Below, ..view(80) })
    };
    assert!(below(&["Evidence", "What was looked at"]).ends_with("details: Evidence, What was looked at\n"));
    let many = below(&["The volume of pod ledger-db is still held", "Node worker-2 does not answer"]);
    assert!(many.ends_with("\n  Type \"more\" for the details\n"), "{many}");
}

#[test]
fn samples_look_as_committed() {
    let mut stale = Vec::new();
    for width in WIDTHS {
        stale.extend(check(&format!("{width}.txt"), |message| render(message, &view(width))));
    }
    stale.extend(check("80.colour.txt", |message| {
        render(message, &View { colour: true, hyperlinks: true, ..view(80) })
    }));
    stale.extend(check("first-screen.txt", |message| render(message, &View { details: Details::Below, ..view(80) })));
    stale.extend(check("md", markdown));
    assert!(stale.is_empty(), "these were stale and are rewritten; read what changed: {stale:#?}");
}
