//! "Did you mean": the nearest of some words.

/// How alike two words are, from 0 to 1. Case and separators do not count; a word that is a part of the other is near it.
pub fn likeness(a: &str, b: &str) -> f64 {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', '.', '/', ':'], "");
    let (a, b) = (plain(a), plain(b));
    let part = a.chars().count() >= 4 && b.chars().count() >= 4 && (a.contains(&b) || b.contains(&a));
    strsim::jaro_winkler(&a, &b).max(if part { 0.9 } else { 0.0 })
}

/// The candidates that are at least `least` alike, the nearest first, at most `most`.
pub fn nearest<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    least: f64,
    most: usize,
) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (likeness(wanted, candidate), candidate))
        .filter(|(score, _)| *score >= least)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, candidate)| *candidate);
    scored.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_strangers_are_not() {
        assert_eq!(nearest("lgos", ["logs", "help"], 0.8, 3), ["logs"]);
        assert_eq!(nearest("secret_key", ["secret-key-missing", "oom-limit"], 0.8, 3), ["secret-key-missing"]);
        assert!(nearest("cart", ["payments"], 0.8, 3).is_empty());
    }
}
