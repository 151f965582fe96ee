//! Files that are missing, forbidden or read-only, and devices that are full.

use super::Failure;
use super::rule::{Hit, Rule};

/// Tried before what it looks like: a full device.
pub(super) const INOTIFY: &[Rule] = &[
    Rule::sure(
        "inotify|enospc: system limit|file watchers",
        concat!(
            "(?i-u:inotify|ENOSPC: System limit for number of file watchers|",
            "file watchers).*(?i-u:too many open files|no space left|",
            "limit|reached|emfile|cannot|failed)|(?i-u:ENOSPC: System limit|",
            "too many open files(?u-i:.)*inotify|inotify (?:watch|instance))"
        ),
        |_| Some(Failure::InotifyExhausted),
    ),
    Rule::sure(
        "too many open files|emfile|enfile|errno 24",
        r"(?i-u:too many open files|\bEMFILE\b|\bENFILE\b)",
        |hit| {
            let is_watch = ["inotify", "fsnotify", "watcher"].iter().any(|word| hit.text.contains(word));
            Some(if is_watch { Failure::InotifyExhausted } else { Failure::TooManyOpenFiles })
        },
    ),
];

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "lock file \"|lock db directory|unable to lock |dblock|already running with pid|\
         resource is locked|another process is using|node.lock|is already locked|lock held by current|\
         already running on the data directory|failed to obtain node lock|lockobtainfailed|\
         unable to acquire lock|unable to lock the lock file|wt_conn_ is_locked",
        concat!(
            r#"(?:lock file "(?<path>[^"]+)" already exists|Unable to lock (?<path2>\S+) error: \d+|"#,
            r"DBPathInUse.*|Unable to lock the lock file:? ?(?<path3>\S*)|",
            r"failed to obtain node locks?, tried \[?(?<path4>[^\]\s]*)|",
            r"lock DB directory|LockObtainFailedException.*|Failed to acquire lock on file .lock in (?<path5>[^\s.",
            r"]+(?:\.[^\s.]+)*))"
        ),
        |hit| {
            Some(Failure::InstanceLocked {
                path: ["path", "path2", "path3", "path4", "path5"].iter().find_map(|name| hit.own(name)),
            })
        },
    ),
    Rule::sure(
        "read-only file system|erofs|readonlyfilesystem|errno 30|read-only filesystem|(os error 30)",
        r"(?i-u:read-only file ?system|\bEROFS\b)",
        |hit| Some(Failure::ReadOnlyFileSystem { path: path(hit.text) }),
    ),
    Rule::sure(
        "no space left on device|enospc|disk quota exceeded|errno 28|edquot|wiredtiger error (28)|\
         not enough space on the disk|(os error 28)|no usable temporary directory|disk is full|\
         log dirs in",
        concat!(
            r"(?i-u:no space left on device|\bENOSPC\b|disk quota exceeded|",
            r"\bEDQUOT\b|WiredTiger error \(28\)|not enough space on the disk|",
            "disk is full|log dirs in (?<path>(?u-i:.)+) have failed)"
        ),
        |hit| Some(Failure::NoSpace { path: hit.own("path").or_else(|| path(hit.text)) }),
    ),
    Rule::sure(
        "has wrong ownership|has invalid permissions|execution of the postgresql server is not permitted|\
         please read \"security\"|run mysqld as root|permission denied|eacces|accessdeniedexception|\
         errno 13|operation not permitted|errno 1]|eperm|unauthorizedaccessexception|is not writable|\
         (os error 13)|permissionerror|is denied.|not writeable|could not be opened in append mode|\
         not writable|must not be run as root|refusing to run as root|can not run elasticsearch as root|\
         cannot be run as root|permissiondenied",
        concat!(
            r#"(?x) data\ directory\ "(?<path>[^"]+)"\ has\ (?:wrong\ ownership|"#,
            r#"invalid\ permissions) | (?<root>"root"\ execution\ of\ the\ PostgreSQL\ server\ is\ not\ permitted|"#,
            r"run\ mysqld\ as\ root|(?:must\ not|cannot|can\ not)\ (?:be\ )?run\ (?:elasticsearch\ )?as\ root|",
            r"[Rr]efusing\ to\ run\ as\ root) | [Pp]ermission\ denied |",
            r" \bEACCES\b | AccessDeniedException:\ (?<path2>/\S+) |",
            r" [Oo]peration\ not\ permitted | \bEPERM\b | UnauthorizedAccessException |",
            r" Access\ to\ the\ path\ '(?<path3>[^']+)'\ is\ denied |",
            r#" \bPermissionDenied\b | (?<path4>/[^\s"':,]+)["']?:?\ (?:directory\ )?is\ not\ writ(?:e)"#,
            r#"?able | (?:stream\ or\ file|file)\ "(?<path5>/[^"]+)"\ could\ not\ be\ opened\ in\ append\ mode "#,
            r"| directory\ is\ not\ writable | PermissionError "
        ),
        |hit| {
            if is_nothing(hit) {
                return None;
            }
            let named = ["path", "path2", "path3", "path4", "path5"].iter().find_map(|name| hit.own(name));
            let path = named.or_else(|| path(hit.text));
            let operation = if hit.get("root").is_some() { "run as root".to_owned() } else { operation(hit.text) };
            Some(Failure::PermissionDenied { path, port: None, operation })
        },
    ),
    Rule::sure(
        "no such file or directory|enoent|filenotfounderror|nosuchfileexception|filenotfoundexception|\
         cannot find the file|could not find file|could not find a part of the path|\
         err_module_not_found_file|cannot open|failed to open stream|file not found|not a directory|\
         file does not exist|cannot find the path|file |(os error 2)",
        concat!(
            r"(?i-u:no such file or directory|\bENOENT\b|FileNotFoundError|",
            r"NoSuchFileException: (?<path>(?u-i:[^\s:])+)|java\.io\.FileNotFoundException: (?<path2>(?u-i:.)",
            r"+?) \(|could not find file '(?<path3>(?u-i:[^'])+)'|could not find a part of the path '(?<path4>(?u-",
            r#"i:[^'])+)'|file not found|file does not exist|file:? ['"]?(?<path6>/(?u-i:[^\s'"])+)['"]? "#,
            "(?:was |is |does |could )?not (?:be )?(?:found|exist)|",
            r"class path resource \[(?<path5>(?u-i:[^\]])+)\] cannot be opened)"
        ),
        |hit| {
            let named = ["path", "path2", "path3", "path4", "path5", "path6"].iter().find_map(|name| hit.own(name));
            let path = named.or_else(|| path(hit.text))?;
            if path.starts_with('-') || path.contains("resolv.conf") || hit.text.contains("/etc/timezone") {
                return None;
            }
            Some(Failure::MissingFile { path })
        },
    ),
];

