//! Lines that hold the words of failures without being one.

use super::{read, short};

const HEALTHY: &[&str] = &[
    "",
    "\n\n\n",
    "listening on :8080",
    "got TERM, leaving",
    "bye",
    "lock held, retry",
    "input file rejected: column 7 missing",
    "INFO error handler registered",
    "INFO 0 errors, 3 warnings",
    "Loaded error pages from /etc/nginx/errors",
    "10.244.0.1 - - [21/Nov/2026:10:00:00 +0000] \"GET /login HTTP/1.1\" 401 12 \"-\" \"kube-probe/1.33\"",
    "10.244.0.1 - - [21/Nov/2026:10:00:00 +0000] \"GET /api HTTP/1.1\" 503 0",
    "INFO:     10.244.0.1:41234 - \"GET /admin HTTP/1.1\" 403 Forbidden",
    "{\"level\":\"info\",\"method\":\"GET\",\"path\":\"/x\",\"status\":401,\"msg\":\"unauthorized\"}",
    "{\"level\":\"info\",\"msg\":\"retrying after connection refused\"}",
    "INFO upstream http://orders:8080/ answered 200 OK",
    "I1121 10:11:34.557447       1 serving.go:374] Generated self-signed cert (/tmp/apiserver.crt, /tmp/apiserver.key)",
    "I1121 10:11:49.502291       1 server.go:191] \"Failed probe\" probe=\"metric-storage-ready\" err=\"no metrics to serve\"",
    "CPU usage: 30%",
    "memory usage: 120MiB",
    "Generating a self-signed certificate",
    "maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined",
    "[INFO] plugin/reload: Running configuration SHA512 = 591cf328",
    "CoreDNS-1.12.1\nlinux/amd64, go1.26.8, ",
    "    at org.acme.PermissionDeniedException.create(PermissionDeniedException.java:3)",
    "FEATURE_X is not set, using default",
    "DEBUG permission denied for /home/app/.cache, ignoring",
    "INFO panic button pressed",
    "2026-11-21 10:00:00 UTC [1] LOG:  database system is ready to accept connections",
    "2026-11-21T10:00:00Z INFO handled exception mapping: 12 handlers",
    "Timeout set to 30s",
    "request timeout is 30s",
    "connection pool: max 10, timeout 5s",
    "Registered metric connection_errors_total",
    "TLS enabled, certificate loaded from /etc/tls/tls.crt",
    "Started Application in 3.2 seconds",
    "compiled 12 files, 0 failed",
    "migrated",
    "10 migrations applied",
    "Not a real failure: 404 for /favicon.ico",
    "SIGTERM received, shutting down",
    "signal: terminated",
    "received SIGSEGV handler registration",
];

