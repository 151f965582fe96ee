//! What servers say when a worker process of theirs got SIGKILL.

/// Wording of servers, each with all the parts that have to stand in one line.
const WORDINGS: &[&[&str]] = &[
    &["was sent SIGKILL! Perhaps out of memory?"],
    &["died, killed by signal 9"],
    &["worker process", "exited on signal 9"],
    &["child ", "exited on signal 9"],
    &["Worker exited prematurely: signal 9"],
    &["exited with 'signal 9 (SIGKILL)'"],
    &["was terminated by signal 9: Killed"],
    &["Process pool worker", "terminated by signal SIGKILL"],
    &["process in the process pool was terminated abruptly"],
    &["exited with 137"],
    &["exit code 137"],
    &["exit status 137"],
    &["signal: killed"],
];

/// The last line of a log that says so, with its number from 1.
pub fn last(log: &str) -> Option<(usize, &str)> {
    let lines = log.lines().enumerate();
    let tells = |line: &str| WORDINGS.iter().any(|parts| parts.iter().all(|part| line.contains(part)));
    lines.filter(|(_, line)| tells(line)).last().map(|(index, line)| (index + 1, line.trim()))
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn servers_words_are_known() {
        for line in [
            "[2026-11-21 10:00:00 +0000] [1] [ERROR] Worker (pid:17) was sent SIGKILL! Perhaps out of memory?",
            "DAMN ! worker 1 (pid: 10) died, killed by signal 9 :( trying respawn ...",
            "2026/11/21 10:00:00 [alert] 1#1: worker process 31 exited on signal 9",
            "[21-Nov-2026 10:00:00] WARNING: [pool www] child 12 exited on signal 9 (SIGKILL) after 3.2 seconds from start",
            "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 4.",
            "supervisor: worker exited with 137",
            "run ffmpeg: signal: killed",
            "LOG:  server process (PID 77) was terminated by signal 9: Killed",
        ] {
            assert_eq!(last(&format!("start\n{line}\nafter")), Some((2, line)), "{line}");
        }
        assert_eq!(last("worker process 31 exited with code 0\n"), None);
        assert_eq!(last(""), None);
    }
}
