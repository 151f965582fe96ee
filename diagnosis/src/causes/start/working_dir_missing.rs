//! `working-dir-missing`.

use kubewhy_text::{code, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures, volume_over, volume_source};
use crate::finding::{Finding, Fix};
use crate::parse::start::StartError;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container's working directory does not exist and cannot be made, is a file, or may not be entered by the
    /// user that the container runs as.
    /// ## Signals
    /// `chdir to cwd ("/X") set in config.json failed: no such file or directory` (or `permission denied`, `not a
    /// directory`) and `error during container init: mkdir /X: not a directory`, in waiting `RunContainerError` or a last end
    /// `StartError` 128.
    /// ## Look-alikes
    /// `command-not-found`: the program is missing, not the directory. `invalid-mount-path`: a mount fails.
    /// ## Fixes
    /// Correct `workingDir` in the template, or leave it out; make the directory in the image, readable for the user.
    /// ## Source
    /// opencontainers/runc libcontainer/init_linux.go
    WorkingDirMissing, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        if let StartError::WorkingDir { path, why } = &failure.error {
            found.push(explain(case, &failure, path.as_deref(), why)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, failure: &StartFailure<'_>, path: Option<&str>, why: &str) -> Result<Finding, Needs> {
    let container = &failure.container;
    let asked = container.spec.working_dir.as_deref();
    let directory = path.or(asked).unwrap_or("/");
    let place = if let Some(asked) = asked {
        text!["The pod sets ", code(format!("workingDir: {asked}")), "."]
    } else {
        text!["The pod sets no ", code("workingDir"), ": this is the image's own (WORKDIR)."]
    };
    let user = if why.contains("permission denied") {
        text![" The user that the container runs as may not enter it."]
    } else {
        text![" The runtime has to enter it before it starts the program, and cannot."]
    };
    let over = volume_over(case, container, directory)
        .map(|(mount, volume)| text![volume_source(volume), " is mounted at ", code(mount.mount_path.clone()), "."]);
    let fix = Fix::disruptive(text![
        "set ",
        code("workingDir"),
        " to a directory that the image has and the user may enter, or leave it out"
    ]);
    Ok(case
        .finding_in(Code::WorkingDirMissing, container)
        .confidence(failure.confidence)
        .title(text![container.subject(), ": working directory ", code(directory), " cannot be entered: ", quoted(why)])
        .explain(text![place, user])
        .also(over)
        .evidence(failure.evidence.clone())
        .evidence(asked.map(|asked| case.field(&format!("{}.workingDir", container.spec_path()), asked)))
        .fix(edited(case, fix)?))
}
