//! The end among much that is not the end: structured lines, retries, long stacks, prefixes.

use super::{check, read, short};

#[test]
fn structured_lines() {
    check(&[
        (
            r#"{"level":"fatal","ts":1700000000.1,"caller":"main.go:9","msg":"cannot start","error":"dial tcp 10.0.0.1:5432: connect: connection refused"}"#,
            "refused 10.0.0.1:5432",
        ),
        (
            r#"{"level":50,"time":1700000000000,"pid":1,"err":{"type":"Error","message":"connect ECONNREFUSED 10.0.0.1:6379","stack":"Error: connect ECONNREFUSED 10.0.0.1:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)\n    at run (/app/db.js:7:3)"},"msg":"boot failed"}"#,
            "refused 10.0.0.1:6379 @ db.js:7 in run",
        ),
        (
            r#"{"@timestamp":"2026-11-21T10:00:00Z","level":"ERROR","message":"start failed","stack_trace":"java.lang.IllegalStateException: boom\n\tat com.acme.Main.run(Main.java:3)\nCaused by: java.net.UnknownHostException: kafka\n\tat java.base/java.net.InetAddress.getAllByName(InetAddress.java:1)\n"}"#,
            "unknown-host kafka NoSuchName @ Main.java:3 in Main.run",
        ),
        (
            r#"{"event":"boom","level":"error","exception":"Traceback (most recent call last):\n  File \"/app/a.py\", line 2, in f\n    g()\nValueError: bad sku"}"#,
            "panic ValueError: bad sku @ a.py:2 in f",
        ),
        (
            r#"time="2026-11-21T10:00:00Z" level=fatal msg="failed to start" error="open /etc/app.yaml: no such file or directory""#,
            "missing-file /etc/app.yaml",
        ),
        (
            r#"{"t":{"$date":"2026-11-21T10:00:00.000Z"},"s":"E","c":"CONTROL","id":20557,"ctx":"initandlisten","msg":"DBException in initAndListen, terminating","attr":{"error":"DBPathInUse: Unable to lock the lock file: /data/db/mongod.lock (Resource temporarily unavailable). Another mongod instance is already running on the /data/db directory"}}"#,
            "instance-locked ?",
        ),
        (r#"{"log":"panic: boom\n","stream":"stderr","time":"2026-11-21T10:00:00Z"}"#, "panic boom"),
        ("2026-11-21T10:00:00.000000000Z stderr F sh: 1: slep: not found", "command-not-found slep"),
        (
            "\u{1b}[31m2026-11-21 10:00:00 ERROR\u{1b}[0m listen tcp :8080: bind: address already in use",
            "port-in-use :8080 8080",
        ),
        (
            "F1121 10:00:00.000000       1 main.go:33] unable to read /etc/x/key.pem: open /etc/x/key.pem: permission denied",
            "permission-denied open /etc/x/key.pem",
        ),
        (
            "2026-11-21 10:00:00,000 [main] FATAL com.acme.Main - the moon is full",
            "fatal com.acme.Main - the moon is full",
        ),
    ]);
}

#[test]
fn retries_and_recoveries() {
    check(&[
        (
            "WARN dial tcp 10.0.0.1:5432: connect: connection refused, retrying in 1s\nINFO connected to database\nERROR open /etc/app.yaml: no such file or directory",
            "missing-file /etc/app.yaml",
        ),
        (
            "dial tcp 10.0.0.1:5432: connect: connection refused, retrying\nconnected to 10.0.0.1:5432\nlistening on :8080",
            "none",
        ),
        ("redis:6379: connection refused\nConnection established\nserving", "none"),
        ("ERROR dial tcp 10.0.0.1:5432: connect: connection refused\nFATAL giving up", "refused 10.0.0.1:5432"),
        (
            "DeprecationWarning: the url.parse() API\nwarning: connection refused earlier\nError: EROFS: read-only file system, open '/x/y'",
            "read-only-file-system /x/y",
        ),
        (
            "dial tcp 10.0.0.1:5432: connect: connection refused\nconnected to redis:6379\ndial tcp 10.0.0.1:5432: connect: connection refused",
            "refused 10.0.0.1:5432",
        ),
        (
            "not connected to 10.0.0.1:5432\ndial tcp 10.0.0.1:5432: connect: connection refused\nnot connected, giving up",
            "refused 10.0.0.1:5432",
        ),
    ]);
}

#[test]
fn a_panic_with_a_long_stack_is_found() {
    let mut log = "starting\n".repeat(3000);
    log.push_str("panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:8 +0x1d\n");
    for number in 2..600 {
        use std::fmt::Write as _;
        let _ = writeln!(
            log,
            "\ngoroutine {number} [select]:\nnet/http.(*persistConn).writeLoop(0xc0)\n\t/usr/local/go/src/net/http/transport.go:2421 +0xf1"
        );
    }
    let words = read(&log);
    assert_eq!(short(&words), "panic boom @ main.go:8");
    assert_eq!(words.signature.map(|signature| signature.line_number), Some(3001));
}

#[test]
fn a_traceback_before_thousands_of_noisy_lines_loses_to_the_last_error() {
    let mut log = "ERROR connection refused by 10.0.0.1:80\n".repeat(10_000);
    log.push_str("ERROR open /etc/a.yaml: no such file or directory\n");
    assert_eq!(short(&read(&log)), "missing-file /etc/a.yaml");
}

#[test]
fn texts_of_the_api_are_not_the_apps() {
    check(&[
        ("unable to retrieve container logs for containerd://0f1e2d", "not the app's"),
        (
            "failed to open log file \"/var/log/pods/a_b_c/main/0.log\": open /var/log/pods/a_b_c/main/0.log: no such file or directory",
            "not the app's",
        ),
        (
            "Error from server (BadRequest): container \"main\" in pod \"shop\" is waiting to start: trying and failing to pull image",
            "not the app's",
        ),
        (
            "Error from server (BadRequest): previous terminated container \"main\" in pod \"shop\" not found",
            "not the app's",
        ),
        ("previous terminated container \"main\" in pod \"shop\" not found", "not the app's"),
    ]);
}

#[test]
fn lines_are_cleaned_and_numbered() {
    let words = read("\u{1b}[1mstart\u{1b}[0m\n\n\u{7}\nlisten tcp :80: bind: permission denied\r\n}\n");
    let signature = words.signature.expect("a signature");
    assert_eq!((signature.line_number, signature.line.as_str()), (4, "listen tcp :80: bind: permission denied"));
    assert!(signature.decisive);
    assert_eq!(words.tail, ["start", "listen tcp :80: bind: permission denied"]);
}

#[test]
fn what_a_program_survived_for_long_is_not_decisive() {
    let log = format!("ERROR open /etc/a.yaml: no such file or directory\n{}", "INFO request served\n".repeat(500));
    let signature = read(&log).signature.expect("a signature");
    assert!(!signature.decisive);
    let log = format!("WARN open /etc/a.yaml: no such file or directory\n{}", "INFO request served\n".repeat(500));
    assert_eq!(short(&read(&log)), "none");
}
