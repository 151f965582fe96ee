//! `kubewhy sandbox`: the embedded cluster, or a dump, as a Kubernetes API on loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kubewhy_diagnosis::ask::Instance;
use kubewhy_sandbox::Sandbox;
use kubewhy_sandbox::serve::{self, Server, kubeconfig};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Ending;
use crate::cli::SandboxArgs;
use crate::commands::why;
use crate::demo::Demo;
use crate::dump::{self, DumpError, Part};
use crate::output::Output;

pub(crate) fn run(arguments: &SandboxArgs, output: &mut Output) -> Ending {
    let demo = match &arguments.from {
        None => Demo::start(Duration::ZERO, None),
        Some(_) => Demo::empty(),
    };
    let demo = match demo {
        Ok(demo) => demo,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    if let Some(dump) = &arguments.from
        && let Err(error) = load(dump, demo.sandbox(), output)
    {
        output.error(&why::chain(&error));
        return Ending::Unreadable;
    }
    let server = match listen(demo.sandbox(), demo.runtime(), arguments.listen, output) {
        Ok(server) => server,
        Err(ending) => return ending,
    };
    let kubeconfig = kubeconfig(server.address());
    match &arguments.kubeconfig {
        None => output.answer(&kubeconfig),
        Some(file) => {
            if let Err(error) = fs::write(file, &kubeconfig) {
                output.error(&format!("the kubeconfig could not be written to {}: {error}", file.display()));
                return Ending::Usage;
            }
            output.note(&format!("the kubeconfig stands in {0}: kubectl --kubeconfig {0} get pods -A", file.display()));
        }
    }
    output.note(&format!("serving on http://{}; Ctrl-C ends it", server.address()));
    demo.runtime().block_on(async {
        // Without a handler for it the signal ends the process, which is as good.
        let _ = tokio::signal::ctrl_c().await;
        server.stop().await;
    });
    Ending::Fine
}

/// Serves a sandbox on loopback.
pub(crate) fn listen(
    sandbox: &Sandbox,
    runtime: &Runtime,
    address: SocketAddr,
    output: &mut Output,
) -> Result<Server, Ending> {
    if !address.ip().is_loopback() {
        output.error(&format!(
            "{} is no address of loopback: the API asks nobody who they are, so it is served to this machine only; \
             nothing was served. Use 127.0.0.1:{}",
            address.ip(),
            address.port()
        ));
        return Err(Ending::Usage);
    }
    let served = runtime.block_on(async { serve::serve(sandbox, TcpListener::bind(address).await?) });
    served.map_err(|error| {
        output.error(&format!("{address} cannot be listened on: {error}; use port 0 for one that is free"));
        Ending::Usage
    })
}

/// Puts what a dump holds into a sandbox.
fn load(path: &Path, sandbox: &Sandbox, output: &mut Output) -> Result<(), DumpError> {
    let mut objects = 0_usize;
    let mut caveats = Vec::new();
    dump::walk(path, &mut |part| match part {
        Part::Object(value) => {
            for object in dump::items(value) {
                let shown = described(&object);
                match sandbox.put(object) {
                    Ok(()) => objects += 1,
                    Err(refusal) => caveats.push(format!("{shown} is not served: {refusal}")),
                }
            }
        }
        Part::Log { namespace, pod, container, instance, text } => {
            sandbox.set_log(&namespace, &pod, &container, instance == Instance::Previous, &text);
        }
        Part::Covers(..) => {}
        Part::Caveat(caveat) => caveats.push(caveat),
    })?;
    if objects == 0 {
        return Err(DumpError::Empty { path: path.to_owned(), caveats });
    }
    for caveat in &caveats {
        output.note(caveat);
    }
    output.note(&format!("{objects} objects of {}", path.display()));
    Ok(())
}

fn described(object: &Value) -> String {
    let field = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or("?");
    format!("{} {}", field("/kind"), field("/metadata/name"))
}
