//! What people do arrives, once stored is acknowledged, and nothing else happens before.

use std::time::Duration;

use kubewhy_chat::{Acceptance, Block, Button, ChatPlatform as _, Choice, Input, Press, Reply, Visibility};
use kubewhy_slack_server::{EnvelopeFault, EnvelopeKind, World};

use crate::scene::{ANNA, GENERAL, INCIDENTS, SOON, Scene, message};

#[tokio::test]
async fn a_command_a_mention_and_a_direct_message_are_lines() {
    let scene = Scene::open().await;
    let anna = scene.server.person(ANNA);
    let slash = scene.asked(INCIDENTS, "pod cart-7c9 -n shop").await;
    assert_eq!(slash.request.who.id, "slack:T0ACME:U0ANNA");
    assert_eq!(slash.request.who.name, "anna");
    assert_eq!((slash.request.place.channel.as_str(), &slash.request.place.thread), ("slack:C0INCIDENTS", &None));
    assert_eq!(slash.request.input, Input::Line("pod cart-7c9 -n shop".to_owned()));

    let (mention, ts) = scene.mentioned(INCIDENTS, "why pod cart & co").await;
    assert_eq!(mention.request.who.id, "slack:T0ACME:U0ANNA");
    assert_eq!(mention.request.place.thread.as_ref(), Some(&ts));
    assert_eq!(mention.request.input, Input::Line("why pod cart & co".to_owned()));

    anna.replies(INCIDENTS, &ts, "and now <@U0KUBEWHY> logs").expect("it can be said");
    let in_thread = scene.inbox.wait_for(3).await.pop().expect("a delivery");
    assert_eq!(in_thread.request.place.thread.as_ref(), Some(&ts));
    assert_eq!(in_thread.request.input, Input::Line("logs".to_owned()));

    anna.says("D0ANNA", "pod cart").expect("it can be said");
    let direct = scene.inbox.wait_for(4).await.pop().expect("a delivery");
    assert_eq!((direct.request.place.channel.as_str(), &direct.request.place.thread), ("slack:D0ANNA", &None));
    assert_eq!(direct.request.input, Input::Line("pod cart".to_owned()));
}

#[tokio::test]
async fn the_shortcut_reads_the_message_it_was_used_on() {
    let scene = Scene::open().await;
    let alert =
        scene.server.person("U0BEN").says(INCIDENTS, "Pod shop/cart-7c9 is crash looping").expect("it can be said");
    scene.server.person(ANNA).uses_message_shortcut(INCIDENTS, &alert, "why").expect("it is in the menu");
    let delivery = scene.inbox.wait_for(1).await.pop().expect("a delivery");
    assert_eq!(delivery.request.input, Input::Shortcut("Pod shop/cart-7c9 is crash looping".to_owned()));
    assert_eq!(delivery.request.place.thread, Some(alert));
}

#[tokio::test]
async fn buttons_and_menus_come_back_in_the_thread_of_their_message() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "cart").await;
    let choice = Choice {
        prompt: "Which one?".into(),
        options: vec![
            ("pod cart".into(), Press::Token("0aF".to_owned())),
            ("deploy cart".into(), Press::Token("1b".to_owned())),
        ],
    };
    let message = message("cart fails")
        .with(Block::Buttons(vec![Button::command("Logs", "logs pod cart -n shop")]))
        .with(Block::Choice(choice));
    let posted = scene.slack.answer(&asked, &Reply::to_everybody(message)).await.expect("it is answered");
    let ts = posted.place.thread.clone().expect("a thread");

    scene.server.person("U0BEN").presses(INCIDENTS, &ts, "Logs").expect("a button");
    let pressed = scene.inbox.wait_for(2).await.pop().expect("a delivery");
    assert_eq!(pressed.request.input, Input::Press(Press::Command("logs pod cart -n shop".to_owned())));
    assert_eq!(pressed.request.who.id, "slack:T0ACME:U0BEN");
    assert_eq!(pressed.request.place, posted.place);

    scene.server.person(ANNA).chooses(INCIDENTS, &ts, "Choose one", "deploy cart").expect("a menu");
    let chosen = scene.inbox.wait_for(3).await.pop().expect("a delivery");
    assert_eq!(chosen.request.input, Input::Press(Press::Token("1b".to_owned())));
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_stored() {
    let scene = Scene::open().await;
    scene.inbox.open(false);
    let sent = scene.server.person(ANNA).slash(INCIDENTS, "/why", "pod cart").expect("it can be typed");
    scene.inbox.wait_for(1).await;
    assert!(scene.server.acks().is_empty(), "it was acknowledged before it was stored");
    let calls = scene.server.calls();
    assert!(
        calls.iter().all(|call| ["auth.test", "apps.connections.open"].contains(&call.method.as_str())),
        "{calls:?}"
    );
    scene.inbox.open(true);
    let ack = scene.server.wait_for_ack(&sent.envelope, SOON).await.expect("an acknowledgement");
    assert!(ack.in_time && scene.server.warnings().is_empty());
    assert_eq!(scene.server.carrier(&sent.envelope), None);
}

#[tokio::test]
async fn a_slow_store_holds_up_nothing_but_itself() {
    let scene = Scene::open().await;
    scene.inbox.open(false);
    let sent = 300;
    for number in 0..sent {
        scene.server.person(ANNA).slash(INCIDENTS, "/why", &format!("pod cart-{number}")).expect("it can be typed");
    }
    // Both sockets go on reading; what is more than they store at once waits in them.
    scene.inbox.wait_for(100).await;
    assert!(scene.inbox.deliveries().len() < sent);
    scene.inbox.open(true);
    scene
        .server
        .wait_for(SOON, |server| (server.acks().len() == sent).then_some(()))
        .await
        .expect("all are acknowledged");
}

