//! `kubewhy catalogue`: the causes, from the registry.

use std::fmt::Write as _;

use kubewhy_core::nearest::nearest;
use kubewhy_diagnosis::causes::{Cause, Code};
use serde_json::{Value, json};

use crate::Ending;
use crate::cli::{CatalogueArgs, Format};
use crate::output::Output;

pub(crate) fn run(arguments: &CatalogueArgs, output: &mut Output) -> Ending {
    let Some(word) = &arguments.code else {
        output.answer(&list(arguments.output));
        return Ending::Fine;
    };
    let Ok(code) = word.to_ascii_lowercase().parse::<Code>() else {
        let near = nearest(word, Code::all().map(Code::as_str), 0.0, 3);
        output.error(&format!("no cause has the code \"{word}\"; did you mean {}?", near.join(", ")));
        return Ending::Usage;
    };
    let cause = code.cause();
    output.answer(&match arguments.output {
        Format::Json => pretty(&entry(cause)),
        Format::Markdown => format!("# {code}\n\n{}", cause.doc.trim()),
        Format::Text => {
            let stage: &str = cause.stage.into();
            let doc = cause
                .doc
                .lines()
                .map(|line| line.trim_start_matches("## ").trim_start())
                .collect::<Vec<_>>()
                .join("\n");
            format!("{code} (stage {stage}, since {})\n\n{}", cause.since, doc.trim())
        }
    });
    Ending::Fine
}

fn list(format: Format) -> String {
    match format {
        Format::Json => pretty(&Value::Array(Code::all().map(|code| entry(code.cause())).collect())),
        Format::Text | Format::Markdown => {
            let mut out = String::new();
            let mut stage = "";
            for code in Code::all() {
                let next: &str = code.cause().stage.into();
                if next != stage {
                    stage = next;
                    let space = if out.is_empty() { "" } else { "\n" };
                    let _ = writeln!(out, "{space}{}", heading(stage, format));
                }
                out.push_str(&line(code, format));
            }
            out
        }
    }
}

fn heading(stage: &str, format: Format) -> String {
    if format == Format::Markdown { format!("## {stage}\n") } else { stage.to_owned() }
}

fn line(code: Code, format: Format) -> String {
    let meaning = code.cause().meaning();
    if format == Format::Markdown {
        format!("- `{code}`: {meaning}\n")
    } else {
        format!("  {:<32} {meaning}\n", code.as_str())
    }
}

fn entry(cause: &Cause) -> Value {
    json!({"code": cause.code, "stage": cause.stage, "since": cause.since, "meaning": cause.meaning(), "doc": cause.doc})
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
