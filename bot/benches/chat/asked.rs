//! What is asked, how fast, and what is counted on the way.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use kubewhy_sandbox::{Effect, Fault, Filter};
use tokio::time::Instant;

use crate::DELAY;
use crate::bot::Bot;
use crate::cluster::cluster;
use crate::figures::Spread;
use crate::questions::{object, questions};

/// So many questions, one after each such time, whatever becomes of those before.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) questions: usize,
    pub(crate) every: Duration,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, every } = self;
        if every.is_zero() {
            return write!(f, "{questions} questions at once");
        }
        write!(f, "{questions} questions, one every {every:?}")
    }
}

impl Load {
    /// Asks them all; for each what `ask` gave, and how late it was asked.
    pub(crate) async fn ask<T>(self, mut ask: impl FnMut(usize) -> T) -> Vec<(T, Duration)> {
        let began = Instant::now();
        let mut asked = Vec::new();
        for number in 0..self.questions {
            let due = began + self.every * u32::try_from(number).expect("there are few");
            tokio::time::sleep_until(due).await;
            let sent = ask(number);
            asked.push((sent, due.elapsed()));
        }
        asked
    }
}

/// What a load met.
pub(crate) struct Storm {
    pub(crate) platform: &'static str,
    pub(crate) acknowledged: Spread,
    pub(crate) outcome: String,
    pub(crate) memory: String,
}

/// What questions met that were asked one after the other.
pub(crate) struct Pass {
    pub(crate) answered: Spread,
    pub(crate) requests: Vec<u64>,
}

/// How an object is named.
#[derive(Clone, Copy)]
pub(crate) enum Words {
    /// With kind and namespace.
    Whole,
    /// By its name alone.
    Bare,
}

/// An object that somebody asks about.
pub(crate) struct Wanted {
    pub(crate) kind: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Wanted {
    /// As it is typed after `/why`.
    pub(crate) fn line(&self) -> String {
        let kind = self.kind.as_ref().map(|kind| format!("{kind} ")).unwrap_or_default();
        let namespace = self.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
        format!("{kind}{}{namespace}", self.name)
    }
}

/// What the stories of the demo are asked, each once.
pub(crate) fn demo_questions(words: Words) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    let demo = &cluster().demo;
    let wanted = questions(demo.scenarios()).into_iter().map(|question| {
        let (kind, namespace, name) = object(&question.ask, demo.sandbox());
        match words {
            Words::Whole => Wanted { kind: Some(kind.kubectl_name()), namespace, name },
            Words::Bare => Wanted { kind: None, namespace: None, name },
        }
    });
    wanted.filter(|wanted| seen.insert(wanted.line())).collect()
}

/// Makes every request to the cluster take longer.
pub(crate) fn delay_cluster() {
    cluster().demo.sandbox().fault(Fault::always(Filter::all(), Effect::Delay(DELAY)));
}

/// The requests that the cluster has answered so far.
pub(crate) fn requests() -> u64 {
    cluster().demo.sandbox().used_access().iter().map(|(_, times)| times).sum()
}

/// The memory of the bot: now, and the most so far.
pub(crate) fn memory(bot: &Bot) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.id())).unwrap_or_default();
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        kib.map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1024))
    };
    format!("{} (peak {})", line("VmRSS:"), line("VmHWM:"))
}

/// Waits until a number has not changed for a while.
pub(crate) async fn quiet(still_for: Duration, within: Duration, number: impl Fn() -> usize) {
    let began = Instant::now();
    let (mut last, mut since) = (number(), Instant::now());
    while since.elapsed() < still_for && began.elapsed() < within {
        tokio::time::sleep(still_for / 10).await;
        let now = number();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
}
