//! `runtime-handler-missing`.

use k8s_openapi::api::node::v1::RuntimeClass;
use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::sandbox::SandboxFault;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The pod's RuntimeClass names a handler (gVisor, Kata, NVIDIA) that the container runtime of its node does not
    /// have; or the class was deleted after the pod was made.
    /// ## Signals
    /// Event `FailedCreatePodSandBox` with `no runtime for "HANDLER" is configured` (containerd), `failed to find
    /// runtime handler HANDLER` (CRI-O), or the kubelet's `RuntimeClass "RC" not found`.
    /// ## Look-alikes
    /// `runtime-class-missing`: the pod is refused at its creation, since there is no such class.
    /// ## Fixes
    /// Configure the handler on the nodes, keep the pods on nodes that have it (`scheduling.nodeSelector` of the
    /// class), or correct the class.
    /// ## Source
    /// containerd internal/cri/config; pkg/kubelet/runtimeclass.
    RuntimeHandlerMissing, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(failure) = sandbox::of_code(case, Code::RuntimeHandlerMissing)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &failure)?])
}

fn explain(case: &Case<'_>, failure: &Sandbox) -> Result<Finding, Needs> {
    let node = node_name(case);
    let spec = case.pod().and_then(pods::spec);
    let named = spec.and_then(|spec| spec.runtime_class_name.clone()).filter(|name| !name.is_empty());
    let class = match (&failure.fault, named) {
        (SandboxFault::RuntimeClass(class), _) => Some(class.clone()),
        (_, named) => named,
    };
    let owner = owner::top(case)?;
    let mut template = Fix::disruptive(text!["or name another RuntimeClass (or none) in the template"]);
    template.commands.extend(owner::edit(case, &owner));
    let mut finding = failure.finding(case, Code::RuntimeHandlerMissing);
    if let Some(class) = &class {
        finding = finding.root(ObjectRef::new(Kind::RuntimeClass, None, class));
    }
    if let SandboxFault::RuntimeClass(class) = &failure.fault {
        return Ok(finding
            .title(text!["RuntimeClass ", name(class.clone()), " does not exist any more"])
            .explain(text![
                "The pod names RuntimeClass ",
                name(class.clone()),
                ", which was there when the pod was made and is gone, so node ",
                name(node),
                " does not know how to run it."
            ])
            .also(failure.said())
            .fix(
                Fix::safe(text!["make the RuntimeClass again"])
                    .command(case.kubectl_cluster(["get", "runtimeclasses"])),
            )
            .fix(template));
    }
    let SandboxFault::Handler(handler) = &failure.fault else { return Ok(finding) };
    let offered = offered(case)?;
    let has =
        (!offered.is_empty()).then(|| text!["The node offers: ", kubewhy_text::Text::names(offered.clone(), 8), "."]);
    let of_class = class.clone().map(|class| text![" of RuntimeClass ", name(class)]);
    let shown = match &class {
        Some(class) => match case.get::<RuntimeClass>(None, class)? {
            Read::Found(it) => {
                Some(Evidence::field(&ObjectRef::new(Kind::RuntimeClass, None, class), ".handler", it.handler.clone()))
            }
            Read::Absent | Read::Unreadable => None,
        },
        None => None,
    };
    Ok(finding
        .title(text!["Node ", name(node), " has no runtime handler ", name(handler.clone())])
        .explain(text![
            "The pod wants runtime handler ",
            name(handler.clone()),
            of_class,
            ", and the container runtime of node ",
            name(node),
            " is not configured for it."
        ])
        .also(has)
        .also(failure.said())
        .evidence(shown)
        .fix(Fix::safe(text![
            "install and configure handler ",
            name(handler.clone()),
            " in the container runtime of the node (containerd: ",
            code(format!("runtimes.{handler}")),
            " in config.toml), then restart it"
        ]))
        .fix(Fix::disruptive(text![
            "or keep such pods on nodes that have it: ",
            code("scheduling.nodeSelector"),
            " of the RuntimeClass"
        ]))
        .fix(template))
}

/// The handlers that the node reports (1.30 and later).
fn offered(case: &Case<'_>) -> Result<Vec<String>, Needs> {
    let Read::Found(node) = case.node()? else { return Ok(Vec::new()) };
    let handlers = node.status.as_ref().and_then(|status| status.runtime_handlers.clone()).unwrap_or_default();
    Ok(handlers.into_iter().filter_map(|handler| handler.name).filter(|name| !name.is_empty()).collect())
}
