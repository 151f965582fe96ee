//! `registry-tls-error`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Finding, Fix};
use crate::parse::pull::{PullFault, TlsFault};

cause! {
    /// ## What it means
    /// The node reaches the registry and does not accept its certificate, or the registry speaks plain HTTP where the
    /// node speaks HTTPS.
    /// ## Signals
    /// `x509: certificate signed by unknown authority`, `x509: certificate has expired or is not yet valid`, `x509:
    /// certificate is valid for A, not B`, `doesn't contain any IP SANs`, `http: server gave HTTP response to HTTPS
    /// client`, `remote error: tls: handshake failure`; from Go 1.20 on with `tls: failed to verify certificate:` in
    /// front.
    /// ## Look-alikes
    /// `registry-unreachable`: `net/http: TLS handshake timeout` is the network. `tls-certificate-invalid`: a container
    /// runs, and its own connections fail.
    /// ## Fixes
    /// Give the nodes the CA of the registry, or the registry a certificate that they trust; where it is meant to speak
    /// plain HTTP, say so in the container runtime's settings.
    /// ## Source
    /// Go crypto/x509 and net/http; containerd docs/hosts.md.
    RegistryTlsError, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::RegistryTlsError)?;
    Ok(pulls.iter().filter_map(|pull| explain(case, pull)).collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Option<Finding> {
    let PullFault::Tls(fault) = pull.failure.fault else { return None };
    let host = pull.failing_host();
    let (short, long) = words(fault);
    Some(
        pull.finding(case, Code::RegistryTlsError)
            .root(pull.registry_ref())
            .title(text!["Registry ", name(host.clone()), ": ", short])
            .explain(text![
                "Image ",
                name(pull.image.clone()),
                " of container ",
                name(pull.container.name()),
                " cannot be pulled from registry ",
                name(host.clone()),
                ": ",
                long,
                "."
            ])
            .also(pull.said())
            .fix(mend(fault, &host))
            .fix(settings(fault, &host)),
    )
}

fn words(fault: TlsFault) -> (Text, Text) {
    match fault {
        TlsFault::UnknownAuthority => (
            text!["its certificate is signed by an authority that the node does not trust"],
            text![
                "its certificate is signed by an authority (CA) that the node does not know, as with private or \
                 self-signed ones"
            ],
        ),
        TlsFault::Expired => (
            text!["its certificate is out of date"],
            text!["its certificate has expired or is not valid yet, by the clock of the node"],
        ),
        TlsFault::WrongName => (
            text!["its certificate is for another name"],
            text!["its certificate was made for other names than the one in the image"],
        ),
        TlsFault::PlainHttp => (
            text!["it speaks plain HTTP, and the node speaks HTTPS"],
            text![
                "it gave an HTTP response to an HTTPS client, so it is an insecure registry that the node was not \
                 told about"
            ],
        ),
        TlsFault::Handshake => {
            (text!["the TLS handshake fails"], text!["node and registry do not agree on a secure connection"])
        }
    }
}

fn mend(fault: TlsFault, host: &str) -> Fix {
    let server = if host.contains(':') { host.to_owned() } else { format!("{host}:443") };
    let look = format!("openssl s_client -connect {} -showcerts </dev/null", shell_quoted(&server));
    match fault {
        TlsFault::UnknownAuthority => Fix::safe(text![
            "make the nodes trust the CA certificate of the registry: containerd ",
            code(format!("/etc/containerd/certs.d/{host}/hosts.toml")),
            ", CRI-O ",
            code(format!("/etc/containers/certs.d/{host}/ca.crt")),
            ", Docker ",
            code(format!("/etc/docker/certs.d/{host}/ca.crt")),
            " or the system's trust store"
        ])
        .command(look),
        TlsFault::Expired => Fix::safe(text![
            "renew the certificate of registry ",
            name(host),
            "; if it is not out of date, mend the clock of the node (NTP)"
        ])
        .command(look),
        TlsFault::WrongName => Fix::safe(text![
            "name the registry as its certificate does, or give it a certificate (SAN) for ",
            name(host)
        ])
        .command(look),
        TlsFault::PlainHttp => {
            Fix::safe(text!["give registry ", name(host), " a TLS certificate that the nodes trust (the safe way)"])
        }
        TlsFault::Handshake => {
            Fix::safe(text!["see which TLS versions and certificates registry ", name(host), " offers"]).command(look)
        }
    }
}

fn settings(fault: TlsFault, host: &str) -> Fix {
    if fault == TlsFault::PlainHttp {
        return Fix::disruptive(text![
            "or tell the nodes that it is plain HTTP: containerd ",
            code(format!("[host.\"http://{host}\"]")),
            " in ",
            code(format!("/etc/containerd/certs.d/{host}/hosts.toml")),
            ", CRI-O ",
            code("insecure = true"),
            " in registries.conf, Docker ",
            code("insecure-registries")
        ]);
    }
    Fix::safe(text!["or pull the image from a registry whose certificate the nodes trust already"])
}
