//! Variables, flags, settings, modules, servers, migrations.

use super::check;

#[test]
fn variables() {
    check(&[
        ("Environment variable DEPLOY_ENV is undefined", "missing-variable DEPLOY_ENV"),
        ("DATABASE_URL environment variable is not set", "missing-variable DATABASE_URL"),
        ("Error: Environment variable not found: DATABASE_URL.", "missing-variable DATABASE_URL"),
        ("required key APP_PORT missing value", "missing-variable APP_PORT"),
        ("env: required environment variable \"REDIS_ADDR\" is not set", "missing-variable REDIS_ADDR"),
        ("FATAL: missing required environment variables: API_TOKEN, API_URL", "missing-variable API_TOKEN"),
        (
            "thread 'main' panicked at src/main.rs:8:36:\nDATABASE_URL must be set: NotPresent",
            "missing-variable DATABASE_URL @ main.rs:8",
        ),
        (
            "java.lang.IllegalArgumentException: Could not resolve placeholder 'db.url' in value \"${db.url}\"",
            "missing-variable db.url",
        ),
        (
            "Error: Database is uninitialized and superuser password is not specified.\n       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.",
            "missing-variable POSTGRES_PASSWORD",
        ),
        (
            "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable: - MYSQL_ROOT_PASSWORD",
            "missing-variable MYSQL_ROOT_PASSWORD",
        ),
        (
            "config.rb:3:in `fetch': key not found: \"SECRET_TOKEN\" (KeyError)\n\tfrom config.rb:3:in `<main>'",
            "missing-variable SECRET_TOKEN @ config.rb:3 in fetch",
        ),
        ("KAFKA_ZOOKEEPER_CONNECT is required.", "missing-variable KAFKA_ZOOKEEPER_CONNECT"),
        ("/app/start.sh: line 2: JWT_SECRET: JWT_SECRET must be set", "missing-variable JWT_SECRET"),
        (
            "django.core.exceptions.ImproperlyConfigured: Set the SECRET_KEY environment variable",
            "missing-variable SECRET_KEY",
        ),
        ("Error: Missing required environment variable: STRIPE_KEY", "missing-variable STRIPE_KEY"),
    ]);
}

