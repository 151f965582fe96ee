//! `heap-exhausted`.

use kubewhy_text::{Text, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, Template};
use crate::facts::heap::{Heap, Limit};
use crate::facts::usage;
use crate::finding::{Finding, Fix};
use crate::parse::log::{Failure, Language, Signature};
use crate::parse::quantity::bytes;
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The runtime ran out of the heap that it may take, or the system refused it memory; the kernel did not kill it.
    /// ## Signals
    /// Java `java.lang.OutOfMemoryError: Java heap space` (or `Metaspace`, `GC overhead limit exceeded`; exit 1 or 3,
    /// or it runs on), Node `FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory` (134),
    /// Go `fatal error: runtime: out of memory` (2), Python `MemoryError`, C++ `std::bad_alloc`, PHP `Allowed memory
    /// size exhausted`.
    /// ## Look-alikes
    /// `oom-limit` and `jvm-heap-over-limit`: reason OOMKilled, the kernel acted. `killed-by-signal`: 134 without these
    /// words. `app-panic`: another exception. `hugepages-unavailable`: the memory that lacks is that of huge pages.
    /// ## Fixes
    /// Raise the heap setting where the limit leaves room, else limit and heap together; find the leak where it grows
    /// for ever.
    /// ## Source
    /// <https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html>, <https://nodejs.org/api/cli.html>.
    HeapExhausted, stage Memory, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    matches!(failure, Failure::HeapExhausted { .. } | Failure::NoMemory { .. })
}

fn detect(case: &Case<'_>) -> Verdict {
    let crashed = ends::with_failure(case, is_mine);
    let unready = ends::unready(case, is_mine);
    let mut found = Vec::new();
    for (end, signature) in crashed? {
        let finding = end.finding(case, Code::HeapExhausted).explain(end.opening());
        found.push(explain(case, &end.container, finding, &signature)?);
    }
    for (container, signature) in unready? {
        let opening = text![container.subject(), " runs and is not ready."];
        let evidence = case.log_evidence(&container, signature.line_number, &signature.line);
        let finding = case.finding_in(Code::HeapExhausted, &container).explain(opening).evidence(evidence);
        found.push(explain(case, &container, finding, &signature)?);
    }
    Ok(found)
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Finding, Needs> {
    let what = match &signature.kind {
        Failure::HeapExhausted { what } | Failure::NoMemory { what } if !what.is_empty() => what.clone(),
        _ => signature.line.clone(),
    };
    let template = ends::template(case)?;
    let limit = case.pod().and_then(|pod| Limit::of(pod, container));
    let heap = Heap::of(container.spec);
    let allowed = heap.as_ref().and_then(|heap| heap.bytes(limit.map(|limit| limit.bytes)));
    let refused = matches!(signature.kind, Failure::NoMemory { .. });
    let meaning = if refused {
        text!["The system refused the program more memory; the kernel did not kill it."]
    } else {
        text!["The runtime reached the heap that it may take by its own setting; the kernel did not kill it."]
    };
    let figures = figures(heap.as_ref(), allowed, limit);
    let evidence =
        heap.as_ref().map(|heap| case.field(&format!("{}.env", container.spec_path()), heap.describe().plain()));
    let (again, measured) = usage::memory_again(case, container, limit)?.unwrap_or_default();
    let setting = flag(signature, heap.as_ref());
    let mut fixes = vec![
        Fix::disruptive(text!["give the runtime a larger heap: ", setting, ", within the memory limit"])
            .command(set(case, &template, container, signature, limit)),
    ];
    if let Some(limit) = limit {
        fixes.push(
            Fix::disruptive(text![
                "raise the memory limit (",
                own(limit.show()),
                ") along with it, where the heap fills it"
            ])
            .command(template.edit(case)),
        );
    }
    fixes.push(Fix::safe(text!["look for what fills the heap (a heap dump), if it grows without end"]));
    let finding = finding
        .confidence(ends::confidence(signature))
        .title(text![container.subject(), " runs out of heap: ", quoted(what)])
        .also(meaning)
        .also(figures)
        .also(again)
        .evidence(evidence)
        .evidence(limit.map(|limit| case.field(&limit.path(container), limit.show())))
        .evidence(measured);
    Ok(fixes.into_iter().fold(finding, Finding::fix))
}

fn figures(heap: Option<&Heap>, allowed: Option<i128>, limit: Option<Limit>) -> Text {
    match (heap, allowed, limit) {
        (Some(heap), Some(allowed), Some(limit)) => text![
            heap.describe(),
            " allows ",
            own(bytes(allowed)),
            "; the memory limit of the container is ",
            own(limit.show()),
            limit.remark(),
            "."
        ],
        (Some(heap), Some(allowed), None) => {
            text![heap.describe(), " allows ", own(bytes(allowed)), "; the container has no memory limit."]
        }
        (_, _, Some(limit)) => text![
            "The container sets no heap size; its memory limit is ",
            own(limit.show()),
            limit.remark(),
            ", and a JVM takes a quarter of that by default."
        ],
        _ => text!["The container sets neither a heap size nor a memory limit."],
    }
}

fn flag(signature: &Signature, heap: Option<&Heap>) -> Text {
    match (signature.language, heap) {
        (_, Some(heap)) => heap.describe(),
        (Some(Language::Node), None) => text!["NODE_OPTIONS=--max-old-space-size"],
        (Some(Language::Java), None) => text!["JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage"],
        (Some(Language::Php), None) => text!["memory_limit of php.ini"],
        _ => text!["the runtime's own setting"],
    }
}

fn set(
    case: &Case<'_>,
    template: &Template,
    container: &ContainerView<'_>,
    signature: &Signature,
    limit: Option<Limit>,
) -> String {
    let setting = match (signature.language, limit) {
        (Some(Language::Node), Some(limit)) => {
            format!("NODE_OPTIONS=--max-old-space-size={}", limit.bytes.saturating_mul(3) / 4 / (1 << 20))
        }
        (Some(Language::Java), Some(_)) => "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75".to_owned(),
        _ => return template.edit(case),
    };
    if template.is_pod || Heap::of(container.spec).is_some() {
        return template.edit(case);
    }
    case.kubectl(["set", "env", template.argument.as_str(), "-c", container.name(), setting.as_str()])
}
