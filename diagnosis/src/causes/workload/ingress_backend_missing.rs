//! `ingress-backend-missing`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ingresses::{self, Class, Fault, Route};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::reader::{Needs, Read};
use crate::secret::Secret;

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

/// How long a controller may take to take an Ingress.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(ingress) = case.subject_as::<Ingress>() else { return Ok(Vec::new()) };
    if ingress.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let class = ingresses::class(case, &ingress);
    let certificates = certificates(case, &ingress);
    let routes = ingresses::routes(case, &ingress)?;
    let (class, certificates) = (class?, certificates?);
    let mut found = Vec::new();
    found.extend(of_routes(case, &routes));
    found.extend(empty_services(case, &routes));
    found.extend(of_class(case, &ingress, &class));
    found.extend(certificates);
    found.extend(refused(case)?);
    if found.is_empty() {
        found.extend(untaken(case, &ingress, &class));
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
        found.push(of_route(case, route, shown).also(others(routes)));
    }
    found
}

fn of_route(case: &Case<'_>, route: &Route, shown: Vec<String>) -> Finding {
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
        .title(text!["Ingress ", path.clone(), ": ", route.clause(), " (for ", Text::names(shown.clone(), 3), ")"])
        .explain(text![
            "Ingress ",
            path,
            " leads ",
            Text::names(shown.clone(), 5),
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
                .fix(Fix::safe(text!["name a Service that exists in the Ingress's own namespace", near_text]).command(edit))
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
            .fix(
                Fix::safe(text!["or add the port to the Service"])
                    .command(case.kubectl(["edit", "service", &service.name])),
            ),
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

fn is_taken(ingress: &Ingress) -> bool {
    let addresses = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()).map(|it| &it.ingress);
    addresses.is_some_and(|all| all.as_ref().is_some_and(|all| !all.is_empty()))
}

/// The class does not exist, or there is none at all.
fn of_class(case: &Case<'_>, ingress: &Ingress, class: &Class) -> Option<Finding> {
    let path = name(case.reference().path());
    let edit = case.kubectl(["edit", "ingress", case.name()]);
    let list = case.kubectl_cluster(["get", "ingressclasses"]);
    match class {
        Class::Missing(wanted, near) => {
            let near_text = near.as_ref().map(|near| text![" (did you mean ", name(near.clone()), "?)"]);
            let reference = ObjectRef::new(Kind::IngressClass, None, wanted);
            Some(
                case.finding(Code::IngressBackendMissing)
                    .root(reference.clone())
                    .title(text![
                        "Ingress ",
                        path.clone(),
                        " is of class ",
                        name(wanted.clone()),
                        ", which does not exist"
                    ])
                    .explain(text![
                        "Ingress ",
                        path,
                        " names IngressClass ",
                        name(wanted.clone()),
                        ", and there is none of that name",
                        near_text.clone(),
                        ": no controller takes it, and no address ever stands in its status."
                    ])
                    .evidence(case.field(".spec.ingressClassName", wanted.clone()))
                    .evidence(Evidence::field(&reference, ".metadata", "does not exist"))
                    .fix(Fix::safe(text!["name a class that exists", near_text]).command(list).command(edit))
                    .fix(Fix::safe(text!["or install the controller that brings class ", name(wanted.clone())])),
            )
        }
        Class::Unnamed(known) if !is_taken(ingress) => {
            let old = ingress.metadata.creation_timestamp.as_ref().is_none_or(|created| case.age(created.0) > PATIENCE);
            if !old {
                return None;
            }
            let has = if known.is_empty() {
                text!["there is no IngressClass at all"]
            } else {
                text!["none of the classes that there are (", Text::names(known.clone(), 6), ") is the default"]
            };
            Some(
                case.finding(Code::IngressBackendMissing)
                    .confidence(Confidence::Likely)
                    .title(text!["Ingress ", path.clone(), " names no class, and there is no default: nobody serves it"])
                    .explain(text![
                        "Ingress ",
                        path,
                        " has no ",
                        code("ingressClassName"),
                        ", and ",
                        has,
                        ", so no controller feels meant; its status holds no address."
                    ])
                    .evidence(case.field(".spec.ingressClassName", "not set"))
                    .evidence(case.field(".status.loadBalancer", "no address"))
                    .fix(Fix::safe(text!["name the class in ", code("spec.ingressClassName")]).command(list).command(edit)),
            )
        }
        _ => None,
    }
}

/// Certificates that are not there, or cannot be one.
fn certificates(case: &Case<'_>, ingress: &Ingress) -> Result<Vec<Finding>, Needs> {
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
    all.filter(|tls| tls.secret_name.as_deref() == Some(secret)).flat_map(|tls| tls.hosts.clone().unwrap_or_default()).collect()
}

/// What makes certificates by an annotation of the Ingress.
fn issuer(ingress: &Ingress) -> Option<String> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    let keys = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme"];
    keys.iter().find_map(|key| annotations.get(*key).map(|value| format!("{key}: {value}")))
}

fn no_certificate(case: &Case<'_>, ingress: &Ingress, secret: &str) -> Result<Finding, Needs> {
    let reference = case.neighbour(Kind::Secret, secret);
    let others = case.list::<Secret>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let near = nearest(secret, others.iter().filter_map(|other| other.metadata.name.as_deref()));
    let near_text = near.map(|near| text![" (did you mean ", name(near), "?)"]);
    let hosts = hosts(ingress, secret);
    let of = (!hosts.is_empty()).then(|| text![" for ", Text::names(hosts, 4)]);
    let issuer = issuer(ingress);
    let made = issuer.as_ref().map(|issuer| {
        text!["cert-manager should make it (", code(issuer.clone()), "), so its Certificate is not ready: look there."]
    });
    let (path, secret_name) = (name(case.reference().path()), name(reference.path()));
    let finding = case
        .finding(Code::IngressBackendMissing)
        .root(reference.clone())
        .title(text!["Ingress ", path.clone(), ": its TLS Secret ", secret_name.clone(), " does not exist"])
        .explain(text![
            "Ingress ",
            path,
            " takes its certificate",
            of,
            " from Secret ",
            secret_name,
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
        None => finding
            .fix(create)
            .fix(Fix::safe(text!["or name the Secret that holds the certificate"]).command(case.kubectl(["edit", "ingress", case.name()]))),
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
    let hosts = hosts(ingress, secret);
    let of = (!hosts.is_empty()).then(|| text![" for ", Text::names(hosts, 4)]);
    Some(
        case.finding(Code::IngressBackendMissing)
            .root(reference.clone())
            .title(text![
                "Ingress ",
                path.clone(),
                ": TLS Secret ",
                secret_name.clone(),
                " holds no ",
                Text::names(lacks.clone(), 2)
            ])
            .explain(text![
                "Ingress ",
                path,
                " takes its certificate",
                of,
                " from Secret ",
                secret_name,
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

/// Everything that it names is there, and no controller has given it an address.
fn untaken(case: &Case<'_>, ingress: &Ingress, class: &Class) -> Option<Finding> {
    let (Class::Known(class_name, _) | Class::Annotated(class_name)) = class else { return None };
    let old = ingress.metadata.creation_timestamp.as_ref().is_some_and(|created| case.age(created.0) > PATIENCE);
    if is_taken(ingress) || !old {
        return None;
    }
    let by = if let Class::Known(_, controller) = class { controller.clone() } else { class_name.clone() };
    let path = name(case.reference().path());
    Some(
        case.finding(Code::IngressBackendMissing)
            .severity(Severity::Warning)
            .confidence(Confidence::Possible)
            .root(ObjectRef::new(Kind::IngressClass, None, class_name))
            .title(text!["Ingress ", path.clone(), " has no address: perhaps no controller of class ", name(class_name.clone()), " runs"])
            .explain(text![
                "All that Ingress ",
                path,
                " names is there. Its status holds no address, which its controller (",
                code(by.clone()),
                ") mostly writes once it serves it: perhaps that does not run, or is set up not to."
            ])
            .evidence(case.field(".status.loadBalancer", "no address"))
            .evidence(case.field(".spec.ingressClassName", class_name.clone()))
            .fix(
                Fix::safe(text!["see whether the controller ", code(by), " runs, and what it says of this Ingress"])
                    .command(case.kubectl_cluster(["get", "pods", "--all-namespaces"])),
            ),
    )
}
