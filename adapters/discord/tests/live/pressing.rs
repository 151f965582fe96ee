//! Buttons, forms, and "Why?" on somebody's message.

use kubewhy_chat::{Acceptance, ChatPlatform, Delivery, Field, Form, Input, Place, Press, Visibility};
use kubewhy_discord_server::{SeenMessage, world};
use kubewhy_text::text;
use serde_json::json;

use crate::stage::{SOON, Setting, Stage, long, private, public, says, short, with_button};

/// An answer with a button that stands in the channel.
async fn answered(stage: &Stage) -> SeenMessage {
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(with_button("cart is down", "logs cart"))).await.unwrap();
    stage.seen(says("cart is down")).await
}

#[tokio::test]
async fn a_press_is_answered_in_the_thread_of_its_message() {
    let stage = Stage::set().await;
    let first = answered(&stage).await;
    let pressed = stage.server.press(world::ALICE, first.id, "Logs").unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.request.input, Input::Press(Press::Command("logs cart".to_owned())));
    let below = Place { channel: format!("discord:{}", world::OPS), thread: Some(first.id.to_string()) };
    assert_eq!(delivery.request.place, below);
    let posted = stage.discord.answer(&delivery, &public(long("the log"))).await.unwrap();
    assert_eq!(posted.place, below);
    let said = stage.server.read(|view| view.messages(first.id));
    assert!(said.iter().any(says("the log")) && said.iter().any(says("the evidence")));
    // The message with the button stays what it was.
    let kept = stage.server.read(|view| view.message(first.id).unwrap());
    assert!(says("cart is down")(&kept) && !kept.is_deleted);
    assert!(stage.server.read(|view| view.interaction(pressed).unwrap().answered_after_ms.is_some()));
}

#[tokio::test]
async fn a_press_whose_answer_is_for_one_person_shows_nothing_to_others() {
    let stage = Stage::set().await;
    let first = answered(&stage).await;
    stage.server.press(world::MALLORY, first.id, "Logs").unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &private(short("you may not"))).await.unwrap();
    let told = stage.seen(says("you may not")).await;
    assert_eq!(told.only_for, Some(world::MALLORY));
    assert!(!stage.server.read(|view| view.message(first.id).unwrap()).is_deleted);
}

#[tokio::test]
async fn a_press_on_what_one_person_sees_can_be_answered_to_all() {
    let stage = Stage::set().await;
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("crat"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &private(with_button("did you mean cart?", "why cart"))).await.unwrap();
    let asked = stage.seen(says("did you mean")).await;
    stage.server.press(world::BOB, asked.id, "Logs").unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.request.place.thread, None);
    let posted = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    let first = stage.seen(says("cart is down")).await;
    assert_eq!((first.channel, first.only_for), (world::OPS, None));
    assert_eq!(posted.place.thread, Some(first.id.to_string()));
    assert!(stage.server.read(|view| view.messages(first.id)).iter().any(says("the evidence")));
}

#[tokio::test]
async fn a_form_opens_instead_of_an_answer_and_comes_back_filled_in() {
    let form = Form {
        title: text!["Delete the pod"],
        blocks: Vec::new(),
        fields: vec![Field {
            id: "name".to_owned(),
            label: text!["Its name"],
            placeholder: text!["cart-0"],
            most: 100,
        }],
        submit: text!["Delete"],
        token: "0aF3".to_owned(),
    };
    let decide = move |delivery: &Delivery| match &delivery.request.input {
        Input::Press(_) => Acceptance::Form(Box::new(form.clone())),
        _ => Acceptance::Accepted(Visibility::Everybody),
    };
    let stage = Stage::set_with(Setting { decide: Box::new(decide), ..Setting::default() }).await;
    let first = answered(&stage).await;
    stage.server.press(world::BOB, first.id, "Logs").unwrap();
    stage.delivered().await;
    stage.server.wait_for(SOON, |view| view.open_modal(world::BOB)).await.unwrap();
    stage.server.submit(world::BOB, &[("name", "cart-0")]).unwrap();
    let delivery = stage.delivered().await;
    let values = [("name".to_owned(), "cart-0".to_owned())].into();
    assert_eq!(delivery.request.input, Input::Form { token: "0aF3".to_owned(), values });
    assert_eq!(delivery.request.place.thread, Some(first.id.to_string()));
    stage.discord.answer(&delivery, &public(short("deleted"))).await.unwrap();
    assert!(stage.server.read(|view| view.messages(first.id)).iter().any(says("deleted")));
}

#[tokio::test]
async fn why_on_a_message_is_answered_below_it_and_only_the_asker_is_told_where() {
    let stage = Stage::set().await;
    let alert = stage.server.say(world::ALICE, world::OPS, "CrashLoopBackOff pod/cart-0 in shop").unwrap();
    stage.server.message_command(world::BOB, alert, "Why?").unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.request.input, Input::Shortcut("CrashLoopBackOff pod/cart-0 in shop".to_owned()));
    assert_eq!(delivery.request.place.thread, Some(alert.to_string()));
    let posted = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    assert_eq!(posted.place, delivery.request.place);
    assert!(stage.server.read(|view| view.messages(alert)).iter().any(says("cart is down")));
    let told = stage.seen(says(&format!("<#{alert}>"))).await;
    assert_eq!(told.only_for, Some(world::BOB));
}
