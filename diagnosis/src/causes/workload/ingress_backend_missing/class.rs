//! Who should serve an Ingress: its class, and whether a controller has taken it.

use jiff::SignedDuration;
use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::causes::Code;
use crate::facts::ingresses::Class;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;

/// How long a controller may take to take an Ingress.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn is_taken(ingress: &Ingress) -> bool {
    let addresses = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()).map(|it| &it.ingress);
    addresses.is_some_and(|all| all.as_ref().is_some_and(|all| !all.is_empty()))
}

/// The class does not exist, or there is none at all.
pub(super) fn of_class(case: &Case<'_>, ingress: &Ingress, class: &Class) -> Option<Finding> {
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
            // Some controllers take what names no class, and some of those never write a status.
            let severity = if known.is_empty() { Severity::Warning } else { Severity::Error };
            let has = if known.is_empty() {
                text!["there is no IngressClass at all"]
            } else {
                text!["none of the classes that there are (", Text::names(known.clone(), 6), ") is the default"]
            };
            Some(
                case.finding(Code::IngressBackendMissing)
                    .severity(severity)
                    .confidence(Confidence::Likely)
                    .title(text![
                        "Ingress ",
                        path.clone(),
                        " names no class, and there is no default: nobody serves it"
                    ])
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
                    .fix(
                        Fix::safe(text!["name the class in ", code("spec.ingressClassName")])
                            .command(list)
                            .command(edit),
                    ),
            )
        }
        _ => None,
    }
}

/// Everything that it names is there, and no controller has given it an address.
pub(super) fn untaken(case: &Case<'_>, ingress: &Ingress, class: &Class) -> Option<Finding> {
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
            .title(text![
                "Ingress ",
                path.clone(),
                " has no address: perhaps no controller of class ",
                name(class_name.clone()),
                " runs"
            ])
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
