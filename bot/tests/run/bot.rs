//! The binary, started and stopped.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::cluster::cluster;

/// How long the bot may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder of its own, and what the configuration says besides clusters, store and ports.
pub(crate) struct Setup {
    pub(crate) folder: PathBuf,
    config: String,
}

/// The running bot.
pub(crate) struct Bot {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Setup {
    pub(crate) fn new(config: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("kubewhy-run-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut whole = String::from("[http]\nlisten = \"127.0.0.1:0\"\n");
        if !config.contains("[log]") {
            whole += "[log]\nlevel = \"info,kubewhy=debug\"\n";
        }
        let store = folder.join("kubewhy.db");
        write!(whole, "[store]\nurl = \"sqlite:{}\"\n", store.display()).expect("a string");
        if !config.contains("[[clusters]]") {
            let kubeconfig = cluster().kubeconfig.display();
            write!(whole, "[[clusters]]\nname = \"prod\"\nkubeconfig = \"{kubeconfig}\"\n").expect("a string");
        }
        Self { folder, config: whole + config }
    }

    pub(crate) fn file(&self) -> PathBuf {
        let file = self.folder.join("kubewhy.toml");
        std::fs::write(&file, &self.config).expect("a file");
        file
    }

    /// Starts the bot and waits until it says that it listens.
    pub(crate) fn start(&self) -> Bot {
        let bot = self.launch();
        bot.wait_for("listening");
        bot
    }

    /// Starts the bot.
    pub(crate) fn launch(&self) -> Bot {
        Bot::start(&self.file())
    }

    /// What `kubewhy check` says, and how it ends.
    pub(crate) fn check(&self) -> (String, Option<i32>) {
        let output = command(&self.file(), "check").output().expect("the binary runs");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn command(file: &Path, word: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubewhy"));
    command.args([word, "--config"]).arg(file).env_clear().env("HOME", "/nonexistent");
    command
}

impl Bot {
    fn start(file: &Path) -> Self {
        let mut child = command(file, "run").stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().expect("a pipe")), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                kept.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        Self { child, log }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }

    pub(crate) fn wait_for(&self, words: &str) {
        let began = Instant::now();
        while !self.log().contains(words) {
            assert!(began.elapsed() < PATIENCE, "nothing of {words:?} in the log: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What an endpoint answers: the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let log = self.log();
        let address = log.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        std::io::Write::write_all(
            &mut stream,
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes(),
        )
        .expect("it reads");
        let answer = std::io::read_to_string(stream).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
    }

    /// Ends it as Kubernetes does; says how it ended and how long that took.
    pub(crate) fn end(mut self) -> (Option<i32>, Duration, String) {
        let began = Instant::now();
        signal(self.id(), "TERM");
        let status = self.child.wait().expect("it ends");
        (status.code(), began.elapsed(), self.log())
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// How it ended by itself.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return (status.code(), self.log());
            }
            assert!(began.elapsed() < PATIENCE, "it still runs: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().expect("kill runs");
    assert!(sent.success());
}
