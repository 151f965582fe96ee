//! Files, ports, memory, shells, native crashes.

use super::check;

#[test]
fn ports() {
    check(&[
        ("listen tcp :8080: bind: address already in use", "port-in-use :8080 8080"),
        ("listen tcp 0.0.0.0:9090: bind: address already in use", "port-in-use 0.0.0.0:9090 9090"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "port-in-use :3000 3000"),
        ("OSError: [Errno 98] Address already in use", "port-in-use  ?"),
        (
            "[Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
            "port-in-use 0.0.0.0:8000 8000",
        ),
        ("Web server failed to start. Port 8080 was already in use.", "port-in-use :8080 8080"),
        ("java.net.BindException: Address already in use", "port-in-use  ?"),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", "port-in-use 0.0.0.0:80 80"),
        ("Failed to bind to address http://0.0.0.0:5000: address already in use.", "port-in-use 0.0.0.0:5000 5000"),
        ("Could not create server TCP listening socket *:6379: bind: Address already in use", "port-in-use :6379 6379"),
        (
            "could not bind IPv4 address \"0.0.0.0\": Address already in use\nHINT:  Is another postmaster already running on port 5432? If not, wait a few seconds and retry.",
            "port-in-use :5432 5432",
        ),
        ("Do you already have another mysqld server running on port: 3306 ?", "port-in-use :3306 3306"),
        ("listen tcp :80: bind: permission denied", "permission-denied bind :80"),
        ("Error: listen EACCES: permission denied 0.0.0.0:80", "permission-denied bind :80"),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "permission-denied bind :80"),
        (
            "(13)Permission denied: AH00072: make_sock: could not bind to address 0.0.0.0:80",
            "permission-denied bind :80",
        ),
    ]);
}

