//! How an answer looks. The words come from the report; here is only their form.

pub mod markdown;
pub mod text;

use jiff::{SignedDuration, Timestamp};
use kubewhy_diagnosis::{Report, Status};

/// The mark and the word of a status; the mark never stands alone.
fn mark(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Healthy => ("✔", "healthy"),
        Status::Failing => ("✖", "failing"),
        Status::Degraded => ("▲", "degraded"),
        Status::Pending => ("…", "pending"),
        Status::Unknown => ("?", "unknown"),
    }
}

/// A length of time as people say it: `4 min`, `3 h`, `12 d`.
fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `Deployment shop/cart · 3 of 3 pods fail · since ...`
fn where_and_since(report: &Report) -> String {
    let mut parts = vec![report.target.cluster.clone(), report.target.reference().to_string()];
    if let Some((failing, all)) = report.pods.filter(|(failing, _)| *failing > 0) {
        parts.push(format!("{failing} of {all} pods fail"));
    }
    if let Some(since) = report.findings.iter().filter_map(|ranked| ranked.finding.since).min() {
        parts.push(format!("since {} ({})", clock(since), span(report.now.duration_since(since))));
    }
    kubewhy_text::printable(&parts.join(" · ")).into_owned()
}
