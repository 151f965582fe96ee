//! "Did you mean": the nearest of some names.

/// The most similar candidate, if any is near enough to be a slip of the keyboard or of the separator.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', '.', '/'], "");
    let target = plain(wanted);
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates.into_iter().filter(|candidate| *candidate != wanted).take(5000) {
        let other = plain(candidate);
        let part = other.len() >= 4 && target.len() >= 4 && (target.contains(&other) || other.contains(&target));
        let score = strsim::jaro_winkler(&target, &other).max(if part { 0.9 } else { 0.0 });
        if score >= 0.85 && best.is_none_or(|(best, _)| score > best) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        assert_eq!(nearest("disktype", ["disk-type", "zone"]).as_deref(), Some("disk-type"));
        assert_eq!(nearest("password", ["pasword", "username"]).as_deref(), Some("pasword"));
        assert_eq!(nearest("smtp-password", ["password", "host"]).as_deref(), Some("password"));
        assert_eq!(nearest("token", ["ca.crt", "replicas"]), None);
    }
}
