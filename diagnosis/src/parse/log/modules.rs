//! Modules, classes, libraries and main programs that are not in the image.

use super::rule::{Hit, Rule};
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    Rule::sure("no module named", r"No module named '?(?<name>[A-Za-z0-9_.]+)'?", named).of(Language::Python),
    Rule::sure("cannot import name", r"cannot import name '(?<name>[^']+)' from", named).of(Language::Python),
    Rule::sure("can't open file", r"can't open file '?(?<path>[^':]+)'?: \[Errno 2\]", |hit| {
        Some(Failure::MissingFile { path: hit.text_of("path") })
    })
    .of(Language::Python),
    Rule::sure(
        "cannot find module|cannot find package|err_module_not_found",
        r"Cannot find (?:module|package) '(?<name>[^']+)'",
        named,
    )
    .of(Language::Node),
    Rule::sure(
        "could not read package.json|missing script:",
        concat!(
            r"(?:[Cc]ould not read package\.json.*open '(?<path>[^']+)'|",
            r#"[Mm]issing script: "?(?<script>[^"\s]+)"?)"#
        ),
        |hit| match hit.own("path") {
            Some(path) => Some(Failure::MissingFile { path }),
            None => Some(Failure::BadFlag { flag: hit.text_of("script") }),
        },
    )
    .of(Language::Node),
    Rule::sure(
        "could not find or load main class|unable to access jarfile|no main manifest attribute",
        concat!(
            r"(?:Could not find or load main class (?<name>\S+)|Unable to access jarfile (?<path>\S+)|",
            r"no main manifest attribute, in (?<name2>\S+))"
        ),
        |hit| match hit.own("path") {
            Some(path) => Some(Failure::MissingFile { path }),
            None => hit.own("name").or_else(|| hit.own("name2")).map(|name| Failure::MissingModule { name }),
        },
    )
    .of(Language::Java),
    Rule::sure(
        "classnotfoundexception|noclassdeffounderror",
        "(?:ClassNotFoundException|NoClassDefFoundError): (?:Could not initialize class )?(?<name>[A-Za-z0-9_.$/]+)",
        named,
    )
    .of(Language::Java),
    Rule::sure("unsupportedclassversionerror", r"UnsupportedClassVersionError: (?<what>.*)", |hit| {
        Some(Failure::BadSetting { what: hit.whole(), file: None, line: None })
    })
    .of(Language::Java),
    Rule::sure(
        "error while loading shared libraries|error loading shared library|error relocating",
        concat!(
            r"(?:error while loading shared libraries: (?<name>[^\s:]+):|",
            r"Error loading shared library (?<name2>[^\s:]+):|Error relocating (?<name3>[^\s:]+):)"
        ),
        |hit| {
            let name = ["name", "name2", "name3"].iter().find_map(|name| hit.own(name))?;
            Some(Failure::MissingModule { name })
        },
    )
    .of(Language::Native),
    Rule::sure("version `glibc|version `glibcxx", r"version `(?<name>GLIBC(?:XX)?_[0-9.]+)' not found", named)
        .of(Language::Native),
    Rule::sure(
        "cannot load such file|could not find gem|bundler::gemnotfound|could not find ",
        concat!(
            r"(?:cannot load such file -- (?<name>[^\s(]+)|Could not find gem '(?<name2>[^']+)'|",
            r"Could not find (?<name3>\S+-[0-9][0-9a-z.]*)(?:, \S+)* in (?:any of the sources|",
            "locally installed gems|cached gems))"
        ),
        |hit| {
            ["name", "name2", "name3"].iter().find_map(|name| hit.own(name)).map(|name| Failure::MissingModule { name })
        },
    )
    .of(Language::Ruby),
    Rule::sure(
        "failed opening required|failed to open stream|call to undefined function",
        concat!(
            r"(?:Failed opening required '(?<path>[^']+)'|[a-z_]+\((?<path2>[^)]+)\): [Ff]ailed to open ",
            r"stream: No such file|Call to undefined function (?<name>[\w\\]+)\(\))"
        ),
        |hit| match hit.own("path").or_else(|| hit.own("path2")) {
            Some(path) => Some(Failure::MissingFile { path }),
            None => hit.own("name").map(|name| Failure::MissingModule { name }),
        },
    )
    .of(Language::Php),
    Rule::sure(
        "could not load file or assembly|was not found. please ensure",
        r"Could not load file or assembly '(?<name>[^',]+)",
        named,
    )
    .of(Language::DotNet),
    Rule::sure(
        "the application to execute does not exist|you must install or update .net|framework 'microsoft.",
        concat!(
            r"(?:The application to execute does not exist: '?(?<name>[^'\s]+)'?|",
            r"You must install or update \.NET|Framework: '(?<name2>[^']+)', version '[^']+')"
        ),
        |hit| {
            let below = hit.below_text(8);
            let framework =
                below.split_once("Framework: '").and_then(|(_, rest)| rest.split('\'').next()).map(str::to_owned);
            Some(Failure::MissingModule {
                name: hit.own("name").or_else(|| hit.own("name2")).or(framework).unwrap_or_else(|| ".NET".to_owned()),
            })
        },
    )
    .of(Language::DotNet),
    Rule::sure("can't locate ", r"Can't locate (?<name>\S+\.pm) in @INC", named),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn named(hit: &Hit<'_>) -> Option<Failure> {
    Some(Failure::MissingModule { name: hit.text_of("name") })
}
