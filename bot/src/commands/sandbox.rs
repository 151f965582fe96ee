//! `kubewhy sandbox`: the embedded cluster, or a dump, as a Kubernetes API on loopback.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use kubewhy_sandbox::Sandbox;
use kubewhy_sandbox::serve::{self, Server, kubeconfig};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Ending;
use crate::cli::SandboxArgs;
use crate::commands::why;
use crate::demo::Demo;
use crate::dump::{self, Loaded};
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
    if let Some(path) = &arguments.from {
        match dump::load(path, demo.sandbox()) {
            Ok(Loaded { objects, caveats }) => {
                for caveat in &caveats {
                    output.note(caveat);
                }
                output.note(&format!("{objects} objects of {}", path.display()));
            }
            Err(error) => {
                output.error(&why::chain(&error));
                return Ending::Unreadable;
            }
        }
    }
    // Clients that knew an earlier run list again, as they have to.
    demo.sandbox().skip_to_revision(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default());
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
