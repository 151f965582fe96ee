//! Commands, mentions, direct messages, suggestions.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kubewhy_chat::{Acceptance, Address, ChatPlatform, Input, Part, Place, Standing, Visibility};
use kubewhy_discord_server::{Fault, View, What, permission, world};
use serde_json::json;

use crate::stage::{SOON, Setting, Stage, long, private, public, says, short};

fn place(channel: impl std::fmt::Display, thread: Option<&str>) -> Place {
    Place { channel: format!("discord:{channel}"), thread: thread.map(str::to_owned) }
}

#[tokio::test]
async fn a_command_is_acknowledged_at_once_and_answered_with_the_rest_in_its_thread() {
    let stage = Stage::set().await;
    let asked = stage
        .server
        .slash(world::BOB, world::OPS, "why", &[("name", json!("cart")), ("namespace", json!("shop"))])
        .unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.id, format!("discord:{asked}"));
    assert_eq!(delivery.request.input, Input::Line("explain cart -n shop".to_owned()));
    assert_eq!(delivery.request.place, place(world::OPS, None));
    assert_eq!(delivery.request.who.id, format!("discord:{}", world::BOB));
    let identity = delivery.request.who.identity.clone().unwrap();
    assert_eq!(identity.standing, Standing::Member);
    assert_eq!(identity.groups.iter().collect::<Vec<_>>(), [&format!("discord:{}", world::SRE)]);
    let thinking = stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    assert!(thinking.is_thinking && thinking.only_for.is_none());

    let posted = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    let first = stage.server.read(|view| view.interaction(asked).unwrap().original.unwrap());
    assert!(says("cart is down")(&first) && !first.is_thinking);
    assert_eq!(posted.id, first.id.to_string());
    assert_eq!(posted.place, place(world::OPS, Some(&first.id.to_string())));
    let thread = first.thread.expect("the rest stands in a thread");
    assert!(stage.server.read(|view| view.messages(thread)).iter().any(says("the evidence")));

    // What is said in that thread has the place of the answer.
    stage.server.say(world::BOB, thread, &format!("<@{}> logs", bot())).unwrap();
    let next = stage.delivered().await;
    assert_eq!(next.request.place, posted.place);
    assert_eq!(next.request.input, Input::Line("logs".to_owned()));
    stage.discord.answer(&next, &public(short("the log"))).await.unwrap();
    assert!(stage.server.read(|view| view.messages(thread)).iter().any(says("the log")));
}

#[tokio::test]
async fn a_short_answer_opens_no_thread_and_calls_nobody() {
    let stage = Stage::set().await;
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(short("@everyone <@1100000000000000301> is down"))).await.unwrap();
    let first = stage.seen(says("is down")).await;
    assert_eq!(first.thread, None);
    assert!(first.pinged_users.is_empty() && !first.pinged_everyone);
    for call in stage.server.read(|view| view.calls()) {
        let body = if call.route.ends_with("/callback") { &call.body["data"] } else { &call.body };
        if body.get("content").is_some() {
            assert_eq!(body["allowed_mentions"]["parse"], json!([]), "{}", call.route);
        }
    }
}

#[tokio::test]
async fn a_reply_to_the_asker_alone_takes_what_all_saw_away() {
    let stage = Stage::set().await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("crat"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &private(short("no crat here"))).await.unwrap();
    let seen = stage.server.read(|view| view.interaction(asked).unwrap());
    assert_eq!(seen.followups.len(), 1);
    assert!(seen.followups.iter().all(|message| message.only_for == Some(world::BOB) && says("no crat")(message)));
    assert!(stage.server.read(|view| view.messages(world::OPS)).is_empty());
}

#[tokio::test]
async fn what_is_announced_to_the_asker_can_still_become_public() {
    let setting = Setting { decide: Box::new(|_| Acceptance::Accepted(Visibility::OnlyAsker)), ..Setting::default() };
    let stage = Stage::set_with(setting).await;
    let asked = stage.server.slash(world::BOB, world::OPS, "kubewhy help", &[]).unwrap();
    let delivery = stage.delivered().await;
    let thinking = stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    assert_eq!(thinking.only_for, Some(world::BOB));
    stage.discord.answer(&delivery, &public(short("help for all"))).await.unwrap();
    assert!(stage.server.read(|view| view.messages(world::OPS)).iter().any(says("help for all")));
    assert!(stage.server.read(|view| view.ephemerals(world::BOB)).is_empty());
}

#[tokio::test]
async fn a_refusal_is_told_to_the_asker_at_once() {
    let refusal = |_: &_| Acceptance::Refused(Box::new(private(short("too many questions"))));
    let stage = Stage::set_with(Setting { decide: Box::new(refusal), ..Setting::default() }).await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[]).unwrap();
    let told = stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    assert!(says("too many questions")(&told) && told.only_for == Some(world::BOB));

    let asked = stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", bot())).unwrap();
    let told = stage.seen(|message| message.replies_to == Some(asked)).await;
    assert!(says("too many questions")(&told) && told.pinged_users.is_empty());
}

