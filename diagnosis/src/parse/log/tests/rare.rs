//! Rarer forms of crashes and of wording.

use super::check;

const GROUP: &str = "  + Exception Group Traceback (most recent call last):
  |   File \"/app/main.py\", line 9, in <module>
  |     asyncio.run(main())
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/app/db.py\", line 4, in connect
    |     raise OSError
    | ConnectionRefusedError: [Errno 111] Connect call failed ('10.0.0.4', 5432)
    +------------------------------------";

const ANYHOW: &str = "Error: failed to load config

Caused by:
    0: failed to read /etc/app.toml
    1: No such file or directory (os error 2)";

const NODE_REJECTION: &str = "node:internal/process/promises:288
            triggerUncaughtException(err, true /* fromPromise */);
            ^

[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason \"no token\".] {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v20.11.0";

const NEXT: &str = " ⨯ Failed to start server
Error: listen EADDRINUSE: address already in use :::3000
    at Server.setupListenHandle [as _listen2] (node:net:1817:16) {
  code: 'EADDRINUSE',
  errno: -98,
  port: 3000
}";

const KESTREL: &str =
    "Unhandled exception. System.IO.IOException: Failed to bind to address http://[::]:80: address already in use.
 ---> Microsoft.AspNetCore.Connections.AddressInUseException: Address already in use
 ---> System.Net.Sockets.SocketException (98): Address already in use
   at System.Net.Sockets.Socket.UpdateStatusAfterSocketErrorAndThrowException(SocketError error, String callerName)
   at Program.<Main>$(String[] args) in /src/Program.cs:line 12";

const UVICORN: &str = "INFO:     Started server process [1]
INFO:     Waiting for application startup.
ERROR:    Traceback (most recent call last):
  File \"/usr/local/lib/python3.12/site-packages/starlette/routing.py\", line 732, in lifespan
    async with self.lifespan_context(app) as maybe_state:
  File \"/app/main.py\", line 8, in lifespan
    await pool.connect()
OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432, 0, 0), [Errno 111] Connect call failed ('127.0.0.1', 5432)

ERROR:    Application startup failed. Exiting.";

const GO_PANIC_ERR: &str = "2026/11/21 10:00:00 starting
panic: open /etc/app/config.yaml: permission denied

goroutine 1 [running]:
main.must(...)
\t/build/cmd/app/main.go:41
main.main()
\t/build/cmd/app/main.go:12 +0x65
exit status 2";

const ZAP_CONSOLE: &str = "2026-11-21T10:00:00.000Z\tFATAL\tcmd/main.go:22\tcannot start\t{\"error\": \"dial tcp 10.0.0.1:6379: connect: connection refused\"}
main.main
\t/src/cmd/main.go:22
runtime.main
\t/usr/local/go/src/runtime/proc.go:267";

const CONTROLLER: &str = "2026-11-21T10:00:00Z\tERROR\tsetup\tunable to start manager\t{\"error\": \"failed to get server groups: Get \\\"https://10.96.0.1:443/api\\\": dial tcp 10.96.0.1:443: connect: no route to host\"}";

const SCALA: &str = "Exception in thread \"main\" java.lang.ExceptionInInitializerError
\tat com.acme.App.main(App.scala)
Caused by: com.typesafe.config.ConfigException$Missing: application.conf @ file:/app/application.conf: 3: No configuration setting found for key 'db.url'
\tat com.typesafe.config.impl.SimpleConfig.find(SimpleConfig.java:156)
\tat com.acme.Settings$.<init>(Settings.scala:9)
\t... 1 more";

