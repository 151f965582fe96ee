//! Every sample as it is sent, committed: a changed form is a changed file. A stale file is rewritten, and the test fails.

use std::fs;
use std::path::Path;

use kubewhy_chat::{Block, Button, Field, Form, Press, Style, samples};
use kubewhy_slack::manifest::manifest;
use kubewhy_slack::render::{Rendering, render, view};
use kubewhy_text::{Text, code, name, text};
use serde_json::{Value, json};

/// A snapshot keeps a page or two: of a list without end its beginning, of long words their beginning.
fn shortened(value: Value) -> Value {
    const ITEMS: usize = 12;
    const LETTERS: usize = 600;
    match value {
        Value::Array(mut items) => {
            let more = items.len().saturating_sub(ITEMS);
            items.truncate(ITEMS);
            let mut items: Vec<Value> = items.into_iter().map(shortened).collect();
            if more > 0 {
                items.push(json!(format!("<and {more} more>")));
            }
            Value::Array(items)
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        Value::String(words) => match words.char_indices().nth(LETTERS) {
            Some((end, _)) => json!(format!("{}<and {} more>", &words[..end], words[end..].chars().count())),
            None => Value::String(words),
        },
        other => other,
    }
}

fn rendered(Rendering { first, thread, files }: Rendering) -> Value {
    let file = |file: kubewhy_slack::render::File| {
        let content = if file.name.ends_with(".txt") {
            json!(String::from_utf8(file.bytes).expect("a text is text"))
        } else {
            json!(format!("{} bytes", file.bytes.len()))
        };
        json!({"name": file.name, "title": file.title, "content": content})
    };
    let screens = |screen: kubewhy_slack::render::Screen| serde_json::to_value(screen.content()).unwrap();
    json!({
        "first": screens(first),
        "thread": thread.into_iter().map(screens).collect::<Vec<_>>(),
        "files": files.into_iter().map(file).collect::<Vec<_>>(),
    })
}

/// Whether the committed file says the same; if not, it is rewritten.
fn is_fresh(file: &str, value: Value) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms").join(file);
    let fresh = serde_json::to_string_pretty(&shortened(value)).unwrap() + "\n";
    if fs::read_to_string(&path).ok().as_deref() == Some(fresh.as_str()) {
        return true;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, fresh).unwrap();
    false
}

pub(crate) fn form() -> Form {
    Form {
        title: text!["Delete Pod ", name("shop/cart-7c9d5f6b8-x2x4q")],
        blocks: vec![
            Block::Paragraph(text!["Its volume ", name("data-cart-0"), " goes with it. This cannot be undone."]),
            Block::Commands(vec!["kubectl -n shop delete pod cart-7c9d5f6b8-x2x4q".to_owned()]),
            Block::Buttons(vec![Button {
                label: Text::from("Runbook"),
                press: Press::Link("https://runbooks.example.com/delete-pod".to_owned()),
                style: Style::Normal,
            }]),
        ],
        fields: vec![
            Field {
                id: "name".to_owned(),
                label: Text::from("Type the name of the Pod"),
                placeholder: text![code("cart-7c9d5f6b8-x2x4q")],
                most: 253,
            },
            Field { id: "reason".to_owned(), label: Text::from("Why"), placeholder: Text::default(), most: 80 },
        ],
        submit: Text::from("Delete"),
        token: "t-9".to_owned(),
    }
}

#[test]
fn samples_look_as_committed() {
    let mut stale: Vec<String> = samples::all()
        .into_iter()
        .filter(|(name, message)| !is_fresh(&format!("{name}.json"), rendered(render(message))))
        .map(|(name, _)| name.to_owned())
        .collect();
    for (name, value) in [
        ("form.view.json", serde_json::to_value(view(&form(), "t-9")).unwrap()),
        (
            "empty.view.json",
            serde_json::to_value(view(&Form { fields: Vec::new(), blocks: Vec::new(), ..form() }, "")).unwrap(),
        ),
        ("manifest.json", manifest("/why")),
    ] {
        if !is_fresh(name, value) {
            stale.push(name.to_owned());
        }
    }
    assert!(stale.is_empty(), "these were stale and are rewritten; read what changed: {stale:#?}");
}
