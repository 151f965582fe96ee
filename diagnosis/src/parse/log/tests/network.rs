//! Refused, timed out, unknown, unreachable, reset.

use super::check;

#[test]
fn refused() {
    check(&[
        (
            "2026/11/21 10:16:48 FATAL could not open database connection: dial tcp 10.96.189.230:3333: connect: connection refused",
            "refused 10.96.189.230:3333",
        ),
        (
            "Get \"http://orders:8080/health\": dial tcp 10.96.3.4:8080: connect: connection refused",
            "refused orders:8080 (10.96.3.4)",
        ),
        ("dial tcp [::1]:6379: connect: connection refused", "refused ::1:6379"),
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.",
            "refused redis:6379",
        ),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "refused ?"),
        ("Error: connect ECONNREFUSED 10.0.0.12:5432", "refused 10.0.0.12:5432"),
        ("Error: connect ECONNREFUSED ::1:5432", "refused ::1:5432"),
        ("MongoServerSelectionError: connect ECONNREFUSED 10.1.2.3:27017", "refused 10.1.2.3:27017"),
        (
            "psql: error: connection to server at \"db\" (10.0.0.9), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
            "refused db:5432 (10.0.0.9)",
        ),
        (
            "org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.",
            "refused db:5432",
        ),
        ("ERROR 2003 (HY000): Can't connect to MySQL server on 'mysql:3306' (111)", "refused mysql:3306"),
        ("(2003, \"Can't connect to MySQL server on 'mysql' ([Errno 111] Connection refused)\")", "refused mysql"),
        (
            "io.lettuce.core.RedisConnectionException: Unable to connect to [redis-master/<unresolved>:6379]: Connection refused",
            "refused redis-master:6379",
        ),
        (
            "[Producer clientId=p] Connection to node -1 (kafka/10.96.7.8:9092) could not be established. Node may not be available.",
            "refused kafka:9092 (10.96.7.8)",
        ),
        ("kafka.errors.NoBrokersAvailable: NoBrokersAvailable", "refused ?"),
        (
            "2026/11/21 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.1.1.1, server: , request: \"GET / HTTP/1.1\", upstream: \"http://10.96.0.9:8080/\", host: \"shop\"",
            "refused 10.96.0.9:8080",
        ),
        ("Error: Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }", "refused ?"),
        ("error trying to connect: tcp connect error: Connection refused (os error 111)", "refused ?"),
        ("System.Net.Http.HttpRequestException: Connection refused (orders:80)", "refused orders:80"),
        ("Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.0.0.4:5432", "refused 10.0.0.4:5432"),
        ("Errno::ECONNREFUSED: Connection refused - connect(2) for \"redis\" port 6379", "refused redis:6379"),
        ("curl: (7) Failed to connect to api port 8080 after 3 ms: Connection refused", "refused api:8080"),
        ("curl: (7) Failed to connect to api port 8080 after 3 ms: Couldn't connect to server", "refused api:8080"),
        (
            "HTTPConnectionPool(host='orders', port=8080): Max retries exceeded with url: / (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))",
            "refused orders:8080",
        ),
        (
            "AMQPConnectionError: [Errno 111] Connection refused: amqp://guest:***@rabbitmq:5672//",
            "refused rabbitmq:5672",
        ),
        ("db:5432 - no response", "refused db:5432"),
        (
            "java.net.ConnectException: Connection refused: zookeeper/10.96.4.4:2181",
            "refused zookeeper:2181 (10.96.4.4)",
        ),
        (
            "connecting to prod-db:3333\ndial tcp 10.96.189.230:3333: connect: connection refused",
            "refused prod-db:3333 (10.96.189.230)",
        ),
        ("Connection to the server at localhost:8081 refused: connection refused", "refused localhost:8081"),
    ]);
}

#[test]
fn timed_out() {
    check(&[
        ("dial tcp 10.20.30.40:5432: i/o timeout", "timeout 10.20.30.40:5432"),
        (
            "Get \"https://api.corp.example/v1\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            "timeout api.corp.example:443",
        ),
        ("Error: connect ETIMEDOUT 10.0.0.1:3306", "timeout 10.0.0.1:3306"),
        ("java.net.SocketTimeoutException: Connect timed out", "timeout ?"),
        ("java.net.SocketTimeoutException: Read timed out", "timeout ?"),
        ("io.lettuce.core.RedisCommandTimeoutException: Command timed out after 1 minute(s)", "timeout ?"),
        ("connection to server at \"db\" (10.0.0.9), port 5432 failed: timeout expired", "timeout db:5432 (10.0.0.9)"),
        (
            "org.apache.kafka.common.errors.TimeoutException: Topic orders not present in metadata after 60000 ms.",
            "timeout ?",
        ),
        ("TimeoutError: timed out", "timeout ?"),
        ("Can't connect to MySQL server on 'mysql:3306' (110)", "timeout mysql:3306"),
        (
            "server selection error: server selection timeout, current topology: { Type: Unknown, Servers: [{ Addr: mongo:27017, Type: Unknown, Last error: dial tcp 10.0.0.5:27017: i/o timeout }, ] }",
            "timeout mongo:27017 (10.0.0.5)",
        ),
        ("HikariPool-1 - Connection is not available, request timed out after 30000ms.", "timeout ?"),
        ("curl: (28) Connection timed out after 5001 milliseconds", "timeout ?"),
        (
            "upstream timed out (110: Connection timed out) while connecting to upstream, client: 1.2.3.4, server: _, request: \"GET / HTTP/1.1\", upstream: \"http://10.9.9.9:80/\"",
            "timeout 10.9.9.9:80",
        ),
        ("Error: deadline has elapsed", "timeout ?"),
    ]);
}

