//! An Ingress taken apart: its class, where its paths lead, and the certificates that it names.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend, IngressClass, IngressServiceBackend};
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::services::{self, Standing};
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::reader::{Needs, Read};

/// The annotation in which classes stood before Kubernetes 1.18; controllers still read it.
const CLASS: &str = "kubernetes.io/ingress.class";
/// The annotation of the class that is taken where none is named.
const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

/// One way through an Ingress.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// `site.example.com/api`, or that it is the default.
    pub(crate) shown: String,
    pub(crate) service: Option<ObjectRef>,
    pub(crate) fault: Option<Fault>,
    /// How its Service stands, where it and its port exist.
    pub(crate) standing: Option<Standing>,
}

/// What is wrong with where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no such Service; the nearest that there is.
    NoService(Option<String>),
    /// The Service has no such port; those that it has.
    NoPort(String, Vec<String>),
}

/// Which class an Ingress is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It exists: name and controller.
    Known(String, String),
    /// It does not exist; the nearest that there is.
    Missing(String, Option<String>),
    /// It stands in the old annotation, for which no object need exist.
    Annotated(String),
    /// None is named, and there is no default; the classes that there are.
    Unnamed(Vec<String>),
    /// It could not be read.
    Unknown,
}

/// The class of an Ingress.
///
/// # Errors
/// [`Needs`] where classes have not been asked yet.
pub(crate) fn class(case: &Case<'_>, ingress: &Ingress) -> Result<Class, Needs> {
    let named = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.clone());
    let annotated = ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS)).cloned();
    if let (None, Some(annotated)) = (&named, annotated) {
        return Ok(Class::Annotated(annotated));
    }
    let Read::Found(all) = case.list::<IngressClass>(None, Filter::All)? else { return Ok(Class::Unknown) };
    let existing = || all.iter().filter_map(|class| class.metadata.name.as_deref());
    let known = |class: &IngressClass| {
        let controller = class.spec.as_ref().and_then(|spec| spec.controller.clone()).unwrap_or_default();
        Class::Known(class.metadata.name.clone().unwrap_or_default(), controller)
    };
    if let Some(named) = named {
        let found = all.iter().find(|class| class.metadata.name.as_deref() == Some(named.as_str()));
        return Ok(match found {
            Some(class) => known(class),
            None => {
                let near = nearest(&named, existing());
                Class::Missing(named, near)
            }
        });
    }
    let is_default = |class: &&std::sync::Arc<IngressClass>| {
        class.metadata.annotations.as_ref().and_then(|all| all.get(DEFAULT)).is_some_and(|value| value == "true")
    };
    Ok(match all.iter().find(is_default) {
        Some(class) => known(class),
        None => Class::Unnamed(existing().map(str::to_owned).collect()),
    })
}

/// All ways through an Ingress, each with how it stands.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn routes(case: &Case<'_>, ingress: &Ingress) -> Result<Vec<Route>, Needs> {
    let Some(spec) = ingress.spec.as_ref() else { return Ok(Vec::new()) };
    let mut wanted: Vec<(String, &IngressBackend)> = Vec::new();
    if let Some(backend) = &spec.default_backend {
        wanted.push(("everything else (defaultBackend)".to_owned(), backend));
    }
    for rule in spec.rules.iter().flatten() {
        let host = rule.host.as_deref().filter(|host| !host.is_empty()).unwrap_or("*");
        for path in rule.http.iter().flat_map(|http| &http.paths) {
            wanted.push((format!("{host}{}", path.path.as_deref().unwrap_or("/")), &path.backend));
        }
    }
    let asked: Vec<Result<Route, Needs>> =
        wanted.into_iter().map(|(shown, backend)| route(case, shown, backend)).collect();
    asked.into_iter().collect()
}

fn route(case: &Case<'_>, shown: String, backend: &IngressBackend) -> Result<Route, Needs> {
    // A backend may be a bucket or the like: another controller's matter.
    // AWS's controller takes the name of an action of its annotations for a Service, with this port: there need be none.
    let is_action = |it: &&IngressServiceBackend| {
        it.port.as_ref().is_some_and(|port| port.name.as_deref() == Some("use-annotation"))
    };
    let Some(wanted) = backend.service.as_ref().filter(|it| !is_action(it)) else {
        return Ok(Route { shown, service: None, fault: None, standing: None });
    };
    let namespace = case.namespace().unwrap_or_default();
    let reference = ObjectRef::new(Kind::Service, Some(namespace), &wanted.name);
    let standing = services::standing(case, namespace, &wanted.name, None);
    let service = match case.get::<Service>(Some(namespace), &wanted.name)? {
        Read::Found(service) => service,
        Read::Absent => {
            let services::State::Missing(near) = standing?.state else {
                return Ok(Route {
                    shown,
                    service: Some(reference),
                    fault: Some(Fault::NoService(None)),
                    standing: None,
                });
            };
            let fault = Some(Fault::NoService(near));
            return Ok(Route { shown, service: Some(reference), fault, standing: None });
        }
        Read::Unreadable => return Ok(Route { shown, service: Some(reference), fault: None, standing: None }),
    };
    let ports: Vec<&ServicePort> = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).collect();
    let missing = wanted.port.as_ref().and_then(|port| match (&port.name, port.number) {
        (Some(named), _) if !named.is_empty() => {
            let found = ports.iter().any(|port| port.name.as_deref() == Some(named));
            (!found).then(|| named.clone())
        }
        (_, Some(number)) => (ports.iter().all(|port| port.port != number)).then(|| number.to_string()),
        _ => None,
    });
    let external = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    if let Some(port) = missing.filter(|_| !external) {
        let show = |port: &&ServicePort| match port.name.as_deref() {
            Some(name) => format!("{} ({name})", port.port),
            None => port.port.to_string(),
        };
        let fault = Some(Fault::NoPort(port, ports.iter().map(show).collect()));
        return Ok(Route { shown, service: Some(reference), fault, standing: None });
    }
    Ok(Route { shown, service: Some(reference), fault: None, standing: Some(standing?) })
}

impl Route {
    /// Tells whether it is known to lead somewhere.
    pub(crate) fn works(&self) -> bool {
        let well = |standing: &Standing| !standing.is_at_fault();
        self.fault.is_none() && self.standing.as_ref().is_none_or(well)
    }

    /// What is wrong with it, in one clause.
    pub(crate) fn clause(&self) -> Text {
        let service = self.service.as_ref().map(ObjectRef::path).unwrap_or_default();
        match &self.fault {
            Some(Fault::NoService(_)) => text!["there is no Service ", name(service)],
            Some(Fault::NoPort(port, _)) => text!["Service ", name(service), " has no port ", name(port.clone())],
            None => self.standing.as_ref().map(Standing::clause).unwrap_or_default(),
        }
    }
}

/// The Secrets that an Ingress takes certificates from, each once.
pub(crate) fn certificates(ingress: &Ingress) -> BTreeSet<String> {
    let all = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    all.filter_map(|tls| tls.secret_name.clone()).filter(|name| !name.is_empty()).collect()
}
