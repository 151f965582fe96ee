//! `kubewhy record`: saves what an answer read, redacted, as a dump that `--from` replays.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kubewhy_core::resolve::Wanted;
use kubewhy_diagnosis::Inquiry;
use kubewhy_diagnosis::ask::{Answer, Ask, Instance};
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_diagnosis::redact::{redact, redact_object};
use serde_json::{Value, json};

use crate::Ending;
use crate::cli::RecordArgs;
use crate::commands::{open, why};
use crate::dump;
use crate::output::Output;

pub(crate) fn run(arguments: &RecordArgs, output: &mut Output) -> Ending {
    let context = arguments.from.context.as_deref();
    let wanted = match Wanted::from_arguments(&arguments.target, arguments.namespace.as_deref()) {
        Ok(wanted) => wanted,
        Err(error) => {
            output.error(&error.to_string());
            return Ending::Usage;
        }
    };
    let folder = &arguments.output;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        output.error(&format!("{} is not empty; nothing was written. Name a new folder with -o", folder.display()));
        return Ending::Usage;
    }
    let (source, now) = match open(&arguments.from) {
        Ok(opened) => opened,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    let target = match source.find(&wanted, context) {
        Ok(target) => target,
        Err(error) => {
            output.error(&error.to_string());
            return Ending::Unreadable;
        }
    };
    let (report, inquiry) = source.explain(target, now);
    if let Some(error) = &report.error {
        output.error(&error.message);
        return Ending::Unreadable;
    }
    match write(folder, &inquiry) {
        Ok(files) => {
            let again = format!("kubewhy why {} {}", report.target.kind.kubectl_name(), report.target.name);
            let place =
                report.target.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
            output.answer(&format!(
                "{files} files in {}, secrets redacted; look through them before you share them.\n{again}{place} --from {} --at {now}",
                folder.display(),
                folder.display(),
            ));
            Ending::Fine
        }
        Err(error) => {
            output.error(&format!("{} could not be written: {error}", folder.display()));
            Ending::Unreadable
        }
    }
}

/// A file for each kind and namespace that was read, even where nothing was there: then the recording says "absent".
fn write(folder: &Path, inquiry: &Inquiry) -> io::Result<usize> {
    let mut objects: BTreeMap<(Kind, Option<String>), BTreeMap<String, Value>> = BTreeMap::new();
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (ask, answer) in inquiry.world().iter() {
        match (ask, answer) {
            (Ask::Log { namespace, pod, container, instance }, Answer::Log(log)) => {
                let end = if *instance == Instance::Previous { ".previous.log" } else { ".log" };
                let path = folder
                    .join("logs")
                    .join(plain(namespace)?)
                    .join(plain(pod)?)
                    .join(format!("{}{end}", plain(container)?));
                files.insert(path, redact(log).into_owned());
            }
            (Ask::Get { kind, namespace, .. }, Answer::Absent) => {
                objects.entry((*kind, namespace.clone())).or_default();
            }
            (_, Answer::Object(object)) => keep(&mut objects, object),
            (ask, Answer::List { items, .. }) => {
                if let Ask::List { kind, namespace, .. } = ask {
                    objects.entry((*kind, namespace.clone())).or_default();
                }
                if let Ask::Events { namespace, .. } = ask {
                    objects
                        .entry((Kind::Event, Some(namespace.clone().unwrap_or_else(|| "default".to_owned()))))
                        .or_default();
                }
                for object in items {
                    keep(&mut objects, object);
                }
            }
            _ => {}
        }
    }
    for ((kind, namespace), items) in objects {
        let name = format!("{}.json", dump::file_of(kind));
        let path = match namespace {
            Some(namespace) => folder.join(plain(&namespace)?).join(name),
            None => folder.join(name),
        };
        let list = json!({"apiVersion": kind.api_version(), "kind": format!("{kind}List"), "items": items.into_values().collect::<Vec<_>>()});
        files.insert(path, format!("{list:#}\n"));
    }
    for (path, content) in &files {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(files.len())
}

fn keep(objects: &mut BTreeMap<(Kind, Option<String>), BTreeMap<String, Value>>, object: &Object) {
    let Ok(mut value) = object.to_value() else { return };
    redact_object(&mut value);
    let place = (object.kind(), object.namespace().map(str::to_owned));
    objects.entry(place).or_default().insert(object.name().to_owned(), value);
}

/// A name as one part of a path; names of a cluster may not lead out of the folder.
fn plain(name: &str) -> io::Result<&str> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("\"{name}\" is no name for a file")));
    }
    Ok(name)
}
