//! How long people wait for the chat bot, and what it costs: `cargo bench -p kubewhy --bench chat`.
//!
//! The binary `kubewhy run` works beside a Slack, a Discord and the demo's cluster, each on loopback and on the same machine.
//! Questions come at fixed moments, whatever becomes of those before, and the time is counted from those moments.
//! `-- start acknowledgements answers` runs parts of it. Counts that are exact are held by `tests/run/budget.rs`.
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot be run ends")]

#[path = "../../tests/run/bot.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod bot;
#[path = "../../tests/run/cluster.rs"]
mod cluster;
#[path = "../../tests/run/crowd.rs"]
mod crowd;
#[path = "../../tests/run/questions.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod questions;

mod asked;
mod discord;
mod figures;
mod slack;

use std::time::Duration;

use crate::asked::{Load, Words, demo_questions};
use crate::figures::{Figures, Spread, ms};

/// What every request to the cluster and every call of a chat takes longer where answers are measured.
const DELAY: Duration = Duration::from_millis(20);

/// A thousand questions in ten seconds.
const LOAD: Load = Load { questions: 1_000, every: Duration::from_millis(10) };

/// All at once.
const BURST: Load = Load { questions: 100, every: Duration::ZERO };

/// How often the bot is started for the time of its first answer.
const STARTS: usize = 5;

fn main() {
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut figures = Figures::default();
    runtime.block_on(async {
        if wanted("start") {
            start(&mut figures).await;
        }
        if wanted("acknowledgements") {
            acknowledgements(&mut figures).await;
        }
        if wanted("answers") {
            answers(&mut figures).await;
        }
    });
    figures.tell();
}

async fn start(figures: &mut Figures) {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(slack::first_answer().await);
    }
    let spread = Spread::of(times);
    figures.time("B21", "Slack: process start to the first answer in the channel", "p50 <= 200 ms", &spread, |it| {
        it.p50 <= ms(200)
    });
}

async fn acknowledgements(figures: &mut Figures) {
    let goal = |it: &Spread| it.p99 <= ms(150);
    for load in [LOAD, BURST] {
        for storm in [slack::storm(load).await, discord::storm(load).await] {
            let what = format!("{}: acknowledged, {load}", storm.platform);
            figures.time("B10", &what, "p99 <= 150 ms", &storm.acknowledged, goal);
            figures.note("B10", &format!("{}: what became of {load}", storm.platform), &storm.outcome);
            figures.note("B10", &format!("{}: memory, {load}", storm.platform), &storm.memory);
        }
    }
}

async fn answers(figures: &mut Figures) {
    let cold = |it: &Spread| it.p50 <= ms(250) && it.p99 <= ms(900);
    let (whole, bare) = (demo_questions(Words::Whole), demo_questions(Words::Bare));
    let goal = "p50 <= 250 ms, p99 <= 900 ms";
    let mut asked = slack::Asked::new(&[&whole, &whole, &bare]).await;
    let passes = [
        ("Slack: answered, kind and namespace, person unknown", &whole),
        ("Slack: answered, kind and namespace, person known", &whole),
        ("Slack: answered, bare name, person known", &bare),
    ];
    for (what, questions) in passes {
        let pass = asked.pass(questions).await;
        figures.time("B12", what, goal, &pass.answered, cold);
        figures.count("B13", &format!("{what}: requests to the cluster"), "median <= 5, max 10", &pass.requests);
    }
    drop(asked);
    let pass = discord::answers(&whole).await;
    figures.time("B12", "Discord: answered, kind and namespace", goal, &pass.answered, cold);
    figures.count(
        "B13",
        "Discord: answered, kind and namespace: requests to the cluster",
        "median <= 5, max 10",
        &pass.requests,
    );
}
