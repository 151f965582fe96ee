//! The registration of the commands.

use std::sync::Arc;

use kubewhy_discord_server::{Fault, What, world};

use crate::stage::{SOON, Setting, Stage, TestMemory};

#[tokio::test]
async fn commands_are_registered_once_and_again_only_when_they_changed() {
    let memory = Arc::new(TestMemory::default());
    let stage = Stage::set_with(Setting { memory: Arc::clone(&memory), ..Setting::default() }).await;
    let names: Vec<String> = stage.server.read(|view| {
        view.commands(Some(world::GUILD)).iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    });
    assert_eq!(names, ["why", "kubewhy", "Why?"]);
    let key = format!("discord-commands:{}:{}", world::Application::default().id, world::GUILD);
    while !memory.0.lock().unwrap().contains_key(&key) {
        tokio::task::yield_now().await;
    }

    let stage = Stage::raise(Setting { memory: Arc::clone(&memory), ..Setting::default() }).await;
    stage.server.wait_ready(SOON).await.unwrap();
    // A delivery after that: whatever the session began with is done.
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", world::Application::default().id)).unwrap();
    stage.delivered().await;
    assert_eq!(stage.server.read(|view| view.command_writes()), 0);

    memory.0.lock().unwrap().insert(key, "of an older version".to_owned());
    let stage = Stage::set_with(Setting { memory, ..Setting::default() }).await;
    assert_eq!(stage.server.read(|view| view.command_writes()), 1);
}

#[tokio::test]
async fn a_server_that_does_not_let_commands_be_registered_is_still_served() {
    let setting = Setting::default();
    let stage = Stage::raise(setting).await;
    stage.server.fault(Fault::next("PUT", "/commands", What::Status { status: 403, after_effect: false }).times(0));
    stage.server.wait_ready(SOON).await.unwrap();
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", world::Application::default().id)).unwrap();
    stage.delivered().await;
}
