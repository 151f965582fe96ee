//! Admission webhooks: what they said, and why they could not be asked.

/// A webhook that said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The webhook: `webhooks[].name`, not the name of its configuration.
    pub webhook: String,
    /// What it said; empty where it gave no explanation.
    pub message: String,
    /// The rules of a policy engine that it named.
    pub rules: Vec<Rule>,
}

/// A rule of a policy engine that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The policy or constraint.
    pub policy: String,
    /// Its rule, where the engine has such.
    pub rule: Option<String>,
    /// What it says.
    pub text: String,
}

/// A webhook that could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The webhook: `webhooks[].name`.
    pub webhook: String,
    /// Where it was called: the Service as namespace and name.
    pub service: Option<(String, String)>,
    /// The host of the call.
    pub host: Option<String>,
    /// What failed.
    pub fault: Transport,
    /// The words about it.
    pub text: String,
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing listens.
    Refused,
    /// No answer in time.
    Timeout,
    /// The Service has no ready endpoint.
    NoEndpoints,
    /// The Service does not exist.
    NoService,
    /// The Service has no such port.
    NoPort,
    /// The certificate is signed by an authority that the configuration's `caBundle` does not hold.
    UnknownAuthority,
    /// The certificate has expired or is not valid yet.
    Expired,
    /// The certificate is for other names.
    WrongName,
    /// Any other fault of TLS.
    Tls,
    /// The connection was cut.
    Cut,
    /// There is no way to the address.
    NoRoute,
    /// The host's name does not resolve.
    UnknownHost,
    /// It answered, and not as a webhook has to.
    BadAnswer,
    /// Anything else.
    Other,
}

/// `admission webhook "W" denied the request: M`.
pub(super) fn denial(text: &str) -> Option<Denial> {
    if let Some((_, message)) = text.split_once("image policy webhook backend denied one or more images") {
        let message = message.trim_start_matches([':', ' ']).to_owned();
        return Some(Denial { webhook: "ImagePolicyWebhook".to_owned(), message, rules: Vec::new() });
    }
    let (_, rest) = text.split_once("admission webhook \"")?;
    let (webhook, rest) = rest.split_once('"')?;
    let rest = rest.trim_start();
    let message = match rest.strip_prefix("denied the request") {
        Some(said) => said.strip_prefix(": ").or_else(|| said.strip_prefix(':')).unwrap_or_default(),
        None if rest.starts_with("does not support dry run") || rest.starts_with("attempted to modify") => rest,
        None => return None,
    };
    let rules = rules(message);
    Some(Denial { webhook: webhook.to_owned(), message: message.trim().to_owned(), rules })
}

fn rules(message: &str) -> Vec<Rule> {
    let kyverno = ["was blocked due to the following policies", "for resource violation:", "for resource violations:"];
    if let Some((_, rest)) = kyverno.iter().find_map(|marker| message.split_once(marker)) {
        return kyverno_rules(rest);
    }
    let mut found: Vec<Rule> = Vec::new();
    for line in message.lines() {
        let constraint = line.trim().strip_prefix('[').and_then(|rest| rest.split_once("] "));
        match (constraint, found.last_mut()) {
            (Some((policy, text)), _) if !policy.contains(' ') || policy.starts_with("denied by ") => {
                let policy = policy.trim_start_matches("denied by ").to_owned();
                found.push(Rule { policy, rule: None, text: text.trim().to_owned() });
            }
            (_, Some(before)) => before.text = format!("{} {}", before.text, line.trim()),
            _ => {}
        }
    }
    found
}

/// A policy on a line of its own, its rules indented below, a text over several lines possible.
fn kyverno_rules(text: &str) -> Vec<Rule> {
    let mut found: Vec<Rule> = Vec::new();
    let mut policy = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let indented = line.starts_with([' ', '\t']);
        let trimmed = line.trim();
        if !indented && let Some(name) = trimmed.strip_suffix(':') {
            name.clone_into(&mut policy);
            continue;
        }
        let pair = trimmed.split_once(": ").or_else(|| trimmed.strip_suffix(':').map(|rule| (rule, "")));
        match (pair, found.last_mut()) {
            (Some((rule, text)), _) if indented && !rule.contains(' ') && !policy.is_empty() => {
                let text = text.trim_start_matches(['|', '>', '-', ' ']).trim_matches('\'').to_owned();
                found.push(Rule { policy: policy.clone(), rule: Some(rule.to_owned()), text });
            }
            (_, Some(before)) => {
                let more = trimmed.trim_matches('\'');
                let joined = format!("{} {more}", before.text);
                joined.trim_start().clone_into(&mut before.text);
            }
            _ => {}
        }
    }
    found
}

/// `failed calling webhook "W": failed to call webhook: TRANSPORT`.
pub(super) fn outage(text: &str) -> Option<Outage> {
    let (_, rest) = ["failed calling webhook \"", "failed calling admission webhook \""]
        .iter()
        .find_map(|marker| text.split_once(marker))?;
    let (webhook, rest) = rest.split_once('"')?;
    let rest = rest.trim_start_matches([':', ';', ' ']);
    let rest = rest.strip_prefix("failed to call webhook: ").unwrap_or(rest);
    let url = rest.split_once("https://").or_else(|| rest.split_once("http://"));
    let host = url.and_then(|(_, rest)| rest.split(['/', ':', '"', '?']).next()).map(str::to_owned);
    let mut service = host.as_deref().and_then(service_of);
    let words = url.and_then(|(_, rest)| rest.split_once(": ")).map_or(rest, |(_, words)| words);
    let fault = transport(words);
    if service.is_none()
        && let Some((_, named)) = words.split_once("service \"")
        && let (Some(named), Some(host)) = (named.split('"').next(), host.as_deref())
    {
        service = host.split('.').nth(1).map(|namespace| (namespace.to_owned(), named.to_owned()));
    }
    Some(Outage { webhook: webhook.to_owned(), service, host, fault, text: words.trim().to_owned() })
}

