//! Authentication, load, certificates, rights.

use super::check;

#[test]
fn credentials() {
    check(&[
        (
            "connection to server at \"db\" (10.0.0.9), port 5432 failed: FATAL:  password authentication failed for user \"shop\"",
            "auth-failed db:5432 (10.0.0.9) user shop PostgreSql",
        ),
        (
            "FATAL:  no pg_hba.conf entry for host \"10.244.0.9\", user \"shop\", database \"shop\", no encryption",
            "auth-failed ? user shop PostgreSql",
        ),
        ("pq: role \"shop\" does not exist", "auth-failed ? user shop PostgreSql"),
        ("FATAL: database \"orders\" does not exist", "auth-failed ? user ? PostgreSql"),
        ("fe_sendauth: no password supplied", "auth-failed ? user ? PostgreSql"),
        (
            "ERROR 1045 (28000): Access denied for user 'root'@'10.244.0.12' (using password: YES)",
            "auth-failed ? user root MySql",
        ),
        ("Host '10.244.0.3' is not allowed to connect to this MySQL server", "auth-failed ? user ? MySql"),
        ("(error) NOAUTH Authentication required.", "auth-failed ? user ? Redis"),
        ("ReplyError: WRONGPASS invalid username-password pair or user is disabled.", "auth-failed ? user ? Redis"),
        ("MongoServerError: Authentication failed.", "auth-failed ? user ? MongoDb"),
        (
            "auth error: sasl conversation error: unable to authenticate using mechanism \"SCRAM-SHA-256\": (AuthenticationFailed) Authentication failed.",
            "auth-failed ? user ? MongoDb",
        ),
        (
            "[Consumer clientId=c] Connection to node -1 (kafka/10.96.7.8:9092) failed authentication due to: Authentication failed: Invalid username or password",
            "auth-failed kafka:9092 (10.96.7.8) user ? Kafka",
        ),
        (
            "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [orders]",
            "auth-failed ? user ? Kafka",
        ),
        (
            "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.",
            "auth-failed ? user ? RabbitMq",
        ),
        ("Login failed for user 'sa'.", "auth-failed ? user sa SqlServer"),
        (
            "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
            "auth-failed ? user ? Aws",
        ),
        ("rpc error: code = Unauthenticated desc = invalid token", "auth-failed ? user ? Grpc"),
        (
            "GET https://vault.corp/v1/x: unexpected status code: 403 Forbidden",
            "auth-failed vault.corp:443 user ? Http",
        ),
        (
            "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: http://api:8080/v1/me",
            "auth-failed api:8080 user ? Http",
        ),
        ("git@github.com: Permission denied (publickey).", "auth-failed ? user ? Ssh"),
        (
            "E1121 10:00:00.000000       1 reflector.go:158] \"Unhandled Error\" err=\"failed to list *v1.Pod: pods is forbidden: User \\\"system:serviceaccount:shop:default\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" at the cluster scope\"",
            "kubernetes-forbidden system:serviceaccount:shop:default list pods \"\" in ?",
        ),
        (
            "deployments.apps is forbidden: User \"system:serviceaccount:a:b\" cannot get resource \"deployments\" in API group \"apps\" in the namespace \"a\"",
            "kubernetes-forbidden system:serviceaccount:a:b get deployments \"apps\" in a",
        ),
    ]);
}

#[test]
fn not_now() {
    check(&[
        ("FATAL:  the database system is starting up", "overloaded ? PostgreSql the database system is starting up"),
        (
            "connection to server at \"db\" (10.0.0.9), port 5432 failed: FATAL:  sorry, too many clients already",
            "overloaded db:5432 (10.0.0.9) PostgreSql sorry, too many clients already",
        ),
        ("Error 1040: Too many connections", "overloaded ? MySql Too many connections"),
        (
            "LOADING Redis is loading the dataset in memory",
            "overloaded ? Redis LOADING Redis is loading the dataset in memory",
        ),
        (
            "OOM command not allowed when used memory > 'maxmemory'.",
            "overloaded ? Redis OOM command not allowed when used memory > 'maxmemory'.",
        ),
        (
            "READONLY You can't write against a read only replica.",
            "overloaded ? Redis READONLY You can't write against a read only replica.",
        ),
        (
            "rpc error: code = Unavailable desc = no healthy upstream",
            "overloaded ? Grpc code = Unavailable desc = no healthy upstream",
        ),
        (
            "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial tcp 10.96.1.1:50051: connect: connection refused\"",
            "refused 10.96.1.1:50051",
        ),
        (
            "GET http://orders/api returned 503 Service Unavailable",
            "overloaded orders:80 Http returned 503 Service Unavailable",
        ),
    ]);
}

#[test]
fn certificates() {
    check(&[
        (
            "Get \"https://ledger/\": tls: failed to verify certificate: x509: certificate is valid for ledger.corp.example, not ledger",
            "tls WrongName ledger.corp.example not ledger ledger:443",
        ),
        ("Get \"https://api:8443/\": x509: certificate signed by unknown authority", "tls UnknownAuthority api:8443"),
        (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-21T10:00:00Z is after 2026-11-01T00:00:00Z",
            "tls Expired ?",
        ),
        (
            "x509: certificate has expired or is not yet valid: current time 2016-11-21T10:00:00Z is before 2026-11-01T00:00:00Z",
            "tls NotYetValid ?",
        ),
        (
            "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
            "tls WrongName  not 10.0.0.1 ?",
        ),
        (
            "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target",
            "tls UnknownAuthority ?",
        ),
        (
            "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed",
            "tls Expired ?",
        ),
        (
            "java.security.cert.CertificateException: No subject alternative DNS name matching ledger found.",
            "tls WrongName  not ledger ?",
        ),
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
            "tls UnknownAuthority ?",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)",
            "tls UnknownAuthority ?",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
            "tls Expired ?",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'ledger'. (_ssl.c:1006)",
            "tls WrongName  not ledger ?",
        ),
        ("Error: self-signed certificate\n  code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", "tls UnknownAuthority ?"),
        (
            "Error: unable to verify the first certificate, code UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "tls UnknownAuthority ?",
        ),
        (
            "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: ledger. is not in the cert's altnames: DNS:ledger.corp.example",
            "tls WrongName ledger.corp.example not ledger ?",
        ),
        ("curl: (60) SSL certificate problem: self-signed certificate", "tls UnknownAuthority ?"),
        (
            "curl: (60) SSL: no alternative certificate subject name matches target host name 'ledger'",
            "tls WrongName  not ledger ?",
        ),
        ("invalid peer certificate: UnknownIssuer", "tls UnknownAuthority ?"),
        ("invalid peer certificate: Expired", "tls Expired ?"),
        ("tls: private key does not match public key", "tls KeyMismatch ? own"),
        ("tls: failed to find any PEM data in certificate input", "tls Other ? own"),
        (
            "nginx: [emerg] cannot load certificate \"/etc/tls/tls.crt\": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)",
            "missing-file /etc/tls/tls.crt",
        ),
        ("Get \"https://api:8080/\": http: server gave HTTP response to HTTPS client", "tls PlainHttp api:8080"),
        ("tls: first record does not look like a TLS handshake", "tls PlainHttp ?"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "tls PlainHttp ?"),
        (
            "2026/11/21 10:28:20 http: TLS handshake error from 10.244.0.184:60598: remote error: tls: bad certificate",
            "tls Other ? own",
        ),
        ("2026/11/21 10:28:04 http: TLS handshake error from 10.244.0.1:33720: EOF", "none"),
    ]);
}
