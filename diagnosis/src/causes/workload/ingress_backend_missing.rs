//! `ingress-backend-missing`.

mod certificate;
mod class;

use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ingresses::{self, Fault, Route};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// An Ingress names something that is not there: the Service or the port behind a path, the Secret with its certificate,
    /// or the class whose controller should serve it.
    /// ## Signals
    /// `spec.rules[].http.paths[].backend.service` against the Services of the namespace and their ports,
    /// `spec.tls[].secretName` against the Secrets (with `tls.crt` and `tls.key`), `spec.ingressClassName` against the
    /// IngressClasses, an empty `status.loadBalancer` for what no controller has taken, Warnings of the controller
    /// (`FailedBuildModel`, `Rejected`, `BadConfig`). Clients get 404, 503, or a certificate of the controller's own.
    /// ## Look-alikes
    /// `service-no-endpoints`: Service and port are there, and nobody behind them: 503. `tls-certificate-invalid`: the
    /// certificate is there, and expired or for another name. `load-balancer-pending`: the controller's own Service has no
    /// address.
    /// ## Fixes
    /// Name the Service and the port that there are, create the Secret, name a class that exists.
    /// ## Source
    /// ingress-nginx internal/ingress/controller; <https://kubernetes.io/docs/concepts/services-networking/ingress/>
    IngressBackendMissing, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(ingress) = case.subject_as::<Ingress>() else { return Ok(Vec::new()) };
    if ingress.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let of_class = ingresses::class(case, &ingress);
    let certificates = certificate::certificates(case, &ingress);
    let routes = ingresses::routes(case, &ingress)?;
    let (of_class, certificates) = (of_class?, certificates?);
    let mut found = Vec::new();
    found.extend(of_routes(case, &routes));
    found.extend(empty_services(case, &routes));
    found.extend(class::of_class(case, &ingress, &of_class));
    found.extend(certificates);
    found.extend(refused(case)?);
    if found.is_empty() {
        found.extend(class::untaken(case, &ingress, &of_class));
    }
    Ok(found)
}

/// The paths that lead to no Service or port.
fn of_routes(case: &Case<'_>, routes: &[Route]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut told: Vec<(&Option<ObjectRef>, &Option<Fault>)> = Vec::new();
    for route in routes.iter().filter(|route| route.fault.is_some()) {
        if told.contains(&(&route.service, &route.fault)) {
            continue;
        }
        told.push((&route.service, &route.fault));
        let same = routes.iter().filter(|other| other.service == route.service && other.fault == route.fault);
        let shown: Vec<String> = same.map(|route| route.shown.clone()).collect();
        found.push(of_route(case, route, &shown).also(others(routes)));
    }
    found
}

fn of_route(case: &Case<'_>, route: &Route, shown: &[String]) -> Finding {
    let path = name(case.reference().path());
    let service = route.service.clone().unwrap_or_else(|| case.reference());
    let detail = service.name.clone();
    let sees = match &route.fault {
        Some(Fault::NoService(_)) => "so clients get 503 or 404 there",
        _ => "so the controller finds no endpoint for it and clients get 503",
    };
    let finding = case
        .finding(Code::IngressBackendMissing)
        .root(case.reference().with_detail(detail))
        .title(text!["Ingress ", path.clone(), ": ", route.clause(), " (for ", Text::names(shown.to_vec(), 3), ")"])
        .explain(text![
            "Ingress ",
            path,
            " leads ",
            Text::names(shown.to_vec(), 5),
            " to ",
            name(service.to_string()),
            ". But ",
            route.clause(),
            ", ",
            sees,
            "."
        ])
        .evidence(case.field(".spec.rules", format!("{} -> {}", shown.join(", "), backend(route))));
    let edit = case.kubectl(["edit", "ingress", case.name()]);
    match &route.fault {
        Some(Fault::NoService(near)) => {
            let near_text = near.as_ref().map(|near| text![" (did you mean ", name(near.clone()), "?)"]);
            finding
                .evidence(Evidence::field(&service, ".metadata", "does not exist"))
                .fix(
                    Fix::safe(text!["name a Service that exists in the Ingress's own namespace", near_text])
                        .command(edit),
                )
                .fix(
                    Fix::safe(text!["or create Service ", name(service.path())])
                        .command(case.kubectl(["get", "services"])),
                )
        }
        Some(Fault::NoPort(port, has)) => finding
            .evidence(Evidence::field(&service, ".spec.ports", has.join(", ")))
            .also(text!["The Service has ", Text::names(has.clone(), 6), "."])
            .fix(
                Fix::safe(text![
                    "name a port that Service ",
                    name(service.path()),
                    " has instead of ",
                    code(port.clone()),
                    ": ",
                    Text::names(has.clone(), 6)
                ])
                .command(edit),
            )
            .fix(Fix::safe(text!["or add the port to the Service"]).command(case.kubectl([
                "edit",
                "service",
                &service.name,
            ]))),
        None => finding,
    }
}

