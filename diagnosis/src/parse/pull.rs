//! Why a pull failed, in the wording of containerd, CRI-O and Docker.

use std::net::IpAddr;

/// A failed pull as the kubelet reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullFailure {
    /// What is wrong.
    pub fault: PullFault,
    /// The host (with port) that the words name.
    pub host: Option<String>,
    /// The status that the registry answered with.
    pub status: Option<u16>,
    /// The innermost words: envelopes of the kubelet, gRPC and the runtime are taken off.
    pub words: String,
}

/// What is wrong with a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullFault {
    /// The reference cannot be read.
    BadReference,
    /// The registry knows no such repository, tag or digest.
    NotFound,
    /// "Does not exist or may require authorization": the registry does not say which.
    Denied,
    /// The registry wants other credentials.
    Unauthorized,
    /// The registry counts pulls.
    RateLimited,
    /// The kubelet's own limit of pulls per second.
    Throttled,
    /// The registry cannot be reached.
    Unreachable(NetFault),
    /// The registry's certificate or protocol is not accepted.
    Tls(TlsFault),
    /// The image has no variant for the node.
    Platform,
    /// The node's disk is full.
    DiskFull,
    /// The node's disk does not read or write.
    DiskError,
    /// What came, or what lies on the node, is broken.
    Corrupt,
    /// A policy wants a signature that is not there.
    Signature,
    /// The pull took too long and was given up.
    TooSlow,
    /// The container runtime does not answer.
    RuntimeDown,
    /// Words that none of these fits, or none at all.
    Unknown,
}

/// Why a registry cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetFault {
    /// Its name does not exist.
    UnknownHost,
    /// The name server does not answer, or answers with an error.
    Resolver,
    /// Nothing listens at that address.
    Refused(Option<String>),
    /// Nothing answers from that address.
    Timeout(Option<String>),
    /// The connection stands, and TLS does not get through.
    HandshakeTimeout,
    /// There is no way to that address.
    NoRoute(Option<String>),
    /// The proxy on the way fails.
    Proxy,
    /// The connection was cut.
    Reset,
    /// The registry, or what stands before it, failed with that status.
    Server(u16),
}

/// What is wrong with a certificate or protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// Signed by nobody that the node trusts.
    UnknownAuthority,
    /// Expired, or not valid yet by the node's clock.
    Expired,
    /// Issued for another name or address.
    WrongName,
    /// The registry speaks HTTP where HTTPS was tried.
    PlainHttp,
    /// Any other failure of the handshake.
    Handshake,
}

impl PullFailure {
    /// Reads the words of a waiting container or of a `Failed` event.
    pub fn parse(message: &str) -> Self {
        let words = strip(message);
        let lower = words.to_ascii_lowercase();
        let status = status(&words);
        let host = host(&words);
        Self { fault: fault(&words, &lower, status), host, status, words }
    }
}

/// The image that a message of the kubelet names: `Back-off pulling image "X"`, `Failed to pull image "X": ...`.
pub fn image_named(message: &str) -> Option<&str> {
    let rest = ["ulling image \"", "to pull image \"", "unpack image \"", "ulled image \"", "Container image \""]
        .iter()
        .find_map(|marker| message.split_once(marker).map(|(_, rest)| rest))?;
    rest.split_once('"').map(|(image, _)| image).filter(|image| !image.is_empty())
}

/// The platform that a message says is lacking: `linux/arm64`.
pub fn platform(words: &str) -> Option<String> {
    if let Some((_, rest)) = words.split_once("no matching manifest for ") {
        return rest.split_whitespace().next().map(str::to_owned);
    }
    let quoted = |marker: &str| {
        let rest = words.split_once(marker)?.1;
        rest.split_once('"').map(|(inside, _)| inside)
    };
    let architecture = quoted("architecture \"")?;
    Some(format!("{}/{architecture}", quoted("OS \"").unwrap_or("linux")))
}

/// Takes the envelopes off; what is left is what the registry, the network or the disk said.
fn strip(message: &str) -> String {
    let mut words = message.trim();
    // CRI-O tries the reference as an artifact too; only its first error is about the image.
    if let Some((image, _)) = words.split_once("; artifact err:") {
        words = image;
    }
    while let Some(inner) = strip_one(words) {
        words = inner.trim_start();
    }
    words.to_owned()
}

