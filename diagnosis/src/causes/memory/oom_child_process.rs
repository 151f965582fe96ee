//! `oom-child-process`.

use kubewhy_text::{Text, name, own, quoted, text};

use crate::ask::Instance;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::heap::Limit;
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::killed_child;
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// A child process of the container was killed, most likely for memory, while the main process lives on: workers
    /// come and go, and the API shows no restart.
    /// ## Signals
    /// The container runs; its log says `Worker (pid:12) was sent SIGKILL! Perhaps out of memory?` (gunicorn), `worker
    /// process 12 exited on signal 9` (nginx), `died, killed by signal 9` (uWSGI), `Worker exited prematurely: signal 9
    /// (SIGKILL)` (celery), `server process (PID 12) was terminated by signal 9: Killed` (PostgreSQL), `child 12 exited
    /// on signal 9` (php-fpm).
    /// ## Look-alikes
    /// `oom-limit`: the container itself ended with OOMKilled (on cgroup v2 all its processes die together, unless
    /// singleProcessOOMKill is set). `terminated-externally`: the main process got the signal.
    /// ## Fixes
    /// Fewer or smaller workers, or a higher memory limit.
    /// ## Source
    /// <https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/> (singleProcessOOMKill).
    OomChildProcess, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for container in case.containers() {
        let lives = container.running().is_some() && !container.is_ready();
        if !lives || pods::troubling_end(pod, &container, case.now()).is_some() {
            continue;
        }
        let Read::Found(log) = case.log(pod, container.name(), Instance::Current)? else { continue };
        if let Some((number, line)) = killed_child::last(&log) {
            found.push(explain(case, &container, number, line)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>, number: usize, line: &str) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let limit = case.pod().and_then(|pod| Limit::of(pod, container));
    let bound: Text = if let Some(limit) = limit {
        text![
            "Its memory limit is ",
            own(limit.show()),
            limit.remark(),
            "; most likely the kernel killed the worker for reaching it."
        ]
    } else {
        text!["It has no memory limit, so the node's memory ran out, or something else killed the worker."]
    };
    let finding = case
        .finding_in(Code::OomChildProcess, container)
        .confidence(Confidence::Likely)
        .title(text![
            "A worker process of container ",
            name(container.name()),
            " is killed again and again: ",
            quoted(line)
        ])
        .explain(text![
            container.subject(),
            " itself lives on, so the API shows no restart; only its log tells that a child of it got SIGKILL."
        ])
        .also(bound)
        .evidence(case.log_evidence(container, number, line))
        .evidence(limit.map(|limit| case.field(&limit.path(container), limit.show())));
    Ok(finding
        .fix(
            Fix::disruptive(text![
                "run fewer or smaller workers, or raise the memory limit of container ",
                name(container.name())
            ])
            .command(template.edit(case)),
        )
        .fix(Fix::safe(text!["see how its memory grows"]).command(case.kubectl([
            "top",
            "pod",
            case.name(),
            "--containers",
        ]))))
}
