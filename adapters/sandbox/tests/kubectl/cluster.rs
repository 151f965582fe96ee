//! One sandbox behind a socket, and the real kubectl in front of it.

use std::io::Write as _;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
    time::Duration,
};

use jiff::Timestamp;
use kubewhy_sandbox::{Clock, Sandbox, serve};
use serde_json::Value;

/// The time in the cluster.
pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

/// Everything the tests share.
pub(crate) struct Cluster {
    pub(crate) sandbox: Sandbox,
    kubectl: PathBuf,
    home: PathBuf,
}

static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(Cluster::start);

/// The cluster, unless there is no kubectl on this machine; then the test says so and has nothing to do.
pub(crate) fn cluster() -> Option<&'static Cluster> {
    if CLUSTER.is_none() {
        // Written past the test runner, which would keep the words of a test that passes.
        let _ = std::io::stderr().write_all(b"skipped: no kubectl (set KUBECTL, or put it on the PATH)\n");
    }
    CLUSTER.as_ref()
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Cluster {
    fn start() -> Option<Self> {
        let kubectl = kubectl()?;
        let sandbox = Sandbox::new(Clock::fixed(NOW.parse::<Timestamp>().expect("a time")));
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kubectl-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a home for kubectl");
        let address = listen(sandbox.clone());
        std::fs::write(home.join("config"), serve::kubeconfig(address)).expect("a kubeconfig");
        Some(Self { sandbox, kubectl, home })
    }

    /// Runs kubectl with words that stand apart by blanks; a word in single quotes may hold some.
    pub(crate) fn run(&self, line: &str) -> Said {
        self.command(&words(line), None)
    }

    /// What a command prints that must succeed.
    #[track_caller]
    pub(crate) fn out(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, 0, "kubectl {line}: {said:?}");
        said.out
    }

    /// What a command prints that is given a file on its standard input and must succeed.
    #[track_caller]
    pub(crate) fn feed(&self, line: &str, input: &str) -> String {
        let said = self.command(&words(line), Some(input));
        assert_eq!(said.code, 0, "kubectl {line}: {said:?}");
        said.out
    }

    /// What a command complains about that must fail.
    #[track_caller]
    pub(crate) fn err(&self, line: &str) -> String {
        let said = self.run(line);
        assert_ne!(said.code, 0, "kubectl {line}: {said:?}");
        said.err
    }

    /// Stores objects, as controllers would, status and all.
    pub(crate) fn put(&self, objects: impl IntoIterator<Item = Value>) {
        for object in objects {
            self.sandbox.put(object).expect("an object the sandbox takes");
        }
    }

    /// A kubectl that runs until it is done or has run for too long.
    pub(crate) fn command(&self, words: &[String], input: Option<&str>) -> Said {
        let mut command = self.bare(words);
        let file = input.map(|input| {
            let name = words.join("-").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            let file = self.home.join(format!("{name}-{:?}.in", std::thread::current().id()));
            std::fs::write(&file, input).expect("standard input");
            file
        });
        if let Some(file) = &file {
            command.stdin(std::fs::File::open(file).expect("standard input"));
        }
        let Output { status, stdout, stderr } = command.output().expect("kubectl runs");
        Said {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).expect("text"),
            err: String::from_utf8(stderr).expect("text"),
        }
    }

    /// The command, ready to be started.
    pub(crate) fn bare(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("KUBECONFIG", self.home.join("config"))
            .env("KUBECACHEDIR", self.home.join("cache"))
            .args(["--request-timeout=20s"])
            .args(words)
            .stdin(std::process::Stdio::null());
        command
    }
}

/// Waits for something that another process brings about, for ten seconds at most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(is_so(), "{what} did not come about");
}

fn listen(sandbox: Sandbox) -> std::net::SocketAddr {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let server = serve::serve(&sandbox, listener).expect("a server");
            told.send(server.address()).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    address.recv().expect("an address")
}

fn kubectl() -> Option<PathBuf> {
    let named = env::var_os("KUBECTL").map(PathBuf::from);
    let on_path = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).map(|folder| folder.join("kubectl")).collect::<Vec<_>>());
    named.into_iter().chain(on_path).chain([PathBuf::from("/var/tmp/kube/bin/kubectl")]).find(|path| is_tool(path))
}

fn is_tool(path: &Path) -> bool {
    path.is_file()
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