/// `name.namespace.svc[.cluster.local]`
fn service_of(host: &str) -> Option<(String, String)> {
    let mut parts = host.split('.');
    let (name, namespace, svc) = (parts.next()?, parts.next()?, parts.next()?);
    (svc == "svc").then(|| (namespace.to_owned(), name.to_owned()))
}

fn transport(text: &str) -> Transport {
    let table: [(&[&str], Transport); 13] = [
        (&["no endpoints available for service"], Transport::NoEndpoints),
        (&["no service port"], Transport::NoPort),
        (
            &[
                "x509: certificate signed by unknown authority",
                "failed to verify certificate: x509: certificate specifies an incompatible key usage",
            ],
            Transport::UnknownAuthority,
        ),
        (&["certificate has expired or is not yet valid"], Transport::Expired),
        (
            &[
                "x509: certificate is valid for",
                "x509: cannot validate certificate for",
                "certificate relies on legacy Common Name",
                "certificate is not valid for any names",
            ],
            Transport::WrongName,
        ),
        (&["no such host"], Transport::UnknownHost),
        (&["connection refused"], Transport::Refused),
        (&["no route to host", "network is unreachable", "host is down"], Transport::NoRoute),
        (
            &[
                "deadline exceeded",
                "Client.Timeout",
                "i/o timeout",
                "timeout awaiting",
                "TLS handshake timeout",
                "timed out",
            ],
            Transport::Timeout,
        ),
        (&["server gave HTTP response to HTTPS client", "x509:", "tls:", "remote error: tls"], Transport::Tls),
        (&["EOF", "connection reset", "broken pipe", "stream error", "connection lost"], Transport::Cut),
        (
            &[
                "invalid webhook response",
                "expected webhook response",
                "unsupported patch type",
                "an error on the server",
                "the server could not find",
                "the server rejected",
                "is currently unable to handle",
                "unknown (",
                "responded with",
            ],
            Transport::BadAnswer,
        ),
        (&["could not get REST client", "no further details"], Transport::Other),
    ];
    if (text.contains("service \"") || text.contains("services \"")) && text.contains("not found") {
        return Transport::NoService;
    }
    table.iter().find(|(words, _)| words.iter().any(|word| text.contains(word))).map_or(Transport::Other, |(_, it)| *it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_of_a_call_is_told_apart() {
        let call = |words: &str| {
            outage(&format!(
                r#"Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://policy.shop.svc:443/v?timeout=5s": {words}"#
            ))
            .expect("an outage")
        };
        for (words, fault) in [
            ("dial tcp 10.96.3.4:443: connect: connection refused", Transport::Refused),
            ("context deadline exceeded", Transport::Timeout),
            (
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
                Transport::Timeout,
            ),
            (r#"no endpoints available for service "policy""#, Transport::NoEndpoints),
            (r#"service "policy" not found"#, Transport::NoService),
            (r#"no service port 443 found for service "policy""#, Transport::NoPort),
            (
                "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Transport::UnknownAuthority,
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026-01-02T00:00:00Z is after 2026-01-01T00:00:00Z",
                Transport::Expired,
            ),
            ("x509: certificate is valid for a.b.svc, not policy.shop.svc", Transport::WrongName),
            ("EOF", Transport::Cut),
        ] {
            let call = call(words);
            assert_eq!(call.fault, fault, "{words}");
            assert_eq!(call.service, Some(("shop".to_owned(), "policy".to_owned())));
        }
        let old = outage(
            r#"Internal error occurred: failed calling webhook "w": Post https://hook.example.com/v?timeout=30s: dial tcp: lookup hook.example.com: no such host"#,
        );
        let old = old.expect("an outage");
        assert_eq!(
            (old.fault, old.service, old.host.as_deref()),
            (Transport::UnknownHost, None, Some("hook.example.com"))
        );
    }

    #[test]
    fn engines_name_their_policies() {
        let kyverno = denial("admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Pod/shop/cart-7c9- was blocked due to the following policies \n\ndisallow-latest-tag:\n  require-image-tag: 'validation error: An image tag is required. rule require-image-tag\n    failed at path /spec/containers/0/image/'\nrequire-limits:\n  check: 'validation error: limits are required'\n").expect("a denial");
        let got: Vec<_> = kyverno.rules.iter().map(|r| (r.policy.as_str(), r.rule.as_deref())).collect();
        assert_eq!(got, [("disallow-latest-tag", Some("require-image-tag")), ("require-limits", Some("check"))]);
        let gatekeeper = denial("admission webhook \"validation.gatekeeper.sh\" denied the request: [must-have-owner] you must provide labels: {\"owner\"}\n[repos] container <app> has an invalid image repo").expect("a denial");
        let got: Vec<_> = gatekeeper.rules.iter().map(|r| r.policy.as_str()).collect();
        assert_eq!(got, ["must-have-owner", "repos"]);
        let plain =
            denial(r#"admission webhook "w.example.com" denied the request without explanation"#).expect("a denial");
        assert_eq!((plain.message.as_str(), plain.rules.len()), ("", 0));
    }
}