#[test]
fn files() {
    check(&[
        (
            "2026/11/21 10:35:04 open state: open /var/log/collector.db: permission denied",
            "permission-denied open /var/log/collector.db",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/data/x.db'", "permission-denied open /data/x.db"),
        ("Error: EACCES: permission denied, mkdir '/app/logs'", "permission-denied mkdir /app/logs"),
        (
            "java.io.FileNotFoundException: /var/log/app.log (Permission denied)",
            "permission-denied open /var/log/app.log",
        ),
        ("java.nio.file.AccessDeniedException: /data/index", "permission-denied open /data/index"),
        ("mkdir: can't create directory '/data/sub': Permission denied", "permission-denied mkdir /data/sub"),
        (
            "chown: /var/lib/postgresql/data: Operation not permitted",
            "permission-denied chown /var/lib/postgresql/data",
        ),
        (
            "FATAL:  data directory \"/var/lib/postgresql/data\" has wrong ownership",
            "permission-denied open /var/lib/postgresql/data",
        ),
        ("\"root\" execution of the PostgreSQL server is not permitted.", "permission-denied run as root ?"),
        (
            "sh: can't create /data.txt: Read-only file system\ncannot write /data.txt: Read-only file system",
            "read-only-file-system /data.txt",
        ),
        ("OSError: [Errno 30] Read-only file system: '/app/cache'", "read-only-file-system /app/cache"),
        ("Error: EROFS: read-only file system, open '/app/x.log'", "read-only-file-system /app/x.log"),
        (
            "mkdir() \"/var/cache/nginx/client_temp\" failed (30: Read-only file system)",
            "read-only-file-system /var/cache/nginx/client_temp",
        ),
        (
            "nginx: [emerg] mkdir() \"/var/cache/nginx/client_temp\" failed (13: Permission denied)",
            "permission-denied mkdir /var/cache/nginx/client_temp",
        ),
        ("write /data/wal/000001: no space left on device", "no-space /data/wal/000001"),
        ("OSError: [Errno 28] No space left on device", "no-space ?"),
        ("Error: ENOSPC: no space left on device, write", "no-space ?"),
        ("ERROR:  could not extend file \"base/16384/2619\": No space left on device", "no-space base/16384/2619"),
        (
            "ERROR Shutdown broker because all log dirs in /var/lib/kafka have failed (kafka.log.LogManager)",
            "no-space /var/lib/kafka",
        ),
        ("accept tcp [::]:8080: accept4: too many open files", "too-many-open-files"),
        ("failed to create fsnotify watcher: too many open files", "inotify-exhausted"),
        ("Error: ENOSPC: System limit for number of file watchers reached, watch '/app'", "inotify-exhausted"),
        ("FATAL:  lock file \"postmaster.pid\" already exists", "instance-locked postmaster.pid"),
        ("[ERROR] [MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11", "instance-locked ./ibdata1"),
        ("open /etc/app/config.yaml: no such file or directory", "missing-file /etc/app/config.yaml"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/settings.toml'",
            "missing-file /etc/app/settings.toml",
        ),
        ("Error: ENOENT: no such file or directory, open '/app/config.json'", "missing-file /app/config.json"),
        ("java.nio.file.NoSuchFileException: /etc/app/keystore.jks", "missing-file /etc/app/keystore.jks"),
        ("python: can't open file '/app/main.py': [Errno 2] No such file or directory", "missing-file /app/main.py"),
        (
            "System.IO.FileNotFoundException: Could not find file '/app/appsettings.json'.",
            "missing-file /app/appsettings.json",
        ),
    ]);
}

#[test]
fn shells() {
    check(&[
        ("sh: syntax error: unexpected \"fi\"", "shell-syntax sh syntax error: unexpected \"fi\""),
        (
            "bash: -c: line 1: syntax error near unexpected token `fi'\nbash: -c: line 1: `fi'",
            "shell-syntax bash syntax error near unexpected token `fi'",
        ),
        ("sh: 1: Syntax error: \"fi\" unexpected", "shell-syntax sh Syntax error: \"fi\" unexpected"),
        (
            "/entrypoint.sh: line 12: syntax error: unexpected end of file",
            "shell-syntax /entrypoint.sh syntax error: unexpected end of file",
        ),
        ("sh: slep: not found", "command-not-found slep"),
        ("sh: 1: slep: not found", "command-not-found slep"),
        ("bash: line 1: slep: command not found", "command-not-found slep"),
        ("/entrypoint.sh: line 3: envsubst: command not found", "command-not-found envsubst"),
        ("/entrypoint.sh: exec: line 9: gunicorn: not found", "command-not-found gunicorn"),
        ("env: can't execute 'python': No such file or directory", "command-not-found python"),
        ("/usr/bin/env: 'node': No such file or directory", "command-not-found node"),
        ("[FATAL tini (7)] exec /app/server failed: No such file or directory", "command-not-found /app/server"),
        ("bash: ./run: cannot execute: required file not found", "command-not-found ./run"),
        ("sh: can't open '/app/start.sh': No such file or directory", "missing-file /app/start.sh"),
        ("sh: 0: cannot open /app/start.sh: No such file", "missing-file /app/start.sh"),
        ("bash: /app/start.sh: No such file or directory", "command-not-found /app/start.sh"),
        ("bash: line 1: /etc/app/settings: No such file or directory", "missing-file /etc/app/settings"),
        ("/srv/start: line 10: bin/rake: No such file or directory", "command-not-found bin/rake"),
        ("cat: bin/rake: No such file or directory", "missing-file bin/rake"),
        ("/bin/bash: /run.sh: /bin/zsh: bad interpreter: No such file or directory", "command-not-found /run.sh"),
        ("sh: /app: Is a directory", "not-executable /app"),
        ("zsh:1: command not found: slep", "command-not-found slep"),
        ("standard_init_linux.go:190: exec user process caused \"exec format error\"", "exec-format"),
        ("standard_init_linux.go:228: exec user process caused: exec format error", "exec-format"),
        ("standard_init_linux.go:211: exec user process caused \"no such file or directory\"", "command-not-found"),
        ("standard_init_linux.go:211: exec user process caused \"permission denied\"", "not-executable"),
        (
            "nginx: [emerg] host not found in resolver \"dns.infra.svc.cluster.local\" in /etc/nginx/nginx.conf:7",
            "unknown-host dns.infra.svc.cluster.local NoSuchName",
        ),
        (
            "{\"level\":\"error\",\"msg\":\"cannot start\",\"error\":\"jobs.batch \\\"a\\\" is forbidden: User \\\"system:serviceaccount:shop:cart\\\" cannot get resource \\\"jobs\\\" in API group \\\"batch\\\" in the namespace \\\"shop\\\"\"}",
            "kubernetes-forbidden system:serviceaccount:shop:cart get jobs \"batch\" in shop",
        ),
        (
            "error: invalid value for the environment variable \"LOG_MODE\". Valid values are json, text",
            "bad-setting error: invalid value for the environment variable \"LOG_MODE\". Valid values are json, text",
        ),
        ("iptables: No chain/target/match by that name.", "fatal iptables: No chain/target/match by that name."),
        ("sh: 1: ./run.sh: Permission denied", "not-executable ./run.sh"),
        ("exec /app/server: exec format error", "exec-format /app/server"),
        ("/bin/bash: /app/tool: cannot execute binary file: Exec format error", "exec-format /app/tool"),
        ("sh: 1: DB_HOST: parameter not set", "missing-variable DB_HOST"),
        ("/entrypoint.sh: line 4: DB_HOST: unbound variable", "missing-variable DB_HOST"),
        ("usage: app CMD ...", "usage app"),
        ("2026/11/21 10:52:42 usage: app CMD ...", "usage app"),
        ("BusyBox v1.36 multi-call binary.\n\nUsage: sleep N", "usage sleep"),
    ]);
}

#[test]
fn memory_and_native() {
    check(&[
        (
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat com.acme.Cache.load(Cache.java:12)",
            "heap-exhausted Java heap space @ Cache.java:12 in Cache.load",
        ),
        (
            "Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded",
            "heap-exhausted GC overhead limit exceeded",
        ),
        (
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "heap-exhausted Reached heap limit Allocation failed - JavaScript heap out of memory",
        ),
        (
            "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /app/a.php on line 9",
            "heap-exhausted Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) @ a.php:9",
        ),
        (
            "fatal error: runtime: out of memory\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1d",
            "no-memory runtime: out of memory @ main.go:9",
        ),
        ("memory allocation of 1073741824 bytes failed", "no-memory memory allocation of 1073741824 bytes failed"),
        (
            "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached",
            "no-threads unable to create native thread",
        ),
        (
            "terminate called after throwing an instance of 'std::runtime_error'\n  what():  no config",
            "panic std::runtime_error: no config",
        ),
        ("server: main.c:42: int main(): Assertion `p != NULL' failed.", "panic Assertion `p != NULL' failed."),
        ("Segmentation fault (core dumped)", "panic Segmentation fault (core dumped)"),
        ("free(): invalid pointer", "panic free(): invalid pointer"),
        ("*** stack smashing detected ***: terminated", "panic *** stack smashing detected ***: terminated"),
        (
            "/app/server: error while loading shared libraries: libssl.so.3: cannot open shared object file: No such file or directory",
            "missing-module libssl.so.3",
        ),
        (
            "Error loading shared library libstdc++.so.6: No such file or directory (needed by /app/x)",
            "missing-module libstdc++.so.6",
        ),
        (
            "./app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./app)",
            "missing-module GLIBC_2.38",
        ),
        ("** (RuntimeError) environment variable DATABASE_URL is missing.", "missing-variable DATABASE_URL"),
        ("** (ArgumentError) bad port", "panic ArgumentError: bad port"),
    ]);
}
