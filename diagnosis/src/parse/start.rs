//! Errors of creating and starting a container: runc, crun, containerd, CRI-O, Docker, and the shells' own words.
//!
//! Source: runc `libcontainer/{init,standard_init,process}_linux.go`; containerd
//! `internal/cri/server/container_{create,start}.go`; CRI-O `server/container_{create,start}.go`.

/// Why a container could not be created or started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The program is not in the image, or what it needs to run is not.
    CommandNotFound {
        /// The program; empty where nothing names it.
        command: String,
        /// The file may be there: the interpreter or loader that it names is not.
        interpreter: bool,
    },
    /// The program is there and may not be executed.
    NotExecutable {
        /// The program.
        path: String,
        /// It is a directory.
        directory: bool,
    },
    /// The kernel does not know the file's format.
    ExecFormat {
        /// The file, where the message names it.
        path: Option<String>,
    },
    /// Neither the image nor the pod names a program.
    NoCommand,
    /// The first element of the command line is an empty string.
    EmptyCommand,
    /// The working directory cannot be entered.
    WorkingDir {
        /// The directory, where the message names it.
        path: Option<String>,
        /// The runtime's reason, such as `not a directory`.
        why: String,
    },
    /// The user or group is not in the image.
    UserMissing {
        /// User or group.
        name: String,
        /// It is a group.
        group: bool,
    },
    /// The memory limit is too low to start anything.
    MemoryTooLow {
        /// The least that the runtime asks for, in bytes.
        least: Option<u64>,
    },
    /// A security profile or label that the node cannot apply.
    SecurityProfile {
        /// `seccomp`, `AppArmor`, `SELinux`, `capabilities`.
        what: &'static str,
        /// The profile or label, where the message names it.
        profile: Option<String>,
    },
    /// A device, a GPU or its hook.
    Device,
    /// The kernel has no control group, file watch or watcher left.
    Watches,
    /// The node has no space left.
    NoSpace,
    /// The runtime did not do it in time.
    TooSlow,
    /// A mount: another stage's matter.
    Mount,
    /// The name is taken, the runtime is down or its handler unknown: the sandbox's matter.
    Runtime,
    /// Anything else.
    Other,
}

/// Reads the words of a runtime that could not create or start a container; `None` where nothing is known to be wrong.
pub fn parse(message: &str) -> Option<StartError> {
    let plain = message.replace("\\\"", "\"");
    let words = strip_rpc(plain.trim());
    if words.is_empty() {
        return None;
    }
    let error = others(words)
        .or_else(|| command_line(words))
        .or_else(|| working_dir(words))
        .or_else(|| security(words))
        .or_else(|| user(words))
        .or_else(|| memory(words))
        .or_else(|| device(words))
        .or_else(|| node(words));
    Some(error.unwrap_or(StartError::Other))
}

/// The heart of a runtime's message, without the envelopes around it.
pub fn heart(message: &str) -> &str {
    let mut words = strip_rpc(message.trim());
    let envelopes = [
        "CreateContainerError: ",
        "RunContainerError: ",
        "CreateContainerConfigError: ",
        "PreStartHookError: ",
        "failed to generate spec: ",
        "failed to create containerd task: ",
        "failed to create shim task: ",
        "OCI runtime create failed: ",
        "runc create failed: ",
        "crun: ",
        "container create failed: ",
        "unable to start container process: ",
        "starting container process caused: ",
        "error during container init: ",
        "failed to start container: ",
        "Error response from daemon: ",
    ];
    for envelope in envelopes {
        if let Some((_, rest)) = words.split_once(envelope) {
            words = rest;
        }
    }
    let words = words.trim().trim_end_matches(": unknown").trim();
    if words.is_empty() { message } else { words }
}

/// Tells whether these are a runtime's words, not what an app left as its termination message.
pub fn is_runtimes(message: &str) -> bool {
    let envelopes = [
        "OCI runtime",
        "container create failed",
        "failed to create containerd",
        "failed to create shim",
        "failed to start container",
        "failed to generate container",
        "unable to start container process",
        "starting container process caused",
        "executable file",
    ];
    envelopes.iter().any(|envelope| message.contains(envelope))
}

/// Without `rpc error: code = X desc = `, which events carry and states do not.
fn strip_rpc(message: &str) -> &str {
    let message = message.strip_prefix("Error: ").unwrap_or(message);
    match message.strip_prefix("rpc error: code = ").and_then(|rest| rest.split_once(" desc = ")) {
        Some((_, words)) => words,
        None => message,
    }
}

