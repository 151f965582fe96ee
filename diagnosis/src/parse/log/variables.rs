//! Environment variables and required settings that are not set.

use super::rule::{Hit, Rule};
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "no configuration setting found for key",
        r"No configuration setting found for key '(?<name>[^']+)'",
        named,
    )
    .of(Language::Java),
    Rule::sure("could not resolve placeholder", r"Could not resolve placeholder '(?<name>[^']+)'", named)
        .of(Language::Java),
    Rule::sure("key not found: \"|keyerror", r#"key not found: "(?<name>[A-Z][A-Z0-9_]+)""#, named).of(Language::Ruby),
    Rule::sure("missing value", r"required key (?<name>[A-Za-z_][A-Za-z0-9_]*) missing value", named).of(Language::Go),
    Rule::sure("superuser password is not specified", "superuser password is not specified", |_| {
        fixed("POSTGRES_PASSWORD")
    }),
    Rule::sure("password option is not specified", "password option is not specified", |hit| {
        let is_maria =
            hit.below_text(4).contains("MARIADB_ROOT_PASSWORD") && !hit.below_text(4).contains("MYSQL_ROOT_PASSWORD");
        fixed(if is_maria { "MARIADB_ROOT_PASSWORD" } else { "MYSQL_ROOT_PASSWORD" })
    }),
    Rule::sure(
        "mongo_initdb_root",
        r"both '(?<name>MONGO_INITDB_ROOT_USERNAME)' and 'MONGO_INITDB_ROOT_PASSWORD'",
        named,
    ),
    Rule::sure(
        "missing `secret_key_base`|no application encryption key|the secret_key setting must not be empty",
        concat!(
            "(?:Missing `(?<name>secret_key_base)`|(?<app>No application encryption key has been specified)",
            "|The (?<name2>SECRET_KEY) setting must not be empty)"
        ),
        |hit| {
            if hit.get("app").is_some() {
                fixed("APP_KEY")
            } else {
                hit.own("name").or_else(|| hit.own("name2")).map(|name| Failure::MissingVariable { name })
            }
        },
    ),
    Rule::sure(
        "missingenvvarserror|not present in the environment",
        r"not present in the environment:\s*(?<name>[A-Z][A-Z0-9_]+)?",
        |hit| {
            hit.own("name")
                .or_else(|| hit.below.first().map(|line| line.body().trim().trim_matches([',', '-', ' ']).to_owned()))
                .filter(|name| !name.is_empty())
                .map(|name| Failure::MissingVariable { name })
        },
    ),
    Rule::sure(
        "notpresent|environment variable not found",
        concat!(
            "(?:(?<name>[A-Z][A-Z0-9_]{2,})[^A-Za-z]*(?:must be set|",
            "is required|not set|not found|missing)?[^A-Z]*: NotPresent|",
            r"[Ee]nvironment variable not found: (?<name2>[A-Za-z_]\w*)|",
            r"(?<name3>[A-Z][A-Z0-9_]{2,})\W+environment variable not found|NotPresent)"
        ),
        |hit| {
            Some(Failure::MissingVariable {
                name: ["name", "name2", "name3"].iter().find_map(|name| hit.own(name)).unwrap_or_default(),
            })
        },
    ),
    // The variable is set, and its value is none that the program knows.
    Rule::sure(
        "invalid |unsupported |illegal |bad value|not a valid|not allowed",
        concat!(
            r"(?:(?i-u:invalid|unsupported|illegal|bad) (?:option|value|setting|mode)s? (?:\S+ )?(?i-u:for|of|in) ",
            r#"(?:the )?(?i-u:environment variable|env var|variable) ["'`$]*(?<name>[A-Z][A-Z0-9_]{2,})["'`]?|"#,
            r#"(?i-u:environment variable|env var) ["'`$]*(?<name2>[A-Z][A-Z0-9_]{2,})["'`]? "#,
            r"(?:has|is|contains)(?: an?)? (?:invalid|unsupported|illegal|bad|not a valid|not allowed))"
        ),
        |hit| {
            let what = super::clean::bound(hit.text.trim(), 300);
            hit.own("name").or_else(|| hit.own("name2")).map(|_| Failure::BadSetting { what, file: None, line: None })
        },
    ),
    Rule::sure(
        "environment variable|environment variables|env var|env variable",
        concat!(
            r#"(?x)(?: (?i-u:env(?:ironment)?\ var(?:iable)?s?)\ (?:named\ )?[`'"$\[{:=(]*\s?(?<name>[A-Za-z_][A-Za"#,
            r#"-z0-9_.]*)[`'"\]})]*,?\ (?:is|was|are|has|have|must|should|"#,
            r"needs)?\s?(?i-u:not|undefined|missing|required|be\ (?:set|",
            r"defined|specified|provided)|empty|unset|to\ be\ set) |",
            r#" [`'"$]?(?<name2>[A-Z][A-Z0-9_]{2,})[`'"]?\ (?i-u:env(?:ironment)?\ var(?:iable)?)s?\ (?:is|"#,
            r"was|must|has|should|needs)?\s?(?i-u:not|undefined|missing|",
            r"required|be\ (?:set|defined|specified|provided)|empty|",
            r"unset|to\ be\ set|been) | (?i-u:missing|required|unset|",
            r"undefined|specify|set|provide|define|expected|need|requires)\ (?:the\ |",
            r"an?\ |following\ |mandatory\ |required\ )*(?i-u:env(?:ironment)?\ var(?:iable)?(?:s|",
            r#"\(s\))?)(?:\ not\ set|\ is\ missing|\ missing)?[:\s]+[`'"$\[]*(?<name3>[A-Z][A-Z0-9_]+) "#,
            r"| (?i-u:env(?:ironment)?\ var(?:iable)?s?)\ (?:not\ set|",
            r#"missing|not\ found|not\ defined|unset|required):\s*[`'"$\[]*(?<name4>[A-Za-z_]\w+) |"#,
            r#" (?i-u:set|specify|provide|missing|define)\ (?:the\ )?[`'"$]?(?<name5>[A-Z][A-Z0-9_]{2,})"#,
            r#"[`'"]?\ (?i-u:env(?:ironment)?\ var(?:iable)?) )"#
        ),
        any,
    ),
    Rule::sure(
        "is not set|not defined|must be set|is required|is undefined|is missing|not configured|is empty|\
         must be defined|must be provided|missing required|is not provided|not specified|\
         must be specified|was not set|is unset|empty or not set|not been set|needs to be set",
        concat!(
            r#"(?x)(?:^|[\s"'`$\[({:])(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])[`'"\])}]*:?\ (?:(?:variable|"#,
            r"setting|option|value|parameter|env|key|config)\ )?(?:(?:is|",
            r"was|must|has|are)\ )?(?:not\ (?:been\ )?(?:set|defined|",
            r"configured|provided|specified|found)|be\ (?:set|defined|",
            "provided|specified)|required|undefined|missing|empty|",
            r"unset|needs\ to\ be\ set) | (?:missing\ required|[Mm]issing)\ (?:setting|",
            r"config(?:uration)?(?:\ (?:key|value|option))?|option|",
            r#"variable|key|parameter|property)s?:?\s+[`'"]?(?<name2>[A-Za-z_][A-Za-z0-9_.-]*)"#
        ),
        any,
    ),
    Rule::likely(
        "field required|missing [type=|value_error.missing",
        r"(?:Field required|type=missing|value_error\.missing|field required)",
        |hit| {
            let named = hit.text.split_whitespace().rev().find(|word| {
                word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && word.contains('_')
            });
            named.map(|name| Failure::MissingVariable { name: name.to_owned() })
        },
    )
    .of(Language::Python),
];

fn named(hit: &Hit<'_>) -> Option<Failure> {
    Some(Failure::MissingVariable { name: hit.own("name")? })
}

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn fixed(name: &str) -> Option<Failure> {
    Some(Failure::MissingVariable { name: name.to_owned() })
}

fn any(hit: &Hit<'_>) -> Option<Failure> {
    const WORDS: &[&str] = &[
        "is", "not", "are", "was", "the", "and", "or", "file", "a", "to", "HTTP", "INFO", "ERROR", "WARN", "must",
        "for", "named",
    ];
    const CHOICES: &[&str] = &[
        "default",
        "skip",
        "disabl",
        "ignor",
        "fallback",
        "falling back",
        "assuming",
        "optional",
        "using ",
        "is used",
        "are used",
        "be used",
        "instead",
    ];
    let name = ["name", "name2", "name3", "name4", "name5"].iter().find_map(|name| hit.get(name))?;
    // `BEARER_TOKEN is not set, skipping` is a choice, not an end.
    let lower = hit.text.to_ascii_lowercase();
    let is_choice = CHOICES.iter().any(|word| lower.contains(word));
    (!WORDS.contains(&name) && !is_choice).then(|| Failure::MissingVariable { name: name.to_owned() })
}
