//! `jvm-heap-over-limit`.

use kubewhy_text::{name, own, text};

use super::oom_limit::{jvm_takes_too_much, raise};
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Story, Template};
use crate::facts::heap::{self, Heap, Limit, Size};
use crate::facts::usage;
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::quantity::bytes;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The JVM was told to take a heap that, with all else that it needs, does not fit into the container's memory
    /// limit; the kernel killed it.
    /// ## Signals
    /// Reason `OOMKilled`, and `-Xmx`, `-XX:MaxHeapSize` or `-XX:MaxRAMPercentage` (in JAVA_TOOL_OPTIONS, JAVA_OPTS or
    /// the command line) that allows 80% of the limit or more. Beside the heap a JVM needs metaspace, thread stacks,
    /// code cache and direct buffers.
    /// ## Look-alikes
    /// `oom-limit`: no heap setting, or one that leaves room. `heap-exhausted`: `java.lang.OutOfMemoryError`, the JVM's
    /// own limit, without a kill.
    /// ## Fixes
    /// `-XX:MaxRAMPercentage=75` instead of `-Xmx`, a smaller `-Xmx`, or a limit about a third above the heap.
    /// ## Source
    /// <https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html>; MaxRAMPercentage is 25 by default.
    JvmHeapOverLimit, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for end in ends::of(case)?.iter().filter(|end| matches!(end.story, Story::OutOfMemory)) {
        let Some(limit) = Limit::of(pod, &end.container).filter(|limit| jvm_takes_too_much(end, *limit)) else {
            continue;
        };
        let Some(heap) = Heap::of(end.container.spec) else { continue };
        found.push(explain(case, end, limit, &heap)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, end: &End<'_>, limit: Limit, heap: &Heap) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let allowed = heap.bytes(Some(limit.bytes)).unwrap_or_default();
    let share = allowed.saturating_mul(100).checked_div(limit.bytes).unwrap_or_default();
    let rest = limit.bytes.saturating_sub(allowed);
    let room = if rest <= 0 {
        text!["The heap alone may grow to the limit or beyond, and the rest of the JVM comes on top."]
    } else {
        text![
            "That leaves ",
            own(bytes(rest)),
            " for all else that a JVM needs (metaspace, threads, code, buffers), mostly a quarter of the limit."
        ]
    };
    let wanted = heap::suggestion(allowed.saturating_mul(4) / 3);
    let smaller = if matches!(heap.size, Size::JvmShare(_)) {
        text!["lower ", heap.describe(), " to 75 or less"]
    } else {
        text!["replace ", heap.describe(), " by -XX:MaxRAMPercentage=75, which follows the limit"]
    };
    let mut smaller = Fix::disruptive(smaller);
    smaller.commands.push(with_share(case, &template, end, heap).unwrap_or_else(|| template.edit(case)));
    let (again, measured) = usage::memory_again(case, &end.container, Some(limit))?.unwrap_or_default();
    let evidence = case.field(&format!("{}.env", end.container.spec_path()), heap.describe().plain());
    Ok(end
        .finding(case, Code::JvmHeapOverLimit)
        .confidence(Confidence::Likely)
        .title(text![
            "The JVM of container ",
            name(end.container.name()),
            " may take ",
            own(bytes(allowed)),
            " of heap, and its memory limit is ",
            own(limit.show())
        ])
        .explain(end.opening())
        .also(text![
            heap.describe(),
            " allows a heap of ",
            own(bytes(allowed)),
            ", ",
            own(share.to_string()),
            "% of the memory limit of ",
            own(limit.show()),
            limit.remark(),
            "; the kernel killed it (OOMKilled)."
        ])
        .also(room)
        .also(again)
        .evidence(evidence)
        .evidence(case.field(&limit.path(&end.container), limit.show()))
        .evidence(measured)
        .fix(smaller)
        .fix(raise(case, &template, end, &wanted, limit)))
}

/// The command that sets the share in place of the size; none where the variable holds more than options of the JVM
/// itself,
/// whose values are nobody's business here.
fn with_share(case: &Case<'_>, template: &Template, end: &End<'_>, heap: &Heap) -> Option<String> {
    let variable = heap.variable.as_ref().filter(|_| !template.is_pod)?;
    let env = end.container.spec.env.iter().flatten().find(|env| env.name == *variable)?;
    let old = env.value.as_deref()?;
    if !old.split_whitespace().all(|option| option.starts_with("-X")) {
        return None;
    }
    let setting = format!("{variable}={}", old.replace(&heap.flag, "-XX:MaxRAMPercentage=75"));
    Some(case.kubectl(["set", "env", template.argument.as_str(), "-c", end.container.name(), setting.as_str()]))
}