#[test]
fn nothing_is_made_of_ordinary_lines() {
    let wrong: Vec<String> = HEALTHY
        .iter()
        .map(|log| (log, short(&read(log))))
        .filter(|(_, found)| found != "none")
        .map(|(log, found)| format!("{log}: {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn more_ordinary_lines() {
    const MORE: &[&str] = &[
        "INFO  o.a.k.c.NetworkClient - [Producer clientId=p] Node 1 disconnected.",
        "/docker-entrypoint.sh: Configuration complete; ready for start up",
        "10-listen-on-ipv6-by-default.sh: info: can not modify /etc/nginx/conf.d/default.conf (read-only file system?)",
        "2026/11/21 10:00:00 [notice] 1#1: signal 15 (SIGTERM) received, exiting",
        "1:C 21 Nov 2026 10:00:00.000 # Warning: no config file specified, using the default config.",
        "1:M 21 Nov 2026 10:00:00.000 * Ready to accept connections tcp",
        "2026-11-21 10:00:00 UTC [1] LOG:  listening on IPv4 address \"0.0.0.0\", port 5432",
        "Picked up JAVA_TOOL_OPTIONS: -XX:+ExitOnOutOfMemoryError",
        "OpenJDK 64-Bit Server VM warning: Options -Xverify:none were deprecated",
        "(node:1) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.",
        "npm notice New minor version of npm available! 10.2.4 -> 10.5.0",
        "Serving Flask app 'app' * Debug mode: off WARNING: This is a development server.",
        "time=\"2026-11-21T10:00:00Z\" level=info msg=\"certificate expired check scheduled\"",
        "Configured timeout: 30s, retries: 3",
        "x-request-id=1 status=403 path=/admin level=info msg=\"request served\"",
        "172.17.0.1 - - [21/Nov/2026 10:00:00] \"POST /login HTTP/1.1\" 500 -",
        "[GIN] 2026/11/21 - 10:00:00 | 401 |  1.2ms | 10.0.0.1 | GET \"/me\"",
        "Started GET \"/\" for 10.0.0.1 at 2026-11-21 10:00:00 +0000",
        "Completed 401 Unauthorized in 2ms",
        "DEBUG sqlalchemy.engine: SELECT error_code, timeout FROM failures",
        "INFO Loaded 403 products",
        "INFO sync done: 502 rows",
        "processed 503 items in 401 ms",
        "usage statistics are disabled",
        "Segmentation of customers done",
    ];
    let wrong: Vec<String> = MORE
        .iter()
        .map(|log| (log, short(&read(log))))
        .filter(|(_, found)| found != "none")
        .map(|(log, found)| format!("{log}: {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_in_passing() {
    const PASSING: &[&str] = &[
        "RATES_CA is not set, the system's authorities are used",
        "CACHE_DIR is not set, /tmp will be used instead",
        "INFO  HikariPool-1 - Starting... connection timeout 30000ms",
        "INFO exporting metric http_requests_timed_out_total",
        "using config file /etc/app/config.yaml",
        "loading certificate authority bundle from /etc/ssl/certs/ca-certificates.crt",
        "Registered handler for panic recovery",
        "enabled plugins: unauthorized-response, timeout, retry",
        "GET /health 200 3ms",
        "POST /api/login 401 12.3 ms - 44",
        "::ffff:10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 503 12 \"-\" \"curl\"",
        "10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] \"GET /etc/passwd HTTP/1.1\" 404 153 \"-\" \"-\" \"-\"",
        "{\"level\":\"info\",\"msg\":\"http request\",\"status\":503,\"path\":\"/x\",\"method\":\"GET\",\"error\":\"\"}",
        "{\"severity\":\"INFO\",\"message\":\"user not found\"}",
        "INFO Kafka version: 3.7.0",
        "[Consumer clientId=c, groupId=g] Successfully joined group",
        "I1121 10:00:00.0       1 leaderelection.go:250] attempting to acquire leader lease kube-system/x...",
        "W1121 10:00:00.0       1 warnings.go:70] v1 Endpoints is deprecated in v1.33+",
        "npm WARN deprecated har-validator@5.1.5: this library is no longer supported",
        "> app@1.0.0 start",
        "DeprecationWarning: Buffer() is deprecated due to security and usability issues.",
        "WARNING: No swap limit support",
        "found 0 vulnerabilities",
        "error_log /var/log/nginx/error.log warn;",
        "--timeout=30s --max-retries=3",
        "Total errors: 0",
        "tests: 12 passed, 0 failed",
        "INFO:     Application startup complete.",
        "INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 500 Internal Server Error",
        "checking permission of /data ... ok",
        "fixing permissions on existing directory /var/lib/postgresql/data ... ok",
        "initdb: warning: enabling \"trust\" authentication for local connections",
        "2026-11-21 10:00:00.000 UTC [33] LOG:  could not receive data from client: Connection reset by peer",
        "2026-11-21 10:00:00.000 UTC [33] LOG:  unexpected EOF on client connection with an open transaction",
        "Sleeping 5 seconds before next run",
        "shutting down gracefully",
        "exit status 0",
    ];
    let wrong: Vec<String> = PASSING
        .iter()
        .map(|log| (log, short(&read(log))))
        .filter(|(_, found)| found != "none")
        .map(|(log, found)| format!("{log}: {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
