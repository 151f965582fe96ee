//! The table of what is equal, as the README beside the requests holds it.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use serde_json::Value;

use crate::{
    compare::{Whole, step_differences},
    send::Answers,
    suite::{Area, Message},
};

const BEGIN: &str = "<!-- table: written by the test -->\n";
const END: &str = "<!-- end of the table -->\n";

/// What became of the requests of one behaviour.
#[derive(Debug, Default)]
struct Row {
    requests: usize,
    equal: usize,
    stated: usize,
}

/// The outcome of a comparison.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The table and the list of stated differences, in Markdown.
    pub(crate) text: String,
    /// What differs and is not stated, a line per field.
    pub(crate) unstated: Vec<String>,
    /// What is stated and does not differ.
    pub(crate) unfounded: Vec<String>,
    /// How many of how many requests are answered alike.
    pub(crate) equal: (usize, usize),
}

/// Compares the sandbox's answers with the real server's.
pub(crate) fn outcome(
    areas: &[Area],
    real: &BTreeMap<String, Answers>,
    sandbox: &BTreeMap<String, Answers>,
) -> Outcome {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut unstated, mut unfounded) = (Vec::new(), Vec::new());
    for (area, step) in areas.iter().flat_map(|area| area.steps.iter().map(move |step| (area, step))) {
        let find = |answers: &BTreeMap<String, Answers>| -> Option<Value> {
            answers.get(&area.name).and_then(|answers| answers.get(&step.name)).cloned()
        };
        let (real, sandbox) = (find(real), find(sandbox));
        let differences = step_differences(step, real.as_ref(), sandbox.as_ref(), Whole::Offered);
        let row = rows.entry(&step.behaviour).or_default();
        row.requests += 1;
        let name = format!("{}.yaml, \"{}\"", area.name, step.name);
        match (&step.differs, differences.is_empty()) {
            (None, true) => row.equal += 1,
            (Some(reason), false) => {
                row.stated += 1;
                let codes = [&real, &sandbox].map(|answer| answer.as_ref().and_then(|answer| answer["code"].as_u64()));
                let codes = codes.map(|code| code.map_or_else(|| "-".to_owned(), |code| code.to_string()));
                reasons.entry(reason).or_default().push(format!("{name}: {} there, {} here", codes[0], codes[1]));
            }
            (Some(_), true) => unfounded.push(name),
            (None, false) => unstated.push(format!("{name} ({})\n    {}", step.send, differences.join("\n    "))),
        }
    }
    let equal = (rows.values().map(|row| row.equal).sum(), rows.values().map(|row| row.requests).sum());
    let mut text = markdown(&rows, &reasons, equal);
    let loose: Vec<String> = areas
        .iter()
        .flat_map(|area| area.steps.iter().map(move |step| (area, step)))
        .filter(|(_, step)| step.message == Message::Loose)
        .map(|(area, step)| format!("- {}.yaml, \"{}\"\n", area.name, step.name))
        .collect();
    let heading = "\n## Compared without the text of the Status\nThe text names types or quotes structures of the server's source.\n";
    text.push_str(heading);
    text.push_str(&loose.concat());
    Outcome { text, unstated, unfounded, equal }
}

fn markdown(rows: &BTreeMap<&str, Row>, reasons: &BTreeMap<&str, Vec<String>>, equal: (usize, usize)) -> String {
    let mut text = String::from("| Behaviour | Requests | Equal | Stated differences |\n|---|---:|---:|---:|\n");
    for (behaviour, Row { requests, equal, stated }) in rows {
        writeln!(text, "| {behaviour} | {requests} | {equal} | {stated} |").expect("a String takes all");
    }
    let stated: usize = rows.values().map(|row| row.stated).sum();
    writeln!(text, "| **all** | **{}** | **{}** | **{stated}** |", equal.1, equal.0).expect("a String takes all");
    text.push_str("\n## Stated differences\n");
    for (reason, names) in reasons {
        writeln!(text, "- {reason}").expect("a String takes all");
        for name in names {
            writeln!(text, "  - {name}").expect("a String takes all");
        }
    }
    text
}

/// Puts the table into the page; says whether the page held another.
pub(crate) fn refresh(page: &Path, table: &str) -> bool {
    let old = fs::read_to_string(page).expect("the page of the table can be read");
    let (head, rest) = old.split_once(BEGIN).expect("the page marks where the table begins");
    let (_, tail) = rest.split_once(END).expect("the page marks where the table ends");
    let new = format!("{head}{BEGIN}{table}{END}{tail}");
    if new == old {
        return false;
    }
    fs::write(page, new).expect("the page of the table can be written");
    true
}
