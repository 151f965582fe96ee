//! Errors of creating and starting a container: runc, crun, containerd, CRI-O, Docker, and the shells' own words.

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
    let name = shell.rsplit('/').next().unwrap_or(shell);
    let is_script = name.contains('.') || line.contains(": line ");
    let is_shell = matches!(name.trim_start_matches('-'), "sh" | "bash" | "dash" | "ash" | "ksh" | "busybox" | "exec");
    let spaces = program.split_whitespace().count();
    ((is_shell || is_script) && spaces == 1).then(|| (*program).to_owned())
}
