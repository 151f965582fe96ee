//! `tls-certificate-invalid`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::cluster::clock_skew;
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::peers::{self, Peer, Place};
use crate::finding::{Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::log::{Failure, Signature, TlsFault};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A TLS certificate is expired, not yet valid, for another name, or signed by nobody whom the program trusts.
    /// ## Signals
    /// Go `x509: certificate signed by unknown authority`, `certificate has expired or is not yet valid`, `certificate
    /// is valid for A, not B`; Java `PKIX path building failed`; Python `CERTIFICATE_VERIFY_FAILED`; Node
    /// `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, `CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`; curl `SSL certificate
    /// problem`; for the program's own: `private key does not match public key`, nginx `cannot load certificate`.
    /// ## Look-alikes
    /// `registry-tls-error`: the kubelet's pull. `app-config-error`: TLS spoken to a plain port.
    /// `dependency-unreachable`: no connection at all. `admission-webhook-unavailable`: the API server's own call.
    /// ## Fixes
    /// Renew the certificate with the right names, mount the authority that signed it, or ask for the name that it is
    /// for.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets>; the libraries' own wording.
    TlsCertificateInvalid, stage Exit, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    matches!(failure, Failure::Tls { fault, .. } if *fault != TlsFault::PlainHttp)
}

fn detect(case: &Case<'_>) -> Verdict {
    let found = ends::explained(case, Code::TlsCertificateInvalid, is_mine, |container, finding, signature| {
        explain(case, container, finding, signature)
    })?;
    // metrics-server that trusts no kubelet is a trouble of its own.
    Ok(found.into_iter().map(|finding| finding.follows(Code::MetricsServerFailing)).collect())
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let Failure::Tls { fault, peer, own } = &signature.kind else { return Ok(None) };
    // A clock that is off makes good certificates look bad.
    if clock_skew::speaks_for(case, signature)? {
        return Ok(None);
    }
    let peer = match peer {
        Some(peer) if !own => Some(peers::resolve(case, container, Some(peer))?),
        _ => None,
    };
    let address = peer.as_ref().and_then(Peer::address);
    let whose = match (&address, own) {
        (_, true) => text!["The certificate of container ", name(container.name()), " itself"],
        (Some(address), false) => text!["The certificate of ", name(address.clone())],
        (None, false) => text!["The certificate of the peer of container ", name(container.name())],
    };
    let (wrong, meaning) = wording(fault, signature);
    let certificate = secret_with_certificate(case, container);
    let finding = finding
        .confidence(ends::confidence(signature))
        .title(text![whose, " ", wrong])
        .also(meaning)
        .also(trust(container))
        .also(certificate.as_ref().filter(|_| *own).map(|(secret, path)| {
            text!["Its certificate comes from Secret ", name(secret.path()), ", mounted at ", code(path.clone()), "."]
        }));
    let root = match (&peer, own, &certificate) {
        (_, true, Some((secret, _))) => Some(secret.clone()),
        (Some(peer), false, _) => root(peer),
        _ => None,
    };
    let finding = fixes(case, fault, *own, address.as_deref(), container)?.into_iter().fold(finding, Finding::fix);
    Ok(Some(match root {
        Some(root) => finding.root(root),
        None => finding,
    }))
}

/// The Service whose server shows the certificate, else the address.
fn root(peer: &Peer) -> Option<ObjectRef> {
    if let Place::Service(standing, _) = &peer.place
        && standing.ready > 0
    {
        return Some(standing.service.clone());
    }
    peer.root()
}