fn backend(route: &Route) -> String {
    let service = route.service.as_ref().map(|it| it.name.clone()).unwrap_or_default();
    match &route.fault {
        Some(Fault::NoPort(port, _)) => format!("{service}:{port}"),
        _ => service,
    }
}

/// Which paths work all the same.
fn others(routes: &[Route]) -> Option<Text> {
    let works: Vec<String> = routes.iter().filter(|route| route.works()).map(|route| route.shown.clone()).collect();
    (!works.is_empty()).then(|| text!["Not touched by it: ", Text::names(works, 5), "."])
}

/// Services that are there, with nobody behind them: their own cause leads.
fn empty_services(case: &Case<'_>, routes: &[Route]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut told: Vec<&ObjectRef> = Vec::new();
    for route in routes.iter().filter(|route| route.fault.is_none() && !route.works()) {
        let (Some(service), Some(standing)) = (&route.service, &route.standing) else { continue };
        if told.contains(&service) {
            continue;
        }
        told.push(service);
        let same = routes.iter().filter(|other| other.service.as_ref() == Some(service));
        let shown: Vec<String> = same.map(|route| route.shown.clone()).collect();
        let path = name(case.reference().path());
        let finding = case
            .finding(Code::IngressBackendMissing)
            .root(service.clone())
            .title(text![
                "Ingress ",
                path.clone(),
                " has nobody behind ",
                Text::names(shown.clone(), 3),
                ": ",
                standing.clause()
            ])
            .explain(text![
                "Ingress ",
                path,
                " leads ",
                Text::names(shown.clone(), 5),
                " to a Service that exists and has nobody ready behind it, so clients get 503. ",
                standing.sentence()
            ])
            .also(others(routes))
            .evidence(case.field(".spec.rules", format!("{} -> {}", shown.join(", "), service.name)))
            .caused_in(service.clone());
        let finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
        found.push(standing.fixes(case).into_iter().fold(finding, Finding::fix));
    }
    found
}

/// A controller has looked at it and says no.
fn refused(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    const REASONS: &[&str] = &[
        "FailedBuildModel",
        "FailedDeployModel",
        "ConflictingIngressClass",
        "Rejected",
        "RejectedWithError",
        "BadConfig",
        "Translate",
        "AddedOrUpdatedWithError",
    ];
    let events = case.own_events()?;
    let newest = events.iter().rev().find(|event| event.is_warning() && REASONS.contains(&event.reason.as_str()));
    let Some(event) = newest else { return Ok(None) };
    let good = |reason: &str| matches!(reason, "SuccessfullyReconciled" | "AddedOrUpdated" | "Sync");
    if events.iter().any(|later| good(&later.reason) && !later.is_warning() && later.last > event.last) {
        return Ok(None);
    }
    let path = name(case.reference().path());
    Ok(Some(
        case.finding(Code::IngressBackendMissing)
            .confidence(Confidence::Likely)
            .since(event.first)
            .root(case.reference().with_detail(event.reason.clone()))
            .title(text!["Ingress ", path.clone(), " is refused by its controller: ", quoted(event.message.clone())])
            .explain(text![
                "The controller that should serve Ingress ",
                path,
                " cannot make it: ",
                quoted(event.message.clone()),
                "."
            ])
            .evidence(Evidence::event(event))
            .fix(
                Fix::safe(text!["correct what the controller names; the rest of its words stands in its log"])
                    .command(case.kubectl(["describe", "ingress", case.name()])),
            ),
    ))
}
