//! `app-config-error`.

use k8s_openapi::api::core::v1::ConfigMap;
use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::advice;
use crate::facts::ends::{self, End, Template};
use crate::facts::settings::{self, Mounted, Source};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::parse::log::{Failure, Signature, TlsFault};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program ended because of how it is configured: a variable, file, module or flag is missing, unknown or
    /// wrong.
    /// ## Signals
    /// The log names it: `Environment variable X is undefined`, Python `KeyError: 'X'` below `os.environ`, shell `X:
    /// parameter not set` or `unbound variable`, Go `flag provided but not defined: -x`, `unknown flag: --x`, nginx
    /// `[emerg] unknown directive "x" in FILE:LINE`, CoreDNS `Corefile:13 - Error during parsing: Unknown directive
    /// 'x'`, Redis `FATAL CONFIG FILE ERROR`, Spring `Could not resolve placeholder 'x'`, JVM `Unrecognized VM option`,
    /// `Cannot find module`, `ModuleNotFoundError`, `http: server gave HTTP response to HTTPS client` (a wrong scheme).
    /// ## Look-alikes
    /// `secret-key-missing` and `configmap-missing`: the kubelet misses the value, and the container never starts.
    /// `command-not-found`: the program itself is missing. `dependency-auth-failed`: the value is there and the peer
    /// refuses it. `app-panic`: an exception that names no setting. `app-permission-denied`: the file is there and may
    /// not be read.
    /// ## Fixes
    /// Set the variable (`kubectl set env`), repair the file in its ConfigMap, or correct the flag; then start the pod
    /// anew.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/>; the programs'
    /// own wording.
    AppConfigError, stage Exit, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    match failure {
        Failure::MissingVariable { .. }
        | Failure::MissingFile { .. }
        | Failure::MissingModule { .. }
        | Failure::BadFlag { .. }
        | Failure::BadSetting { .. }
        | Failure::UnreadableConfig { .. } => true,
        Failure::Tls { fault, .. } => *fault == TlsFault::PlainHttp,
        _ => false,
    }
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::with_failure(case, is_mine)?;
    let mut found = Vec::new();
    for (end, signature) in &ends {
        found.push(explain(case, end, signature)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let finding =
        end.finding(case, Code::AppConfigError).confidence(ends::confidence(signature)).explain(end.opening());
    match &signature.kind {
        Failure::MissingVariable { name } => {
            // Kubernetes expands a reference only to what stands before it in the same list.
            let unexpanded = ends::reference(&signature.line).is_some_and(|reference| reference == name);
            let note = unexpanded.then(|| {
                text![
                    "It got the reference ",
                    code(format!("$({name})")),
                    " as it is written: Kubernetes puts in only variables that stand before it in env of the same \
                     container."
                ]
            });
            variable(case, end, &template, finding.also(note), name)
        }
        Failure::MissingFile { path } => Ok(missing_file(case, end, &template, finding, path)),
        Failure::BadSetting { what, file, line } | Failure::UnreadableConfig { what, file, line } => {
            setting(case, end, &template, finding, what, file.as_deref(), *line)
        }
        Failure::MissingModule { name } => Ok(module(end, case, finding, name)),
        Failure::BadFlag { flag } => Ok(bad_flag(case, end, &template, finding, flag)),
        _ => Ok(finding
            .title(text![end.subject(), " speaks TLS to a port that does not: ", quoted(signature.line.clone())])
            .also(text!["One side speaks TLS and the other plain text: the scheme or the port is wrong."])
            .fix(
                Fix::disruptive(text!["use http instead of https in the address, or the port that speaks TLS"])
                    .command(template.edit(case)),
            )
            .fix(end.read_log(case))),
    }
}

/// The variable that the program misses: whether the container has it, or one near to it.
fn variable(
    case: &Case<'_>,
    end: &End<'_>,
    template: &Template,
    finding: Finding,
    variable: &str,
) -> Result<Finding, Needs> {
    let known = settings::all(case, &end.container)?;
    // A property such as spring.datasource.url can be set by SPRING_DATASOURCE_URL.
    let as_variable = variable.to_uppercase().replace(['.', '-'], "_");
    let is_property = variable.contains('.');
    let property =
        is_property.then(|| text!["Setting ", code(variable), " can be given as ", code(as_variable.clone()), "."]);
    let variable = if is_property { as_variable.as_str() } else { variable };
    let finding = finding.also(property);
    let has = known.iter().find(|setting| setting.name == variable);
    let alike = known.iter().map(|setting| setting.name.as_str()).filter(|name| may_be_slip(variable, name));
    let near = nearest(variable, alike);
    let near_setting = near.as_ref().and_then(|near| known.iter().find(|setting| setting.name == *near));
    let subject = end.subject();
    let env_path = format!("{}.env", end.container.spec_path());
    let names: Vec<String> = known.iter().map(|setting| setting.name.clone()).collect();
    let seen = if names.is_empty() { "no variables".to_owned() } else { names.join(", ") };
    let finding = finding.evidence(case.field(&env_path, seen));
    if let Some(has) = has {
        let empty = has.value.as_deref() == Some("");
        let state = if empty { " is empty" } else { " is set, and the program does not accept it" };
        return Ok(finding
            .title(text![
                subject,
                " does not accept variable ",
                code(variable),
                if empty { ": it is empty" } else { "" }
            ])
            .also(text!["The program asks for ", code(variable), ". It", state, has.origin(), "."])
            .fix(
                Fix::disruptive(text!["give ", code(variable), " a value that the program accepts"])
                    .command(advice::set_variable(case, template, &end.container, &format!("{variable}=VALUE"))),
            )
            .fix(end.read_log(case)));
    }
    let did_you_mean =
        near_setting.map(|near| text![" It has ", code(near.name.clone()), near.origin(), ", which is near to it."]);
    let rename = near.map(|near| {
        Fix::disruptive(text!["rename ", code(near), " to ", code(variable), ": did you mean it?"])
            .command(template.edit(case))
    });
    Ok(finding
        .title(text![subject, " lacks variable ", code(variable)])
        .also(text![
            "The program asks for environment variable ",
            code(variable),
            ", which the container does not set.",
            did_you_mean
        ])
        .fix(rename)
        .fix(
            Fix::disruptive(text!["set ", code(variable), " in env of container ", name(end.container.name())])
                .command(advice::set_variable(case, template, &end.container, &format!("{variable}=VALUE"))),
        ))
}

/// Whether one of two variables may be the other misspelt: all words of one stand in the other, or nearly. `API_URL` and
/// `API_TOKEN` are two settings, however much of them is the same.
fn may_be_slip(one: &str, other: &str) -> bool {
    let words = |name: &str| -> Vec<String> { name.split('_').map(str::to_lowercase).collect() };
    let (one, other) = (words(one), words(other));
    let stand_in = |some: &[String], all: &[String]| {
        some.iter().all(|word| all.iter().any(|near| near == word || strsim::jaro_winkler(near, word) > 0.8))
    };
    stand_in(&one, &other) || stand_in(&other, &one)
}

fn missing_file(case: &Case<'_>, end: &End<'_>, template: &Template, finding: Finding, path: &str) -> Finding {
    let mounted = case.pod().and_then(|pod| settings::mounted(pod, end.container.spec, path));
    let finding = finding.title(text![end.subject(), " needs file ", code(path), ", which is not there"]);
    let Some(mounted) = mounted else {
        return finding
            .also(text![
                "The program needs file ",
                code(path),
                ". No volume is mounted there, so it has to come from the image."
            ])
            .fix(
                Fix::disruptive(text!["mount a volume with ", code(path), ", or name the path where the image has it"])
                    .command(template.edit(case)),
            )
            .fix(end.read_log(case));
    };
    let (root, edit) = file_object(case, &mounted);
    let place = mounted.describe();
    let finding = finding
        .also(text![
            "The program needs file ",
            code(path),
            ". The path lies on ",
            place.clone(),
            ", which has no such file."
        ])
        .evidence(case.field(&format!("{}.volumeMounts", end.container.spec_path()), mounted.mount.mount_path.clone()))
        .fix(Fix::safe(text!["put the file into ", place]).command(edit.unwrap_or_else(|| template.edit(case))))
        .fix(end.read_log(case));
    match root {
        Some(root) => finding.root(root),
        None => finding,
    }
}

/// The `ConfigMap` or Secret behind a file, and the command that edits it.
fn file_object(case: &Case<'_>, mounted: &Mounted<'_>) -> (Option<ObjectRef>, Option<String>) {
    let Some((kind, object, key)) = mounted.object() else { return (None, None) };
    if kind == Kind::PersistentVolumeClaim {
        return (None, None);
    }
    let edit = case.kubectl(["edit", kind.kubectl_name().as_str(), object.as_str()]);
    let root = case.neighbour(kind, &object);
    (Some(key.map_or(root.clone(), |key| root.with_detail(key))), Some(edit))
}

fn setting(
    case: &Case<'_>,
    end: &End<'_>,
    template: &Template,
    finding: Finding,
    what: &str,
    file: Option<&str>,
    line: Option<u32>,
) -> Result<Finding, Needs> {
    let mounted = file.and_then(|file| case.pod().and_then(|pod| settings::mounted(pod, end.container.spec, file)));
    let at = file.map(|file| text![" in ", code(place_of(file, line))]);
    let finding = finding.title(text![end.subject(), " refuses its configuration: ", quoted(what)]).also(text![
        "The program does not accept its configuration",
        at,
        "."
    ]);
    if let Some((meaning, fix)) = advice::by_words(case, template, &end.container, what) {
        return Ok(finding.also(meaning).fix(fix).fix(end.read_log(case)));
    }
    let Some(mounted) = mounted else {
        let place = file.map(|file| text![" in ", code(file)]);
        let fix = Fix::disruptive(text!["correct what the program does not accept", place, ": ", quoted(what)]);
        return Ok(finding.fix(fix.command(template.edit(case))).fix(end.read_log(case)));
    };
    let (root, edit) = file_object(case, &mounted);
    let finding = finding.also(text!["The file comes from ", mounted.describe(), "."]);
    let Some(root) = root else {
        return Ok(finding
            .fix(Fix::disruptive(text!["correct the file on ", mounted.describe()]))
            .fix(end.read_log(case)));
    };
    let shown = quoted_line(case, &root, line, what)?;
    let key = root.detail.as_ref().map(|key| text![", key ", name(key.clone())]);
    let mut repair = Fix::disruptive(text![
        "correct ",
        line.map(|line| text!["line ", line, " of "]),
        name(root.to_string()),
        key,
        ", then start the pods anew"
    ]);
    repair.commands.extend(edit);
    repair = repair.command(template.restart(case));
    Ok(finding.evidence(shown).root(root).fix(repair).fix(end.read_log(case)))
}

fn place_of(file: &str, line: Option<u32>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// The line of the `ConfigMap` that the program stumbled over: by its number, else by the word that the program quotes.
fn quoted_line(case: &Case<'_>, root: &ObjectRef, line: Option<u32>, what: &str) -> Result<Option<Evidence>, Needs> {
    let Some(key) = &root.detail else { return Ok(None) };
    if root.kind != Kind::ConfigMap.name() {
        return Ok(None);
    }
    let map = case.get::<ConfigMap>(root.namespace.as_deref(), &root.name)?.found();
    let data = map.as_ref().and_then(|map| map.data.as_ref()).and_then(|data| data.get(key));
    let Some(data) = data else { return Ok(None) };
    let word = what.split(['"', '\'', '`']).nth(1).filter(|word| word.len() > 2);
    let index = line.and_then(|line| usize::try_from(line).ok()).and_then(|line| line.checked_sub(1));
    let by_number = index.and_then(|index| Some((index, data.lines().nth(index)?)));
    // The file may have changed since: the quoted word leads to the line as well.
    let by_number = by_number.filter(|(_, text)| word.is_none_or(|word| text.contains(word)));
    let by_word = || data.lines().enumerate().find(|(_, text)| word.is_some_and(|word| text.contains(word)));
    let shown = by_number.or_else(by_word);
    Ok(shown.map(|(index, text)| {
        Evidence::field(root, &format!(".data[{key}], line {}", index + 1), text.trim().to_owned())
    }))
}

fn module(end: &End<'_>, case: &Case<'_>, finding: Finding, module: &str) -> Finding {
    finding
        .title(text![end.subject(), " lacks module ", code(module)])
        .also(text![
            "The program needs ",
            code(module),
            ", which is not in image ",
            name(end.container.image()),
            ", or not where the program looks for it."
        ])
        .fix(Fix::disruptive(text![
            "build the image with ",
            code(module),
            ", or correct the command, the working directory or the module path"
        ]))
        .fix(end.read_log(case))
}

fn bad_flag(case: &Case<'_>, end: &End<'_>, template: &Template, finding: Finding, flag: &str) -> Finding {
    let bare = flag.trim_start_matches('-');
    let words = end.container.spec.command.iter().chain(&end.container.spec.args).flatten();
    // The name alone: the value may be a secret.
    let names = words.flat_map(|word| word.split_whitespace()).filter_map(|word| word.split('=').next());
    let given = names.into_iter().find(|word| word.trim_start_matches('-') == bare);
    let source = match given {
        Some(given) => text!["It stands in the command or arguments of the container as ", code(given.to_owned()), "."],
        None => variable_with(end, flag).map_or_else(
            || text!["It does not stand in the pod's specification, so it comes from the image or a file."],
            |variable| text!["It comes from variable ", code(variable), "."],
        ),
    };
    let evidence = given.map(|given| case.field(&format!("{}.args", end.container.spec_path()), given));
    finding
        .title(text![end.subject(), " does not know flag ", code(flag)])
        .also(text!["This version of the program does not accept ", code(flag), ". ", source])
        .evidence(evidence)
        .fix(
            Fix::disruptive(text!["remove or correct ", code(flag), ", or use an image whose program knows it"])
                .command(template.edit(case)),
        )
        .fix(end.read_log(case))
}

fn variable_with(end: &End<'_>, flag: &str) -> Option<String> {
    let settings = settings::explicit(end.container.spec);
    let holds = |setting: &settings::Setting| {
        setting.source == Source::Literal && setting.value.as_deref().is_some_and(|value| value.contains(flag))
    };
    settings.into_iter().find(|setting| holds(setting)).map(|setting| setting.name)
}

#[cfg(test)]
mod tests {
    use super::may_be_slip;

    #[test]
    fn a_variable_is_a_slip_only_where_all_its_words_are_there() {
        for (one, other) in [("DB_PASSWORD", "DB_PASWORD"), ("SMTP_PASSWORD", "PASSWORD"), ("REDIS_URL", "REDIS_URI")] {
            assert!(may_be_slip(one, other) && may_be_slip(other, one), "{one} {other}");
        }
        for (one, other) in [("POINTS_API_TOKEN", "POINTS_API_URL"), ("DB_USER", "DB_PASSWORD")] {
            assert!(!may_be_slip(one, other), "{one} {other}");
        }
    }
}
