//! Every sample as Discord is sent it, committed: a changed form is a changed file. A stale file is rewritten, and the test
//! fails.

use std::fs;
use std::path::Path;

use kubewhy_chat::{Block, Field, Form, samples};
use kubewhy_discord::registration::{self, commands};
use kubewhy_discord::render::{Screen, modal, render};
use kubewhy_text::{Text, name, text};
use serde_json::{Value, json};

/// Compares with the file of that name, and rewrites it where it differs.
fn check(name: &str, fresh: &Value) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms").join(format!("{name}.json"));
    let fresh = format!("{}\n", serde_json::to_string_pretty(&shortened(fresh)).unwrap());
    if fs::read_to_string(&path).ok().as_deref() == Some(fresh.as_str()) {
        return None;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, fresh).unwrap();
    Some(path.display().to_string())
}

/// Keeps of words without end their beginning and end.
fn shortened(value: &Value) -> Value {
    const MOST: usize = 1_500;
    match value {
        Value::String(words) if words.chars().count() > MOST => {
            let characters: Vec<char> = words.chars().collect();
            let (start, end) = (&characters[..MOST / 2], &characters[characters.len() - MOST / 2..]);
            let left_out = characters.len() - start.len() - end.len();
            format!("{}<{left_out} more>{}", start.iter().collect::<String>(), end.iter().collect::<String>()).into()
        }
        Value::Array(all) => all.iter().map(shortened).collect(),
        Value::Object(all) => all.iter().map(|(key, value)| (key.clone(), shortened(value))).collect(),
        other => other.clone(),
    }
}

fn screen(screen: &Screen) -> Value {
    let files: Vec<String> =
        screen.files.iter().map(|file| format!("{}, {} bytes", file.name, file.bytes.len())).collect();
    json!({"content": screen.content, "embeds": screen.embeds, "components": screen.components, "files": files})
}

#[test]
fn samples_look_as_committed() {
    let mut stale = Vec::new();
    for (name, message) in samples::all() {
        let rendering = render(&message);
        let thread: Vec<Value> = rendering.thread.iter().map(screen).collect();
        let form = json!({"thread_name": rendering.thread_name, "first": screen(&rendering.first), "thread": thread});
        stale.extend(check(name, &form));
    }
    assert!(stale.is_empty(), "these were stale and are rewritten; read what changed: {stale:#?}");
}

#[test]
fn forms_and_commands_look_as_committed() {
    let form = Form {
        title: text!["Delete Node ", name("worker-2")],
        blocks: vec![Block::Paragraph(text!["5 pods are lost with ", name("worker-2"), ". This cannot be undone."])],
        fields: vec![Field {
            id: "name".to_owned(),
            label: Text::from("Type the name of the node"),
            placeholder: text![name("worker-2")],
            most: 253,
        }],
        submit: Text::from("Delete"),
        token: "0aF".to_owned(),
    };
    let mut stale: Vec<String> = check("modal", &json!(modal(&form, "0f:0aF"))).into_iter().collect();
    stale.extend(check("commands", &json!(commands())));
    assert!(stale.is_empty(), "these were stale and are rewritten; read what changed: {stale:#?}");
}

#[test]
fn the_commands_stay_within_what_discord_takes_together() {
    fn words(value: &Value) -> usize {
        let own: usize = ["name", "description", "value"]
            .iter()
            .filter_map(|key| value.get(key).and_then(Value::as_str))
            .map(kubewhy_discord::limits::length)
            .sum();
        own + value.get("options").and_then(Value::as_array).into_iter().flatten().map(words).sum::<usize>()
    }
    for command in commands() {
        assert!(words(&json!(command)) <= kubewhy_discord::limits::COMMAND_TOGETHER);
    }
    assert_eq!(registration::fingerprint(&commands()).len(), 16);
}
