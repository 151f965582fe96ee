//! Writes all that is rendered as JSON, for validators that nobody here wrote: `cargo run -p kubewhy-discord --example discord-forms -- DIR`.
#![expect(clippy::print_stderr, reason = "its user is at a terminal")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use kubewhy_chat::{Block, Field, Form, Message, samples};
use kubewhy_discord::{registration, render};
use kubewhy_text::{Text, name, quoted, text};
use serde_json::{Value, json};

/// Words that do nothing, in the shapes that change what is said around them.
const HARMLESS: &[(&str, usize)] = &[
    ("", 1),
    ("\n", 50_000),
    ("zqxj", 1),
    ("zqxj", 63),
    ("zqxj ", 2),
    ("zqxj", 20),
    ("zqxj ", 300),
    ("zqxj ", 20_000),
    ("zqxj\n", 20_000),
    ("zqxj```", 1),
];

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: forms DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let all = samples::all().into_iter().map(|(name, message)| rendered(name, &message));
    lines(&folder.join("samples.jsonl"), all)?;
    // What a template shows around foreign words is told by showing it with words that are none of ours, short and long.
    let harmless = HARMLESS.iter().flat_map(|(words, times)| samples::hostile(&words.repeat(*times)));
    lines(&folder.join("templates.jsonl"), harmless.map(|(template, message)| rendered(template, &message)))?;
    let hostile = samples::hostile_strings().into_iter().chain(signs()).enumerate();
    let hostile = hostile.flat_map(|(number, words)| {
        samples::hostile(&words).into_iter().map(move |(template, message)| (format!("{template} {number}"), message))
    });
    lines(&folder.join("hostile.jsonl"), hostile.map(|(name, message)| rendered(&name, &message)))?;
    lines(&folder.join("forms.jsonl"), forms().into_iter().map(|(name, form)| form_of(&name, &form)))?;
    let commands = registration::commands().into_iter().map(|command| json!({"name": "command", "command": command}));
    lines(&folder.join("commands.jsonl"), commands)
}

/// Signs of Discord's markup in an order that nobody chose, the same each time.
fn signs() -> impl Iterator<Item = String> {
    const SIGNS: [&str; 36] = [
        "`",
        "``",
        "```",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "||",
        "\\",
        "\n",
        "\n> ",
        "\n# ",
        "\n-# ",
        "\n- ",
        "\n1. ",
        " ",
        "<",
        ">",
        "<@1>",
        "<#1>",
        "<t:1:R>",
        "<:a:1>",
        "@here",
        "@everyone",
        "[",
        "](",
        ")",
        "https://evil.example",
        "a",
        "b",
        "\u{301}",
        "\u{200b}",
        "\t",
        "😀",
        "ˋ",
    ];
    const STRINGS: usize = 1_000;
    let mut state: u64 = 5;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    (0..STRINGS).map(move |_| {
        let length = 1 + next(24);
        (0..length).filter_map(|_| SIGNS.get(next(SIGNS.len()))).copied().collect()
    })
}

fn lines(path: &Path, values: impl Iterator<Item = Value>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for value in values {
        serde_json::to_writer(&mut out, &value)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn rendered(name: &str, message: &Message) -> Value {
    let rendering = render::render(message);
    let screens: Vec<Value> = std::iter::once(&rendering.first).chain(&rendering.thread).map(screen).collect();
    json!({"name": name, "thread_name": rendering.thread_name, "screens": screens})
}

fn screen(screen: &render::Screen) -> Value {
    let files: Vec<Value> =
        screen.files.iter().map(|file| json!({"name": file.name, "bytes": file.bytes.len()})).collect();
    json!({
        "message": {"content": screen.content, "embeds": screen.embeds, "components": screen.components},
        "files": files,
    })
}

fn form_of(name: &str, form: &Form) -> Value {
    json!({"name": name, "modal": render::modal(form, "0f:token")})
}

fn forms() -> Vec<(String, Form)> {
    let mut forms = vec![
        ("typed name".to_owned(), form("delete node worker-2")),
        ("nothing asked".to_owned(), Form { fields: Vec::new(), blocks: Vec::new(), ..form("x") }),
    ];
    let hostile = samples::hostile_strings().into_iter().enumerate();
    forms.extend(hostile.map(|(number, words)| (format!("hostile {number}"), form(&words))));
    forms
}

fn form(words: &str) -> Form {
    Form {
        title: text!["Delete ", name(words)],
        blocks: vec![Block::Paragraph(text!["Its words: ", quoted(words)]), Block::Code(words.to_owned())],
        fields: vec![
            Field {
                id: "typed".to_owned(),
                label: text!["Type ", name(words)],
                placeholder: text![name(words)],
                most: 253,
            },
            Field { id: "reason".to_owned(), label: Text::from("Why"), placeholder: Text::default(), most: 100_000 },
        ],
        submit: Text::from("Delete"),
        token: "token".to_owned(),
    }
}
