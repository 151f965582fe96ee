//! Certificates and TLS connections.

use super::rule::{Hit, Rule};
use super::{Failure, TlsFault, peer};

pub(super) const RULES: &[Rule] = &[
    Rule::likely(
        "tls handshake error from",
        r"TLS handshake error from (?<host>\S+):(?<port>[0-9]+): (?<why>.*)",
        |hit| {
            let why = hit.get("why")?;
            let fault =
                if why.contains("first record does not look like") || why.contains("HTTP request to an HTTPS server") {
                    return None;
                } else if why.contains("unknown certificate authority") || why.contains("unknown authority") {
                    TlsFault::UnknownAuthority
                } else if why.contains("certificate") {
                    TlsFault::Other
                } else {
                    return None;
                };
            Some(Failure::Tls { fault, peer: None, own: true })
        },
    ),
    // The program's own certificate.
    Rule::sure(
        "private key does not match|key values mismatch|key_values_mismatch",
        "(?i-u:private key does not match|key values mismatch|KEY_VALUES_MISMATCH)",
        |_| own(TlsFault::KeyMismatch),
    ),
    Rule::sure(
        "failed to find any pem data|cannot load certificate|could not load server certificate file|\
         could not load private key file|no start line|has group or world access|\
         cannot load the certificate|unable to load certificate|failed to load x509 key pair|\
         failed to parse certificate|asn1: structure error|cannot load certificate key|bad decrypt|\
         failed to load ca|no certificate found in",
        concat!(
            "(?i-u:failed to find any pem data|cannot load certificate|",
            "could not load (?:server certificate|private key) file|",
            "pem routines(?u-i:.)*no start line|no start line|private key file (?u-i:.)* has group or ",
            "world access|unable to load certificate|failed to load x509 key pair|",
            "failed to parse certificate)"
        ),
        |hit| {
            if let Some(path) =
                quoted_path(hit.text).filter(|_| hit.text.contains("No such file") || hit.text.contains("no such file"))
            {
                return Some(Failure::MissingFile { path });
            }
            if hit.text.contains("ermission denied") {
                return Some(Failure::PermissionDenied {
                    path: quoted_path(hit.text),
                    port: None,
                    operation: "open".to_owned(),
                });
            }
            own(TlsFault::Other)
        },
    ),
    // Names.
    Rule::sure("certificate is valid for", r"certificate is valid for (?<valid>.+?), not (?<asked>[^\s,]+)", |hit| {
        names(hit)
    }),
    Rule::sure(
        "doesn't contain any ip sans|legacy common name",
        r"(?:cannot validate certificate for (?<asked>\S+) because|relies on legacy Common Name)",
        names,
    ),
    Rule::sure(
        "no subject alternative|no name matching|certificate for <",
        concat!(
            "(?:No subject alternative (?:DNS )?name(?:s)? (?:matching|",
            r"present)(?: IP address)? ?(?<asked>\S+)? ?|No name matching (?<asked2>\S+) found|",
            "[Cc]ertificate for <(?<asked3>[^>]+)> doesn't match any of the subject alternative names: ",
            r"\[(?<valid>[^\]]*)\])"
        ),
        names,
    ),
    Rule::sure(
        "hostname mismatch|doesn't match '|certificate is not valid for",
        concat!(
            "(?i-u:hostname mismatch)(?:, certificate is not valid for '(?<asked>[^']+)')?|",
            "hostname '(?<asked2>[^']+)' doesn't match (?:either of )?(?<valid>'.*')"
        ),
        names,
    ),
    Rule::sure(
        "err_tls_cert_altname_invalid|does not match certificate's altnames",
        concat!(
            r"does not match certificate's altnames: (?:Host: (?<asked>\S+?)\. is not in the cert's altnames: ",
            r"(?<valid>.*)|(?<asked2>\S+))?"
        ),
        names,
    ),
    Rule::sure("err_tls_cert_altname_invalid", "ERR_TLS_CERT_ALTNAME_INVALID", names),
    Rule::sure(
        "no alternative certificate subject name",
        r"no alternative certificate subject name matches target host ?name '(?<asked>[^']+)'",
        names,
    ),
    Rule::sure(
        "remotecertificatenamemismatch|notvalidforname|certificate not valid for name",
        concat!(
            r"RemoteCertificateNameMismatch|NotValidForName|certificate not valid for name (?:DnsName\()",
            r"?(?<asked>[^;\s)]+)(?:.*only valid for (?<valid>.*))?"
        ),
        names,
    ),
    Rule::sure(
        "server certificate for \"",
        r#"server certificate for "(?<valid>[^"]+)" does not match host name "(?<asked>[^"]+)""#,
        names,
    ),
    // Time.
    Rule::sure(
        "certificate has expired or is not yet valid",
        r"certificate has expired or is not yet valid(?:: current time \S+ is (?<side>before|after))?",
        |hit| theirs(hit, if hit.get("side") == Some("before") { TlsFault::NotYetValid } else { TlsFault::Expired }),
    ),
    Rule::sure(
        "certificate is not yet valid|cert_not_yet_valid|notvalidyet|certificatenotyetvalid|not valid yet",
        "(?i-u:certificate is not yet valid|CERT_NOT_YET_VALID|NotValidYet|CertificateNotYetValid|\
         not valid yet)",
        |hit| theirs(hit, TlsFault::NotYetValid),
    ),
    Rule::sure(
        "certificate has expired|cert_has_expired|validity check failed|certificateexpired|\
         certificate: expired|certificate expired|notafter:",
        concat!(
            "(?i-u:certificate has expired|CERT_HAS_EXPIRED|validity check failed|",
            "CertificateExpired|invalid peer certificate: Expired|",
            r"certificate expired|\bNotAfter: )"
        ),
        |hit| theirs(hit, TlsFault::Expired),
    ),
    // Trust.
    Rule::sure(
        "unknown authority|pkix path building failed|certification path|self-signed certificate|\
         self signed certificate|unable to get local issuer|unable to get issuer|unable_to_verify_leaf|\
         self_signed_cert|unable to verify the first|unknownissuer|unknown ca|unknown_ca|partialchain|\
         untrustedroot|signer not found|trustanchors|certificate verify failed|certificate_unknown|\
         unable_to_get_issuer",
        concat!(
            "(?i-u:signed by unknown authority|pkix path building failed|",
            "unable to find valid certification path|self[- ]signed certificate|",
            "unable to get (?:local )?issuer|UNABLE_TO_VERIFY_LEAF|",
            "SELF_SIGNED_CERT|unable to verify the first|UnknownIssuer|",
            r"unknown ca\b|unknown_ca|PartialChain|UntrustedRoot|trustAnchors parameter must be non-empty|",
            "UNABLE_TO_GET_ISSUER|unknown certificate authority)"
        ),
        |hit| {
            // `Generated self-signed certificate` is what servers do, not what they die of.
            let lower = hit.text.to_ascii_lowercase();
            let is_made = ["generat", "creat", "using self", "using a self"].iter().any(|word| lower.contains(word));
            if is_made { None } else { theirs(hit, TlsFault::UnknownAuthority) }
        },
    ),
    // Not a certificate: the scheme or the port.
    Rule::sure(
        "server gave http response to https client|first record does not look like a tls handshake|\
         wrong version number|wrong_version_number|unrecognized ssl message|not an ssl/tls record|\
         plain http request was sent|packet length too long|http request to an https server|\
         corrupt message of type invalidcontenttype|server does not support ssl|received corrupt message",
        concat!(
            "(?i-u:server gave HTTP response to HTTPS client|first record does not look like a TLS handshake|",
            "wrong[ _]version[ _]number|Unrecognized SSL message, plaintext|",
            "not an SSL/TLS record|packet length too long|HTTP request to an HTTPS server|",
            "received corrupt message|server does not support SSL)"
        ),
        |hit| theirs(hit, TlsFault::PlainHttp),
    ),
    Rule::likely(
        "ssl handshake failed|sslhandshakeexception|certificate_verify_failed|certificate verify failed|\
         handshake_failure|handshake failure|tls handshake timeout|\
         authenticationexception: the remote certificate|ssl_error_syscall|sslerror|tls: bad certificate|\
         alert bad certificate|certificate required|protocol version not supported|protocol_version|\
         ssl connection could not|tlsv1_alert|certificate is invalid|invalid peer certificate|\
         failed to verify certificate|certificate_unknown|ssl routines",
        concat!(
            "(?i-u:ssl handshake failed|SSLHandshakeException|certificate[_ ]verify[_ ]failed|",
            "handshake[_ ]failure|remote certificate (?:is invalid|",
            "was rejected)|SSL_ERROR_SYSCALL|tls: bad certificate|",
            "alert bad certificate|certificate required|protocol version not supported|",
            "alert protocol_version|TLSV1_ALERT|invalid peer certificate|",
            "failed to verify certificate|certificate_unknown)"
        ),
        |hit| theirs(hit, TlsFault::Other),
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn own(fault: TlsFault) -> Option<Failure> {
    Some(Failure::Tls { fault, peer: None, own: true })
}

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn theirs(hit: &Hit<'_>, fault: TlsFault) -> Option<Failure> {
    Some(Failure::Tls { fault, peer: peer::find(hit.text), own: false })
}

fn names(hit: &Hit<'_>) -> Option<Failure> {
    let asked = ["asked", "asked2", "asked3"].iter().find_map(|name| hit.get(name));
    let valid = hit.get("valid").unwrap_or_default();
    let valid_for = valid
        .split([',', ' '])
        .map(|name| name.trim_start_matches("DNS:").trim_matches(['\'', '"', '.', '[', ']']))
        .filter(|name| !name.is_empty() && *name != "or" && !name.ends_with(':'))
        .map(str::to_owned)
        .take(8)
        .collect();
    let asked = asked.map(|name| name.trim_end_matches([',', '.', ':']).to_owned());
    theirs(hit, TlsFault::WrongName { valid_for, asked })
}

/// The first path between quotes.
fn quoted_path(text: &str) -> Option<String> {
    text.split(['"', '\'']).find(|part| part.starts_with('/')).map(str::to_owned)
}