fn strip_one(words: &str) -> Option<&str> {
    let plain = ["Error: ", "ErrImagePull: ", "ImagePullBackOff: ", "RegistryUnavailable: ", "failed to do request: "]
        .into_iter()
        .chain([
            "(combined from similar events): ",
            "Error response from daemon: ",
            "pull image err: ",
            "unable to pull image: ",
        ])
        .chain(["unable to pull image or OCI artifact: ", "SignatureValidationFailed: "]);
    for prefix in plain {
        if let Some(rest) = words.strip_prefix(prefix) {
            return Some(rest);
        }
    }
    if let Some(rest) = words.strip_prefix("rpc error: code = ") {
        return rest.split_once(" desc = ").map(|(_, rest)| rest);
    }
    let named = ["Back-off pulling image \"", "Failed to pull image \"", "failed to pull and unpack image \""]
        .into_iter()
        .chain(["failed to resolve reference \"", "failed to pull image \""]);
    for prefix in named {
        if let Some(rest) = words.strip_prefix(prefix) {
            return rest.split_once('"').map(|(_, rest)| rest.trim_start_matches(':').trim_start());
        }
    }
    let source = words.strip_prefix("initializing source docker://")?;
    source.split_once(": ").map(|(_, rest)| rest)
}

fn has(lower: &str, any: &[&str]) -> bool {
    any.iter().any(|part| lower.contains(part))
}

/// What breaks on the node comes before what the network does, and that before what the registry answers.
fn fault(words: &str, lower: &str, status: Option<u16>) -> PullFault {
    if lower.is_empty() {
        return PullFault::Unknown;
    }
    on_the_node(lower)
        .or_else(|| tls(lower).map(PullFault::Tls))
        .or_else(|| limits(lower, status))
        .or_else(|| network(words, lower, status).map(PullFault::Unreachable))
        .or_else(|| of_the_image(lower))
        .or_else(|| answer(lower, status))
        .unwrap_or(PullFault::Unknown)
}

fn on_the_node(lower: &str) -> Option<PullFault> {
    if has(lower, &["no space left on device", "disk quota exceeded", "not enough space on the disk"]) {
        return Some(PullFault::DiskFull);
    }
    if lower.contains("input/output error") {
        return Some(PullFault::DiskError);
    }
    if has(lower, &["dial unix", "cannot connect to the docker daemon"]) {
        return Some(PullFault::RuntimeDown);
    }
    let reference = ["invalid reference format", "failed to parse image reference", "couldn't parse image name"];
    if has(lower, &reference) || has(lower, &["did not resolve to an alias", "ambiguous list", "invalidimagename"]) {
        return Some(PullFault::BadReference);
    }
    let signature = ["signature validation failed", "signature was required", "source image rejected"];
    let policy = ["rejected by policy", "no matching signatures", "invalid signature"];
    let unsigned = has(lower, &signature) || has(lower, &policy);
    (unsigned && !lower.contains("x509:")).then_some(PullFault::Signature)
}

fn tls(lower: &str) -> Option<TlsFault> {
    if has(lower, &["http response to https client", "does not look like a tls handshake"]) {
        return Some(TlsFault::PlainHttp);
    }
    if has(
        lower,
        &["unknown authority", "certificate is not trusted", "self-signed certificate", "self signed certificate"],
    ) {
        return Some(TlsFault::UnknownAuthority);
    }
    if has(lower, &["has expired or is not yet valid", "certificate has expired"]) {
        return Some(TlsFault::Expired);
    }
    let name = ["certificate is valid for", "doesn't contain any ip sans", "not valid for any names"];
    if has(lower, &name) || lower.contains("certificate relies on legacy common name") {
        return Some(TlsFault::WrongName);
    }
    has(lower, &["x509:", "remote error: tls:", "tls: "]).then_some(TlsFault::Handshake)
}

fn limits(lower: &str, status: Option<u16>) -> Option<PullFault> {
    if lower.contains("pull qps exceeded") {
        return Some(PullFault::Throttled);
    }
    let limited = ["toomanyrequests", "too many requests", "rate limit", "error parsing http 429"];
    (status == Some(429) || has(lower, &limited)).then_some(PullFault::RateLimited)
}

