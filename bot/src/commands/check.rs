//! `kubewhy check`: whether the bot can do its work with this configuration, a line each.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kubewhy_chat::{Check, CheckFinding, Memory};
use kubewhy_diagnosis::ask::{Answer, Ask, Filter, Selector};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_store::Store;
use kubewhy_text::{Text, name, own, quoted, text};

use crate::Ending;
use crate::bot;
use crate::cli::RunArgs;
use crate::commands::run::{runtime, sources, wrong};
use crate::commands::why;
use crate::config::{self, Loaded, Settings};
use crate::desk::Served;
use crate::output::Output;

pub(crate) fn run(arguments: &RunArgs, output: &mut Output) -> Ending {
    let Loaded { settings, warnings, file } = match config::load(&sources(arguments)) {
        Ok(loaded) => loaded,
        Err(problems) => return wrong(&problems, output),
    };
    let mut worst = Ending::Fine;
    let mut tell = |check: &Check| {
        if matches!(check.finding, CheckFinding::Wrong { .. }) {
            worst = Ending::Unreadable;
        }
        output.answer(&line(check));
    };
    let shown = file.map_or_else(|| "environment".to_owned(), |file| file.display().to_string());
    tell(&fine(text!["config"], text![name(shown)]));
    for warning in &warnings {
        tell(&doubtful(text!["config"], text![own(warning.to_string())], Text::default()));
    }
    let runtime = match runtime() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            output.error(&format!("the runtime could not be started: {error}"));
            return Ending::Unreadable;
        }
    };
    match bot::clusters(&settings, &runtime) {
        Ok(served) => served.iter().flat_map(|served| cluster(served, &settings)).for_each(|check| tell(&check)),
        Err(error) => tell(&bad(text!["cluster"], text![own(why::chain(&error))], text!["see [[clusters]]"])),
    }
    for check in runtime.block_on(outside(&settings)) {
        tell(&check);
    }
    worst
}

/// The store and the platforms.
async fn outside(settings: &Settings) -> Vec<Check> {
    let store = match Store::open(&settings.store.url).await {
        Ok(store) => store,
        Err(error) => {
            let problem = text![own(why::chain(&error))];
            return vec![bad(text!["store"], problem, text!["see [store]; nothing else was tested"])];
        }
    };
    let mut checks = vec![match store.is_writable().await {
        Ok(()) => fine(text!["store"], text!["can be written"]),
        Err(error) => bad(text!["store"], text![own(why::chain(&error))], text!["see [store]"]),
    }];
    let memory: Arc<dyn Memory> = Arc::new(store.clone());
    match bot::platforms(settings, &memory) {
        Ok(platforms) => {
            for (name, platform) in &platforms {
                let channels: Vec<String> = channels_of(settings, name);
                checks.extend(platform.check(&channels).await);
            }
        }
        Err(error) => checks.push(bad(text!["chat"], text![own(why::chain(&error))], text!["see the configuration"])),
    }
    store.close().await;
    checks
}

/// The channels of the configuration that are on a platform.
fn channels_of(settings: &Settings, platform: &str) -> Vec<String> {
    let of_channels = settings.channels.iter().map(|channel| &channel.channel);
    let of_routes = settings.routes.iter().map(|route| &route.channel);
    let mut channels: Vec<String> = of_channels
        .chain(of_routes)
        .filter(|channel| channel.split_once(':').is_some_and(|(name, _)| name == platform))
        .cloned()
        .collect();
    channels.sort();
    channels.dedup();
    channels
}

/// Whether a cluster answers, and whether what every answer needs may be read there.
fn cluster(served: &Served, settings: &Settings) -> Vec<Check> {
    const NEEDED: [Kind; 5] = [Kind::Pod, Kind::Event, Kind::Deployment, Kind::ReplicaSet, Kind::Node];
    let source = &served.source;
    let what = text!["cluster ", name(source.name())];
    let configured = settings.clusters.iter().find(|cluster| cluster.name == source.name());
    let namespaces: Vec<Option<&str>> = match configured.map(|cluster| cluster.namespaces.as_slice()) {
        None | Some([]) => vec![None],
        Some(these) => these.iter().map(|namespace| Some(namespace.as_str())).collect(),
    };
    let began = Timestamp::now();
    let mut read = 0_usize;
    let mut checks = Vec::new();
    for namespace in namespaces {
        for kind in NEEDED {
            let namespace = namespace.filter(|_| kind.is_namespaced());
            let place = namespace.map(|namespace| text![" in namespace ", name(namespace)]);
            match readable(served, kind, namespace) {
                Answer::Forbidden(why) => checks.push(bad(
                    what.clone(),
                    text![kind.name(), " may not be listed", place, ": ", quoted(why)],
                    text!["apply what `kubewhy print rbac` prints"],
                )),
                Answer::Failed(why) => {
                    let problem = text![kind.name(), " could not be listed", place, ": ", quoted(why)];
                    checks.push(bad(what, problem, text!["is the kubeconfig right, and the API server up?"]));
                    return checks;
                }
                Answer::Object(_) | Answer::List { .. } | Answer::Log(_) | Answer::Absent | Answer::NotCovered => {
                    read += 1;
                }
            }
        }
    }
    if checks.is_empty() {
        let took = Timestamp::now().duration_since(began).as_millis();
        checks.push(fine(what, text![read, " kinds can be read, in ", own(took.to_string()), " ms"]));
    }
    checks
}

fn readable(served: &Served, kind: Kind, namespace: Option<&str>) -> Answer {
    // Labels that nothing has: what may be listed is known from an empty list.
    let nothing = BTreeMap::from([("kubewhy.io/check".to_owned(), "nothing-has-this".to_owned())]);
    let filter = Filter::Labels(Selector::labels(&nothing));
    let ask = Ask::List { kind, namespace: namespace.map(str::to_owned), filter };
    let answer = served.source.answer(vec![ask]).pop();
    answer.map_or_else(|| Answer::Failed("no answer".to_owned()), |(_, answer)| answer)
}

fn fine(what: Text, found: Text) -> Check {
    Check { what, finding: CheckFinding::Fine(found) }
}

fn doubtful(what: Text, problem: Text, remedy: Text) -> Check {
    Check { what, finding: CheckFinding::Doubtful { problem, remedy } }
}

fn bad(what: Text, problem: Text, remedy: Text) -> Check {
    Check { what, finding: CheckFinding::Wrong { problem, remedy } }
}

/// `ok      slack bot token: team acme` or `wrong   ...: the problem. Do: the remedy`.
fn line(check: &Check) -> String {
    let Check { what, finding } = check;
    match finding {
        CheckFinding::Fine(found) => format!("ok      {}: {}\n", what.plain(), found.plain()),
        CheckFinding::Doubtful { problem, remedy } => told("look   ", what, problem, remedy),
        CheckFinding::Wrong { problem, remedy } => told("wrong  ", what, problem, remedy),
    }
}

fn told(word: &str, what: &Text, problem: &Text, remedy: &Text) -> String {
    let remedy = if remedy.is_empty() { String::new() } else { format!("\n        do: {}", remedy.plain()) };
    format!("{word} {}: {}{remedy}\n", what.plain(), problem.plain())
}
