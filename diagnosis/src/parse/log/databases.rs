//! Why database and broker programs themselves do not start, and migrations that fail.

use super::rule::{Hit, Rule};
use super::{Failure, clean};

pub(super) const RULES: &[Rule] = &[
    // PostgreSQL
    Rule::sure(
        "unrecognized configuration parameter",
        r#"unrecognized configuration parameter "(?<name>[^"]+)"(?: in file "(?<file>[^"]+)" line (?<line>[0-9]+))?"#,
        |hit| setting(hit, hit.whole()),
    ),
    Rule::sure(
        "invalid value for parameter|could not access the server configuration file|configuration file \"",
        concat!(
            r#"(?:invalid value for parameter "[^"]+": "[^"]*"|configuration file "(?<file>[^"]+)" contains "#,
            r#"errors|could not access the server configuration file "(?<missing>[^"]+)")"#
        ),
        |hit| match hit.own("missing") {
            Some(path) => Some(Failure::MissingFile { path }),
            None => setting(hit, hit.whole()),
        },
    ),
    Rule::sure("exists but is not empty|lost+found", r#"directory "(?<file>[^"]+)" exists but is not empty"#, |hit| {
        Some(Failure::BadSetting { what: hit.whole(), file: None, line: None })
    }),
    Rule::sure(
        "database files are incompatible with server|initialized by postgresql version",
        "database files are incompatible with server|The data directory was initialized by PostgreSQL version.*",
        |hit| {
            let detail = hit
                .below
                .iter()
                .map(super::lines::Line::body)
                .find(|text| text.contains("initialized by PostgreSQL version"));
            setting(hit, clean::bound(detail.unwrap_or(&hit.whole()), 300))
        },
    ),
    Rule::sure(
        "could not locate a valid checkpoint record|invalid primary checkpoint|pg_control",
        concat!(
            "could not locate a valid checkpoint record.*|invalid (?:primary )?checkpoint record.*|",
            "could not read .*pg_control.*"
        ),
        |hit| setting(hit, hit.whole()),
    ),
    Rule::sure(
        "is not a database cluster directory",
        r#"(?:directory )?"(?<file>[^"]+)" is not a database cluster directory"#,
        |hit| setting(hit, hit.whole()),
    ),
    Rule::sure("could not bind ipv", r"could not bind IPv[46] (?:socket|address) .*: Permission denied", |_| {
        Some(Failure::PermissionDenied { path: None, port: None, operation: "bind".to_owned() })
    }),
    // MySQL, MariaDB
    Rule::sure(
        "unknown variable '|data dictionary upgrade|invalid mysql server upgrade|\
         [innodb] unsupported redo log|--initialize specified but the data directory has files|\
         different lower_case_table_names",
        concat!(
            "(?:unknown variable '[^']+'|Invalid MySQL server upgrade: .*|",
            "--initialize specified but the data directory has files in it.*|",
            "Unsupported redo log format.*|Different lower_case_table_names settings.*)"
        ),
        |hit| setting(hit, hit.whole()),
    ),
    // MongoDB
    Rule::sure(
        "error parsing command line: |unrecognised option|featurecompatibilityversion|\
         wrong mongod version|unrecognized option:|error parsing yaml config file|error parsing option",
        concat!(
            "(?:Error parsing command line: (?<what>.*)|(?:Wrong mongod version|",
            ".*featureCompatibilityVersion.*(?:Invalid|mismatch|UPGRADE PROBLEM).*)|",
            "UPGRADE PROBLEM: .*|Error parsing (?:YAML config file|",
            r"option) .*|Unrecognized option: \S+)"
        ),
        |hit| setting(hit, hit.whole()),
    ),
    // Redis
    Rule::sure("fatal config file error", r"FATAL CONFIG FILE ERROR", |hit| {
        let below = hit.below_text(4);
        let line = below
            .split_once("at line ")
            .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let mut texts = below.lines().filter(|text| !text.starts_with("Reading the configuration file")).map(str::trim);
        let shown = texts
            .next()
            .map(|text| text.trim_start_matches(['>', ' ']).trim_matches('\'').to_owned())
            .unwrap_or_default();
        let why = texts.next().unwrap_or_default();
        Some(Failure::BadSetting { what: clean::bound(&format!("{why}: {shown}"), 300), file: None, line })
    }),
    Rule::sure("can't open config file", r"can't open config file '(?<path>[^']+)': (?<why>.*)", |hit| {
        let path = hit.text_of("path");
        Some(if hit.text.contains("ermission denied") {
            Failure::PermissionDenied { path: Some(path), port: None, operation: "open".to_owned() }
        } else {
            Failure::MissingFile { path }
        })
    }),
    Rule::sure(
        "bad file format reading the append only file|can't handle rdb format version|\
         short read or oom loading db|wrong signature trying to load db",
        concat!(
            "(?:Bad file format reading the append only file.*|Can't handle RDB format version.*|",
            "Short read or OOM loading DB.*|Wrong signature trying to load DB.*)"
        ),
        |hit| setting(hit, hit.whole()),
    ),
    // Kafka, ZooKeeper, RabbitMQ, Elasticsearch
    Rule::sure(
        "doesn't match stored cluster|inconsistentclusteridexception|configexception:|\
         configured broker.id|inconsistentbroker|no meta.properties|configexception",
        concat!(
            r"(?:InconsistentClusterIdException: .*|The Cluster ID \S+ doesn't match stored clusterId.*|",
            r"ConfigException: .*|Configured broker\.id \S+ doesn't match stored.*|",
            r"No `?meta\.properties`? found.*)"
        ),
        |hit| {
            let text = hit.whole();
            let is_dns = text.contains("No resolvable bootstrap") || text.contains("DNS resolution failed");
            if is_dns { None } else { setting(hit, text) }
        },
    ),
    Rule::sure(
        "max virtual memory areas|bootstrap checks failed|the default discovery settings are unsuitable|\
         vm.max_map_count",
        concat!(
            r"max virtual memory areas vm\.max_map_count \[\d+\] is too low.*|",
            r"the default discovery settings are unsuitable.*|bootstrap check failure \[1\] of \[\d+\]: (?<what>.*)"
        ),
        |hit| setting(hit, hit.own("what").unwrap_or_else(|| hit.whole())),
    ),
    Rule::sure(
        "erlang cookie|cookie file|failed to load definitions",
        concat!(
            r"(?:Cookie file \S+ must be accessible by owner only|.*[Ee]rlang cookie.*(?:mismatch|",
            "wrong|must).*|[Ff]ailed to load definitions.*)"
        ),
        |hit| setting(hit, hit.whole()),
    ),
    // Migrations
    Rule::sure(
        "flywayexception|migration checksum mismatch|detected failed migration|validate failed: |\
         schema-validation:|migration v|failed migration|flywayvalidateexception|flywaymigrateexception",
        concat!(
            "(?:Migration checksum mismatch.*|Detected (?:failed|resolved|",
            "applied) migration.*|Validate failed: .*|Schema-validation: .*|",
            r"(?:Script|Migration) V?\S+ failed.*|Migration of schema .* failed.*|",
            "Flyway(?:Validate|Migrate)?Exception: .*)"
        ),
        migration,
    ),
    Rule::sure(
        "liquibase|waiting for changelog lock|change log lock",
        concat!(
            "(?:Migration failed for (?:change ?set|changeset) .*|",
            "ValidationFailedException: .*|[Cc]ould not acquire change ?log lock.*|",
            r"liquibase\.exception\.\w+: .*)"
        ),
        migration,
    ),
    Rule::sure(
        "can't locate revision|alembic|multiple head revisions|target database is not up to date",
        concat!(
            "(?:Can't locate revision identified by '[^']+'|Multiple head revisions are present.*|",
            r"Target database is not up to date.*|alembic\.util\.exc\.CommandError: .*)"
        ),
        migration,
    ),
    Rule::sure(
        "activerecord::pendingmigrationerror|migrations are pending|unapplied migration|\
         inconsistentmigrationhistory|conflicting migrations detected|dirty database version|p3009|p3018|\
         migrations failed|migration failed|p3005|failed to run migrations|error running migrations|\
         no migration found for version|migrate found failed",
        concat!(
            "(?:ActiveRecord::PendingMigrationError.*|Migrations are pending.*|",
            "InconsistentMigrationHistory: .*|Conflicting migrations detected.*|",
            r"[Dd]irty database version \d+.*|P30(?:09|18|05)\b.*|no migration found for version \d+.*|",
            "migrate found failed migrations.*|(?:[Mm]igrations?|running migrations) failed.*|",
            "(?:failed to run|error running) migrations.*)"
        ),
        |hit| {
            // The reason behind it tells more where it is a connection.
            let lower = hit.text.to_ascii_lowercase();
            let is_connection = ["refused", "no such host", "timeout", "authentication failed", "access denied"]
                .iter()
                .any(|word| lower.contains(word));
            if is_connection { None } else { migration(hit) }
        },
    ),
    Rule::likely(
        "relation \"|no such table|doesn't exist|column ",
        concat!(
            r#"(?:relation "[^"]+" does not exist|no such table: \S+|"#,
            r#"Table '[^']+' doesn't exist|column "?[\w.]+"? does not exist|"#,
            "Unknown column '[^']+' in)"
        ),
        migration,
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn setting(hit: &Hit<'_>, what: String) -> Option<Failure> {
    Some(Failure::BadSetting { what, file: hit.own("file"), line: hit.number("line") })
}

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn migration(hit: &Hit<'_>) -> Option<Failure> {
    Some(Failure::Migration { what: clean::bound(&hit.whole(), 300) })
}