#[test]
fn flags_and_files() {
    check(&[
        ("flag provided but not defined: -prot\nUsage of /app/server:\n  -port int", "bad-flag -prot"),
        ("Error: unknown flag: --lissten\nUsage:\n  server [flags]", "bad-flag --lissten"),
        ("usage: app.py [-h]\napp.py: error: unrecognized arguments: --prot", "bad-flag --prot"),
        ("error: unexpected argument '--prot' found\n\nUsage: app [OPTIONS]", "bad-flag --prot"),
        ("node: bad option: --max-old-space", "bad-flag --max-old-space"),
        (
            "Unrecognized VM option 'UseConcMarkSweepGC'\nError: Could not create the Java Virtual Machine.",
            "bad-flag UseConcMarkSweepGC",
        ),
        (
            "Error occurred during initialization of VM\nInitial heap size set to a larger value than the maximum heap size",
            "bad-setting Initial heap size set to a larger value than the maximum heap size",
        ),
        (
            "yaml: line 7: mapping values are not allowed in this context",
            "unreadable-config yaml: line 7: mapping values are not allowed in this context (?:7)",
        ),
        (
            "json.decoder.JSONDecodeError: Expecting ',' delimiter: line 3 column 5 (char 40)",
            "unreadable-config JSONDecodeError: Expecting ',' delimiter: line 3 column 5 (char 40) (?:3)",
        ),
        (
            "toml: line 4: expected '.' or '=', but got 'x' instead",
            "unreadable-config toml: line 4: expected '.' or '=', but got 'x' instead (?:4)",
        ),
        (
            "nginx: [emerg] unknown directive \"proxy_passs\" in /etc/nginx/conf.d/site.conf:9",
            "bad-setting unknown directive \"proxy_passs\" (/etc/nginx/conf.d/site.conf:9)",
        ),
        (
            "AH00526: Syntax error on line 12 of /usr/local/apache2/conf/httpd.conf:\nInvalid command 'Lisen', perhaps misspelled",
            "bad-setting Invalid command 'Lisen', perhaps misspelled (/usr/local/apache2/conf/httpd.conf:12)",
        ),
        (
            "/etc/coredns/Corefile:13 - Error during parsing: Unknown directive 'forwardd'",
            "bad-setting Unknown directive 'forwardd' (/etc/coredns/Corefile:13)",
        ),
        (
            "*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file, at line 3\n>>> 'maxmemry 10mb'\nBad directive or wrong number of arguments",
            "bad-setting Bad directive or wrong number of arguments: maxmemry 10mb (?:3)",
        ),
        (
            "Fatal error, can't open config file '/etc/redis.conf': No such file or directory",
            "missing-file /etc/redis.conf",
        ),
        (
            "FATAL:  unrecognized configuration parameter \"shared_bufers\" in file \"/etc/postgresql.conf\" line 3",
            "bad-setting unrecognized configuration parameter \"shared_bufers\" in file \"/etc/postgresql.conf\" line 3 (/etc/postgresql.conf:3)",
        ),
        (
            "initdb: error: directory \"/var/lib/postgresql/data\" exists but is not empty\ninitdb: detail: It contains a lost+found directory, perhaps due to it being a mount point.",
            "bad-setting directory \"/var/lib/postgresql/data\" exists but is not empty",
        ),
        (
            "FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 15, which is not compatible with this version 17.2.",
            "bad-setting DETAIL:  The data directory was initialized by PostgreSQL version 15, which is not compatible with this version 17.2.",
        ),
        (
            "[ALERT]    (1) : config : parsing [/usr/local/etc/haproxy/haproxy.cfg:7] : unknown keyword 'bnd' in 'frontend' section",
            "bad-setting unknown keyword 'bnd' in 'frontend' section (/usr/local/etc/haproxy/haproxy.cfg:7)",
        ),
        (
            "plugin/loop: Loop (127.0.0.1:51234 -> :53) detected for zone \".\", see https://coredns.io/plugins/loop#troubleshooting. Query: \"HINFO 1.2\"",
            "dns-loop plugin/loop: Loop (127.0.0.1:51234 -> :53) detected for zone \".\", see https://coredns.io/plugins/loop#troubleshooting. Query: \"HINFO 1.2\"",
        ),
    ]);
}

#[test]
fn modules_and_migrations() {
    check(&[
        ("ModuleNotFoundError: No module named 'flask'", "missing-module flask"),
        ("/usr/bin/python: No module named gunicorn", "missing-module gunicorn"),
        ("Error: Cannot find module '/app/server.js'", "missing-module /app/server.js"),
        (
            "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/index.js",
            "missing-module express",
        ),
        (
            "Error: Could not find or load main class com.acme.Main\nCaused by: java.lang.ClassNotFoundException: com.acme.Main",
            "missing-module com.acme.Main",
        ),
        ("Error: Unable to access jarfile app.jar", "missing-file app.jar"),
        (
            "bundler: failed to load command: puma\nCould not find rack-3.0.8 in locally installed gems (Bundler::GemNotFound)",
            "missing-module rack-3.0.8",
        ),
        ("npm ERR! Missing script: \"start\"", "bad-flag start"),
        (
            "Migration checksum mismatch for migration version 3",
            "migration Migration checksum mismatch for migration version 3",
        ),
        (
            "alembic.util.exc.CommandError: Can't locate revision identified by 'ab12'",
            "migration alembic.util.exc.CommandError: Can't locate revision identified by 'ab12'",
        ),
        (
            "Dirty database version 7. Fix and force version.",
            "migration Dirty database version 7. Fix and force version.",
        ),
        ("ERROR: relation \"users\" does not exist at character 15", "migration relation \"users\" does not exist"),
    ]);
}