fn wording(fault: &TlsFault, signature: &Signature) -> (Text, Text) {
    match fault {
        TlsFault::UnknownAuthority => (
            text!["is signed by nobody whom the program trusts"],
            text!["The authority that signed it is not among those that the program knows."],
        ),
        TlsFault::Expired => (
            text!["is expired or not valid yet: ", quoted(signature.line.clone())],
            text!["Its time is over, or the clock of the node is wrong."],
        ),
        TlsFault::NotYetValid => (
            text!["is not valid yet: ", quoted(signature.line.clone())],
            text!["Its time has not begun: mostly the clock of a node is wrong."],
        ),
        TlsFault::WrongName { valid_for, asked } => {
            let names = Text::names(valid_for.clone(), 5);
            let names = if valid_for.is_empty() { text!["other names"] } else { names };
            let asked = asked.as_ref().map(|asked| text![", not for ", name(asked.clone())]);
            (
                text!["is for ", names, asked],
                text!["The program asked for a name that the certificate does not have, so it hung up."],
            )
        }
        TlsFault::KeyMismatch => (
            text!["does not belong to its private key"],
            text!["Certificate and key are of two different pairs: one of them was renewed alone."],
        ),
        TlsFault::PlainHttp | TlsFault::Other => (
            text!["is not accepted: ", quoted(signature.line.clone())],
            text!["The two sides could not agree on a TLS connection."],
        ),
    }
}

/// Where the program takes the authorities from that it trusts, if the specification shows it.
fn trust(container: &ContainerView<'_>) -> Option<Text> {
    let known = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"];
    let env = container.spec.env.iter().flatten().find(|env| known.contains(&env.name.as_str()))?;
    let value = env.value.clone()?;
    Some(text!["It trusts the authorities in ", code(value), " (", code(env.name.clone()), ")."])
}

/// A mounted Secret that looks like a certificate.
fn secret_with_certificate(case: &Case<'_>, container: &ContainerView<'_>) -> Option<(ObjectRef, String)> {
    let mut volumes = case.pod()?.spec.as_ref()?.volumes.iter().flatten();
    let mounts = || container.spec.volume_mounts.iter().flatten();
    volumes.find_map(|volume| {
        let secret = volume.secret.as_ref()?.secret_name.clone()?;
        let mount = mounts().find(|mount| mount.name == volume.name)?;
        let text = format!("{secret} {} {}", volume.name, mount.mount_path).to_lowercase();
        let tells = ["tls", "cert", "ssl"].iter().any(|word| text.contains(word));
        tells.then(|| (case.neighbour(Kind::Secret, &secret), mount.mount_path.clone()))
    })
}

fn fixes(
    case: &Case<'_>,
    fault: &TlsFault,
    own: bool,
    address: Option<&str>,
    container: &ContainerView<'_>,
) -> Result<Vec<Fix>, Needs> {
    let template = ends::template(case)?;
    let whose = match (own, address) {
        (true, _) => text!["container ", name(container.name())],
        (false, Some(address)) => text![name(address)],
        (false, None) => text!["the peer"],
    };
    let renew = match fault {
        TlsFault::WrongName { asked: Some(asked), .. } => {
            text!["renew the certificate of ", whose, " with the name (SAN) ", name(asked.clone())]
        }
        TlsFault::KeyMismatch => text!["put certificate and key of one pair into the Secret of ", whose],
        TlsFault::UnknownAuthority => {
            text!["mount the authority (CA) that signed the certificate of ", whose, " and let the program trust it"]
        }
        _ => text!["renew the certificate of ", whose],
    };
    let secrets = case.kubectl(["get", "secrets", "--field-selector", "type=kubernetes.io/tls"]);
    let mut fixes = vec![Fix::disruptive(renew).command(secrets)];
    if let TlsFault::WrongName { valid_for, .. } = fault
        && let Some(valid) = valid_for.first()
    {
        fixes.push(
            Fix::disruptive(text!["or ask for a name that the certificate has: ", name(valid.clone())])
                .command(template.edit(case)),
        );
    }
    if matches!(fault, TlsFault::Expired | TlsFault::NotYetValid) {
        fixes.push(
            Fix::disruptive(text!["start the pods anew where the certificate was renewed after they started"])
                .command(template.restart(case)),
        );
    }
    Ok(fixes)
}
