//! What clients of the Kubernetes API and cluster components say.

use super::rule::Rule;
use super::{Failure, System, peer};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "is forbidden: user|cannot ",
        concat!(
            r#"[Uu]ser "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)" in API group "#,
            r#""(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)")?"#
        ),
        |hit| {
            Some(Failure::KubernetesForbidden {
                user: hit.text_of("user"),
                verb: hit.text_of("verb"),
                resource: hit.text_of("resource"),
                group: hit.text_of("group"),
                namespace: hit.own("namespace"),
            })
        },
    ),
    Rule::sure(
        "is forbidden: user|cannot get path",
        r#"User "(?<user>[^"]*)" cannot (?<verb>\S+) path "(?<path>[^"]*)""#,
        |hit| {
            Some(Failure::KubernetesForbidden {
                user: hit.text_of("user"),
                verb: hit.text_of("verb"),
                resource: hit.text_of("path"),
                group: String::new(),
                namespace: None,
            })
        },
    ),
    Rule::sure(
        "asked for the client to provide credentials",
        "the server has asked for the client to provide credentials.*",
        |hit| {
            Some(Failure::AuthFailed {
                peer: peer::find(hit.text),
                user: None,
                system: Some(System::Kubernetes),
                detail: hit.whole(),
            })
        },
    ),
    Rule::sure(
        "kubernetes_service_host and",
        "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST",
        |_| Some(Failure::MissingVariable { name: "KUBERNETES_SERVICE_HOST".to_owned() }),
    ),
    Rule::sure("no matches for kind", r#"no matches for kind "[^"]+" in (?:version|group) "[^"]+""#, |hit| {
        Some(Failure::BadSetting { what: hit.whole(), file: None, line: None })
    }),
    Rule::sure("leaderelection lost|leader election lost", "(?i-u:leader ?election lost)", |hit| {
        Some(Failure::Fatal { what: hit.whole() })
    }),
    Rule::sure("plugin/loop: loop", r"plugin/loop: Loop \(.*", |hit| Some(Failure::DnsLoop { what: hit.whole() })),
    Rule::sure("error during parsing", r"(?<file>/?\S+):(?<line>[0-9]+) - Error during parsing: (?<what>.*)", |hit| {
        Some(Failure::BadSetting { what: hit.text_of("what"), file: hit.own("file"), line: hit.number("line") })
    }),
    // CoreDNS tells of an upstream that does not answer; it does not die of it.
    Rule::likely(
        "plugin/errors",
        r"plugin/errors: 2 (?<name>\S+) \S+ .*->(?<host>[0-9.]+):(?<port>[0-9]+): i/o timeout",
        |hit| Some(Failure::Timeout { peer: hit.peer() }),
    ),
];
