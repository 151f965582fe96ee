//! Blocks of the runtimes: root, message, frame.

use super::check;

const GO_NIL: &str = "panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x49b2c6]

goroutine 1 [running]:
runtime.gopanic({0x4b1c20?, 0x55a0e0?})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
main.(*Store).Load(...)
\t/src/store.go:17 +0x26
main.main()
\t/src/main.go:8 +0x1d
exit status 2";

const GO_ERROR: &str = "panic: dial tcp 10.96.1.2:5432: connect: connection refused

goroutine 1 [running]:
main.main()
\t/src/cmd/api/main.go:31 +0x1d";

const GO_DEADLOCK: &str = "fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/src/main.go:8 +0x31";

const PYTHON_ENV: &str = "Traceback (most recent call last):
  File \"/srv/loyalty/main.py\", line 61, in <module>
    main()
  File \"/srv/loyalty/settings.py\", line 22, in from_env
    broker=os.environ[\"KAFKA_BOOTSTRAP_SERVERS\"],
           ~~~~~~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File \"<frozen os>\", line 679, in __getitem__
KeyError: 'KAFKA_BOOTSTRAP_SERVERS'";

const PYTHON_KEY: &str = "Traceback (most recent call last):
  File \"/app/main.py\", line 3, in load
    rows[\"sku\"]
KeyError: 'sku'";

const PYTHON_CHAIN: &str = "Traceback (most recent call last):
  File \"/usr/local/lib/python3.12/site-packages/urllib3/connection.py\", line 198, in _new_conn
    sock = connection.create_connection(
ConnectionRefusedError: [Errno 111] Connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File \"/usr/local/lib/python3.12/site-packages/requests/adapters.py\", line 667, in send
    resp = conn.urlopen(
urllib3.exceptions.MaxRetryError: HTTPConnectionPool(host='orders', port=8080): Max retries exceeded with url: / (Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/main.py\", line 9, in <module>
    requests.get(url)
RuntimeError: cannot start";

const PYTHON_HANDLING: &str = "Traceback (most recent call last):
  File \"/app/main.py\", line 4, in parse
    int(x)
ValueError: broken row

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/main.py\", line 7, in <module>
    report()
NameError: name 'report' is not defined";

const PYTHON_SQLALCHEMY: &str = "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"db\" (10.0.0.9), port 5432 failed: FATAL:  password authentication failed for user \"shop\"

(Background on this error at: https://sqlalche.me/e/20/e3q8)";

const JAVA_CHAIN: &str = "2026-11-21T10:00:00.000Z ERROR 1 --- [           main] o.s.boot.SpringApplication               : Application run failed

org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'
\tat org.springframework.beans.factory.support.AbstractAutowireCapableBeanFactory.doCreateBean(AbstractAutowireCapableBeanFactory.java:607)
\tat com.acme.Main.main(Main.java:11)
Caused by: org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.
\tat org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:342)
\t... 40 common frames omitted
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 41 common frames omitted";

const JAVA_PLAIN: &str = "Exception in thread \"main\" java.lang.IllegalStateException: no rules
\tat com.acme.rules.Engine.start(Engine.java:42)
\tat com.acme.Main.main(Main.java:11)
Caused by: java.lang.NullPointerException: Cannot invoke \"String.length()\" because \"s\" is null
\tat java.base/java.util.Objects.requireNonNull(Objects.java:233)
\tat com.acme.rules.Parser.parse(Parser.java:7)
\t... 1 more";

const NODE_PLAIN: &str = "/app/server.js:12
    const n = cfg.db.host
                     ^

TypeError: Cannot read properties of undefined (reading 'host')
    at load (/app/server.js:12:22)
    at Object.<anonymous> (/app/server.js:30:1)
    at Module._compile (node:internal/modules/cjs/loader:1364:14)

Node.js v20.11.0";

const NODE_LISTEN: &str = "node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::3000
    at Server.setupListenHandle [as _listen2] (node:net:1817:16)
    at Object.<anonymous> (/app/index.js:9:5)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1796:8) {
  code: 'EADDRINUSE',
  port: 3000
}

Node.js v20.11.0";

const NODE_FETCH: &str = "node:internal/deps/undici/undici:12345
      Error.captureStackTrace(err);
            ^

TypeError: fetch failed
    at node:internal/deps/undici/undici:12345:13
    at async main (/app/main.mjs:3:10) {
  [cause]: Error: getaddrinfo ENOTFOUND orders
      at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {
    errno: -3008,
    hostname: 'orders'
  }
}

Node.js v20.11.0";

const NODE_MODULE: &str = "node:internal/modules/cjs/loader:1147
  throw err;
  ^

Error: Cannot find module '/app/server.js'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1144:15)
    at node:internal/main/run_main_module:28:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: []
}

Node.js v20.11.0";

const DOTNET: &str = "Unhandled exception. System.AggregateException: One or more errors occurred. (Connection refused (orders:80))
 ---> System.Net.Http.HttpRequestException: Connection refused (orders:80)
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at System.Net.Sockets.Socket.AwaitableSocketAsyncEventArgs.ThrowException(SocketError error, CancellationToken cancellationToken)
   --- End of inner exception stack trace ---
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 14";

const DOTNET_PLAIN: &str = "Unhandled exception. System.InvalidOperationException: queue is closed
   at Shop.Worker.Run() in /src/Worker.cs:line 33
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 14";

const RUBY: &str = "/usr/local/bundle/gems/pg-1.5/lib/pg/connection.rb:696:in `async_connect_or_reset': connection to server at \"db\" (10.0.0.9), port 5432 failed: Connection refused (PG::ConnectionBad)
\tIs the server running on that host and accepting TCP/IP connections?
\tfrom /usr/local/bundle/gems/pg-1.5/lib/pg/connection.rb:820:in `new'
\tfrom /app/db.rb:5:in `connect'";

const PHP: &str = "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /var/www/reports/src/Db.php:31
Stack trace:
#0 /var/www/reports/src/Db.php(31): PDO->__construct()
#1 /var/www/reports/bin/worker.php(9): Reports\\Db->connect()
#2 {main}
  thrown in /var/www/reports/src/Db.php on line 31";

#[test]
fn roots_and_frames() {
    check(&[
        (GO_NIL, "panic runtime error: invalid memory address or nil pointer dereference @ store.go:17"),
        (GO_ERROR, "refused 10.96.1.2:5432 @ main.go:31"),
        (GO_DEADLOCK, "panic all goroutines are asleep - deadlock! @ main.go:8"),
        (PYTHON_ENV, "missing-variable KAFKA_BOOTSTRAP_SERVERS @ settings.py:22 in from_env"),
        (PYTHON_KEY, "panic KeyError: 'sku' @ main.py:3 in load"),
        (PYTHON_CHAIN, "refused orders:8080 @ connection.py:198 in _new_conn"),
        (PYTHON_HANDLING, "panic ValueError: broken row @ main.py:4 in parse"),
        (PYTHON_SQLALCHEMY, "auth-failed db:5432 (10.0.0.9) user shop PostgreSql"),
        (JAVA_CHAIN, "refused db:5432 @ Main.java:11 in Main.main"),
        (
            JAVA_PLAIN,
            "panic java.lang.NullPointerException: Cannot invoke \"String.length()\" because \"s\" is null @ Parser.java:7 in Parser.parse",
        ),
        (NODE_PLAIN, "panic TypeError: Cannot read properties of undefined (reading 'host') @ server.js:12 in load"),
        (NODE_LISTEN, "port-in-use :3000 3000 @ app/index.js:9"),
        (NODE_FETCH, "unknown-host orders NoSuchName @ main.mjs:3 in main"),
        (NODE_MODULE, "missing-module /app/server.js @ loader:1144 in Module._resolveFilename"),
        (DOTNET, "refused orders:80 @ Program.cs:14 in Shop.Program.Main"),
        (DOTNET_PLAIN, "panic System.InvalidOperationException: queue is closed @ Worker.cs:33 in Shop.Worker.Run"),
        (RUBY, "refused db:5432 (10.0.0.9) @ db.rb:5 in connect"),
        (PHP, "refused ? @ Db.php:31"),
        (
            "thread 'main' panicked at src/main.rs:5:10:\nindex out of bounds: the len is 0 but the index is 3\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
            "panic index out of bounds: the len is 0 but the index is 3 @ main.rs:5",
        ),
        (
            "thread 'main' (12) panicked at src/main.rs:5:10:\ncalled `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: \"No such file or directory\" }",
            "panic called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: \"No such file or directory\" } @ main.rs:5",
        ),
        (
            "thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/cfg.rs:9:3",
            "panic called `Option::unwrap()` on a `None` value @ cfg.rs:9",
        ),
        (
            "thread 'main' panicked at src/db.rs:11:10:\ncannot connect: Connection refused (os error 111)",
            "refused ? @ db.rs:11",
        ),
        (
            "PHP Parse error:  syntax error, unexpected token \"}\" in /app/a.php on line 12",
            "panic syntax error, unexpected token \"}\" @ a.php:12",
        ),
    ]);
}