#[tokio::test]
async fn an_inbox_that_takes_long_does_not_cost_the_question() {
    let setting = Setting { lag: Duration::from_millis(3_200), ..Setting::default() };
    let stage = Stage::set_with(setting).await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[]).unwrap();
    let delivery = stage.delivered().await;
    let seen = stage.server.read(|view| view.interaction(asked).unwrap());
    assert!(seen.answered_after_ms.is_some_and(|after| after < 3_000) && !seen.has_failed);
    stage.discord.answer(&delivery, &public(short("late, not lost"))).await.unwrap();
    assert!(stage.server.read(|view| view.messages(world::OPS)).iter().any(says("late, not lost")));
}

#[tokio::test]
async fn a_mention_is_answered_in_a_thread_below_it() {
    let stage = Stage::set().await;
    let asked = stage.server.say(world::BOB, world::OPS, &format!("<@{}> why cart", bot())).unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.id, format!("discord:{asked}"));
    assert_eq!(delivery.request.input, Input::Line("why cart".to_owned()));
    assert_eq!(delivery.request.place, place(world::OPS, Some(&asked.to_string())));
    let posted = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    assert_eq!(posted.place, delivery.request.place);
    let said = stage.server.read(|view| view.messages(asked));
    assert!(said.iter().any(says("cart is down")) && said.iter().any(says("the evidence")));

    // Answering once more, as after a crash, shows nothing twice.
    let again = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    assert_eq!(again, posted);
    assert_eq!(stage.server.read(|view| view.messages(asked)).len(), said.len());
}

#[tokio::test]
async fn only_people_who_mention_the_bot_are_heard() {
    let stage = Stage::set().await;
    stage.server.say(world::BOB, world::OPS, "why cart").unwrap();
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", world::ALICE)).unwrap();
    // The answer is a message that the bot sees too; it mentions whom it answers.
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> first", bot())).unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.request.input, Input::Line("first".to_owned()));
    stage.discord.answer(&delivery, &public(short("an answer"))).await.unwrap();
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> second", bot())).unwrap();
    assert_eq!(stage.delivered().await.request.input, Input::Line("second".to_owned()));
    assert!(stage.is_quiet().await);
}

#[tokio::test]
async fn a_direct_message_is_a_question_of_a_guest() {
    let stage = Stage::set().await;
    let channel = stage.server.direct_channel(world::BOB);
    stage.server.say(world::BOB, channel, "why cart").unwrap();
    let delivery = stage.delivered().await;
    assert_eq!(delivery.request.input, Input::Line("why cart".to_owned()));
    assert_eq!(delivery.request.place, place(channel, None));
    assert_eq!(delivery.request.who.identity.clone().unwrap().standing, Standing::Guest);
    let posted = stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    assert_eq!(posted.place, place(channel, None));
    let said = stage.server.read(|view| view.messages(channel));
    assert!(said.iter().any(says("cart is down")) && said.iter().any(says("the evidence")));
}

#[tokio::test]
async fn an_answer_after_the_token_ran_out_is_a_message_that_names_the_asker() {
    let stage = Stage::set().await;
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let mut delivery = stage.delivered().await;
    delivery.received_at -= SignedDuration::from_mins(20);
    stage.server.advance(Duration::from_mins(20));
    let posted = stage.discord.answer(&delivery, &public(long("cart was down"))).await.unwrap();
    let first = stage.seen(says("cart was down")).await;
    assert_eq!(first.channel, world::OPS);
    assert_eq!(posted.id, first.id.to_string());
    assert!(first.content.starts_with(&format!("<@{}>", world::BOB)) && first.pinged_users.is_empty());
    let thread = first.thread.expect("the rest stands in a thread");
    assert!(stage.server.read(|view| view.messages(thread)).iter().any(says("the evidence")));
}

#[tokio::test]
async fn a_token_that_discord_forgot_is_no_obstacle_and_a_secret_stays_one() {
    let stage = Stage::set().await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    // The clocks disagree: for us the token lives.
    stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    stage.server.advance(Duration::from_mins(16));
    stage.discord.answer(&delivery, &public(short("cart was down"))).await.unwrap();
    assert!(stage.seen(says("cart was down")).await.content.contains(&world::BOB.to_string()));

    // What only the asker may read never becomes public.
    stage.discord.answer(&delivery, &private(short("you may not"))).await.unwrap();
    let told = stage.seen(says("you may not")).await;
    assert_eq!(told.channel, stage.server.direct_channel(world::BOB));
}

