//! The embedded cluster on a socket, shared by all tests: they only read from it, but for what each makes for itself.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use kubewhy::demo::Demo;
use kubewhy_sandbox::serve::{self, Server};
use tokio::net::TcpListener;

/// The cluster of the demo, in which everything is broken.
pub(crate) struct Cluster {
    pub(crate) demo: Demo,
    pub(crate) kubeconfig: PathBuf,
    _server: Server,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start("shared"));

impl Cluster {
    /// A cluster for one test alone.
    pub(crate) fn start(name: &'static str) -> Self {
        // A runtime of tests cannot be waited for in by another.
        std::thread::spawn(move || Self::serve(name)).join().expect("the cluster starts")
    }

    fn serve(name: &str) -> Self {
        let demo = Demo::start(Duration::ZERO, None).expect("the demo plays");
        let server = demo.runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            serve::serve(demo.sandbox(), listener).expect("it is served")
        });
        let kubeconfig = std::env::temp_dir().join(format!("kubewhy-run-{}-{name}.yaml", std::process::id()));
        std::fs::write(&kubeconfig, serve::kubeconfig(server.address())).expect("a kubeconfig");
        Self { demo, kubeconfig, _server: server }
    }
}

/// The cluster.
pub(crate) fn cluster() -> &'static Cluster {
    &CLUSTER
}
