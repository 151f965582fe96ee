//! `load-balancer-pending`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Service;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::finding::{Confidence, Evidence, Fix};

cause! {
    /// ## What it means
    /// A Service of type LoadBalancer has no address from outside: whoever makes load balancers has not made one, or there
    /// is nobody who does. Inside the cluster the Service works all the same.
    /// ## Signals
    /// `spec.type: LoadBalancer` and an empty `status.loadBalancer.ingress` for minutes. Warnings on the Service:
    /// `SyncLoadBalancerFailed` (`Error syncing load balancer: ...`), `UnAvailableLoadBalancer` (`There are no available nodes
    /// for LoadBalancer`), `FailedBuildModel`, `FailedDeployModel`, `AllocationFailed`; their words name a quota, a subnet, a
    /// right, an address pool. No event at all: no controller has looked at it.
    /// ## Look-alikes
    /// `service-no-endpoints`: it has an address, and nobody behind it. `ingress-backend-missing`: an Ingress that no
    /// controller takes. A Service that was made a minute ago: clouds take their time.
    /// ## Fixes
    /// Do what the provider says (raise the quota, tag a subnet, grant the right, widen the pool); install a controller
    /// (cloud controller manager, MetalLB, kube-vip), or use NodePort or an Ingress.
    /// ## Source
    /// staging/src/k8s.io/cloud-provider/controllers/service/controller.go; aws-load-balancer-controller
    /// pkg/k8s/events.go; MetalLB controller/service.go;
    /// <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>
    LoadBalancerPending, stage Workload, since "0.1.0", detect
}

/// How long a provider may take without a word: it announces its work within seconds.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);
/// How long a provider may take that has said that it is at work.
const AT_WORK: SignedDuration = SignedDuration::from_mins(10);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(service) = case.subject_as::<Service>() else { return Ok(Vec::new()) };
    let Some(spec) = service.spec.as_ref().filter(|spec| spec.type_.as_deref() == Some("LoadBalancer")) else {
        return Ok(Vec::new());
    };
    let ingress = service.status.as_ref().and_then(|status| status.load_balancer.as_ref()).map(|it| &it.ingress);
    let addressed = ingress.is_some_and(|ingress| ingress.as_ref().is_some_and(|all| !all.is_empty()));
    // Addresses that a person wrote lead to it without any load balancer.
    let by_hand = spec.external_ips.as_ref().is_some_and(|all| !all.is_empty());
    if addressed || by_hand || service.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let age = service.metadata.creation_timestamp.as_ref().map_or(PATIENCE, |created| case.age(created.0));
    let events = case.own_events()?;
    let warning = events.iter().rev().find(|event| event.is_warning() && is_of_a_provider(event)).cloned();
    let at_work = events.iter().rev().find(|event| event.reason == "EnsuringLoadBalancer");
    let patience = if at_work.is_some() { AT_WORK } else { PATIENCE };
    if warning.is_none() && age < patience {
        return Ok(Vec::new());
    }
    let class = spec.load_balancer_class.clone();
    let path = name(case.reference().path());
    let base = case
        .finding(Code::LoadBalancerPending)
        .since(service.metadata.creation_timestamp.as_ref().map(|time| time.0))
        .evidence(case.field(".status.loadBalancer", "no address"))
        .evidence(class.as_ref().map(|class| case.field(".spec.loadBalancerClass", class.clone())))
        .evidence(warning.as_deref().or(at_work.map(Arc::as_ref)).map(Evidence::event));
    let around = Fix::safe(text![
        "until then reach it by ",
        code("kubectl port-forward"),
        ", a NodePort or an Ingress: inside the cluster it works"
    ])
    .command(case.kubectl(["get", "service", case.name(), "-o", "wide"]));
    let Some(warning) = warning else {
        let taken = at_work.is_some();
        let nobody = if taken {
            text!["A controller has begun (", code("EnsuringLoadBalancer"), ") and has said nothing since"]
        } else {
            text!["No controller has said a word about it: most likely none in this cluster makes load balancers"]
        };
        let of_class = class.map(|class| text![" It is left to the controller of class ", code(class), "."]);
        return Ok(vec![
            base.confidence(Confidence::Likely)
                .title(text!["Service ", path.clone(), " gets no load balancer: ", if taken {
                    "its controller does not finish"
                } else {
                    "no controller has taken it"
                }])
                .explain(text![
                    "Service ",
                    path,
                    " is of type LoadBalancer and has no address from outside. ",
                    nobody,
                    "."
                ])
                .also(of_class)
                .fix(
                    Fix::safe(text![
                        "see whether a controller for load balancers runs (cloud controller manager, MetalLB, kube-vip), \
                         and what it says; install one where there is none"
                    ])
                    .command(case.kubectl_cluster(["get", "pods", "--all-namespaces"])),
                )
                .fix(around),
        ]);
    };
    let hint = hint(&warning.message);
    Ok(vec![
        base.title(text!["Service ", path.clone(), " gets no load balancer: ", quoted(words(&warning))])
            .explain(text![
                "Service ",
                path,
                " is of type LoadBalancer and has no address from outside, since its controller fails: ",
                quoted(words(&warning)),
                "."
            ])
            .also(hint.as_ref().map(|(meaning, _)| meaning.clone()))
            .fix(
                Fix::safe(
                    hint.map_or_else(
                        || text!["do what the provider says, and look whether it says more"],
                        |(_, fix)| fix,
                    ),
                )
                .command(case.kubectl(["describe", "service", case.name()])),
            )
            .fix(around),
    ])
}

