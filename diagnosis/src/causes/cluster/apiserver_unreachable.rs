//! `apiserver-unreachable`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::finding::{Evidence, Finding, Fix};
use crate::health::{Cluster, Endpoint};
use crate::parse::api_server::{self, Unreachable};

cause! {
    /// ## What it means
    /// The API server does not answer, or says itself that it is not ready. What runs goes on without it: pods, Services
    /// and DNS work, and nothing can be changed, scheduled or restarted elsewhere.
    /// ## Signals
    /// The reader's own transport error: refused (the process), timeout (network, load balancer), `TLS handshake timeout`
    /// (overloaded), certificate, 401, a name that does not resolve. `/readyz?verbose` or `/livez?verbose` other than 200
    /// with `[-]CHECK failed: reason withheld`.
    /// ## Look-alikes
    /// `etcd-unhealthy`: the check that fails is etcd's. `apiserver-overloaded`: it answers 429, or some requests in time
    /// and others not. 403 on its health endpoints: it answers, and the role is narrow.
    /// ## Fixes
    /// By the kind of silence: the static pod's log on the control-plane machine, load balancer and firewall, certificates,
    /// credentials.
    /// ## Source
    /// staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go;
    /// <https://kubernetes.io/docs/reference/using-api/health-checks/>
    ApiserverUnreachable, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(cluster) = case.subject_as::<Cluster>() else { return Ok(Vec::new()) };
    if let Some(words) = cluster.unreachable.as_deref().filter(|words| !words.is_empty()) {
        return Ok(vec![silent(case, words)]);
    }
    for (path, endpoint) in [("/readyz", &cluster.readyz), ("/livez", &cluster.livez)] {
        let Some(endpoint) = endpoint else { continue };
        match endpoint.status {
            401 => return Ok(vec![unknown_to_it(case, path, endpoint)]),
            200..300 | 403 | 404 | 429 => {}
            _ => return Ok(not_ready(case, path, endpoint).into_iter().collect()),
        }
    }
    Ok(Vec::new())
}

fn silent(case: &Case<'_>, words: &str) -> Finding {
    let kind = api_server::unreachable(words);
    let (short, meaning) = match kind {
        Unreachable::Refused => (
            "connections to it are refused",
            "The machine answers and nobody listens on that port: the API server's process is not up, or a load balancer \
             has no server behind it.",
        ),
        Unreachable::Timeout => (
            "it does not answer",
            "Silence means that something between drops the traffic (firewall, VPN, route, load balancer), or that the \
             machine is down or stuck.",
        ),
        Unreachable::Handshake => (
            "the TLS handshake with it does not end",
            "The connection stands and the server is too busy to greet: it is overloaded, or starved of CPU or memory.",
        ),
        Unreachable::Cut => (
            "it cuts the connection",
            "The connection is made and then ended: a load balancer without a server behind it, or an API server that dies.",
        ),
        Unreachable::Certificate => (
            "its certificate is not accepted",
            "It is up. Its certificate has expired, is for another name, or is not of the authority that the kubeconfig \
             names; after a renewal the kubeconfig may be the old one.",
        ),
        Unreachable::Credentials => (
            "it does not accept the credentials",
            "It is up. The token or client certificate has expired or was revoked, or the credential plugin failed.",
        ),
        Unreachable::Name => {
            ("its name does not resolve", "The host that the kubeconfig names is not known to the name server here.")
        }
        Unreachable::NoRoute => ("there is no way to it", "No route leads to its address: network or VPN."),
        Unreachable::Other => ("it could not be asked", "The transport failed."),
    };
    let lives = matches!(kind, Unreachable::Certificate | Unreachable::Credentials);
    let goes_on = (!lives).then(|| {
        text![
            "What runs goes on: pods, Services and DNS need no API server. Nothing can be changed, no pod is replaced \
             elsewhere, and nodes turn Unknown where it is gone for everybody."
        ]
    });
    let finding = case
        .finding(Code::ApiserverUnreachable)
        .root(case.reference())
        .title(text!["The API server of ", name(case.name()), " cannot be used: ", short])
        .explain(text![meaning, " "])
        .also(goes_on)
        .evidence(Evidence {
            source: format!("GET /readyz of {}", case.reference()),
            text: words.to_owned(),
            at: Some(case.now()),
        });
    steps(case, kind).into_iter().fold(finding, Finding::fix)
}

