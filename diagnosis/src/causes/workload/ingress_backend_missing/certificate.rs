//! The certificates that an Ingress names.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::causes::Code;
use crate::facts::ingresses;
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::reader::{Needs, Read};
use crate::secret::Secret;

/// Certificates that are not there, or cannot be one.
pub(super) fn certificates(case: &Case<'_>, ingress: &Ingress) -> Result<Vec<Finding>, Needs> {
    let wanted = ingresses::certificates(ingress);
    let reads: Vec<_> = wanted.iter().map(|secret| (secret, case.get::<Secret>(case.namespace(), secret))).collect();
    let mut found = Vec::new();
    for (secret, read) in reads {
        match read? {
            Read::Absent => found.push(no_certificate(case, ingress, secret)?),
            Read::Found(it) => found.extend(no_keys(case, ingress, secret, &it)),
            Read::Unreadable => {}
        }
    }
    Ok(found)
}

fn hosts(ingress: &Ingress, secret: &str) -> Vec<String> {
    let all = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    all.filter(|tls| tls.secret_name.as_deref() == Some(secret))
        .flat_map(|tls| tls.hosts.clone().unwrap_or_default())
        .collect()
}

/// What makes certificates by an annotation of the Ingress.
fn issuer(ingress: &Ingress) -> Option<String> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    let keys = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme"];
    keys.iter().find_map(|key| annotations.get(*key).map(|value| format!("{key}: {value}")))
}

/// `Ingress shop/site takes its certificate for shop.example.com from Secret shop/site-tls`.
fn takes(case: &Case<'_>, ingress: &Ingress, secret: &ObjectRef) -> Text {
    let hosts = hosts(ingress, &secret.name);
    let of = (!hosts.is_empty()).then(|| text![" for ", Text::names(hosts, 4)]);
    text!["Ingress ", name(case.reference().path()), " takes its certificate", of, " from Secret ", name(secret.path())]
}

fn no_certificate(case: &Case<'_>, ingress: &Ingress, secret: &str) -> Result<Finding, Needs> {
    let reference = case.neighbour(Kind::Secret, secret);
    let others = case.list::<Secret>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let near = nearest(secret, others.iter().filter_map(|other| other.metadata.name.as_deref()));
    let near_text = near.map(|near| text![" (did you mean ", name(near), "?)"]);
    let issuer = issuer(ingress);
    let made = issuer.as_ref().map(|issuer| {
        text!["cert-manager should make it (", code(issuer.clone()), "), so its Certificate is not ready: look there."]
    });
    let (path, secret_name) = (name(case.reference().path()), name(reference.path()));
    let finding = case
        .finding(Code::IngressBackendMissing)
        .root(reference.clone())
        .title(text!["Ingress ", path, ": its TLS Secret ", secret_name, " does not exist"])
        .explain(text![
            takes(case, ingress, &reference),
            ", which does not exist",
            near_text,
            ". Controllers then serve a certificate of their own, which browsers refuse, or leave the host out."
        ])
        .also(made)
        .evidence(case.field(".spec.tls[].secretName", secret))
        .evidence(Evidence::field(&reference, ".metadata", "does not exist"));
    let create = Fix::safe(text!["create it from the certificate and its key"]).command(case.kubectl([
        "create",
        "secret",
        "tls",
        secret,
        "--cert=tls.crt",
        "--key=tls.key",
    ]));
    Ok(match issuer {
        Some(_) => finding
            .fix(
                Fix::safe(text!["see why cert-manager has not made the certificate"])
                    .command(case.kubectl(["describe", "certificates,certificaterequests,orders,challenges"])),
            )
            .fix(create),
        None => finding.fix(create).fix(
            Fix::safe(text!["or name the Secret that holds the certificate"]).command(case.kubectl([
                "edit",
                "ingress",
                case.name(),
            ])),
        ),
    })
}

/// The Secret is there and lacks what a certificate needs.
fn no_keys(case: &Case<'_>, ingress: &Ingress, secret: &str, it: &Arc<Secret>) -> Option<Finding> {
    let keys = it.keys.as_ref()?;
    // Controllers also take a chain for checking clients from such a Secret: `ca.crt` alone is no server's certificate.
    let lacks: Vec<String> =
        ["tls.crt", "tls.key"].iter().filter(|key| !keys.contains(**key)).map(|key| (*key).to_owned()).collect();
    if lacks.is_empty() {
        return None;
    }
    let reference = case.neighbour(Kind::Secret, secret);
    let (path, secret_name) = (name(case.reference().path()), name(reference.path()));
    let type_ = it.type_.clone().unwrap_or_else(|| "unknown".to_owned());
    let has: Vec<String> = keys.iter().cloned().collect();
    let shown = if has.is_empty() { text!["no key at all"] } else { Text::names(has.clone(), 6) };
    Some(
        case.finding(Code::IngressBackendMissing)
            .root(reference.clone())
            .title(text![
                "Ingress ",
                path,
                ": TLS Secret ",
                secret_name,
                " holds no ",
                Text::names(lacks.clone(), 2)
            ])
            .explain(text![
                takes(case, ingress, &reference),
                ". That is of type ",
                code(type_.clone()),
                " and has ",
                shown,
                "; a certificate needs tls.crt and tls.key (type kubernetes.io/tls). Controllers serve one of their own instead."
            ])
            .evidence(case.field(".spec.tls[].secretName", secret))
            .evidence(Evidence::field(&reference, ".type", type_))
            .evidence(Evidence::field(&reference, ".data", has.join(", ")))
            .fix(
                Fix::disruptive(text!["make it anew as a certificate; its type cannot be changed in place"])
                    .command(case.kubectl(["delete", "secret", secret]))
                    .command(case.kubectl(["create", "secret", "tls", secret, "--cert=tls.crt", "--key=tls.key"])),
            )
            .fix(Fix::safe(text!["or name the Secret that holds the certificate"]).command(case.kubectl(["edit", "ingress", case.name()]))),
    )
}
