//! `kubewhy print`: what to install and what is in effect, made from the configuration.

mod rbac;

use crate::Ending;
use crate::cli::{PrintArgs, Topic};
use crate::config::{self, Inspected, Sources};
use crate::output::Output;

pub(crate) fn run(arguments: &PrintArgs, output: &mut Output) -> Ending {
    let sources = Sources::of_process(arguments.config.config.clone(), arguments.config.log_level.clone());
    let inspected = match config::inspect(&sources) {
        Ok(inspected) => inspected,
        Err(problems) => {
            output.error(&problems.to_string());
            return Ending::Usage;
        }
    };
    // The others are of another matter.
    let warnings = inspected.warnings.iter().filter(|_| arguments.topic == Topic::Config);
    warnings.for_each(|warning| output.note(&format!("warning: {warning}")));
    let printed = match arguments.topic {
        Topic::Config => effective(&inspected),
        Topic::Rbac => rbac::manifests(&inspected.settings),
        Topic::SlackManifest => Ok(format!("{:#}", kubewhy_slack::manifest(inspected.raw.slack_command()))),
    };
    match printed {
        Ok(text) => {
            output.answer(&text);
            Ending::Fine
        }
        Err(why) => {
            output.error(&format!("it could not be written: {why}"));
            Ending::Unreadable
        }
    }
}

/// What is in effect; where nothing is written anywhere, the example.
fn effective(inspected: &Inspected) -> Result<String, String> {
    if inspected.is_default() {
        return Ok(config::EXAMPLE.to_owned());
    }
    inspected.raw.to_toml()
}