/// Ordinary chatter of tools and entrypoints that go on afterwards.
fn is_nothing(hit: &Hit<'_>) -> bool {
    ["/dev/tty", "10-listen-on-ipv6", "oom_score_adj", "RLIMIT", "setrlimit", "sched_", "mbind: "]
        .iter()
        .any(|word| hit.text.contains(word))
}

/// What was tried, in one word.
fn operation(text: &str) -> String {
    const WORDS: &[&str] = &[
        "mkdir",
        "chown",
        "chmod",
        "unlink",
        "rename",
        "mount",
        "symlink",
        "rmdir",
        "scandir",
        "connect",
        "ptrace",
        "setuid",
        "setgid",
        "bind",
        "can't create",
        "cannot create",
        "create",
        "touch",
        "copyfile",
        "cp",
        "write",
        "append",
        "open",
        "exec",
        "fork",
        "stat",
        "access",
        "lock",
        "remove",
    ];
    let lower = text.to_ascii_lowercase();
    let found = WORDS.iter().find(|word| {
        lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '\'').any(|part| part == **word)
            || word.contains(' ') && lower.contains(**word)
    });
    match found {
        Some(&("can't create" | "cannot create" | "touch")) => "create".to_owned(),
        Some(word) => (*word).to_owned(),
        None => "open".to_owned(),
    }
}

/// The path that a message is about: quoted, or the last absolute one before the reason.
pub(super) fn path(text: &str) -> Option<String> {
    static QUOTED: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
        regex::Regex::new(r#"['"`‘“](?<path>\.{0,2}/?[A-Za-z0-9_@.+~-][^'"`’”\n]*)['"`’”]"#).ok()
    });
    static BEFORE: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
        regex::Regex::new(concat!(
            r"(?:^|[\s:=\[(>])(?<path>(?:\.{0,2}/)?[^\s:()\[\],='`]*[^\s:()\[\],'`=])(?:\s*:|",
            r"\s+\(|\s+[-–]|,|;)\s*(?i-u:\(?(?:\[?errno|permission|",
            "no such file|no space|read-only|operation not|eacces|",
            "cannot|disk quota|file not|not a dir|failed|io error|",
            "os error|directory nonexistent))"
        ))
        .ok()
    });
    static ABSOLUTE: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
        regex::Regex::new(r"(?:^|[\s:=\[(>'])(?<path>/[A-Za-z0-9_.@+~-][^\s:()\[\],'`;]*)").ok()
    });
    let is_path = |path: &str| {
        path.contains('/') && !path.contains("://")
            || path.rsplit_once('.').is_some_and(|(stem, end)| {
                !stem.is_empty()
                    && !stem.contains(' ')
                    && (1..6).contains(&end.len())
                    && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    };
    let take = |regex: &std::sync::LazyLock<Option<regex::Regex>>| {
        let all =
            (**regex).as_ref()?.captures_iter(text).filter_map(|found| found.name("path").map(|path| path.as_str()));
        all.filter(|path| is_path(path) && path.len() > 1 && !path.contains(' '))
            .map(|path| super::clean::bound(path, 300))
            .next()
    };
    take(&QUOTED).or_else(|| take(&BEFORE)).or_else(|| take(&ABSOLUTE))
}