/// What other stages explain; first, because these quote paths and programs too.
fn others(words: &str) -> Option<StartError> {
    let mount = [
        "error mounting ",
        "caused: mount through procfd",
        "to rootfs at ",
        "to rootfs \"",
        "subPath",
        "Are you trying to mount a directory onto a file",
        "create mountpoint for ",
        "error jailing process inside rootfs",
        "can't mask path",
        "error setting rootfs as readonly",
        "failed to mount image volume",
        "ImageVolumeMountFailed",
    ];
    if mount.iter().any(|wording| words.contains(wording)) {
        return Some(StartError::Mount);
    }
    let runtime = [
        "failed to reserve container name",
        "is already in use by container",
        "is reserved for",
        "no runtime for ",
        "connection error: desc = \"transport",
        "Cannot connect to the Docker daemon",
    ];
    runtime.iter().any(|wording| words.contains(wording)).then_some(StartError::Runtime)
}

fn command_line(words: &str) -> Option<StartError> {
    if words.contains("no command specified") || words.contains("No command specified") {
        return Some(StartError::NoCommand);
    }
    if ["exec: \"\": executable file not found", "executable file `` not found"]
        .iter()
        .any(|wording| words.contains(wording))
    {
        return Some(StartError::EmptyCommand);
    }
    if words.contains("exec format error") || words.contains("Exec format error") {
        return Some(StartError::ExecFormat { path: program(words) });
    }
    if words.contains("executable file") && words.contains("not found") {
        return Some(StartError::CommandNotFound { command: program(words)?, interpreter: false });
    }
    if let Some((_, rest)) = words.split_once("cannot find `") {
        let command = rest.split('`').next().unwrap_or_default().to_owned();
        return Some(StartError::CommandNotFound { command, interpreter: false });
    }
    let path = program(words)?;
    let after = words.rsplit_once(path.as_str()).map_or(words, |(_, after)| after).to_lowercase();
    if after.contains("no such file or directory") {
        return Some(StartError::CommandNotFound { command: path, interpreter: false });
    }
    if after.contains("is a directory") {
        return Some(StartError::NotExecutable { path, directory: true });
    }
    after.contains("permission denied").then_some(StartError::NotExecutable { path, directory: false })
}

