//! Why web servers and proxies do not start: nginx, Apache, `HAProxy`, Envoy, Traefik, Prometheus.

use super::rule::{Hit, Rule};
use super::{Failure, files};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "[emerg]",
        r"\[emerg\] (?:[0-9]+#[0-9]+: )?(?<what>.+?)(?: in (?<file>/[^\s:]+):(?<line>[0-9]+))?$",
        |hit| {
            let what = hit.get("what")?;
            // The other families know these reasons.
            let is_known = [
                "host not found",
                "bind()",
                "cannot load certificate",
                "no live upstreams",
                "could not bind",
                "ermission denied",
            ]
            .iter()
            .any(|word| what.contains(word));
            if is_known {
                return None;
            }
            if what.contains("(2: No such file") {
                return files::path(what).map(|path| Failure::MissingFile { path });
            }
            if what.contains("(28:") || what.contains("(30:") || what.contains("(13:") || what.contains("(24:") {
                return None;
            }
            setting(hit)
        },
    ),
    Rule::sure(
        "ah00526|syntax error on line|invalid command '",
        r"(?:AH00526: )?Syntax error on line (?<line>[0-9]+) of (?<file>[^\s:]+):",
        |hit| {
            let what =
                hit.below.iter().map(super::lines::Line::body).find(|text| !text.trim().is_empty()).unwrap_or_default();
            Some(Failure::BadSetting {
                what: super::clean::bound(what, 300),
                file: hit.own("file"),
                line: hit.number("line"),
            })
        },
    ),
    Rule::sure(
        "[alert]|fatal errors found in configuration|parsing [",
        r"parsing \[(?<file>[^:\]]+):(?<line>[0-9]+)\] ?: (?<what>.*)",
        setting,
    ),
    Rule::sure(
        "adapting config using|caddyfile:",
        r"(?:adapting config using \S+: )?(?<file>\S*Caddyfile):(?<line>[0-9]+):? (?<what>.*)",
        setting,
    ),
    Rule::sure(
        "error initializing configuration|error while building entrypoint|command traefik error",
        r"(?:error initializing configuration|command traefik error): (?<what>.*)",
        setting,
    ),
    Rule::sure(
        "error loading config (--config.file=",
        r"Error loading config \(--config\.file=(?<file>[^)\s]+)\).*?(?:err=|: )(?<what>.*)",
        |hit| if hit.text.contains("yaml: ") { None } else { setting(hit) },
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn setting(hit: &Hit<'_>) -> Option<Failure> {
    Some(Failure::BadSetting { what: hit.text_of("what"), file: hit.own("file"), line: hit.number("line") })
}
