//! Forms, there and back.

use std::collections::BTreeMap;

use kubewhy_chat::{
    Acceptance, Block, Button, ChatPlatform as _, Delivery, Field, Form, Input, Press, Reply, Style, Visibility,
};
use kubewhy_slack_server::{CallFault, World};

use crate::scene::{ANNA, INCIDENTS, SOON, Scene, message};

fn form() -> Form {
    let field = Field { id: "reason".to_owned(), label: "Why?".into(), placeholder: "known fault".into(), most: 200 };
    Form {
        title: "Silence".into(),
        blocks: vec![Block::Paragraph("Nothing is posted for 2 h.".into())],
        fields: vec![field],
        submit: "Silence".into(),
        token: "0aF".to_owned(),
    }
}

/// A press opens the form; all else is taken.
fn judge(delivery: &Delivery) -> Acceptance {
    match delivery.request.input {
        Input::Press(_) => Acceptance::Form(Box::new(form())),
        _ => Acceptance::Accepted(Visibility::Everybody),
    }
}

async fn pressed() -> (Scene, String) {
    let scene = Scene::with(World::default().without_limits(), Box::new(judge)).await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    let press = Press::Token("silence".to_owned());
    let buttons = Block::Buttons(vec![Button { label: "Silence".into(), press, style: Style::Normal }]);
    let answer = Reply::to_everybody(message("cart fails").with(buttons));
    let posted = scene.slack.answer(&asked, &answer).await.expect("it is answered");
    (scene, posted.place.thread.expect("a thread"))
}

#[tokio::test]
async fn a_form_comes_back_with_what_was_filled_in_to_where_it_was_asked_for() {
    let (scene, ts) = pressed().await;
    scene.server.person(ANNA).presses(INCIDENTS, &ts, "Silence").expect("a button");
    let view = scene.server.wait_for(SOON, |server| server.views(ANNA).pop()).await.expect("the form is open");
    assert!(view.shown.contains("Nothing is posted for 2 h."), "{}", view.shown);
    scene.server.person(ANNA).submits(&[("reason", "known fault, see ticket <7>")]).expect("it can be sent");
    let filled = scene.inbox.wait_for(3).await.pop().expect("a delivery");
    let values = BTreeMap::from([("reason".to_owned(), "known fault, see ticket <7>".to_owned())]);
    assert_eq!(filled.request.input, Input::Form { token: "0aF".to_owned(), values });
    assert_eq!(
        (filled.request.place.channel.as_str(), filled.request.place.thread.as_ref()),
        ("slack:C0INCIDENTS", Some(&ts))
    );
    assert_eq!(filled.request.who.id, "slack:T0ACME:U0ANNA");
    scene
        .server
        .wait_for(SOON, |server| server.views(ANNA).is_empty().then_some(()))
        .await
        .expect("the form is closed");
    scene.slack.answer(&filled, &Reply::to_asker(message("silenced"))).await.expect("it is answered");
    let seen = scene.server.wait_for_ephemeral(ANNA, "silenced", SOON).await.expect("Anna reads it");
    assert_eq!(seen.channel, INCIDENTS);
}

#[tokio::test]
async fn a_form_that_slack_does_not_open_is_told() {
    let (scene, ts) = pressed().await;
    scene.server.fail_calls("views.open", CallFault::Error { error: "expired_trigger_id".to_owned() }, 1);
    scene.server.person(ANNA).presses(INCIDENTS, &ts, "Silence").expect("a button");
    scene.server.wait_for_ephemeral(ANNA, "could not be opened", SOON).await.expect("Anna reads it");
    assert!(scene.server.views(ANNA).is_empty());
}
