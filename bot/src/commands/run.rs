//! `kubewhy run`: the bot.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Ending;
use crate::bot::{self, LogLevel};
use crate::cli::RunArgs;
use crate::commands::why;
use crate::config::{self, Loaded, Problems, Settings, Sources};
use crate::output::Output;

pub(crate) fn run(arguments: &RunArgs, output: &mut Output) -> Ending {
    let sources = sources(arguments);
    let Loaded { settings, warnings, .. } = match config::load(&sources) {
        Ok(loaded) => loaded,
        Err(problems) => return wrong(&problems, output),
    };
    let level = match bot::telemetry(&settings.log.level, settings.log.format, secrets(&settings)) {
        Ok(level) => level,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Usage;
        }
    };
    for warning in &warnings {
        warn!("config: {warning}");
    }
    let runtime = match runtime() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            output.error(&format!("the runtime could not be started: {error}"));
            return Ending::Unreadable;
        }
    };
    let ended = bot::clusters(&settings, &runtime).and_then(|served| {
        runtime.block_on(async {
            let stop = CancellationToken::new();
            let signals = tokio::spawn(listen_to_signals(stop.clone(), level, sources));
            let ended = bot::run(settings, served, stop).await;
            signals.abort();
            ended
        })
    });
    match ended {
        Ok(()) => Ending::Fine,
        Err(error) => {
            error!("{}", why::chain(&error));
            if error.is_of_config() { Ending::Usage } else { Ending::Unreadable }
        }
    }
}

/// Says everything that is wrong with the configuration.
pub(crate) fn wrong(problems: &Problems, output: &mut Output) -> Ending {
    output.error(&problems.to_string());
    Ending::Usage
}

/// The runtime of a bot, and the one provider of cryptography that everything in it uses.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    // A second call finds the first one's and is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Builder::new_multi_thread().enable_all().build()
}

pub(crate) fn sources(arguments: &RunArgs) -> Sources {
    Sources::of_process(arguments.config.clone(), arguments.log_level.clone())
}

/// What must not stand in any log.
fn secrets(settings: &Settings) -> Vec<SecretString> {
    let slack = settings.slack.iter().flat_map(|slack| [slack.bot_token.clone(), slack.app_token.clone()]);
    let discord = settings.discord.iter().map(|discord| discord.token.clone());
    slack.chain(discord).collect()
}

/// SIGTERM and SIGINT end the bot in order, a second one at once. SIGHUP takes the log's level from the configuration anew;
/// SIGUSR1 sets it to debug until then.
async fn listen_to_signals(stop: CancellationToken, level: LogLevel, sources: Sources) {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::user_defined1()];
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hang_up), Ok(mut user)] = kinds.map(signal) else {
        warn!("signals cannot be listened to");
        return;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => end(&stop),
            _ = interrupt.recv() => end(&stop),
            _ = hang_up.recv() => match config::load(&sources) {
                Ok(Loaded { settings, .. }) => switch(&level, &settings.log.level),
                Err(problems) => error!("the configuration is not taken over: {problems}"),
            },
            _ = user.recv() => switch(&level, "debug"),
        }
    }
}

fn end(stop: &CancellationToken) {
    if stop.is_cancelled() {
        // Somebody does not want to wait.
        std::process::exit(1);
    }
    stop.cancel();
}

fn switch(level: &LogLevel, to: &str) {
    match level.switch(to) {
        Ok(()) => info!("the log's level is now {to}"),
        Err(error) => error!("{}", why::chain(&error)),
    }
}