fn steps(case: &Case<'_>, kind: Unreachable) -> Vec<Fix> {
    let place = Fix::safe(text!["see which address is asked, and whether it answers from here"])
        .command(case.kubectl_cluster(["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]))
        .command(case.kubectl_cluster(["get", "--raw", "/readyz?verbose"]));
    let process = Fix::safe(text![
        "on a control-plane machine, see why kube-apiserver does not run: its last log, its flags, etcd and its certificates"
    ])
    .command("crictl ps -a --name 'kube-apiserver|etcd'")
    .command("crictl logs --tail 50 $(crictl ps -a -q --name kube-apiserver | head -1)")
    .command("journalctl -u kubelet --since -15min | grep -i apiserver");
    let way = Fix::safe(text![
        "check firewall, VPN, route and load balancer between here and the control plane, and that its machines are up"
    ]);
    let certificates = Fix::safe(text!["see when the certificates of the control plane expire, on its machine"])
        .command("kubeadm certs check-expiration")
        .command("openssl x509 -noout -enddate -subject -ext subjectAltName -in /etc/kubernetes/pki/apiserver.crt");
    let fresh =
        Fix::safe(text!["get a fresh kubeconfig (kubeadm: /etc/kubernetes/admin.conf; else the provider's command)"]);
    let login = Fix::safe(text!["log in again, or renew the token or client certificate of the kubeconfig"])
        .command(case.kubectl_cluster(["auth", "whoami"]));
    match kind {
        Unreachable::Refused | Unreachable::Cut => vec![place, process, way],
        Unreachable::Timeout | Unreachable::NoRoute | Unreachable::Other => vec![place, way, process],
        Unreachable::Handshake => vec![place, process],
        Unreachable::Certificate => vec![certificates, fresh],
        Unreachable::Credentials => vec![login, fresh],
        Unreachable::Name => vec![place, fresh],
    }
}

/// It is up, and does not know who asks.
fn unknown_to_it(case: &Case<'_>, path: &str, endpoint: &Endpoint) -> Finding {
    let finding = case
        .finding(Code::ApiserverUnreachable)
        .root(case.reference())
        .title(text!["The API server of ", name(case.name()), " does not accept the credentials (401)"])
        .explain(text![
            "It is up, and it does not know who asks: the token or client certificate has expired, was revoked, or is of \
             another cluster."
        ])
        .evidence(evidence(case, path, endpoint.status, endpoint.body.trim()));
    steps(case, Unreachable::Credentials).into_iter().fold(finding, Finding::fix)
}

/// It answers that it is not ready, for another reason than etcd.
fn not_ready(case: &Case<'_>, path: &str, endpoint: &Endpoint) -> Option<Finding> {
    let failed: Vec<(&str, &str)> = endpoint.failed().collect();
    let mut others = failed.iter().filter(|(check, _)| !check.starts_with("etcd")).copied();
    let first = others.next();
    if first.is_none() && !failed.is_empty() {
        return None;
    }
    let more: Vec<String> = others.map(|(check, _)| check.to_owned()).collect();
    let (short, meaning): (Text, Text) = match first {
        Some(("shutdown", _)) => (
            text!["it is shutting down"],
            text![
                "It was told to stop and finishes what it has begun; load balancers take it out. It is restarted, or goes away."
            ],
        ),
        Some((check, _)) => (
            text!["its check ", code(check), " fails"],
            text![
                "It answers and says of itself that it is not ready: check ",
                code(check),
                " fails. While it says so load balancers take it out, and what is asked of it may fail or wait. Checks named \
                 poststarthook and informer-sync fail for a short time after every start."
            ],
        ),
        None => (
            text!["its health endpoint answers ", endpoint.status],
            text!["Its health endpoint answers ", endpoint.status, ": ", quoted(clipped(&endpoint.body)), "."],
        ),
    };
    let also = (!more.is_empty()).then(|| text!["So do ", Text::names(more, 6), "."]);
    let finding = case
        .finding(Code::ApiserverUnreachable)
        .root(case.reference())
        .title(text!["The API server of ", name(case.name()), " is not ready: ", short])
        .explain(meaning)
        .also(also);
    let lines: Vec<String> = failed.iter().map(|(_, line)| (*line).to_owned()).collect();
    let told = if lines.is_empty() { clipped(&endpoint.body) } else { lines.join(" | ") };
    let look = Fix::safe(text!["ask it again, with the reasons that it tells only to administrators in its log"])
        .command(case.kubectl_cluster(["get", "--raw", &format!("{path}?verbose")]))
        .command(case.kubectl_in("kube-system", ["logs", "-l", "component=kube-apiserver", "--tail=50"]));
    let restart = Fix::safe(text!["on its machine, see what the process and the kubelet say"])
        .command("crictl logs --tail 50 $(crictl ps -a -q --name kube-apiserver | head -1)");
    Some(finding.evidence(evidence(case, path, endpoint.status, &told)).fix(look).fix(restart))
}

fn evidence(case: &Case<'_>, path: &str, status: u16, words: &str) -> Evidence {
    Evidence {
        source: format!("GET {path}?verbose of {}: {status}", case.reference()),
        text: words.to_owned(),
        at: Some(case.now()),
    }
}

fn clipped(body: &str) -> String {
    body.trim().chars().take(300).collect()
}
