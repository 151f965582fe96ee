//! `command-not-found`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures, field_of, volume_over, volume_source};
use crate::finding::{Finding, Fix};
use crate::nearest::nearest;
use crate::parse::start::StartError;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program that the container is to run does not exist in its image, or a script names an interpreter that does
    /// not, so the container ends before it has begun.
    /// ## Signals
    /// `exec: "X": executable file not found in $PATH` or `exec: "/X": stat /X: no such file or directory` in waiting
    /// `RunContainerError` or `CreateContainerError`, in a last end `StartError` 128 (containerd), in `ContainerCannotRun` 127
    /// (Docker); crun: ``executable file `X` not found in $PATH``. Behind a shell: exit code 127 and `sh: 1: X: not found` or
    /// `bash: line 1: X: command not found` in the log. `exec /X: no such file or directory` in the log: the interpreter
    /// of script X is missing (`#!/bin/bash` in an image without bash, Windows line ends).
    /// ## Look-alikes
    /// `command-not-executable`: the file is there and may not be executed. `exec-format-error`: it is there and is for
    /// another machine. `no-command`: nothing names a program. `app-config-error`: the program runs and misses a file.
    /// `probe-misconfigured`: the program that is missing is a probe's.
    /// ## Fixes
    /// Correct the name; put each word of the command line in its own element; call scripts through a shell that the image
    /// has; do not mount a volume over the program's directory; use an image that has the program.
    /// ## Source
    /// opencontainers/runc libcontainer/standard_init_linux.go; containerd internal/cri/server/container_start.go
    CommandNotFound, stage Start, since "0.1.0", detect
}

