//! Whole logs as they come, and wordings that are easily mistaken.

use super::check;

const SPRING_PORT: &str = "
***************************
APPLICATION FAILED TO START
***************************

Description:

Web server failed to start. Port 8080 was already in use.

Action:

Identify and stop the process that's listening on port 8080 or configure this application to listen on another port.
";

const SPRING_DATASOURCE: &str = "2026-11-21T10:00:00.000Z  WARN 1 --- [main] ConfigServletWebServerApplicationContext : Exception encountered during context initialization - cancelling refresh attempt: org.springframework.beans.factory.UnsatisfiedDependencyException: Error creating bean with name 'a'
2026-11-21T10:00:00.100Z  INFO 1 --- [main] ConditionEvaluationReportLogger : Error starting ApplicationContext. To display the condition evaluation report re-run your application with 'debug' enabled.
2026-11-21T10:00:00.200Z ERROR 1 --- [main] o.s.b.d.LoggingFailureAnalysisReporter   :

***************************
APPLICATION FAILED TO START
***************************

Description:

Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource could be configured.

Reason: Failed to determine a suitable driver class
";

const NGINX_BIND: &str = "/docker-entrypoint.sh: Configuration complete; ready for start up
2026/11/21 10:00:00 [warn] 1#1: the \"user\" directive makes sense only if the master process runs with super-user privileges, ignored in /etc/nginx/nginx.conf:2
2026/11/21 10:00:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)
nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)
2026/11/21 10:00:00 [notice] 1#1: try again to bind() after 500ms
2026/11/21 10:00:01 [emerg] 1#1: still could not bind()
nginx: [emerg] still could not bind()";

const POSTGRES_LOCK: &str = "2026-11-21 10:00:00.000 UTC [1] FATAL:  lock file \"postmaster.pid\" already exists
2026-11-21 10:00:00.000 UTC [1] HINT:  Is another postmaster (PID 7) running in data directory \"/var/lib/postgresql/data\"?";

const MYSQL_LOCK: &str = "2026-11-21T10:00:00.000000Z 1 [ERROR] [MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11
2026-11-21T10:00:01.000000Z 1 [ERROR] [MY-010334] [Server] Failed to initialize DD Storage Engine
2026-11-21T10:00:01.000000Z 0 [ERROR] [MY-010020] [Server] Data Dictionary initialization failed.
2026-11-21T10:00:01.000000Z 0 [ERROR] [MY-010119] [Server] Aborting";

