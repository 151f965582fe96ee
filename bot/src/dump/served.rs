//! A dump as the content of a cluster that is served.

use std::path::Path;

use kubewhy_diagnosis::ask::Instance;
use kubewhy_sandbox::Sandbox;
use serde_json::Value;

use super::{DumpError, Part, items, walk};

/// What became of a dump that was put into a sandbox.
#[derive(Debug, Default)]
pub struct Loaded {
    /// How many objects are served.
    pub objects: usize,
    /// What could not be read, or is not served.
    pub caveats: Vec<String>,
}

/// Puts what a dump holds into a sandbox, where it stays as it was recorded: what was on its way out is not helped along,
/// since that it did not go is evidence.
///
/// # Errors
/// Where the path cannot be read, or nothing in it is an object that can be served.
pub fn load(path: &Path, sandbox: &Sandbox) -> Result<Loaded, DumpError> {
    sandbox.set_garbage_collection(false);
    let mut loaded = Loaded::default();
    walk(path, &mut |part| match part {
        Part::Object(value) => {
            for object in items(value) {
                put(sandbox, object, &mut loaded);
            }
        }
        Part::Log { namespace, pod, container, instance, text } => {
            sandbox.set_log(&namespace, &pod, &container, instance == Instance::Previous, &text);
        }
        Part::Covers(..) => {}
        Part::Caveat(caveat) => loaded.caveats.push(caveat),
    })?;
    if loaded.objects == 0 {
        return Err(DumpError::Empty { path: path.to_owned(), caveats: loaded.caveats });
    }
    Ok(loaded)
}

fn put(sandbox: &Sandbox, object: Value, loaded: &mut Loaded) {
    let field = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    // A dump may lie beside other files: what does not say of what kind it is, is none of it.
    if field("/kind").is_empty() {
        return;
    }
    if field("/apiVersion").starts_with("kubewhy/") {
        loaded.objects += 1;
        if let Some(why) = object.get("unreachable").and_then(Value::as_str) {
            loaded.caveats.push(format!("the API server was not reached ({why}), the served one is"));
        }
        state(sandbox, &object);
        return;
    }
    let shown = format!("{} {}", field("/kind"), field("/metadata/name"));
    match sandbox.put(object) {
        Ok(()) => loaded.objects += 1,
        Err(refusal) => loaded.caveats.push(format!("{shown} is not served: {refusal}")),
    }
}

/// What the server said of itself when the dump was made, in kubewhy's own kind: it says so again.
fn state(sandbox: &Sandbox, object: &Value) {
    for check in ["readyz", "livez"] {
        let part = |field: &str| object.pointer(&format!("/{check}/{field}"));
        let status = part("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        if let Some(status) = status {
            let body = part("body").and_then(Value::as_str).unwrap_or_default();
            sandbox.set_health(&format!("/{check}"), status, body);
        }
    }
    if let Some(version) = object.get("version").and_then(Value::as_str) {
        sandbox.set_version(version);
    }
}