fn network(words: &str, lower: &str, status: Option<u16>) -> Option<NetFault> {
    if has(lower, &["proxyconnect", "407 proxy authentication"]) {
        return Some(NetFault::Proxy);
    }
    if has(lower, &["no such host", "name or service not known"]) {
        return Some(NetFault::UnknownHost);
    }
    let resolver = ["server misbehaving", "temporary failure in name resolution", "no address associated"];
    if has(lower, &resolver) || (lower.contains("lookup ") && lower.contains("i/o timeout")) {
        return Some(NetFault::Resolver);
    }
    if lower.contains("connection refused") {
        return Some(NetFault::Refused(address(words)));
    }
    if lower.contains("tls handshake timeout") {
        return Some(NetFault::HandshakeTimeout);
    }
    if has(lower, &["no route to host", "network is unreachable", "host is unreachable"]) {
        return Some(NetFault::NoRoute(address(words)));
    }
    let about_request = lower.contains("http://") || lower.contains("https://") || lower.contains("dial tcp");
    let deadline = about_request && lower.contains("context deadline exceeded");
    if deadline || has(lower, &["i/o timeout", "client.timeout", "connection timed out", "request canceled while"]) {
        return Some(NetFault::Timeout(address(words)));
    }
    let broken = !has(lower, &["failed to extract", "failed to unpack"]) && lower.contains("unexpected eof");
    if broken || has(lower, &["connection reset by peer", "broken pipe", "http2: server sent goaway"]) {
        return Some(NetFault::Reset);
    }
    if about_request && lower.ends_with(": eof") {
        return Some(NetFault::Reset);
    }
    let registry_gone = lower.contains("registry is unavailable").then_some(NetFault::Refused(address(words)));
    status.filter(|status| *status >= 500).map(NetFault::Server).or(registry_gone)
}

fn of_the_image(lower: &str) -> Option<PullFault> {
    let platform = ["no match for platform", "no matching manifest for", "no image found in manifest list for"];
    let others = ["no image found in image index for", "cannot be used on this platform", "windows version"];
    if has(lower, &platform) || has(lower, &others) || lower.contains("does not match the specified platform") {
        return Some(PullFault::Platform);
    }
    let broken = ["failed to extract layer", "failed size validation", "unexpected commit digest", "missing rootfs"];
    let also = ["no longer supported since containerd", "failed to register layer", "error creating overlay mount"];
    let more = ["invalid checksum digest", "blob unknown", "filesystem layer verification failed", "failed to unpack"];
    let manifest = ["unsupported manifest media type", "schema 1", "manifest invalid", "byte manifest for"];
    let store = ["extraction snapshot", "content digest", "unexpected eof", "gzip: invalid", "corrupt"];
    let all = [broken.as_slice(), &also, &more, &manifest, &store];
    all.iter().any(|parts| has(lower, parts)).then_some(PullFault::Corrupt)
}

fn answer(lower: &str, status: Option<u16>) -> Option<PullFault> {
    let double = ["may require authorization", "may require 'docker login'", "no pull access", "may not exist"];
    if has(lower, &double) || lower.contains("insufficient_scope") {
        return Some(PullFault::Denied);
    }
    let missing = ["manifest unknown", "name unknown", "not found", "does not exist", "name_unknown"];
    let refused = ["unauthorized", "authentication required", "no basic auth credentials", "denied", "forbidden"];
    let also = ["invalid username/password", "incorrect username or password", "authorization failed"];
    let more = ["failed to authorize", "no credentials", "retrieve auth token", "authentication failed"];
    // A credential helper of the runtime that is absent or fails leaves the pull without credentials.
    if has(lower, &["docker-credential-", "credential helper", "error getting credentials"]) {
        return Some(PullFault::Unauthorized);
    }
    // Files of the node, not the registry; Google's registries say "denied: Permission denied for ...".
    if lower.contains(": permission denied") && !lower.contains("denied: permission denied") {
        return None;
    }
    if matches!(status, Some(401 | 403)) {
        // Docker Hub answers so for repositories that do not exist, too.
        return Some(PullFault::Unauthorized);
    }
    if status == Some(404) || has(lower, &missing) {
        return Some(PullFault::NotFound);
    }
    if has(lower, &refused) || has(lower, &also) || has(lower, &more) {
        return Some(PullFault::Unauthorized);
    }
    has(lower, &["context deadline exceeded", "context canceled", "no progress"]).then_some(PullFault::TooSlow)
}

/// The HTTP status among the words: `...: 401 Unauthorized`, `status code 503`, `HTTP 429 response`.
fn status(words: &str) -> Option<u16> {
    let mut before = "";
    for word in words.split_whitespace() {
        let number = word.trim_matches(|c: char| matches!(c, ',' | ';' | '.' | '(' | ')'));
        let leads = before.ends_with(':') || matches!(before, "status" | "code" | "HTTP" | "registry" | "StatusCode:");
        if let Some(status) = number.parse().ok().filter(|status| leads && (400..600).contains(status)) {
            return Some(status);
        }
        before = word;
    }
    None
}