#[test]
fn rare_forms() {
    check(&[
        (GROUP, "refused 10.0.0.4:5432 @ db.py:4 in connect"),
        (ANYHOW, "missing-file /etc/app.toml"),
        (NODE_REJECTION, "panic UnhandledPromiseRejection: no token"),
        (NEXT, "port-in-use :3000 3000 @ node:net:1817 in Server.setupListenHandle"),
        (KESTREL, "port-in-use [::]:80 80 @ Program.cs:12 in Program.<Main>$"),
        (UVICORN, "refused ::1:5432 @ main.py:8 in lifespan"),
        (GO_PANIC_ERR, "permission-denied open /etc/app/config.yaml @ main.go:41"),
        (ZAP_CONSOLE, "refused 10.0.0.1:6379"),
        (CONTROLLER, "unreachable 10.96.0.1:443"),
        (SCALA, "missing-variable db.url @ Settings.scala:9 in Settings$.<init>"),
        (
            "[21-Nov-2026 10:00:00] ERROR: unable to bind listening socket for address '9000': Address already in use (98)",
            "port-in-use :9000 9000",
        ),
        ("2026-11-21 10:00:00 ERROR [main] c.a.Main - Connection to orders-db:5432 refused", "refused orders-db:5432"),
        (
            "Error: Failed to connect to database: password authentication failed for user \"postgres\"",
            "auth-failed ? user postgres PostgreSql",
        ),
        ("Segmentation fault", "panic Segmentation fault"),
        (
            "qemu: uncaught target signal 11 (Segmentation fault) - core dumped",
            "panic qemu: uncaught target signal 11 (Segmentation fault) - core dumped",
        ),
        (
            "thread 'tokio-runtime-worker' panicked at src/a.rs:3:1:\nboom\nINFO serving\nINFO serving\nINFO serving\nINFO serving\nINFO serving",
            "panic boom @ a.rs:3",
        ),
        ("Error: Invalid value for '--port': 'abc' is not a valid integer.", "bad-flag --port"),
        ("error: cannot open display", "none"),
        ("fatal: not a git repository (or any of the parent directories): .git", "none"),
        (
            "E1121 10:00:00.000000       1 run.go:74] \"command failed\" err=\"failed to parse kubeconfig: yaml: line 2: did not find expected key\"",
            "unreadable-config yaml: line 2: did not find expected key\" (?:2)",
        ),
        (
            "Error: Cannot parse configuration file \"/etc/app.json\": invalid character '}' looking for beginning of object key string",
            "unreadable-config invalid character '}' looking for beginning of object key string (/etc/app.json:?)",
        ),
    ]);
}

#[test]
fn the_root_among_consequences() {
    check(&[
        (
            "2026/11/21 10:00:00 ERROR dial tcp: lookup kafka on 10.96.0.10:53: no such host\n2026/11/21 10:00:00 ERROR producer not available\n2026/11/21 10:00:00 FATAL cannot continue",
            "unknown-host kafka NoSuchName",
        ),
        (
            "ERROR x509: certificate signed by unknown authority\npanic: x509: certificate signed by unknown authority\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/main.go:3 +0x1",
            "tls UnknownAuthority ? @ main.go:3",
        ),
        (
            "[notice] starting\n[emerg] 1#1: open() \"/etc/nginx/nginx.conf\" failed (2: No such file or directory)",
            "missing-file /etc/nginx/nginx.conf",
        ),
        (
            "WARN slow query\nERROR: duplicate key value violates unique constraint\nError: listen tcp :8080: bind: address already in use\nUsage:\n  app serve [flags]",
            "port-in-use :8080 8080",
        ),
        (
            "waiting for db:5432\nnc: connect to db port 5432 (tcp) failed: Connection refused\nwaiting for db:5432\nnc: connect to db port 5432 (tcp) failed: Connection refused",
            "refused db:5432",
        ),
        ("wait-for-it.sh: timeout occurred after waiting 15 seconds for db:5432", "timeout db:5432"),
        (
            "/wait-for-it.sh: waiting 15 seconds for db:5432\n/wait-for-it.sh: timeout occurred after waiting 15 seconds for db:5432\nstarting anyway",
            "timeout db:5432",
        ),
        (
            "Waiting for postgres...\npg_isready: could not translate host name \"postgres\" to address: Name or service not known",
            "unknown-host postgres NoSuchName",
        ),
        ("redis-cli: Could not connect to Redis at 10.0.0.7:6379: No route to host", "unreachable 10.0.0.7:6379"),
        ("wget: can't connect to remote host (10.96.4.4): Connection refused", "refused 10.96.4.4"),
        (
            "wget: server returned error: HTTP/1.1 503 Service Unavailable",
            "overloaded ? Http HTTP/1.1 503 Service Unavailable",
        ),
        ("telnet: can't connect to remote host (10.0.0.1): Connection timed out", "timeout 10.0.0.1"),
        ("ssh: connect to host bastion port 22: Connection refused", "refused bastion:22"),
        (
            "Error from server (Forbidden): pods is forbidden: User \"system:serviceaccount:a:b\" cannot list resource \"pods\" in API group \"\" in the namespace \"a\"",
            "kubernetes-forbidden system:serviceaccount:a:b list pods \"\" in a",
        ),
    ]);
}