/// Warnings about a Service that speak of its load balancer, not of its endpoints or addresses inside.
fn is_of_a_provider(event: &Event) -> bool {
    const OTHERS: &[&str] = &[
        "FailedToUpdateEndpointSlices",
        "FailedToUpdateEndpoint",
        "FailedToListPods",
        "FailedToCreateEndpoint",
        "IPAddressNotAllocated",
        "IPAddressWrongReference",
        "ClusterIPNotAllocated",
        "PortNotAllocated",
        "TopologyAwareHintsDisabled",
        "DNSConfigForming",
    ];
    !OTHERS.contains(&event.reason.as_str())
}

/// The provider's words without the frame that every one of them has.
fn words(event: &Event) -> String {
    let message = event.message.trim();
    let bare = message.strip_prefix("Error syncing load balancer: ").unwrap_or(message);
    bare.strip_prefix("failed to ensure load balancer: ").unwrap_or(bare).to_owned()
}

/// What well-known words of providers mean, and what helps.
fn hint(message: &str) -> Option<(Text, Text)> {
    let said = message.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&[
        "quota",
        "limitexceeded",
        "toomanyloadbalancers",
        "too many load balancers",
        "toomanyaddresses",
        "limit exceeded",
    ]) {
        return Some((
            text!["The account's quota at the provider is used up."],
            text!["free what is not needed any more, or have the provider raise the quota"],
        ));
    }
    if any(&["no available nodes", "no hosts"]) {
        return Some((
            text!["No node may take its traffic: they are not Ready, or excluded by a label."],
            text![
                "get nodes Ready, or take the label ",
                code("node.kubernetes.io/exclude-from-external-load-balancers"),
                " from one"
            ],
        ));
    }
    if any(&["subnet"]) {
        return Some((
            text!["The provider finds no subnet in which it may put the load balancer."],
            text![
                "tag the subnets (AWS: ",
                code("kubernetes.io/role/elb"),
                " or ",
                code("kubernetes.io/role/internal-elb"),
                "), or name one in the Service's annotations"
            ],
        ));
    }
    if any(&[
        "no available ips",
        "failed to allocate ip",
        "can't allocate",
        "cannot allocate",
        "unknown pool",
        "not allowed in config",
        "no ip pool",
    ]) {
        return Some((
            text!["The pool of addresses is used up, unknown, or does not allow the address that is asked for."],
            text!["widen the address pool (MetalLB: IPAddressPool), or ask for an address that is in it"],
        ));
    }
    if any(&[
        "accessdenied",
        "unauthorized",
        "not authorized",
        "forbidden",
        "permission",
        "credential",
        "status code: 403",
        "authorizationfailed",
    ]) {
        return Some((
            text!["The controller's own account at the provider lacks a right."],
            text!["grant the right that the message names to the controller's role or service principal"],
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn the_words_of_providers_are_known() {
        for (message, word) in [
            (
                "Error syncing load balancer: failed to ensure load balancer: TooManyLoadBalancers: Exceeded quota of account",
                "quota",
            ),
            ("googleapi: Error 403: Quota 'FORWARDING_RULES' exceeded. Limit: 15.0 globally.", "quota"),
            ("There are no available nodes for LoadBalancer", "node"),
            ("could not find any suitable subnets for creating the ELB", "subnet"),
            ("Failed to allocate IP for \"shop/web\": no available IPs", "pool"),
            ("AccessDenied: User is not authorized to perform: elasticloadbalancing:CreateLoadBalancer", "right"),
        ] {
            let (meaning, _) = hint(message).expect(message);
            assert!(meaning.plain().to_lowercase().contains(word), "{message}");
        }
        assert!(hint("something else").is_none());
    }
}