/// Programs that people call in commands, for "did you mean".
const WELL_KNOWN: &[&str] = &[
    "sh",
    "bash",
    "ash",
    "dash",
    "sleep",
    "wget",
    "curl",
    "echo",
    "cat",
    "tail",
    "nginx",
    "httpd",
    "apache2",
    "node",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "python",
    "python3",
    "pip",
    "uvicorn",
    "gunicorn",
    "celery",
    "flask",
    "java",
    "ruby",
    "bundle",
    "rails",
    "rake",
    "php",
    "php-fpm",
    "perl",
    "dotnet",
    "go",
    "cargo",
    "redis-server",
    "redis-cli",
    "postgres",
    "psql",
    "pg_isready",
    "pg_dump",
    "mysqld",
    "mysql",
    "mongod",
    "mongosh",
    "mongo",
    "nslookup",
    "dig",
    "ping",
    "nc",
    "git",
    "make",
    "tar",
    "gzip",
    "unzip",
    "chmod",
    "chown",
    "mkdir",
    "touch",
    "find",
    "grep",
    "sed",
    "awk",
    "xargs",
    "env",
    "envsubst",
    "export",
    "printenv",
    "date",
    "true",
    "false",
    "test",
    "timeout",
    "tini",
    "dumb-init",
    "supervisord",
    "kubectl",
    "helm",
    "terraform",
    "aws",
    "gcloud",
    "az",
    "jq",
    "yq",
    "openssl",
    "ssh",
    "rsync",
    "crond",
    "cp",
    "mv",
    "rm",
    "ls",
];

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        if let StartError::CommandNotFound { command, interpreter } = &failure.error {
            found.push(explain(case, &failure, command, *interpreter)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, failure: &StartFailure<'_>, command: &str, interpreter: bool) -> Result<Finding, Needs> {
    let container = &failure.container;
    let within = text![container.subject()];
    let title = if command.is_empty() && interpreter {
        text![within, ": its program needs an interpreter or loader that image ", name(container.image()), " lacks"]
    } else if command.is_empty() {
        text![within, " runs a command that does not exist"]
    } else if interpreter {
        text![within, ": ", quoted(command), " needs an interpreter that the image does not have"]
    } else {
        text![within, ": command ", quoted(command), " does not exist"]
    };
    let finding = case
        .finding_in(Code::CommandNotFound, container)
        .confidence(failure.confidence)
        .title(title)
        .evidence(failure.evidence.clone())
        .evidence(case.end_evidence(container).filter(|end| *end != failure.evidence))
        .explain(what_happened(failure, command, interpreter));
    let finding = finding.also(over_text(case, failure, command));
    with_fixes(case, failure, command, interpreter, finding)
}

fn what_happened(failure: &StartFailure<'_>, command: &str, interpreter: bool) -> Text {
    let container = &failure.container;
    let image = name(container.image());
    if command.is_empty() && !interpreter {
        return text![
            "The container ended with exit code 127, a shell's way to say that it did not find a command. ",
            "Its log could not be read, so which command it was is not known."
        ];
    }
    if interpreter {
        return text![
            "The file may well be there: the kernel does not find the interpreter or loader that it names. Image ",
            image,
            " lacks it, or the first line of the script ends in a Windows line end (CRLF)."
        ];
    }
    if failure.in_log {
        let exit = container.last_end().map(|end| text![" with exit code ", end.exit_code]);
        return text![
            "A shell or script in the container called ",
            code(command),
            ", which image ",
            image,
            " does not have, and the container ended",
            exit,
            "."
        ];
    }
    let place = if let Some(field) = field_of(container, command) {
        text!["The pod asks for it in ", code(field), ". "]
    } else {
        text!["The image's own entrypoint asks for it. "]
    };
    if command.contains(char::is_whitespace) {
        return text![
            place,
            "The whole command line stands in one element, so the runtime looks for one file of that name, blanks included."
        ];
    }
    let sought = if command.contains('/') { " has no such file." } else { " has no such program in its $PATH." };
    text![place, "Image ", image, sought]
}

/// The well-known program of whose name this is a slip of one or two keys.
fn slip_of(program: &str) -> Option<String> {
    if program.is_empty() || WELL_KNOWN.contains(&program) {
        return None;
    }
    let most = if program.len() >= 6 { 2 } else { 1 };
    nearest(program, WELL_KNOWN.iter().copied()).filter(|near| strsim::damerau_levenshtein(program, near) <= most)
}

fn over_text(case: &Case<'_>, failure: &StartFailure<'_>, command: &str) -> Option<Text> {
    let (mount, volume) = volume_over(case, &failure.container, command)?;
    Some(text![
        "The path lies in ",
        code(mount.mount_path.clone()),
        ", where ",
        volume_source(volume),
        " is mounted: it hides what the image has there."
    ])
}

fn with_fixes(
    case: &Case<'_>,
    failure: &StartFailure<'_>,
    command: &str,
    interpreter: bool,
    finding: Finding,
) -> Result<Finding, Needs> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if words.len() > 1 {
        let list = serde_json::to_string(&words).unwrap_or_default();
        let shell = serde_json::to_string(&["sh", "-c", command]).unwrap_or_default();
        let title = text!["put each word in its own element: ", code(list), ", or call a shell: ", code(shell)];
        return Ok(finding.fix(edited(case, Fix::disruptive(title))?));
    }
    let base = command.rsplit('/').next().unwrap_or(command);
    let near = slip_of(base).filter(|_| !interpreter);
    let finding = match &near {
        Some(near) => {
            let title = text!["correct the command: did you mean ", name(near.as_str()), "?"];
            finding.fix(edited(case, Fix::disruptive(title))?)
        }
        None => finding,
    };
    let finding = match volume_over(case, &failure.container, command) {
        Some((mount, _)) => {
            let title = text!["mount volume ", name(mount.name.clone()), " elsewhere than over ", code(command)];
            finding.fix(edited(case, Fix::disruptive(title))?)
        }
        None => finding,
    };
    let title = if interpreter {
        text!["name an interpreter that the image has in the first line (", code("#!/bin/sh"), "), with Unix line ends"]
    } else if command.is_empty() {
        text!["correct the command in ", code("command"), " or ", code("args"), ", or use an image that has it"]
    } else {
        text!["name a program that the image has, or use an image that has ", code(command)]
    };
    let fix = Fix::disruptive(title);
    let fix = if near.is_some() { fix } else { edited(case, fix)? };
    let image = failure.container.image();
    let look =
        case.kubectl(["run", "look", "--rm", "-it", "--restart=Never", "--image", image, "--command", "--", "sh"]);
    Ok(finding.fix(fix.command(look)))
}
