//! Slack.

use std::time::Duration;

use kubewhy_slack_server::{CallFault, EnvelopeFault, Seen, SlackServer, World};

use crate::bot::{Bot, PATIENCE, Setup};

const CHANNEL: &str = "C0INCIDENTS";

/// A Slack with a bot in it.
struct Scene {
    slack: SlackServer,
    setup: Setup,
    bot: Option<Bot>,
}

impl Scene {
    async fn new(world: World, config: &str) -> Self {
        let slack = SlackServer::start(world).await.expect("it starts");
        let platform = format!(
            "[slack]\nbot_token = \"xoxb-test-bot\"\napp_token = \"xapp-test-app\"\napi_url = \"{}\"\n",
            slack.api_url()
        );
        let setup = Setup::new(&(platform + config));
        let bot = setup.start();
        slack.wait_for_connections(1, PATIENCE).await.expect("it connects");
        Self { slack, setup, bot: Some(bot) }
    }

    async fn quiet() -> Self {
        Self::new(World::default(), "").await
    }

    fn bot(&self) -> &Bot {
        self.bot.as_ref().expect("it runs")
    }

    /// Asks by the slash command and waits for what everybody sees.
    async fn ask(&self, line: &str, expected: &str) -> Seen {
        self.slack.person("U0ANNA").slash(CHANNEL, "/why", line).expect("it can be typed");
        self.seen(expected).await
    }

    async fn seen(&self, expected: &str) -> Seen {
        let seen = self.slack.wait_for_message(CHANNEL, expected, PATIENCE).await;
        seen.unwrap_or_else(|error| panic!("{error}\n{}", self.bot().log()))
    }

    async fn told(&self, person: &str, expected: &str) -> Seen {
        let told = self.slack.wait_for_ephemeral(person, expected, PATIENCE).await;
        told.unwrap_or_else(|error| panic!("{error}\n{}", self.bot().log()))
    }

    /// What stands in the thread of a message besides it.
    async fn thread(&self, of: &Seen, expected: &str) -> Vec<Seen> {
        let found = self
            .slack
            .wait_for(PATIENCE, |slack| {
                let thread = slack.thread(CHANNEL, &of.ts);
                thread.iter().any(|seen| seen.shown.contains(expected)).then_some(thread)
            })
            .await;
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.bot().log()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_in_the_channel_and_its_details_in_the_thread() {
    let scene = Scene::quiet().await;
    let answer = scene.ask("deploy push -n store", "push-keys").await;
    assert!(answer.thread.is_none() && answer.shown.contains("failing"), "{answer:?}");
    assert!(answer.buttons.iter().any(|label| label == "Tell me when healthy"), "{answer:?}");
    let thread = scene.thread(&answer, "kubectl").await;
    assert!(thread.iter().any(|seen| seen.shown.contains("secret-missing")), "{thread:?}");
    let ack = scene.slack.acks().into_iter().next().expect("it was acknowledged");
    assert!(ack.in_time, "{ack:?}");
    assert!(scene.slack.warnings().is_empty(), "{:?}", scene.slack.warnings());
}
