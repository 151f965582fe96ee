//! Rows in plain words, for files and for inputs that know no markup.

use super::pages::Row;

/// A row in plain words, if it has any.
pub(super) fn plain_row(row: &Row) -> Option<String> {
    match row {
        Row::Line(line) => Some(unmarked(line)),
        Row::Code(_, line) => Some(line.clone()),
        Row::Components(_, words) => Some(words.clone()),
        Row::Picture(_) => None,
    }
}

/// A line of markup as plain words: our signs are taken out again, points in time are written out.
pub(super) fn unmarked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (index, part) in line.split('`').enumerate() {
        // Escaped back-ticks are of our own words, which have none.
        if index % 2 == 1 {
            out.push_str(part);
        } else {
            out.push_str(&with_times(&part.replace("**", "").replace('\\', "")));
        }
    }
    out.strip_prefix("-# ").or_else(|| out.strip_prefix("### ")).unwrap_or(&out).to_owned()
}

/// `<t:0:f> (<t:0:R>)` and `<t:0:f>` as `1970-01-01 00:00:00 UTC`.
fn with_times(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut parts = words.split("<t:");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let Some((time, rest)) = part.split_once(":f>") else {
            // How long ago it was is not known when the file is read.
            out.push_str(part.split_once(":R>)").map_or(part, |(_, rest)| rest));
            continue;
        };
        let time = time.parse().ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
        let written = time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        out.push_str(&written.unwrap_or_default());
        out.push_str(rest.strip_suffix(" (").unwrap_or(rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_in_the_file_has_no_signs() {
        assert_eq!(
            unmarked(r"- **key** `a**b\` 1\. at <t:0:f> (<t:0:R>), x"),
            r"- key a**b\ 1. at 1970-01-01 00:00:00 UTC, x"
        );
    }
}
