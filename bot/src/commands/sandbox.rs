//! `kubewhy sandbox`: the embedded cluster, or a dump, as a Kubernetes API on loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kubewhy_diagnosis::ask::Instance;
use kubewhy_sandbox::serve::{Server, kubeconfig};
use kubewhy_sandbox::{Clock, Sandbox};
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
    Ending::Fine
}
