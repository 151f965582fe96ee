//! What shells and launchers say: dash, bash, busybox ash, env, tini, exec.

use super::rule::Rule;
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    // runc, older than 1.1, after it had started the container: `exec user process caused "exec format error"`.
    Rule::sure("exec user process caused", r#"exec user process caused:? "?(?<why>[^"]+?)"?$"#, |hit| {
        let why = hit.get("why")?;
        Some(if why.contains("format error") {
            Failure::ExecFormat { path: String::new() }
        } else if why.contains("ermission denied") {
            Failure::NotExecutable { path: String::new() }
        } else if why.contains("o such file or directory") {
            Failure::CommandNotFound { command: String::new() }
        } else {
            Failure::Fatal { what: hit.whole() }
        })
    }),
    Rule::sure(
        "exec format error|enoexec",
        concat!(
            r"(?:[^\s]*: )?(?:line [0-9]+: |[0-9]+: )?(?:exec: )?(?:exec )?(?<path>[^\s:]+)?:? ?(?:cannot ",
            "execute binary file: )?(?i-u:exec format error)"
        ),
        |hit| Some(Failure::ExecFormat { path: hit.text_of("path") }),
    )
    .of(Language::Shell),
    Rule::sure("cannot execute binary file", r"(?<path>/?[^\s:]+): cannot execute binary file", |hit| {
        Some(Failure::ExecFormat { path: hit.text_of("path") })
    })
    .of(Language::Shell),
    Rule::sure(
        "syntax error",
        r"^(?<shell>[^\s:]*sh|/[^\s:]+): (?:-c: )?(?:line )?(?:[0-9]+: )?(?<detail>[Ss]yntax error.*)",
        |hit| Some(Failure::ShellSyntax { shell: hit.text_of("shell"), detail: hit.text_of("detail") }),
    )
    .of(Language::Shell),
    Rule::sure(
        "unexpected end of file|unexpected eof while|illegal option|unterminated quoted|bad substitution|\
         invalid option|bad variable name|unexpected operator|conditional binary operator",
        concat!(
            r"^(?<shell>(?:[^\s:]*/)?(?:ba|da|a|k|z)?sh|/[^\s:]+\.sh|",
            r"[^\s:]+\.sh): (?:-c: )?(?:set: )?(?:line )?(?:[0-9]+: )?(?<detail>(?:set: |",
            r"[^\s:]+: )?(?:syntax error.*|unexpected (?:end of file|",
            "EOF).*|[Ii]llegal option.*|invalid option.*|[Ss]yntax error.*|",
            "[Uu]nterminated quoted.*|[Bb]ad substitution|bad variable name|",
            "unexpected operator|conditional binary operator expected))"
        ),
        |hit| Some(Failure::ShellSyntax { shell: hit.text_of("shell"), detail: hit.text_of("detail") }),
    )
    .of(Language::Shell),
    // A variable that `set -u` or `${X:?}` asks for.
    Rule::sure(
        "parameter not set|unbound variable|parameter null or not set",
        r"(?:^|[\s:])(?<name>[A-Za-z_][A-Za-z0-9_]*): (?:parameter (?:null or )?not set|unbound variable)",
        |hit| Some(Failure::MissingVariable { name: hit.text_of("name") }),
    )
    .of(Language::Shell),
    Rule::sure(
        "can't open|cannot open",
        concat!(
            r"^(?<shell>[^\s:]*sh): (?:0: )?(?:[0-9]+: )?(?:can't open|",
            r"cannot open|Can't open) '?(?<path>[^\s':]+)'?"
        ),
        |hit| Some(Failure::MissingFile { path: hit.text_of("path") }),
    )
    .of(Language::Shell),
    Rule::sure(
        "bad interpreter",
        r"^(?:[^\s:]+: )?(?:line [0-9]+: )?(?<command>[^\s:]+): (?<interpreter>[^\s:]+): bad interpreter: ",
        |hit| Some(Failure::CommandNotFound { command: hit.text_of("command") }),
    )
    .of(Language::Shell),
    // A script says of a command that it calls by its path what a shell says of one: `/app/start: line 10: bin/rails: ...`.
    Rule::sure(
        ": no such file or directory",
        concat!(
            r"^(?:(?:[^\s:]*/)?(?:ba|da|a|k|z)?sh: (?:line [0-9]+: |[0-9]+: )?|[^\s:]+: line [0-9]+: )",
            r"(?:exec: )?(?<path>[^\s:]+): No such file or directory"
        ),
        |hit| {
            let path = hit.text_of("path");
            // A redirection from a file reads alike.
            Some(if is_program(&path) {
                Failure::CommandNotFound { command: path }
            } else {
                Failure::MissingFile { path }
            })
        },
    )
    .of(Language::Shell),
    Rule::sure(
        ": is a directory",
        concat!(
            r"^(?:(?:[^\s:]*/)?(?:ba|da|a|k|z)?sh: (?:line [0-9]+: |[0-9]+: )?|[^\s:]+: line [0-9]+: )",
            r"(?<path>[^\s:]+): [Ii]s a directory$"
        ),
        |hit| Some(Failure::NotExecutable { path: hit.text_of("path") }),
    )
    .of(Language::Shell),
    Rule::sure("command not found: ", r"^[^\s:]*sh(?::[0-9]+)?: command not found: (?<command>\S+)$", |hit| {
        Some(Failure::CommandNotFound { command: hit.text_of("command") })
    })
    .of(Language::Shell),
    Rule::sure(
        "command not found",
        r"^(?:[^\s]+: )?(?:line [0-9]+: |[0-9]+: )?(?<command>[^\s:]+): command not found",
        |hit| Some(Failure::CommandNotFound { command: hit.text_of("command") }),
    )
    .of(Language::Shell),
    Rule::sure(
        "required file not found",
        r"^(?:[^\s]+: )?(?:line [0-9]+: )?(?<command>[^\s:]+): cannot execute: required file not found",
        |hit| Some(Failure::CommandNotFound { command: hit.text_of("command") }),
    )
    .of(Language::Shell),
    Rule::sure(
        ": not found",
        concat!(
            r"^(?:[^\s:]*sh|/[^\s:]+|exec|env|[^\s:]+\.sh): (?:line [0-9]+: |",
            r"[0-9]+: )?(?:exec: )?(?:line [0-9]+: )?(?<command>[^\s:]+): not found$"
        ),
        |hit| Some(Failure::CommandNotFound { command: hit.text_of("command") }),
    )
    .of(Language::Shell),
    Rule::sure(
        "can't execute|cannot execute",
        r"^(?<program>[^\s:]+): (?:can't|cannot) execute:? '?(?<command>[^\s':]+)'?:? ?(?<why>.*)",
        |hit| {
            let command = hit.text_of("command");
            Some(if hit.text.contains("ermission denied") {
                Failure::NotExecutable { path: command }
            } else {
                Failure::CommandNotFound { command }
            })
        },
    )
    .of(Language::Shell),
    Rule::sure(
        "executable file not found in $path",
        r#"exec: "(?<command>[^"]+)": executable file not found in \$PATH"#,
        |hit| Some(Failure::CommandNotFound { command: hit.text_of("command") }),
    ),
    Rule::sure(
        "[fatal tini|exec /|exec ./|/usr/bin/env: |env: |su-exec: |gosu: |exec failed: no such file",
        concat!(
            r"^(?:\[FATAL tini \([0-9]+\)\] exec |exec |tini \([0-9]+\)\] exec |",
            r"/usr/bin/env: |env: (?:can't execute )?|su-exec: |error: exec: )['‘]?(?<command>[^\s:'’]+)",
            r"(?:\\r)?['’]?(?: failed)?: (?<why>.*)"
        ),
        |hit| {
            let command = hit.text_of("command");
            let why = hit.get("why")?;
            Some(if why.contains("ermission denied") {
                Failure::NotExecutable { path: command }
            } else if why.contains("format error") {
                Failure::ExecFormat { path: command }
            } else {
                Failure::CommandNotFound { command: command.trim_end_matches("\\r").to_owned() }
            })
        },
    )
    .of(Language::Shell),
    Rule::sure(
        "permission denied",
        concat!(
            r"^(?:(?:[^\s:]*/)?(?:ba|da|a|k|z)?sh|[^\s:]+\.sh): (?:line [0-9]+: |",
            r"[0-9]+: )?(?:exec: )?(?<path>\.{0,2}/?[^\s:]+): [Pp]ermission denied$"
        ),
        |hit| {
            // A redirection to a file that is not writable reads alike.
            let path = hit.text_of("path");
            Some(if is_program(&path) {
                Failure::NotExecutable { path }
            } else {
                Failure::PermissionDenied { path: Some(path), port: None, operation: "open".to_owned() }
            })
        },
    )
    .of(Language::Shell),
    Rule::likely(
        "usage",
        r"^(?:[Uu]sage|USAGE): +(?<program>[A-Za-z./_][^\s\[<]*)|^[Uu]sage of (?<program2>\S+):$",
        |hit| {
            let program = hit.own("program").or_else(|| hit.own("program2"))?;
            if hit.text.contains('%') || hit.text.len() > 300 {
                return None;
            }
            Some(Failure::Usage { program: program.trim_end_matches(':').to_owned() })
        },
    ),
    Rule::likely("usage:", r"^(?:[Uu]sage|USAGE):\s*$", |hit| {
        let program = hit.below.iter().map(|line| line.body().trim()).find(|text| !text.is_empty())?;
        Some(Failure::Usage { program: program.split(' ').next()?.to_owned() })
    }),
];

/// A program stands where programs stand, or is called by a relative path; data has its own places and names.
fn is_program(path: &str) -> bool {
    const PLACES: &[&str] = &["/data", "/var/", "/tmp", "/etc/", "/log", "/proc", "/sys", "/dev", "/run/", "/config"];
    const NAMES: &[&str] =
        &[".log", ".txt", ".pid", ".db", ".json", ".conf", ".cfg", ".yaml", ".yml", ".lock", ".env", ".sql", ".csv"];
    !PLACES.iter().any(|place| path.starts_with(place)) && !NAMES.iter().any(|name| path.ends_with(name))
}
