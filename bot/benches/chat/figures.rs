//! What was measured, as a table and as a line of JSON.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

/// Milliseconds.
pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// How times are spread.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    most: Duration,
    count: usize,
}

impl Spread {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let most = times.last().copied().expect("something was measured");
        Self { p50: rank(&times, 50), p99: rank(&times, 99), most, count: times.len() }
    }
}

/// The nearest rank: so many of a hundred are not above it.
fn rank<T: Copy>(sorted: &[T], percent: usize) -> T {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    *sorted.get(place).expect("something was measured")
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, most] = [self.p50, self.p99, self.most].map(|time| time.as_secs_f64() * 1_000.0);
        write!(f, "p50 {p50:.1} ms, p99 {p99:.1} ms, max {most:.1} ms of {}", self.count)
    }
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

struct Figure {
    id: &'static str,
    what: String,
    goal: String,
    measured: String,
    is_met: Option<bool>,
    raw: Value,
}

impl Figures {
    pub(crate) fn time(
        &mut self,
        id: &'static str,
        what: &str,
        goal: &str,
        spread: &Spread,
        is_met: impl Fn(&Spread) -> bool,
    ) {
        let [p50, p99, max] = [spread.p50, spread.p99, spread.most].map(|time| time.as_secs_f64() * 1_000.0);
        let raw = json!({"p50_ms": p50, "p99_ms": p99, "max_ms": max, "count": spread.count});
        self.add(id, what, goal, spread.to_string(), Some(is_met(spread)), raw);
    }

    /// Counts, of which the median is to be at most 5 and the highest at most 10.
    pub(crate) fn count(&mut self, id: &'static str, what: &str, goal: &str, counts: &[u64]) {
        let mut sorted = counts.to_vec();
        sorted.sort_unstable();
        let (median, most) = (rank(&sorted, 50), rank(&sorted, 100));
        let measured = format!("median {median}, max {most} of {}", sorted.len());
        let raw = json!({"median": median, "max": most, "count": sorted.len()});
        self.add(id, what, goal, measured, Some(median <= 5 && most <= 10), raw);
    }

    pub(crate) fn note(&mut self, id: &'static str, what: &str, measured: &str) {
        self.add(id, what, "", measured.to_owned(), None, Value::Null);
    }

    fn add(&mut self, id: &'static str, what: &str, goal: &str, measured: String, is_met: Option<bool>, raw: Value) {
        println!("{id} {what}: {measured}");
        self.0.push(Figure { id, what: what.to_owned(), goal: goal.to_owned(), measured, is_met, raw });
    }

    /// Prints the table, and adds a line to `target/benches/chat.jsonl`.
    pub(crate) fn tell(&self) {
        let machine = machine();
        println!(
            "\n{}\n",
            machine
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        println!("| # | Measure | Goal | Measured | |\n|---|---|---|---|---|");
        for Figure { id, what, goal, measured, is_met, .. } in &self.0 {
            let verdict = is_met.map_or("", |is_met| if is_met { "met" } else { "missed" });
            println!("| {id} | {what} | {goal} | {measured} | {verdict} |");
        }
        let figures: Vec<Value> = self.0.iter().map(Figure::to_json).collect();
        let line = json!({"machine": machine, "figures": figures}).to_string();
        match keep(&line) {
            Ok(file) => println!("\nkept in {file}"),
            Err(error) => println!("\nnot kept: {error}"),
        }
    }
}

impl Figure {
    fn to_json(&self) -> Value {
        let Self { id, what, goal, measured, is_met, raw } = self;
        json!({"id": id, "what": what, "goal": goal, "measured": measured, "met": is_met, "raw": raw})
    }
}

fn keep(line: &str) -> std::io::Result<String> {
    let target = Path::new(env!("CARGO_BIN_EXE_kubewhy")).ancestors().nth(2).unwrap_or(Path::new("target"));
    let folder = target.join("benches");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("chat.jsonl");
    let mut kept = std::fs::OpenOptions::new().create(true).append(true).open(&file)?;
    writeln!(kept, "{line}")?;
    Ok(file.display().to_string())
}

/// Where and of what it was measured.
fn machine() -> Value {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().next().and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok());
    json!({
        "processor": model.unwrap_or("unknown"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_mib": memory.map(|kib| kib / 1024),
        "kernel": std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "kubewhy": env!("CARGO_PKG_VERSION"),
        "commit": said("git", &["rev-parse", "--short", "HEAD"]),
        "rustc": said("rustc", &["--version"]),
        // Whoever else works on the machine is measured too.
        "load": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        "optimized": !cfg!(debug_assertions),
        "seed": 1,
        "at": jiff::Timestamp::now().to_string(),
    })
}

/// What a program says, where it is there.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|said| !said.is_empty())
}
