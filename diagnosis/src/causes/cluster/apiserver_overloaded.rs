//! `apiserver-overloaded`.

use jiff::SignedDuration;
use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::health::Cluster;
use crate::parse::api_server;

cause! {
    /// ## What it means
    /// The API server answers, and has more to do than it can: it turns requests away or ends them unfinished.
    /// ## Signals
    /// 429 `Too many requests, please try again later.` (priority and fairness), `the server has received too many requests
    /// and has asked us to try again later`, `Timeout: request did not complete within the allotted timeout`, `TLS handshake
    /// timeout`, or several requests without an answer while others are answered; the same in refused creations.
    /// ## Look-alikes
    /// `etcd-unhealthy`: `etcdserver:` words, or its check fails. `apiserver-unreachable`: nothing is answered at all. `client
    /// rate limiter Wait returned an error`: the client throttles itself, the server is well.
    /// ## Fixes
    /// Find who asks so much (a list without limit in a loop, a controller gone wild) and stop it; more CPU and memory for
    /// the API server; its own priority level for what matters.
    /// ## Source
    /// staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go;
    /// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
    ApiserverOverloaded, stage Cluster, since "0.1.0", detect
}

/// How long a refusal counts.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

fn detect(case: &Case<'_>) -> Verdict {
    let evidence = match case.subject() {
        Subject::Other(_) => of_cluster(case),
        Subject::Workload(_) => case
            .refusals()?
            .into_iter()
            .filter(|refusal| api_server::is_overload(&refusal.message))
            .filter(|refusal| refusal.evidence.at.is_none_or(|at| case.age(at) < RECENT))
            .map(|refusal| refusal.evidence)
            .collect(),
        _ => Vec::new(),
    };
    Ok(if evidence.is_empty() { Vec::new() } else { vec![explain(case, evidence)] })
}

/// What was not answered, while something was.
fn of_cluster(case: &Case<'_>) -> Vec<Evidence> {
    let Some(cluster) = case.subject_as::<Cluster>().filter(|cluster| cluster.unreachable.is_none()) else {
        return Vec::new();
    };
    let mut evidence = Vec::new();
    for (path, endpoint) in [("/readyz", &cluster.readyz), ("/livez", &cluster.livez)] {
        if let Some(endpoint) = endpoint.as_ref().filter(|endpoint| endpoint.status == 429) {
            evidence.push(Evidence {
                source: format!("GET {path}?verbose of {}: 429", case.reference()),
                text: endpoint.body.trim().chars().take(300).collect(),
                at: Some(case.now()),
            });
        }
    }
    let told = |words: &str| api_server::is_overload(words);
    let silent = |words: &str| words.starts_with("no answer within");
    let failures: Vec<_> = case.failures().collect();
    let answered = cluster.readyz.is_some() || case.known().next().is_some();
    // One slow list is no sign of anything; several are.
    let several = failures.iter().filter(|(_, words)| silent(words)).count() > 1 && answered;
    for (ask, words) in failures.into_iter().filter(|(_, words)| told(words) || several && silent(words)) {
        let source = format!("the API server's answer to a request for {}", ask.subject());
        evidence.push(Evidence { source, text: words.to_owned(), at: Some(case.now()) });
    }
    evidence.truncate(4);
    evidence
}

fn explain(case: &Case<'_>, evidence: Vec<Evidence>) -> Finding {
    let words = evidence.first().map(|it| it.text.clone()).unwrap_or_default();
    let whose = match case.subject() {
        Subject::Other(_) => case.reference(),
        _ => ObjectRef::virtual_("Cluster", "kube-apiserver"),
    };
    let finding = case
        .finding(Code::ApiserverOverloaded)
        .confidence(Confidence::Likely)
        .root(whose)
        .title(text!["The API server is overloaded: it turns requests away or does not end them in time"])
        .explain(text![
            "It answers some requests and not others: ",
            quoted(words.trim_end_matches('.')),
            ". Whatever talks to it slows down with it: controllers, kubelets (whose nodes may turn NotReady), deployments and \
             the answers here."
        ]);
    let finding = evidence.into_iter().fold(finding, Finding::evidence);
    let who = Fix::safe(text!["see which priority level turns requests away, and whose requests wait"])
        .command(case.kubectl_cluster(["get", "--raw", "/debug/api_priority_and_fairness/dump_priority_levels"]))
        .command(case.kubectl_cluster(["get", "--raw", "/debug/api_priority_and_fairness/dump_requests"]));
    let most =
        Fix::safe(text!["see who asks most, by the server's own figures, and stop or slow it down"]).command(format!(
            "{} | grep ^apiserver_request_total | sort -t' ' -k2 -rn | head -20",
            case.kubectl_cluster(["get", "--raw", "/metrics"])
        ));
    let room = Fix::safe(text![
        "see whether ",
        name("kube-apiserver"),
        " has CPU and memory enough on its machine, and give it more"
    ])
    .command(case.kubectl_in("kube-system", ["top", "pods", "-l", "component=kube-apiserver"]));
    finding.fix(who).fix(most).fix(room)
}
