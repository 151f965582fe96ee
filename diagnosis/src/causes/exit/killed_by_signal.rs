//! `killed-by-signal`.

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Story};
use crate::finding::{Finding, Fix};
use crate::parse::exit_code::Signal;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The process was ended by a fault of its own: invalid memory, an abort, an instruction that the CPU does not
    /// have, a forbidden system call; or by a signal that it does not handle, other than the two that stop containers.
    /// ## Signals
    /// Exit codes 128 + signal: 132 SIGILL, 133 SIGTRAP, 134 SIGABRT, 135 SIGBUS, 136 SIGFPE, 139 SIGSEGV, 141 SIGPIPE,
    /// 152 SIGXCPU, 153 SIGXFSZ, 159 SIGSYS (CRI-O reason `seccomp killed`), with reason `Error` and no runtime's last
    /// words; 129 SIGHUP, 130 SIGINT, 131 SIGQUIT, 138 SIGUSR1, 140 SIGUSR2 where the kubelet stopped nothing. 145 to 151
    /// stand for signals that end no process: such a code is the program's own.
    /// ## Look-alikes
    /// `app-panic` and `heap-exhausted`: a runtime reports its own failure and then aborts (134) or faults (139); its
    /// words decide. `terminated-externally`: 137 and 143 are orders from outside. `oom-limit`: reason OOMKilled.
    /// ## Fixes
    /// By signal: compare the CPU, the libc, /dev/shm, the seccomp profile; get a core dump where nothing else tells.
    /// ## Source
    /// signal(7); containerd pkg/sys/reaper, exitSignalOffset = 128.
    KilledBySignal, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for end in ends::of(case)? {
        if let Story::Fault(signal) = &end.story {
            found.push(explain(case, &end, signal)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, end: &End<'_>, signal: &Signal) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let node = case.pod().and_then(pods::node_name).map(|node| text!["It ran on node ", name(node), "."]);
    let node = node.filter(|_| matches!(signal.number, 4 | 7 | 31));
    let seccomp: Option<Text> = (end.state.reason.as_deref() == Some("seccomp killed"))
        .then(|| text!["The runtime says that its seccomp profile killed it."]);
    Ok(end
        .finding(case, Code::KilledBySignal)
        .title(text![end.subject(), " is killed by ", signal.name, " (exit code ", end.state.exit_code, ")"])
        .explain(end.opening())
        .also(text![
            own(format!("{} is 128 + {}, the signal {}: ", end.state.exit_code, signal.number, signal.name)),
            signal.meaning,
            ".",
            // Alpha, SPARC and MIPS number these two in other ways.
            matches!(signal.number, 10 | 12).then(|| text![" The number is that of x86 and Arm."])
        ])
        .also(seccomp)
        .also(node)
        .also(end.last_words())
        .fix(Fix::disruptive(text![signal.look]).command(template.edit(case)))
        .fix(end.read_log(case)))
}