const RAILS: &str = "bin/rails aborted!
ActiveRecord::ConnectionNotEstablished: connection to server at \"10.0.0.9\", port 5432 failed: Connection refused (ActiveRecord::ConnectionNotEstablished)
\tIs the server running on that host and accepting TCP/IP connections?
/app/config/environment.rb:5:in `<main>'
Tasks: TOP => db:migrate
(See full trace by running task with --trace)";

const KAFKA: &str = "[2026-11-21 10:00:00,000] WARN [Consumer clientId=c-1, groupId=g] Error connecting to node kafka-0.kafka:9092 (id: -1 rack: null) (org.apache.kafka.clients.NetworkClient)
java.net.UnknownHostException: kafka-0.kafka
\tat java.base/java.net.InetAddress$CachedAddresses.get(Unknown Source)
\tat org.apache.kafka.clients.NetworkClient.initiateConnect(NetworkClient.java:954)";

const KLOG: &str = "I1121 10:00:00.000000       1 main.go:10] starting
W1121 10:00:01.000000       1 client_config.go:659] Neither --kubeconfig nor --master was specified.
F1121 10:00:31.000000       1 main.go:44] Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: i/o timeout
goroutine 1 [running]:
k8s.io/klog/v2.stacks(0x1)
\t/go/pkg/mod/k8s.io/klog/v2@v2.9.0/klog.go:1026 +0x8a";

const GUNICORN: &str = "[2026-11-21 10:00:00 +0000] [1] [INFO] Starting gunicorn 21.2.0
[2026-11-21 10:00:00 +0000] [7] [ERROR] Exception in worker process
Traceback (most recent call last):
  File \"/usr/local/lib/python3.12/site-packages/gunicorn/arbiter.py\", line 609, in spawn_worker
    worker.init_process()
  File \"/app/wsgi.py\", line 3, in <module>
    import flask
ModuleNotFoundError: No module named 'flask'
[2026-11-21 10:00:00 +0000] [7] [INFO] Worker exiting (pid: 7)
[2026-11-21 10:00:00 +0000] [1] [ERROR] Worker (pid:7) exited with code 3
[2026-11-21 10:00:00 +0000] [1] [ERROR] Reason: Worker failed to boot.";

const ALEMBIC: &str = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.
Traceback (most recent call last):
  File \"/app/migrate.py\", line 9, in run
    command.upgrade(cfg, 'head')
psycopg2.errors.UndefinedTable: relation \"orders\" does not exist
LINE 1: ALTER TABLE orders ADD COLUMN x int

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File \"/app/migrate.py\", line 12, in <module>
    run()
sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation \"orders\" does not exist";

const PYDANTIC: &str = "Traceback (most recent call last):
  File \"/app/settings.py\", line 12, in <module>
    settings = Settings()
pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
database_url
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.5/v/missing";

const PRISMA: &str = "PrismaClientInitializationError: Can't reach database server at `db:5432`

Please make sure your database server is running at `db:5432`.
    at t (/app/node_modules/@prisma/client/runtime/library.js:112:2488)
    at async main (/app/index.js:4:3)";

const ELASTIC: &str = "ERROR: [1] bootstrap checks failed. You must address the points described in the following [1] lines before starting Elasticsearch.
bootstrap check failure [1] of [1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]
ERROR: Elasticsearch did not exit normally - check the logs at /usr/share/elasticsearch/logs/docker-cluster.log";

const GO_RECOVERED: &str =
    "2026/11/21 10:00:00 http: panic serving 10.244.0.1:5000: runtime error: index out of range [3] with length 3
goroutine 34 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1898 +0xbe
2026/11/21 10:00:05 open /data/x: permission denied";

const THREAD_DEATH: &str = "Exception in thread Thread-1 (poll):
Traceback (most recent call last):
  File \"/app/poll.py\", line 5, in poll
    raise ValueError('x')
ValueError: x
FATAL: could not open /etc/a.conf: No such file or directory";

#[test]
fn whole_logs() {
    check(&[
        (SPRING_PORT, "port-in-use :8080 8080"),
        (
            SPRING_DATASOURCE,
            "bad-setting Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource could be configured.",
        ),
        (NGINX_BIND, "port-in-use 0.0.0.0:80 80"),
        (POSTGRES_LOCK, "instance-locked postmaster.pid"),
        (MYSQL_LOCK, "instance-locked ./ibdata1"),
        (RAILS, "refused 10.0.0.9:5432"),
        (KAFKA, "unknown-host kafka-0.kafka NoSuchName @ NetworkClient.java:954 in NetworkClient.initiateConnect"),
        (KLOG, "timeout 10.96.0.1:443"),
        (GUNICORN, "missing-module flask @ wsgi.py:3"),
        (ALEMBIC, "migration relation \"orders\" does not exist @ migrate.py:9 in run"),
        (PYDANTIC, "missing-variable database_url @ settings.py:12"),
        (PRISMA, "refused db:5432 @ app/index.js:4 in main"),
        (
            ELASTIC,
            "bad-setting max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
        ),
        (GO_RECOVERED, "permission-denied open /data/x"),
        (THREAD_DEATH, "missing-file /etc/a.conf"),
    ]);
}

#[test]
fn wordings_that_are_easily_mistaken() {
    check(&[
        ("ERROR Failed to load config: dial tcp 10.0.0.3:8500: connect: connection refused", "refused 10.0.0.3:8500"),
        (
            "failed to connect to `host=db user=app database=x`: dial error (dial tcp 10.0.0.1:5432: connect: connection refused)",
            "refused 10.0.0.1:5432",
        ),
        (
            "failed to connect to `host=db user=app database=x`: hostname resolving error (lookup db on 10.96.0.10:53: no such host)",
            "unknown-host db NoSuchName",
        ),
        (
            "failed to connect to `host=db user=app database=x`: failed SASL auth (FATAL: password authentication failed for user \"app\" (SQLSTATE 28P01))",
            "auth-failed db user app PostgreSql",
        ),
        (
            "error: unable to load config from /etc/app/config.yaml: open /etc/app/config.yaml: permission denied",
            "permission-denied open /etc/app/config.yaml",
        ),
        (
            "Error: error reading config file /etc/app.yml: yaml: line 3: found character that cannot start any token",
            "unreadable-config yaml: line 3: found character that cannot start any token (/etc/app.yml:3)",
        ),
        (
            "Error: listen tcp 10.0.0.5:8080: bind: cannot assign requested address",
            "bad-setting listen tcp 10.0.0.5:8080: bind: cannot assign requested address",
        ),
        (
            "redis.exceptions.BusyLoadingError: Redis is loading the dataset in memory",
            "overloaded ? Redis Redis is loading the dataset in memory",
        ),
        ("exec: \"migrate\": executable file not found in $PATH", "command-not-found migrate"),
        ("exec ./start.sh: no such file or directory", "command-not-found ./start.sh"),
        ("ls: cannot access '/data': Permission denied", "permission-denied access /data"),
        ("tar: /backup/x.tar: Cannot open: No space left on device", "no-space /backup/x.tar"),
        ("cp: cannot create regular file '/app/x': Read-only file system", "read-only-file-system /app/x"),
        ("touch: /data/lock: Permission denied", "permission-denied create /data/lock"),
        ("cat: can't open '/etc/app/token': No such file or directory", "missing-file /etc/app/token"),
        ("Error: Config file /etc/app/config.toml not found", "missing-file /etc/app/config.toml"),
        (
            "Error: 14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.4:50051",
            "refused 10.0.0.4:50051",
        ),
        ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", "timeout ?"),
        (
            "pymongo.errors.ServerSelectionTimeoutError: mongo:27017: [Errno 111] Connection refused, Timeout: 30s",
            "refused mongo:27017",
        ),
        (
            "pymongo.errors.ServerSelectionTimeoutError: mongo-0.mongo:27017: [Errno -2] Name or service not known, Timeout: 30s",
            "unknown-host mongo-0.mongo:27017 NoSuchName",
        ),
        (
            "com.mongodb.MongoTimeoutException: Timed out after 30000 ms while waiting to connect. Client view of cluster state is {type=UNKNOWN, servers=[{address=mongo:27017, type=UNKNOWN, state=CONNECTING, exception={com.mongodb.MongoSocketOpenException: Exception opening socket}, caused by {java.net.ConnectException: Connection refused}}]",
            "refused mongo:27017",
        ),
        (
            "error: database \"x\" is being accessed: connection to server at \"localhost\" (::1), port 5432 failed: Connection refused",
            "refused localhost:5432 (::1)",
        ),
        (
            "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory",
            "missing-file /var/run/postgresql/.s.PGSQL.5432",
        ),
        ("Could not connect to Redis at redis:6379: Name does not resolve", "unknown-host redis:6379 NoSuchName"),
        ("Could not connect to Redis at redis:6379: Connection refused", "refused redis:6379"),
        ("[ioredis] Unhandled error event: Error: connect ECONNREFUSED 127.0.0.1:6379", "refused 127.0.0.1:6379"),
        ("amqp: dial tcp 10.96.8.8:5672: connect: connection refused", "refused 10.96.8.8:5672"),
        ("Exception (403) Reason: \"username or password not allowed\"", "auth-failed ? user ? RabbitMq"),
        ("Error: P1001: Can't reach database server at `db`:`5432`", "refused db:5432"),
        (
            "npm ERR! code ENOENT\nnpm ERR! syscall open\nnpm ERR! path /app/package.json\nnpm ERR! enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/app/package.json'",
            "missing-file /app/package.json",
        ),
        (
            "E: could not open lock file /var/lib/dpkg/lock - open (13: Permission denied)",
            "permission-denied open /var/lib/dpkg/lock",
        ),
        ("OCI runtime exec failed", "none"),
        ("java.lang.NoClassDefFoundError: org/slf4j/LoggerFactory", "missing-module org/slf4j/LoggerFactory"),
        ("Error response from server: HTTP 403", "auth-failed ? user ? Http"),
        (
            "Error: connect ETIMEDOUT 10.0.0.1:443\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)",
            "timeout 10.0.0.1:443 @ node:net:1555 in TCPConnectWrap.afterConnect",
        ),
    ]);
}

#[test]
fn servers_and_frameworks() {
    check(SERVERS);
}

const SERVERS: &[(&str, &str)] = &[
    (
        "[2026-11-21 10:00:00,000] ERROR Exiting Kafka due to fatal exception during startup. (kafka.Kafka$)\norg.apache.kafka.common.config.ConfigException: Missing required configuration `zookeeper.connect` which has no default value.\n\tat kafka.Kafka.main(Kafka.scala:1)",
        "bad-setting ConfigException: Missing required configuration `zookeeper.connect` which has no default value. @ Kafka.scala:1 in Kafka.main",
    ),
    (
        "2026-11-21 10:00:00.000 UTC [1] FATAL:  could not create lock file \"postmaster.pid\": Read-only file system",
        "read-only-file-system postmaster.pid",
    ),
    (
        "2026-11-21 10:00:00.000 UTC [1] FATAL:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device",
        "no-space pg_wal/xlogtemp.29",
    ),
    (
        "2026-11-21 10:00:00.000 UTC [1] LOG:  could not bind IPv4 address \"0.0.0.0\": Address already in use\n2026-11-21 10:00:00.000 UTC [1] HINT:  Is another postmaster already running on port 5432? If not, wait a few seconds and retry.\n2026-11-21 10:00:00.000 UTC [1] FATAL:  could not create any TCP/IP sockets",
        "port-in-use :5432 5432",
    ),
    (
        "mkdir: cannot create directory '/bitnami/postgresql/data': Permission denied",
        "permission-denied mkdir /bitnami/postgresql/data",
    ),
    (
        "chmod: changing permissions of '/var/lib/postgresql/data': Operation not permitted",
        "permission-denied chmod /var/lib/postgresql/data",
    ),
    (
        "{\"type\": \"server\", \"timestamp\": \"2026-11-21T10:00:00Z\", \"level\": \"ERROR\", \"component\": \"o.e.b.Elasticsearch\", \"message\": \"fatal exception while booting Elasticsearch\", \"stacktrace\": [\"java.lang.IllegalStateException: failed to obtain node locks, tried [/usr/share/elasticsearch/data]; maybe these locations are not writable or multiple nodes were started on the same data path?\", \"at org.elasticsearch.env.NodeEnvironment.<init>(NodeEnvironment.java:296)\"]}",
        "instance-locked /usr/share/elasticsearch/data @ NodeEnvironment.java:296 in NodeEnvironment.<init>",
    ),
    (
        "django.db.utils.OperationalError: could not translate host name \"db\" to address: Name or service not known",
        "unknown-host db NoSuchName",
    ),
    (
        "django.db.utils.OperationalError: (1045, \"Access denied for user 'app'@'10.244.0.3' (using password: YES)\")",
        "auth-failed ? user app MySql",
    ),
    (
        "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2003, \"Can't connect to MySQL server on 'mysql' (timed out)\")",
        "timeout mysql",
    ),
    (
        "ActiveRecord::PendingMigrationError: Migrations are pending. To resolve this issue, run: bin/rails db:migrate",
        "migration ActiveRecord::PendingMigrationError: Migrations are pending. To resolve this issue, run: bin/rails db:migrate",
    ),
    (
        "rails aborted!\nActiveRecord::NoDatabaseError: FATAL:  database \"app_production\" does not exist",
        "auth-failed ? user ? PostgreSql",
    ),
    (
        "org.flywaydb.core.api.exception.FlywayValidateException: Validate failed: Migrations have failed validation",
        "migration FlywayValidateException: Validate failed: Migrations have failed validation",
    ),
    (
        "liquibase.exception.LockException: Could not acquire change log lock.  Currently locked by app-0 (10.244.0.3) since 11/21/26",
        "migration liquibase.exception.LockException: Could not acquire change log lock.  Currently locked by app-0 (10.244.0.3) since 11/21/26",
    ),
    ("error: migration failed: dial tcp 10.0.0.1:5432: connect: connection refused", "refused 10.0.0.1:5432"),
    ("Error: Unable to open database file /data/app.db: permission denied", "permission-denied open /data/app.db"),
    (
        "2026-11-21 10:00:00 E! [outputs.influxdb] Failed to connect: dial tcp: lookup influx on 10.96.0.10:53: no such host",
        "unknown-host influx NoSuchName",
    ),
    (
        "level=error ts=2026-11-21T10:00:00Z caller=main.go:290 msg=\"Error loading config (--config.file=/etc/prometheus/prometheus.yml)\" err=\"parsing YAML file /etc/prometheus/prometheus.yml: yaml: line 12: did not find expected key\"",
        "unreadable-config parsing YAML file /etc/prometheus/prometheus.yml: yaml: line 12: did not find expected key (/etc/prometheus/prometheus.yml:12)",
    ),
    (
        "caller=main.go:1 level=error err=\"opening storage failed: lock DB directory: resource temporarily unavailable\" msg=x",
        "instance-locked ?",
    ),
    ("nats: no servers available for connection", "refused ?"),
    ("Error: failed to open database: unable to open database file: no such file or directory", "none"),
    (
        "BOOT FAILED Application :app exited: exited in: App.start(:normal, [])\n** (EXIT) an exception was raised:\n** (DBConnection.ConnectionError) tcp connect (db:5432): connection refused - :econnrefused",
        "refused db:5432",
    ),
    ("tcp connect (db:5432): non-existing domain - :nxdomain", "unknown-host db:5432 NoSuchName"),
    (
        "SQLSTATE[HY000] [1045] Access denied for user 'root'@'10.244.0.9' (using password: NO)",
        "auth-failed ? user root MySql",
    ),
    ("In Connection.php line 760: SQLSTATE[HY000] [2002] Connection refused (SQL: select 1)", "refused ?"),
    (
        "MongoNetworkError: failed to connect to server [mongo:27017] on first connect [Error: connect ECONNREFUSED 10.0.0.3:27017]",
        "refused mongo:27017 (10.0.0.3)",
    ),
    (
        "[error] a.b.Main - com.rabbitmq.client.AuthenticationFailureException: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
        "auth-failed ? user ? RabbitMq",
    ),
    (
        "StackExchange.Redis.RedisConnectionException: It was not possible to connect to the redis server(s). UnableToConnect on redis:6379/Interactive",
        "refused redis:6379",
    ),
    (
        "Microsoft.Data.SqlClient.SqlException (0x80131904): A network-related or instance-specific error occurred while establishing a connection to SQL Server.",
        "refused ?",
    ),
    ("MySqlConnector.MySqlException (0x80004005): Unable to connect to any of the specified MySQL hosts.", "refused ?"),
    (
        "x509: certificate signed by unknown authority (possibly because of \"crypto/rsa: verification error\" while trying to verify candidate authority certificate \"ca\")",
        "tls UnknownAuthority ?",
    ),
    (
        "SSL_CTX_use_PrivateKey(\"/etc/tls/tls.key\") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)",
        "tls KeyMismatch ? own",
    ),
    ("FATAL:  private key file \"/certs/tls.key\" has group or world access", "tls Other ? own"),
    ("Failed to create listener: accept tcp: too many open files in system", "too-many-open-files"),
    ("standard_init_linux.go:228: exec user process caused: exec format error", "exec-format"),
    ("standard_init_linux.go:228: exec user process caused: no such file or directory", "command-not-found"),
    ("runtime: failed to create new OS thread (have 5 already; errno=11)", "no-threads failed to create new OS thread"),
    ("bash: fork: retry: Resource temporarily unavailable", "no-threads fork: retry: Resource temporarily unavailable"),
    (
        "OpenBLAS blas_thread_init: pthread_create failed for thread 3 of 8: Resource temporarily unavailable",
        "no-threads pthread_create failed",
    ),
    (
        "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x00000000c0000000, 1073741824, 0) failed; error='Not enough space' (errno=12)\n#\n# There is insufficient memory for the Java Runtime Environment to continue.",
        "no-memory insufficient memory for the Java Runtime Environment to continue",
    ),
    (
        "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
        "no-memory could not map anonymous shared memory: Cannot allocate memory",
    ),
    (
        "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in <module>\n    x = 'a' * 10**12\nMemoryError",
        "no-memory MemoryError @ a.py:1",
    ),
];