#[tokio::test]
async fn an_answer_finds_its_way_after_a_restart() {
    let stage = Stage::set().await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    let kept = serde_json::to_string(&delivery).unwrap();
    let next_life = crate::stage::discord(&stage.server, Arc::default());
    let delivery = serde_json::from_str(&kept).unwrap();
    next_life.answer(&delivery, &private(short("only you"))).await.unwrap();
    assert!(stage.server.read(|view| view.messages(world::OPS)).is_empty());
    assert_eq!(stage.seen(says("only you")).await.only_for, Some(world::BOB));
}

#[tokio::test]
async fn where_threads_are_forbidden_the_rest_follows_the_answer() {
    let stage = Stage::set().await;
    stage.server.change_world(|world| {
        let overwrites = world.overwrites(world::OPS).unwrap();
        let id = kubewhy_discord_server::world::Application::default().id;
        let deny = permission::CREATE_PUBLIC_THREADS;
        overwrites.push(kubewhy_discord_server::world::Overwrite { id, member: true, allow: 0, deny });
    });
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    let seen = stage.server.read(|view| view.interaction(asked).unwrap());
    assert!(seen.followups.iter().any(says("the evidence")));

    let asked = stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", bot())).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(long("still down"))).await.unwrap();
    assert_eq!(stage.seen(says("still down")).await.replies_to, Some(asked));
}

#[tokio::test]
async fn a_half_typed_name_is_completed() {
    let suggest = |_: &_| vec!["cart".to_owned(), "cart".to_owned(), "x".repeat(120), "catalog".to_owned()];
    let stage = Stage::set_with(Setting { suggest: Box::new(suggest), ..Setting::default() }).await;
    let options = [("namespace", json!("shop"))];
    let asked = stage.server.complete(world::BOB, world::OPS, "why", &options, ("name", "ca")).unwrap();
    let choices = stage.server.wait_for(SOON, |view| view.interaction(asked)?.choices).await.unwrap();
    let names: Vec<&str> = choices.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cart", "catalog"]);
    let typed = stage.inbox.typed.lock().unwrap().first().cloned().unwrap();
    assert_eq!((typed.part, typed.words.as_str()), (Part::Name, "ca"));
    assert_eq!(typed.namespace.as_deref(), Some("shop"));

    let asked = stage.server.complete(world::BOB, world::OPS, "kubewhy logs", &[], ("cluster", "pr")).unwrap();
    stage.server.wait_for(SOON, |view| view.interaction(asked)?.choices).await.unwrap();
    assert_eq!(stage.inbox.typed.lock().unwrap().last().unwrap().part, Part::Cluster);
}

#[tokio::test]
async fn where_nothing_is_known_in_time_nothing_is_suggested() {
    let stage = Stage::set().await;
    let asked = stage.server.complete(world::BOB, world::OPS, "why", &[], ("name", "ca")).unwrap();
    let seen = stage.server.wait_for(SOON, |view| view.interaction(asked).filter(|it| it.choices.is_some()));
    let seen = seen.await.unwrap();
    assert_eq!(seen.choices, Some(Vec::new()));
    assert!(seen.answered_after_ms.unwrap() < 3_000);
}

#[tokio::test]
async fn an_answer_that_is_ready_before_the_acknowledgement_waits_for_it() {
    let stage = Stage::set().await;
    stage.server.fault(Fault::next("POST", "/callback", What::Lag { ms: 700 }));
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(short("cart is down"))).await.unwrap();
    let original = stage.server.read(|view| view.interaction(asked).unwrap().original.unwrap());
    assert!(says("cart is down")(&original));
    assert_eq!(stage.shown().len(), 1);
}

#[tokio::test]
async fn a_way_back_that_is_none_is_refused() {
    let stage = Stage::set().await;
    stage.server.say(world::BOB, world::OPS, &format!("<@{}> why", bot())).unwrap();
    let mut delivery = stage.delivered().await;
    delivery.address = Address("{}".to_owned());
    assert!(stage.discord.answer(&delivery, &public(short("x"))).await.is_err());
}

fn bot() -> kubewhy_discord_server::Id {
    kubewhy_discord_server::world::Application::default().id
}

#[tokio::test]
async fn many_questions_at_once_are_all_acknowledged_in_time() {
    let stage = Stage::set().await;
    let asked: Vec<_> = (0..100)
        .map(|index| {
            let name = json!(format!("cart-{index}"));
            stage.server.slash(world::BOB, world::OPS, "why", &[("name", name)]).unwrap()
        })
        .collect();
    for _ in &asked {
        stage.delivered().await;
    }
    let all =
        |view: &View<'_>| asked.iter().map(|id| view.interaction(*id)?.answered_after_ms).collect::<Option<Vec<u64>>>();
    let after = stage.server.wait_for(SOON, all).await.unwrap();
    assert!(after.iter().all(|after| *after < 3_000), "{after:?}");
}
