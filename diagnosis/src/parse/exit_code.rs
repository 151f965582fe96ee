//! Exit codes: what they mean, and which signal stands behind those above 128.
//!
//! Runtimes report a death by signal as 128 + number; a shell repeats the code of a child that died so. The numbers are those
//! of Linux on x86, arm, riscv64, s390x and ppc64le.

/// A signal that ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its number.
    pub number: i32,
    /// Its name, such as `SIGSEGV`.
    pub name: &'static str,
    /// What it means that a process died of it.
    pub meaning: &'static str,
    /// What to look at first.
    pub look: &'static str,
    /// Whether another process sends it as an order to stop.
    pub is_order: bool,
}

const fn fault(number: i32, name: &'static str, meaning: &'static str, look: &'static str) -> Signal {
    Signal { number, name, meaning, look, is_order: false }
}

const fn order(number: i32, name: &'static str, meaning: &'static str) -> Signal {
    Signal { number, name, meaning, look: "find out who sends it", is_order: true }
}

/// The signals that end a process by default.
const SIGNALS: &[Signal] = &[
    order(1, "SIGHUP", "its terminal or its parent went away, or somebody wanted it to reload"),
    order(2, "SIGINT", "it was interrupted"),
    order(3, "SIGQUIT", "it was told to quit, mostly by the stop signal of its image"),
    fault(
        4,
        "SIGILL",
        "it executed an instruction that this CPU does not have",
        "compare the image's CPU level (AVX, x86-64-v3) with the node's, or rebuild the image for an older CPU",
    ),
    fault(5, "SIGTRAP", "it hit a trap of its own runtime or a debugger's breakpoint", "read the runtime's last lines"),
    fault(
        6,
        "SIGABRT",
        "it aborted itself: a failed assertion, a broken heap or an unhandled exception",
        "read the lines right before the end; a core dump names the place",
    ),
    fault(
        7,
        "SIGBUS",
        "it touched memory that has nothing behind it: a truncated file, a full /dev/shm (64 MiB unless a volume is \
         mounted there), or missing huge pages",
        "mount an emptyDir with medium Memory at /dev/shm, or turn huge pages off in the program",
    ),
    fault(8, "SIGFPE", "it divided an integer by zero", "find the division in the code that ran last"),
    order(9, "SIGKILL", "it was killed at once, without a chance to clean up"),
    order(10, "SIGUSR1", "it got a signal that it does not handle"),
    fault(
        11,
        "SIGSEGV",
        "it touched memory that is not its own: a bug in native code, a library built for another libc, or a stack \
         overflow",
        "check native libraries against the image's libc (musl or glibc) and the latest change of image",
    ),
    order(12, "SIGUSR2", "it got a signal that it does not handle"),
    fault(13, "SIGPIPE", "the reader of its output went away", "look at what its output is piped into"),
    fault(14, "SIGALRM", "a timer of its own ran out", "look for a timeout that the program sets for itself"),
    order(15, "SIGTERM", "it was told to stop"),
    fault(24, "SIGXCPU", "it used up the CPU time that its ulimit allows", "raise the ulimit on CPU time"),
    fault(25, "SIGXFSZ", "it wrote a file larger than its ulimit allows", "raise the ulimit on file size"),
    fault(
        31,
        "SIGSYS",
        "it made a system call that its seccomp profile forbids",
        "compare the container's seccompProfile with what the program needs",
    ),
];

/// The signal that an exit code stands for, if it is one that ends processes.
pub fn signal(code: i32) -> Option<Signal> {
    let number = code.checked_sub(128)?;
    SIGNALS.iter().copied().find(|signal| signal.number == number)
}

/// What is said of a code without a meaning by convention.
pub const OWN: &str = "the program's own code";

/// What an exit code means by convention; honest where it means nothing by itself.
pub fn meaning(code: i32) -> &'static str {
    match code {
        0 => "the process ended well",
        1 => "the program reported an error of its own",
        2 => "a wrong call of a shell or program, or a Go panic",
        3 => "the program's own code, or a JVM that ran out of memory (ExitOnOutOfMemoryError)",
        101 => "a Rust panic by convention",
        125 => "a wrapper failed before it could run the program",
        126 => "the command was found and may not be executed",
        127 => "the command was not found",
        128 => "the container could not be started, or the program gave an invalid exit code",
        255 | -1 => "the program ended with -1, or the runtime lost it",
        -1_073_741_819 => "a Windows access violation",
        -1_073_741_515 => "a Windows program did not find a DLL",
        145 => "the program's own code; 128 + 17 would be SIGCHLD, a signal that ends no process",
        146 => "the program's own code; 128 + 18 would be SIGCONT, a signal that ends no process",
        147 => "the program's own code; 128 + 19 would be SIGSTOP, a signal that halts a process and does not end it",
        148 => "the program's own code; 128 + 20 would be SIGTSTP, a signal that halts a process and does not end it",
        149 => "the program's own code; 128 + 21 would be SIGTTIN, a signal that halts a process and does not end it",
        150 => "the program's own code; 128 + 22 would be SIGTTOU, a signal that halts a process and does not end it",
        151 => "the program's own code; 128 + 23 would be SIGURG, a signal that ends no process",
        other => signal(other).map_or(OWN, |signal| signal.meaning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_found_above_128_only() {
        for (code, name) in [
            (129, "SIGHUP"),
            (132, "SIGILL"),
            (134, "SIGABRT"),
            (135, "SIGBUS"),
            (136, "SIGFPE"),
            (137, "SIGKILL"),
            (139, "SIGSEGV"),
            (141, "SIGPIPE"),
            (143, "SIGTERM"),
            (159, "SIGSYS"),
        ] {
            assert_eq!(signal(code).map(|signal| signal.name), Some(name), "{code}");
        }
        for code in [0, 1, 9, 11, 42, 127, 128, 255, 165, i32::MIN, i32::MAX] {
            assert_eq!(signal(code), None, "{code}");
        }
    }

    #[test]
    fn every_code_has_a_meaning() {
        for code in [0, 1, 2, 3, 42, 101, 126, 127, 128, 137, 255, -1, i32::MIN, i32::MAX] {
            assert!(!meaning(code).is_empty(), "{code}");
        }
        assert_eq!(meaning(42), OWN);
    }
}
