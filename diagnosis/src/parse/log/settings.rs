//! Flags, settings and configuration files that a program does not accept.

use super::rule::{Hit, Rule};
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "flag provided but not defined|unknown flag:|unknown shorthand flag|unknown command \"|\
         invalid argument \"|invalid value \"|flag needs an argument|unknown flag `",
        concat!(
            r"(?:flag provided but not defined: (?<flag>\S+)|unknown flag: (?<flag2>\S+)|",
            r#"unknown shorthand flag: '?(?<flag3>[^'\s])'?|unknown command "(?<flag4>[^"]+)"|"#,
            r#"invalid (?:argument|value) "[^"]*" for (?:flag )?"?(?<flag5>-[^\s":,]+)|"#,
            r"flag needs an argument: (?<flag6>\S+)|unknown flag `(?<flag7>[^']+)')"
        ),
        flag,
    )
    .of(Language::Go),
    Rule::sure(
        "unrecognized arguments|the following arguments are required|invalid choice:|no such option|\
         no such command|missing option|invalid value for",
        concat!(
            r"(?:unrecognized arguments: (?<flag>\S+)|the following arguments are required: (?<flag2>\S+)",
            r"|argument (?<flag3>\S+): invalid choice|[Nn]o such option: (?<flag4>\S+)|",
            "No such command '(?<flag5>[^']+)'|Missing (?:option|argument) '(?<flag6>[^']+)'|",
            "Invalid value for '(?<flag7>[^']+)')"
        ),
        flag,
    )
    .of(Language::Python),
    Rule::sure("node: bad option|bad option:", r"bad option: (?<flag>\S+)", flag).of(Language::Node),
    Rule::sure(
        "unrecognized vm option|unrecognized option: |invalid maximum heap size|\
         initial heap size set to a larger|could not create the java virtual machine|\
         error occurred during initialization of vm|conflicting collector|invalid initial heap size|\
         invalid minimum heap size|error opening zip file or jar manifest missing",
        concat!(
            r"(?:Unrecognized VM option '(?<flag>[^']+)'|Unrecognized option: (?<flag2>\S+)|",
            r"Invalid (?:maximum|initial|minimum) heap size: (?<flag3>\S+)|",
            "(?<what>Initial heap size set to a larger value than the maximum heap size.*|",
            "Conflicting collector combinations.*|Too small (?:maximum|",
            r"initial) heap.*)|Error opening zip file or JAR manifest missing : (?<path>\S+))"
        ),
        |hit| {
            if let Some(path) = hit.own("path") {
                return Some(Failure::MissingFile { path });
            }
            match hit.own("what") {
                Some(what) => Some(Failure::BadSetting { what, file: None, line: None }),
                None => flag(hit),
            }
        },
    )
    .of(Language::Java),
    Rule::sure(
        "unexpected argument '|required arguments were not provided|invalid value '",
        r"(?:unexpected argument '(?<flag>[^']+)' found|invalid value '[^']*' for '(?<flag2>[^']+)')",
        flag,
    )
    .of(Language::Rust),
    Rule::sure(
        "unrecognized option|unknown option|invalid option|illegal option|unknown argument|\
         unrecognised option|unknown parameter",
        concat!(
            "(?:(?i-u:unrecogni[sz]ed option|unknown option|invalid option(?: --)?|",
            r#"illegal option(?: --)?|unknown argument|unknown parameter):? ?['"‘`]?(?<flag>[A-Za-z0-9-][^\s'"’`]*))"#
        ),
        flag,
    ),
    // Kubernetes components and viper-like programs.
    Rule::sure(
        "unable to load config file|failed to load config|error loading config|failed to parse config|\
         failed to read config|could not load config|invalid configuration|couldn't load configuration|\
         error parsing config|config file|unable to parse config|error reading config|cannot load config|\
         unable to read configuration|failed to get config|cannot unmarshal the config|error decoding '",
        concat!(
            "(?i-u:(?:unable to|failed to|could not|couldn't|cannot|",
            "error) ?(?:load|loading|parse|parsing|get|read|reading|decode|",
            "unmarshal)(?:ing)? (?:the )?(?:config(?:uration)?(?: file)?|'[a-z_]+'))[^:]*:? (?<what>.*)"
        ),
        |hit| {
            // A wrapper's line that ends in a colon is told by the line below.
            let mut what = hit.text_of("what");
            if hit.text.trim_end().ends_with(':') {
                what = format!("{what} {}", hit.below_text(1).trim());
            }
            let lower = hit.text.to_ascii_lowercase();
            if [
                "no such file",
                "permission denied",
                "refused",
                "timeout",
                "timed out",
                "no such host",
                "x509",
                "forbidden",
                "not found in",
            ]
            .iter()
            .any(|word| lower.contains(word))
            {
                return None;
            }
            unreadable(hit, what)
        },
    ),
    Rule::sure(
        "yaml: |yaml.scanner|yaml.parser|yamlexception|error converting yaml|cannot unmarshal|\
         scannererror|parsererror|mapping values are not allowed|invalid yaml|did not find expected",
        concat!(
            "(?:(?:error converting YAML to JSON: )?(?:^|[^./A-Za-z0-9_-])yaml: (?:unmarshal errors?:?|",
            "line (?<line>[0-9]+): .*|.+)|(?:YAML|yaml).*(?:ScannerError|",
            "ParserError|YAMLException).*|(?:ScannerError|ParserError|",
            "YAMLException|YAMLSyntaxError): .*|mapping values are not allowed here|",
            "cannot unmarshal .* into Go .*|did not find expected .*)"
        ),
        |hit| unreadable(hit, hit.whole()),
    ),
    Rule::sure(
        "toml: |tomldecodeerror|toml parse error|tomlparseerror|toml::",
        concat!(
            "(?:(?:^|[^./A-Za-z0-9_-])toml: (?:line (?<line>[0-9]+)[: ].*|",
            ".*)|TOMLDecodeError: .*|TOML parse error at line (?<line2>[0-9]+).*|",
            "TomlDecodeError.*)"
        ),
        |hit| unreadable(hit, hit.whole()),
    ),
    Rule::sure(
        "jsondecodeerror|unexpected token|invalid character|unexpected end of json|jsonparseexception|\
         json.parse|in json at position|is not valid json|json: cannot unmarshal|expecting value: line|\
         expected `,` or `}`|jsonmappingexception",
        concat!(
            "(?:JSONDecodeError: .*|(?:Expecting|Extra data).*: line (?<line>[0-9]+) column.*|",
            "Unexpected (?:token|end of JSON).*JSON.*|invalid character '.+' .*|",
            "unexpected end of JSON input|JsonParseException: .*|(?:expected|",
            "EOF|invalid) .* at line (?<line2>[0-9]+) column [0-9]+|",
            "json: cannot unmarshal .*)"
        ),
        |hit| unreadable(hit, hit.whole()),
    ),
    Rule::sure(
        "missingsectionheadererror|configparser|sax.saxparseexception|saxparseexception",
        concat!(
            r"(?:MissingSectionHeaderError: .*|configparser\.\w+Error: .*|",
            "SAXParseException.*lineNumber: (?<line>[0-9]+).*)"
        ),
        |hit| unreadable(hit, hit.whole()),
    ),
    // Spring.
    Rule::sure(
        "failed to bind properties under|application failed to start|failed to configure a datasource|\
         required a bean of type|no qualifying bean|property or field",
        concat!(
            "(?:Failed to bind properties under '(?<name>[^']+)'.*|",
            "Failed to configure a DataSource: .*|.*required a bean of type '[^']+' that could not be ",
            "found.*|No qualifying bean of type '[^']+' available.*)"
        ),
        |hit| bad(hit.whole()),
    )
    .of(Language::Java),
    // Django, Rails, others.
    Rule::sure("improperlyconfigured", r"ImproperlyConfigured: (?<what>.*)", |hit| bad(hit.text_of("what")))
        .of(Language::Python),
    Rule::sure("you must set settings.allowed_hosts|commanderror:", r"CommandError: (?<what>.*)", |hit| {
        bad(hit.text_of("what"))
    })
    .of(Language::Python),
    Rule::sure(
        "required setting|required option|required parameter|required configuration|required config",
        concat!(
            "(?i-u:(?:missing )?required (?:setting|option|parameter|configuration|config(?: key| value)?)) ",
            r#"[`'"]?(?<name>[A-Za-z][A-Za-z0-9_.-]+)[`'"]?(?: is (?:empty|missing|not set|unset)| not set|$|[ :(]).*"#
        ),
        |hit| bad(hit.whole()),
    ),
    Rule::sure(
        "error: [emerg]|is not a valid|invalid value for|invalid port|unknown configuration|\
         unknown setting|invalid setting|invalid configuration|invalid config",
        concat!(
            "(?i-u:unknown configuration (?:key|option|property|parameter)|",
            "unknown setting|invalid (?:setting|configuration|config|",
            r#"port(?: number)?|url)|invalid value for)[ :\[]+[`'"\[]?(?<what>[^\s].*)"#
        ),
        |hit| bad(hit.whole()),
    ),
    Rule::sure(
        "cannot parse|strconv.|invalid duration|parse \"|numberformatexception|invalid literal for int",
        concat!(
            r#"(?:strconv\.\w+: parsing "[^"]*": .*|time: invalid duration .*|"#,
            r#"parse "[^"]*": (?:first path segment|invalid|missing|"#,
            r"net/url).*|NumberFormatException: .*|invalid literal for int\(\) with base 10: .*|",
            "ParseIntError.*|cannot parse `?[^`]*`?: failed to parse as URL.*)"
        ),
        |hit| bad(hit.whole()),
    ),
];

fn flag(hit: &Hit<'_>) -> Option<Failure> {
    let flag = ["flag", "flag2", "flag3", "flag4", "flag5", "flag6", "flag7"].iter().find_map(|name| hit.own(name))?;
    // `invalid option for X` names no option.
    let is_word = matches!(flag.as_str(), "for" | "in" | "to" | "of" | "is" | "was" | "the" | "value" | "provided");
    (!is_word).then(|| Failure::BadFlag { flag: flag.trim_end_matches([':', ',', '.']).to_owned() })
}

fn bad(what: String) -> Option<Failure> {
    (!what.is_empty()).then_some(Failure::BadSetting { what, file: None, line: None })
}

fn unreadable(hit: &Hit<'_>, what: String) -> Option<Failure> {
    let is_reference = hit.text.contains("request body") || hit.text.contains("from client");
    let line = hit.number("line").or_else(|| hit.number("line2")).or_else(|| {
        let after = hit.text.split_once("line ").map(|(_, after)| after)?;
        after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    let file = super::files::path(hit.text).filter(|path| !path.starts_with("/v") && path.contains('.'));
    (!is_reference).then_some(Failure::UnreadableConfig { what, file, line })
}
