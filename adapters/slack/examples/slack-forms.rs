//! Writes what Slack is sent, for validators that are not ours: `cargo run -p kubewhy-slack --example slack-forms -- FOLDER`.
//!
//! `samples.jsonl` and `hostile.jsonl` hold a message a line, `views.jsonl` a modal, `manifest.json` the app.

use std::fs::File;
use std::io::{BufWriter, Error, Write as _};
use std::path::{Path, PathBuf};

use kubewhy_chat::{Block, Field, Form, Message, samples};
use kubewhy_slack::manifest::manifest;
use kubewhy_slack::render::{Rendering, render, view};
use kubewhy_text::{Text, name, text};
use serde_json::json;

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).map(PathBuf::from).ok_or_else(|| Error::other("name a folder"))?;
    std::fs::create_dir_all(&folder)?;
    let mut samples_out = lines(&folder, "samples.jsonl")?;
    for (name, message) in samples::all() {
        write_message(&mut samples_out, name, None, &message)?;
    }
    let mut hostile_out = lines(&folder, "hostile.jsonl")?;
    let mut views_out = lines(&folder, "views.jsonl")?;
    let plain = "cart".to_owned();
    for (index, words) in std::iter::once(plain).chain(samples::hostile_strings()).enumerate() {
        let name = format!("hostile {index}");
        let shown: String = words.chars().take(80).collect();
        let injected = (index > 0).then_some(shown.as_str());
        for (template, message) in samples::hostile(&words) {
            write_message(&mut hostile_out, &format!("{name} {template}"), injected, &message)?;
        }
        let view = view(&form(&words), "0123456789abcdef");
        let line = json!({"name": name, "injected": injected, "view": view});
        writeln!(views_out, "{line}")?;
    }
    let manifest = serde_json::to_string_pretty(&manifest("/why"))?;
    std::fs::write(folder.join("manifest.json"), manifest)?;
    samples_out.flush()?;
    hostile_out.flush()?;
    views_out.flush()
}

fn lines(folder: &Path, name: &str) -> Result<BufWriter<File>, Error> {
    Ok(BufWriter::new(File::create(folder.join(name))?))
}

fn write_message(
    out: &mut impl std::io::Write,
    name: &str,
    injected: Option<&str>,
    message: &Message,
) -> Result<(), Error> {
    let Rendering { first, thread, .. } = render(message);
    for (index, screen) in std::iter::once(first).chain(thread).enumerate() {
        let line = json!({
            "name": format!("{name} #{index}"),
            "injected": injected,
            "message": screen.content(),
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A form with the words wherever foreign words can stand in one.
fn form(words: &str) -> Form {
    let message = samples::hostile(words).into_iter().next().map(|(_, message)| message).unwrap_or_default();
    Form {
        title: text!["Delete Pod ", name(words)],
        blocks: std::iter::once(Block::Paragraph(Text::from("This cannot be undone."))).chain(message.blocks).collect(),
        fields: vec![Field {
            id: "name".to_owned(),
            label: text!["Type ", name(words)],
            placeholder: text![name(words)],
            most: 253,
        }],
        submit: text!["Delete ", name(words)],
        token: String::new(),
    }
}
