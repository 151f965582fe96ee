//! How long a person waits for `kubewhy why`: `cargo bench -p kubewhy`.
//!
//! Always: one answer from a recording that the project carries, process start included. With `KUBEWHY_BENCH_POD=NAMESPACE/NAME`
//! and a cluster in `KUBECONFIG`: the same question to the cluster, beside `kubectl describe pod`, as a ratio.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 15;

fn main() {
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/198-secret-key-absent-env");
    let from = recording.display().to_string();
    let binary = env!("CARGO_BIN_EXE_kubewhy");
    let dump = median(|| run(Command::new(binary).args(["why", "deploy", "mailer", "-n", "lab-198", "--from", &from])));
    println!("kubewhy why, from a recording: median {dump:.1?} of {RUNS}");
    let Ok(target) = std::env::var("KUBEWHY_BENCH_POD") else {
        println!("KUBEWHY_BENCH_POD=NAMESPACE/NAME is not set: no live cluster is asked");
        return;
    };
    let (namespace, pod) = target.split_once('/').unwrap_or(("default", &target));
    let ours = median(|| run(Command::new(binary).args(["why", "pod", pod, "-n", namespace])));
    let theirs = median(|| run(Command::new("kubectl").args(["describe", "pod", pod, "-n", namespace])));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("kubewhy why pod, live: median {ours:.1?}; kubectl describe pod: median {theirs:.1?}; ratio {ratio:.2}");
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok(), "{command:?} does not run: {status:?}");
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}