/// The host that a request went to.
fn host(words: &str) -> Option<String> {
    let of_url = |url: &str| url.split(['/', '"', '\'', ' ', '?']).next().map(str::to_owned);
    let url = words.split_once("https://").or_else(|| words.split_once("http://")).map(|(_, rest)| rest);
    let pulled = words.split_once("pulling from host ").map(|(_, rest)| rest);
    let pinged = words.split_once("pinging container registry ").map(|(_, rest)| rest);
    let found = url.or(pinged).or(pulled).and_then(of_url).or_else(|| {
        let looked_up = words.split_once("lookup ")?.1;
        looked_up.split([' ', ':']).next().map(str::to_owned)
    });
    found.map(|host| host.trim_end_matches([':', ',']).to_owned()).filter(|host| !host.is_empty())
}

/// `ip:port` of a dial.
fn address(words: &str) -> Option<String> {
    let dialled = words.split_once("dial tcp ").map(|(_, rest)| rest)?;
    let address = dialled.split(": ").next()?.trim_end_matches(':');
    let (ip, port) = address.rsplit_once(':')?;
    let valid = ip.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() && port.parse::<u16>().is_ok();
    valid.then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{NetFault, PullFailure, PullFault, TlsFault, image_named, platform};

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of messages")]
    fn every_runtimes_words_are_understood() {
        let refused = |address: &str| PullFault::Unreachable(NetFault::Refused(Some(address.to_owned())));
        for (message, fault) in [
            (
                r#"Back-off pulling image "10.0.0.10:5000/team/webb:1.4.2": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "10.0.0.10:5000/team/webb:1.4.2": failed to resolve reference "10.0.0.10:5000/team/webb:1.4.2": 10.0.0.10:5000/team/webb:1.4.2: not found"#,
                PullFault::NotFound,
            ),
            (
                r#"failed to pull and unpack image "a/b:1": failed to resolve reference "a/b:1": pulling from host 10.0.0.10:5001 failed with status code [manifests 7]: 401 Unauthorized"#,
                PullFault::Unauthorized,
            ),
            (
                r#"failed to resolve reference "docker.io/acme/x:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"#,
                PullFault::Denied,
            ),
            (
                r#"rpc error: code = Unknown desc = Error response from daemon: pull access denied for acme/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"#,
                PullFault::Denied,
            ),
            (
                r#"rpc error: code = Unknown desc = Error response from daemon: manifest for nginx:9.9 not found: manifest unknown: manifest unknown"#,
                PullFault::NotFound,
            ),
            (
                r#"unable to pull image or OCI artifact: pull image err: initializing source docker://quay.io/acme/x:1: reading manifest 1 in quay.io/acme/x: manifest unknown; artifact err: provided artifact is a container image"#,
                PullFault::NotFound,
            ),
            (
                r#"initializing source docker://quay.io/acme/x:1: reading manifest 1 in quay.io/acme/x: unauthorized: access to the requested resource is not authorized"#,
                PullFault::Unauthorized,
            ),
            (
                r#"failed to do request: Head "https://registry.invalid/v2/team/app/manifests/1": dial tcp: lookup registry.invalid on 10.255.255.53:53: no such host"#,
                PullFault::Unreachable(NetFault::UnknownHost),
            ),
            (
                r#"failed to do request: Head "https://r.io/v2/x": dial tcp: lookup r.io on 10.96.0.10:53: read udp 1.1.1.1:5->10.96.0.10:53: i/o timeout"#,
                PullFault::Unreachable(NetFault::Resolver),
            ),
            (
                r#"failed to do request: Head "https://10.0.0.9:5000/v2/x": dial tcp 10.0.0.9:5000: connect: connection refused"#,
                refused("10.0.0.9:5000"),
            ),
            (
                r#"Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"#,
                PullFault::Unreachable(NetFault::Timeout(None)),
            ),
            (
                r#"Get "https://k8s.gcr.io/v2/": net/http: TLS handshake timeout"#,
                PullFault::Unreachable(NetFault::HandshakeTimeout),
            ),
            (
                r#"failed to do request: Head "https://r.io/v2/x": proxyconnect tcp: dial tcp 10.1.1.1:3128: connect: connection refused"#,
                PullFault::Unreachable(NetFault::Proxy),
            ),
            (
                r#"unexpected status from HEAD request to https://r.io/v2/x/manifests/1: 503 Service Unavailable"#,
                PullFault::Unreachable(NetFault::Server(503)),
            ),
            (
                r#"failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token": dial tcp 1.2.3.4:443: i/o timeout"#,
                PullFault::Unreachable(NetFault::Timeout(Some("1.2.3.4:443".to_owned()))),
            ),
            (
                r#"failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.r.io/token: 401 Unauthorized"#,
                PullFault::Unauthorized,
            ),
            (
                r#"failed to do request: Head "https://r.io/v2/x": tls: failed to verify certificate: x509: certificate signed by unknown authority"#,
                PullFault::Tls(TlsFault::UnknownAuthority),
            ),
            (
                r#"x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-12-31T00:00:00Z"#,
                PullFault::Tls(TlsFault::Expired),
            ),
            (r#"x509: certificate is valid for a.example, not b.example"#, PullFault::Tls(TlsFault::WrongName)),
            (
                r#"failed to do request: Head "https://10.0.0.10:5004/v2/x": http: server gave HTTP response to HTTPS client"#,
                PullFault::Tls(TlsFault::PlainHttp),
            ),
            (
                r#"unexpected status from HEAD request to https://registry-1.docker.io/v2/library/nginx/manifests/1: 429 Too Many Requests"#,
                PullFault::RateLimited,
            ),
            ("toomanyrequests: You have reached your pull rate limit.", PullFault::RateLimited),
            ("pull QPS exceeded", PullFault::Throttled),
            (
                r#"failed to pull and unpack image "x": no match for platform in manifest: not found"#,
                PullFault::Platform,
            ),
            (
                r#"choosing image instance: no image found in manifest list for architecture "arm64", variant "v8", OS "linux""#,
                PullFault::Platform,
            ),
            (
                "failed to extract layer sha256:1: write /var/lib/containerd/x: no space left on device",
                PullFault::DiskFull,
            ),
            ("failed to extract layer sha256:1: write /x: input/output error", PullFault::DiskError),
            ("failed to extract layer sha256:1: unexpected EOF", PullFault::Corrupt),
            (
                "failed commit on ref \"layer-sha256:1\": unexpected commit digest sha256:2, expected sha256:1: \
                 failed precondition",
                PullFault::Corrupt,
            ),
            (
                "image pull failed for r.io/x:1 because the signature validation failed: Source image rejected",
                PullFault::Signature,
            ),
            ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", PullFault::TooSlow),
            ("context canceled", PullFault::TooSlow),
            (
                "error getting credentials - err: exec: \"docker-credential-ecr-login\": executable file not found in $PATH",
                PullFault::Unauthorized,
            ),
            ("mkdir /var/lib/docker/tmp: permission denied", PullFault::Unknown),
            (
                "denied: Permission denied for \"latest\" from request \"/v2/acme/web/manifests/latest\".",
                PullFault::Unauthorized,
            ),
            (
                "x509: invalid signature: parent certificate cannot sign this kind of certificate",
                PullFault::Tls(TlsFault::Handshake),
            ),
            (
                "error pulling image configuration: denied: unauthenticated: User cannot be authenticated with the token provided.",
                PullFault::Unauthorized,
            ),
            (
                "failed to unpack image on snapshotter overlayfs: failed to extract layer sha256:e: failed to get reader from content store: content digest sha256:9: not found",
                PullFault::Corrupt,
            ),
            (
                "Error reading manifest latest in docker.io/sonartype/nexus3: errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
                PullFault::Unauthorized,
            ),
            (
                "failed to do request: Head \"https://localhost:5000/v2/webapp/manifests/latest\": dial tcp [::1]:5000: connect: connection refused",
                refused("[::1]:5000"),
            ),
            (
                "failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/x/manifests/sha256:8: 429 Too Many Requests - Server message: toomanyrequests: x",
                PullFault::RateLimited,
            ),
            (r#"Back-off pulling image "nginx:9""#, PullFault::Unknown),
            (
                r#"rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused""#,
                PullFault::RuntimeDown,
            ),
        ] {
            assert_eq!(PullFailure::parse(message).fault, fault, "{message}");
        }
    }

    #[test]
    fn hosts_and_images_are_named() {
        let failure = PullFailure::parse(
            r#"failed to do request: Head "https://10.0.0.10:5004/v2/x": http: server gave HTTP response to HTTPS client"#,
        );
        assert_eq!(failure.host.as_deref(), Some("10.0.0.10:5004"));
        assert_eq!(image_named(r#"Failed to pull image "a/b:1": x"#), Some("a/b:1"));
        let crio = r#"no image found in manifest list for architecture "arm64", variant "v8", OS "linux""#;
        assert_eq!(platform(crio).as_deref(), Some("linux/arm64"));
        assert_eq!(platform("no matching manifest for linux/arm64/v8 in x").as_deref(), Some("linux/arm64/v8"));
        assert_eq!(PullFailure::parse("pulling from host r.io:1 failed").host.as_deref(), Some("r.io:1"));
    }
}