#[tokio::test]
async fn what_was_stored_when_its_socket_broke_is_acknowledged_when_it_comes_again() {
    let scene = Scene::open().await;
    scene.inbox.open(false);
    scene.server.person(ANNA).says(INCIDENTS, "<@U0KUBEWHY> pod cart").expect("it can be said");
    let first = scene.inbox.wait_for(1).await.pop().expect("a delivery");
    scene.server.drop_connections(None);
    scene.inbox.open(true);
    scene.server.wait_for_connections(2, SOON).await.expect("two sockets");
    scene.server.advance(Duration::from_secs(4));
    let again = scene.inbox.wait_for(2).await.pop().expect("a delivery");
    assert_eq!(first.id, again.id);
    scene.server.wait_for(SOON, |server| (!server.acks().is_empty()).then_some(())).await.expect("it is acknowledged");
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures are what one runs it for, with --nocapture")]
async fn a_hundred_questions_a_second_are_all_acknowledged() {
    let scene = Scene::open().await;
    // 100 questions a second, as in the worst of incidents.
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    for number in 0..300_usize {
        pace.tick().await;
        if number.is_multiple_of(2) {
            scene.server.person(ANNA).slash(INCIDENTS, "/why", &format!("pod cart-{number}")).expect("it can be typed");
        } else {
            scene.server.person("U0BEN").says(INCIDENTS, "<@U0KUBEWHY> pod cart").expect("it can be said");
        }
    }
    let all = scene.server.wait_for(SOON, |server| (server.acks().len() == 300).then(|| server.acks())).await;
    let mut times: Vec<f64> = all.expect("all are acknowledged").iter().filter_map(|ack| ack.after_ms).collect();
    times.sort_by(f64::total_cmp);
    println!("acknowledged: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms", times[150], times[296], times[299]);
}

#[tokio::test]
async fn a_repeated_delivery_has_the_same_id_and_is_acknowledged_too() {
    let scene = Scene::open().await;
    scene.server.fail_envelopes(None, EnvelopeFault::Duplicate, 2);
    scene.asked(INCIDENTS, "pod cart").await;
    scene.mentioned(INCIDENTS, "pod cart").await;
    let all = scene.inbox.wait_for(4).await;
    let mut ids: Vec<&str> = all.iter().map(|delivery| delivery.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[1] != ids[2], "{ids:?}");
    scene.server.wait_for(SOON, |server| (server.acks().len() >= 4).then_some(())).await.expect("all are acknowledged");
}

#[tokio::test]
async fn our_own_messages_and_those_that_do_not_call_us_start_nothing() {
    let scene = Scene::with(World::default().without_limits().with_event("message.channels"), Box::new(accept)).await;
    scene.server.person("U0BEN").says(INCIDENTS, "cart is down again").expect("it can be said");
    let asked = scene.asked(INCIDENTS, "cart").await;
    scene.slack.answer(&asked, &Reply::to_everybody(message("cart fails"))).await.expect("it is answered");
    scene.asked(INCIDENTS, "last").await;
    scene
        .server
        .wait_for(SOON, |server| (server.acks().len() == server.delivered().len()).then_some(()))
        .await
        .expect("acked");
    let lines: Vec<Input> = scene.inbox.deliveries().into_iter().map(|delivery| delivery.request.input).collect();
    assert_eq!(lines, [Input::Line("cart".to_owned()), Input::Line("last".to_owned())]);
}

#[tokio::test]
async fn what_means_nothing_to_us_is_acknowledged_and_counted() {
    let scene = Scene::open().await;
    scene.server.person(ANNA).opens_home().expect("it can be opened");
    let ack = scene.server.wait_for(SOON, |server| server.acks().pop()).await.expect("an acknowledgement");
    assert_eq!(ack.kind, Some(EnvelopeKind::EventsApi));
    assert_eq!((scene.slack.passed_over(), scene.inbox.deliveries().len()), (1, 0));
}

#[tokio::test]
async fn a_refused_command_is_told_in_its_acknowledgement() {
    let scene = Scene::with(World::default().without_limits(), Box::new(|_| refuse("No pod is called crat"))).await;
    scene.asked(GENERAL, "pod crat").await;
    scene.server.wait_for_ephemeral(ANNA, "crat", SOON).await.expect("Anna reads it");
    assert!(scene.server.calls_of("chat.postEphemeral").is_empty() && scene.server.calls_of("response_url").is_empty());
}

#[tokio::test]
async fn a_refused_mention_is_told_to_who_asked_alone_where_they_look() {
    let scene = Scene::with(World::default().without_limits(), Box::new(|_| refuse("No pod is called crat"))).await;
    let (_, ts) = scene.mentioned(INCIDENTS, "pod crat").await;
    let seen = scene.server.wait_for_ephemeral(ANNA, "crat", SOON).await.expect("Anna reads it");
    assert_eq!(seen.thread, None, "nobody sees it in a thread that has no reply yet");
    scene.server.person("U0BEN").replies(INCIDENTS, &ts, "<@U0KUBEWHY> pod krat").expect("it can be said");
    let seen = scene.server.wait_for_ephemeral("U0BEN", "crat", SOON).await.expect("Ben reads it");
    assert_eq!(seen.thread, Some(ts));
    assert!(scene.posted(INCIDENTS).is_empty());
}

fn accept(_: &kubewhy_chat::Delivery) -> Acceptance {
    Acceptance::Accepted(Visibility::Everybody)
}

fn refuse(why: &'static str) -> Acceptance {
    Acceptance::Refused(Box::new(Reply::to_asker(message(why))))
}
