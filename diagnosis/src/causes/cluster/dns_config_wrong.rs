//! `dns-config-wrong`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::lookups::{self, Policy, Why};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod asks a name server that does not know the cluster's Services, by its own DNS settings.
    /// ## Signals
    /// The log misses the name of a Service that exists, and the pod has `dnsPolicy: Default`, `dnsPolicy: None`, or
    /// hostNetwork with the policy ClusterFirst (which then means Default; ClusterFirstWithHostNet is needed).
    /// ## Look-alikes
    /// `dns-failing`: the cluster's DNS itself is down. `dependency-unreachable`: the Service does not exist, or has no
    /// ready pod behind a headless name.
    /// ## Fixes
    /// `dnsPolicy: ClusterFirst`, or `ClusterFirstWithHostNet` with hostNetwork.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy>
    DnsConfigWrong, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let is_lookup = |failure: &Failure| matches!(failure, Failure::UnknownHost { .. });
    let crashed = ends::with_failure(case, is_lookup);
    let unready = ends::unready(case, is_lookup);
    let mut found = Vec::new();
    for (end, signature) in crashed? {
        let finding = end.finding(case, Code::DnsConfigWrong).explain(end.opening());
        found.extend(explain(case, finding, &signature)?);
    }
    for (container, signature) in unready? {
        let opening = text!["Container ", name(container.name()), " runs and is not ready."];
        let evidence = case.log_evidence(&container, signature.line_number, &signature.line);
        let finding = case.finding_in(Code::DnsConfigWrong, &container).explain(opening).evidence(evidence);
        found.extend(explain(case, finding, &signature)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, finding: Finding, signature: &Signature) -> Result<Option<Finding>, Needs> {
    let Failure::UnknownHost { host, answer, .. } = &signature.kind else { return Ok(None) };
    let Why::Policy(policy, standing) = lookups::why(case, host, *answer)? else { return Ok(None) };
    let template = ends::template(case)?;
    let (setting, meaning, wanted) = match policy {
        Policy::Default => (
            "dnsPolicy: Default",
            "With that policy it asks the name server of its node, which knows no Services.",
            "ClusterFirst",
        ),
        Policy::None => (
            "dnsPolicy: None",
            "With that policy it asks only the name servers of its dnsConfig, which do not know the Service.",
            "ClusterFirst",
        ),
        Policy::HostNetwork => (
            "hostNetwork: true with dnsPolicy: ClusterFirst",
            "With hostNetwork that policy means Default: it asks the name server of its node, which knows no Services.",
            "ClusterFirstWithHostNet",
        ),
    };
    let mut fix = Fix::disruptive(text!["set ", code(format!("dnsPolicy: {wanted}")), " in the pod template"]);
    fix.patch = template.patch(&serde_json::json!({"dnsPolicy": wanted}));
    let command = fix.patch.as_ref().map(|patch| {
        let body = patch.body.to_string();
        case.kubectl(["patch", template.argument.as_str(), "--type=strategic", "-p", body.as_str()])
    });
    fix = fix.command(command.unwrap_or_else(|| template.edit(case)));
    let path = if policy == Policy::HostNetwork { ".spec.hostNetwork" } else { ".spec.dnsPolicy" };
    Ok(Some(
        finding
            .confidence(Confidence::Likely)
            .title(text![
                "Pod ",
                name(case.reference().path()),
                " does not ask the cluster's DNS (",
                code(setting),
                "), so ",
                code(host.clone()),
                " does not resolve"
            ])
            .also(text![
                "It wants ",
                code(host.clone()),
                ", and Service ",
                name(standing.service.path()),
                " exists, but the pod has ",
                code(setting),
                ". ",
                meaning
            ])
            .evidence(case.field(path, setting))
            .fix(fix)
            .fix(Fix::safe(text!["see which name server the pod asks"]).command(case.kubectl([
                "get",
                "pod",
                case.name(),
                "-o",
                "jsonpath={.spec.dnsPolicy}",
            ]))),
    ))
}
