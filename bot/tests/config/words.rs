//! What is wrong, in the exact words a person reads.

use crate::{faults, refused, snapshot};

/// A platform, so that its absence is no fault.
const PLATFORM: &str = "[discord]\ntoken = \"a.b.c\"\n";

#[test]
fn every_fault_is_told_at_once_with_its_line_and_its_fix() {
    snapshot("faults.txt", &format!("{}\n", faults(include_str!("faults.toml"))));
}

#[test]
fn nothing_at_all_says_what_to_add() {
    snapshot("nothing.txt", &format!("{}\n", refused(&crate::nothing())));
}

#[test]
fn an_empty_section_says_which_token_to_copy_from_where() {
    snapshot("tokens.txt", &format!("{}\n", faults("[slack]\n[discord]\n")));
}

#[test]
fn what_is_no_toml_has_its_line_and_column() {
    let cases = [
        "[slack\n",
        "[slack]\ncommand = /why\n",
        "[slack]\ncommand = \"a\"\ncommand = \"b\"\n",
        "\u{0}",
        "a = 99999999999999999999",
    ];
    let words: Vec<String> = cases.iter().map(|text| faults(text)).collect();
    snapshot("syntax.txt", &format!("{}\n", words.join("\n")));
}

#[test]
fn a_value_is_repeated_without_what_it_could_do_to_a_terminal() {
    let words = faults(&format!("{PLATFORM}[http]\nlisten = \"\\u001b[31m\\u0007\\u202e{}\"\n", "x".repeat(10_000)));
    assert!(words.len() < 400 && !words.contains('\u{1b}') && !words.contains('\u{202e}'), "{words:?}");
}

#[test]
fn a_file_of_mistakes_of_any_size_ends() {
    let unknown: Vec<String> = (0..300).map(|number| format!("key{number} = 1")).collect();
    let words = faults(&unknown.join("\n"));
    assert_eq!(words.lines().count(), 302, "each unknown key and the platform that lacks, below the headline: {words}");
}