#[test]
fn unknown_host() {
    check(&[
        (
            "Get \"http://orders:8080/\": dial tcp: lookup orders on 10.0.0.10:53: no such host",
            "unknown-host orders:8080 NoSuchName",
        ),
        (
            "cannot resolve payments.lab-363.svc.cluster.local: lookup payments.lab-363.svc.cluster.local on 10.96.0.10:53: dial udp 10.96.0.10:53: i/o timeout",
            "unknown-host payments.lab-363.svc.cluster.local NoAnswer",
        ),
        ("dial tcp: lookup db on 10.96.0.10:53: server misbehaving", "unknown-host db NoAnswer"),
        ("dial tcp: lookup db: Temporary failure in name resolution", "unknown-host db NoAnswer"),
        (
            "dial tcp: lookup db on 10.96.0.10:53: read udp 10.244.0.7:41000->10.96.0.10:53: read: connection refused",
            "unknown-host db NoAnswer",
        ),
        ("java.net.UnknownHostException: payments", "unknown-host payments NoSuchName"),
        ("java.net.UnknownHostException: payments: Name or service not known", "unknown-host payments NoSuchName"),
        (
            "java.net.UnknownHostException: payments: Temporary failure in name resolution",
            "unknown-host payments NoAnswer",
        ),
        ("socket.gaierror: [Errno -2] Name or service not known", "unknown-host  NoSuchName"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "unknown-host  NoAnswer"),
        (
            "Error: getaddrinfo ENOTFOUND catalog-mongo-0.catalog-mongo",
            "unknown-host catalog-mongo-0.catalog-mongo NoSuchName",
        ),
        ("Error: getaddrinfo EAI_AGAIN redis", "unknown-host redis NoAnswer"),
        ("Error: querySrv ENOTFOUND _mongodb._tcp.mongo", "unknown-host _mongodb._tcp.mongo NoSuchName"),
        ("failed to lookup address information: Name or service not known", "unknown-host  NoSuchName"),
        (
            "nginx: [emerg] host not found in upstream \"backend\" in /etc/nginx/conf.d/default.conf:3",
            "unknown-host backend NoSuchName",
        ),
        (
            "2026/11/21 10:00:00 [emerg] 1#1: host not found in upstream \"backend:8080\" in /etc/nginx/nginx.conf:12",
            "unknown-host backend:8080 NoSuchName",
        ),
        ("could not translate host name \"db\" to address: Name or service not known", "unknown-host db NoSuchName"),
        (
            "could not translate host name \"db\" to address: Temporary failure in name resolution",
            "unknown-host db NoAnswer",
        ),
        ("ERROR 2005 (HY000): Unknown MySQL server host 'mysql' (-2)", "unknown-host mysql NoSuchName"),
        (
            "Couldn't resolve server kafka:9092 from bootstrap.servers as DNS resolution failed for kafka",
            "unknown-host kafka:9092 NoSuchName",
        ),
        (
            "redis.exceptions.ConnectionError: Error -2 connecting to cache:6379. Name or service not known.",
            "unknown-host cache:6379 NoSuchName",
        ),
        (
            "redis.exceptions.ConnectionError: Error -3 connecting to cache:6379. Temporary failure in name resolution.",
            "unknown-host cache:6379 NoAnswer",
        ),
        ("nc: bad address 'mongodb-geo'", "unknown-host mongodb-geo NoSuchName"),
        ("wget: bad address 'api:8080'", "unknown-host api:8080 NoSuchName"),
        ("curl: (6) Could not resolve host: api.corp.example", "unknown-host api.corp.example NoSuchName"),
        (
            "PDOException: SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo for mysql failed: Name or service not known",
            "unknown-host mysql NoSuchName",
        ),
        (
            "System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable\nSystem.Net.Http.HttpRequestException: Name or service not known (orders:80)",
            "unknown-host orders:80 NoSuchName",
        ),
        (
            "HTTPSConnectionPool(host='api.x', port=443): Max retries exceeded with url: / (Caused by NameResolutionError(\"<urllib3.connection.HTTPSConnection object>: Failed to resolve 'api.x' ([Errno -2] Name or service not known)\"))",
            "unknown-host api.x:443 NoSuchName",
        ),
    ]);
}

#[test]
fn unreachable_and_reset() {
    check(&[
        ("dial tcp 10.20.30.40:5432: connect: no route to host", "unreachable 10.20.30.40:5432"),
        ("connect: network is unreachable: dial tcp 192.0.2.1:443", "unreachable 192.0.2.1:443"),
        ("java.net.NoRouteToHostException: No route to host (Host unreachable)", "unreachable ?"),
        ("Error: connect EHOSTUNREACH 10.0.0.8:9000", "unreachable 10.0.0.8:9000"),
        ("OSError: [Errno 113] No route to host", "unreachable ?"),
        ("read tcp 10.244.0.5:51234->10.96.0.7:5432: read: connection reset by peer", "reset 10.96.0.7:5432"),
        ("Error: read ECONNRESET", "reset ?"),
        ("Error: socket hang up", "reset ?"),
        (
            "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
            "reset ?",
        ),
        ("com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure", "reset ?"),
        (
            "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
            "reset ?",
        ),
    ]);
}