/// The program in `exec: "x"` (runc, Docker) or ``executable file `x` `` and ``open executable `x` `` (crun).
fn program(words: &str) -> Option<String> {
    let quoted = words.rsplit_once("exec: \"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
    let crun = || {
        let (_, rest) = words.split_once("executable file `").or_else(|| words.split_once("executable `"))?;
        rest.split('`').next()
    };
    let bare = || {
        let (_, rest) = words.rsplit_once("exec ").or_else(|| words.rsplit_once("exec: "))?;
        rest.split(": ").next().filter(|name| name.starts_with(['/', '.']) && !name.contains(' '))
    };
    quoted.or_else(crun).or_else(bare).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn working_dir(words: &str) -> Option<StartError> {
    if let Some((_, rest)) = words.split_once("chdir to cwd (\"") {
        let (path, rest) = rest.split_once('"')?;
        let why = rest.split_once("failed: ").map_or(rest, |(_, why)| why);
        return Some(StartError::WorkingDir { path: Some(path.to_owned()), why: reason(why) });
    }
    if let Some((_, rest)) = words.split_once("container init: mkdir ") {
        let (path, why) = rest.split_once(": ")?;
        return Some(StartError::WorkingDir { path: Some(path.to_owned()), why: reason(why) });
    }
    // CRI-O makes the directory itself; crun has no path in its words.
    for opening in ["working directory", "chdir to `", "cannot chdir to `", "mkdir cwd"] {
        if let Some((_, rest)) = words.split_once(opening) {
            let path = rest.split(['`', '"', '\'']).find(|part| part.starts_with('/')).map(str::to_owned);
            return Some(StartError::WorkingDir { path, why: reason(rest.rsplit_once(": ").map_or(rest, |it| it.1)) });
        }
    }
    let (_, why) = words.split_once("chdir: ")?;
    Some(StartError::WorkingDir { path: None, why: reason(why) })
}

fn reason(words: &str) -> String {
    words.split(": unknown").next().unwrap_or(words).trim().to_lowercase()
}

fn security(words: &str) -> Option<StartError> {
    let lower = words.to_lowercase();
    if lower.contains("apparmor") {
        return Some(StartError::SecurityProfile { what: "AppArmor", profile: apparmor_profile(words) });
    }
    if lower.contains("seccomp") || words.contains("localhostProfile must be set") {
        let file = words.split([' ', '"']).find(|word| word.contains('/') && word.contains("seccomp"));
        let profile = file.map(|file| file.trim_end_matches([':', ',', ')']).to_owned());
        return Some(StartError::SecurityProfile { what: "seccomp", profile });
    }
    let selinux = lower.contains("selinux") || lower.contains("set process label") || lower.contains("relabel \"");
    if selinux {
        let label = lower.split_once("with \"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        return Some(StartError::SecurityProfile { what: "SELinux", profile: label });
    }
    let capabilities = lower.contains("unable to apply caps") || lower.contains("unknown capability");
    capabilities.then_some(StartError::SecurityProfile { what: "capabilities", profile: None })
}

fn apparmor_profile(words: &str) -> Option<String> {
    let after = |opening: &str| words.split_once(opening).map(|(_, rest)| rest);
    let rest = after("profile \"").or_else(|| after("profile not found ")).or_else(|| after("AppArmor profile "))?;
    let name = rest.split(['"', ' ', ':']).next().unwrap_or_default();
    (!name.is_empty() && name != "not").then(|| name.to_owned())
}

fn user(words: &str) -> Option<StartError> {
    let after = |opening: &str| words.split_once(opening).map(|(_, rest)| rest);
    let name = |rest: &str| rest.split([':', ' ']).next().unwrap_or_default().trim_matches('"').to_owned();
    if let Some(rest) = after("unable to find group ") {
        return Some(StartError::UserMissing { name: name(rest), group: true });
    }
    if let Some(rest) = after("unable to find user ") {
        return Some(StartError::UserMissing { name: name(rest), group: false });
    }
    let no_match = words.contains("no matching entries in passwd file") || words.contains("no users found");
    no_match.then(|| StartError::UserMissing { name: String::new(), group: false })
}

fn memory(words: &str) -> Option<StartError> {
    if let Some((_, rest)) = words.split_once("should be at least ") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return Some(StartError::MemoryTooLow { least: digits.parse().ok() });
    }
    let wordings =
        ["memory limit too low", "container init was OOM-killed", "rejecting memory limit", "set memory limit"];
    let killed = words.contains("process_linux.go") && words.contains("signal: killed");
    let low = killed || wordings.iter().any(|wording| words.contains(wording));
    low.then_some(StartError::MemoryTooLow { least: None })
}

fn device(words: &str) -> Option<StartError> {
    let lower = words.to_lowercase();
    let wordings = [
        "nvidia-container",
        "could not select device driver",
        "cdi device",
        "device plugin",
        "gpu",
        "error gathering device",
    ];
    wordings.iter().any(|wording| lower.contains(wording)).then_some(StartError::Device)
}

fn node(words: &str) -> Option<StartError> {
    if super::sandbox::watches(&words.to_ascii_lowercase()) {
        return Some(StartError::Watches);
    }
    if words.contains("no space left on device") {
        return Some(StartError::NoSpace);
    }
    let slow = words.contains("context deadline exceeded") || words.contains("DeadlineExceeded");
    slow.then_some(StartError::TooSlow)
}

fn is_shell(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word).trim_start_matches('-');
    matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh" | "busybox")
}

/// The program that a shell says it does not find, in a line such as `sh: 1: slep: not found`,
/// `/bin/sh: slep: not found`, `bash: line 1: slep: command not found`, `zsh:1: command not found: slep`.
pub fn shell_lacks(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some((before, program)) = line.rsplit_once("command not found: ") {
        return (before.len() < 60).then(|| program.trim().to_owned()).filter(|program| !program.is_empty());
    }
    let before = line.strip_suffix(": command not found").or_else(|| line.strip_suffix(": not found"))?;
    let parts: Vec<&str> = before.split(": ").collect();
    let [shell, .., program] = parts.as_slice() else { return None };
    let is_script = std::path::Path::new(shell).extension().is_some_and(|extension| extension == "sh");
    let script = is_script || line.contains(": line ");
    let plain = !program.is_empty() && !program.contains(char::is_whitespace);
    ((is_shell(shell) || *shell == "exec" || script) && plain).then(|| (*program).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_found(command: &str) -> Option<StartError> {
        Some(StartError::CommandNotFound { command: command.to_owned(), interpreter: false })
    }

    fn not_executable(path: &str, directory: bool) -> Option<StartError> {
        Some(StartError::NotExecutable { path: path.to_owned(), directory })
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn every_runtime_is_understood() {
        let working_dir =
            |path: &str, why: &str| Some(StartError::WorkingDir { path: Some(path.to_owned()), why: why.to_owned() });
        let user = |name: &str, group| Some(StartError::UserMissing { name: name.to_owned(), group });
        let rows = [
            (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"slep\": executable file not found in $PATH: unknown",
                not_found("slep"),
            ),
            (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/app/run\": stat /app/run: no such file or directory: unknown",
                not_found("/app/run"),
            ),
            (
                "failed to start container \"c0ffee\": Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"a b c\": executable file not found in $PATH: unknown",
                not_found("a b c"),
            ),
            (
                "oci runtime error: container_linux.go:247: starting container process caused \"exec: \\\"mycmd\\\": executable file not found in $PATH\"",
                not_found("mycmd"),
            ),
            (
                "container create failed: executable file `slep` not found in $PATH: No such file or directory",
                not_found("slep"),
            ),
            (
                "container create failed: time=\"2026-11-20T10:00:00Z\" level=error msg=\"runc create failed: unable to start container process: exec: \\\"slep\\\": executable file not found in $PATH\"",
                not_found("slep"),
            ),
            (
                "... error during container init: exec: \"\": executable file not found in $PATH: unknown",
                Some(StartError::EmptyCommand),
            ),
            (
                "container create failed: executable file `` not found in $PATH: No such file or directory",
                Some(StartError::EmptyCommand),
            ),
            (
                "... unable to start container process: exec: \"/s/run.sh\": permission denied: unknown",
                not_executable("/s/run.sh", false),
            ),
            (
                "... unable to start container process: exec: \"/app\": is a directory: unknown",
                not_executable("/app", true),
            ),
            (
                "failed to generate container \"12\" spec: failed to generate spec: no command specified",
                Some(StartError::NoCommand),
            ),
            (
                "... unable to start container process: error during container init: mkdir /bin/sh: not a directory: unknown",
                working_dir("/bin/sh", "not a directory"),
            ),
            (
                "... chdir to cwd (\"/app\") set in config.json failed: permission denied: unknown",
                working_dir("/app", "permission denied"),
            ),
            (
                "failed to generate container \"12\" spec: failed to generate spec: unable to find user app: no matching entries in passwd file",
                user("app", false),
            ),
            ("unable to find group web: no matching entries in group file", user("web", true)),
            (
                "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown",
                Some(StartError::MemoryTooLow { least: None }),
            ),
            (
                "set memory limit 4194304 too low; should be at least 12582912 bytes",
                Some(StartError::MemoryTooLow { least: Some(12_582_912) }),
            ),
            (
                "... error mounting \"/x\" to rootfs at \"/etc/app.conf\": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?",
                Some(StartError::Mount),
            ),
            (
                "failed to reserve container name \"app_x\": name \"app_x\" is reserved for \"12\"",
                Some(StartError::Runtime),
            ),
            (
                "unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory",
                Some(StartError::SecurityProfile { what: "AppArmor", profile: None }),
            ),
            (
                "failed to generate seccomp spec opts: cannot load seccomp profile \"/var/lib/kubelet/seccomp/audit.json\": open /var/lib/kubelet/seccomp/audit.json: no such file or directory",
                Some(StartError::SecurityProfile {
                    what: "seccomp",
                    profile: Some("/var/lib/kubelet/seccomp/audit.json".to_owned()),
                }),
            ),
            (
                "... nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown",
                Some(StartError::Device),
            ),
            ("context deadline exceeded", Some(StartError::TooSlow)),
            (
                "failed to create and open log file: open /var/log/pods/x: no space left on device",
                Some(StartError::NoSpace),
            ),
            ("sandbox container \"12\" is not running", Some(StartError::Other)),
            ("", None),
        ];
        for (message, wanted) in rows {
            assert_eq!(parse(message), wanted, "{message}");
        }
    }

    #[test]
    fn the_heart_is_what_a_person_reads() {
        let message = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: unable to setup user: x: unknown";
        assert_eq!(heart(message), "unable to setup user: x");
    }
}
