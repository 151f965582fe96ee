//! What a word is to the grammar.

/// How much of a person's word is said back, in characters.
const ECHO: usize = 60;

/// Words of a whole sentence that say nothing that a command needs: `why is my pod cart still not ready?`.
pub(super) fn is_filler(word: &str) -> bool {
    const FILLERS: [&str; 48] = [
        "is",
        "isn't",
        "isnt",
        "are",
        "was",
        "does",
        "doesn't",
        "did",
        "do",
        "can't",
        "cannot",
        "won't",
        "has",
        "the",
        "my",
        "our",
        "so",
        "still",
        "not",
        "keep",
        "keeps",
        "being",
        "failing",
        "broken",
        "down",
        "pending",
        "crashing",
        "crashloop",
        "crashloopbackoff",
        "restarting",
        "starting",
        "start",
        "ready",
        "running",
        "stuck",
        "terminating",
        "unhealthy",
        "evicted",
        "what",
        "what's",
        "whats",
        "wrong",
        "fails",
        "failed",
        "crashed",
        "dead",
        "please",
        "thanks",
    ];
    is_one_of(&word.replace('’', "'"), &FILLERS)
}

/// Tells whether a word without a kind before it is none of an object: it belongs to the grammar.
pub(crate) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 13] = [
        "in",
        "on",
        "for",
        "of",
        "with",
        "by",
        "previous",
        "container",
        "last",
        "tail",
        "because",
        "cluster",
        "everywhere",
    ];
    is_one_of(word, &KEYWORDS) || is_filler(word)
}

pub(crate) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// As much of a person's word as is said back.
pub(crate) fn short(word: &str) -> String {
    if word.chars().count() <= ECHO { word.to_owned() } else { word.chars().take(ECHO).chain(['…']).collect() }
}
