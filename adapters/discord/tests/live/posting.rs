//! Posts and edits that no delivery asks for, and who somebody is.

use std::time::Duration;

use kubewhy_chat::{Block, ChatError, ChatPlatform, Image, Person, Place, Post, Posted, Standing};
use kubewhy_discord_server::{Fault, View, What, world};
use kubewhy_text::text;

use crate::stage::{SOON, Setting, Stage, long, says, short, with_button};

fn post(channel: impl std::fmt::Display, thread: Option<String>, key: &str) -> Post {
    Post {
        place: Place { channel: format!("discord:{channel}"), thread },
        message: long("cart is healthy"),
        mention: None,
        key: key.to_owned(),
    }
}

#[tokio::test]
async fn a_post_shows_once_however_often_it_is_tried() {
    let stage = Stage::raise(Setting::default()).await;
    stage.server.fault(Fault::next("POST", "/messages", What::Reset { after_effect: true }));
    let first = stage.discord.post(&post(world::OPS, None, "k1")).await.unwrap();
    let again = stage.discord.post(&post(world::OPS, None, "k1")).await.unwrap();
    assert_eq!(first, again);
    let shown = stage.server.read(|view| view.messages(world::OPS));
    assert_eq!(shown.len(), 1);
    assert_eq!(first.place.thread, Some(first.id.clone()));
    let thread = shown.first().unwrap().thread.unwrap();
    assert_eq!(stage.server.read(|view| view.messages(thread)).iter().filter(|it| says("the evidence")(it)).count(), 1);
}

#[tokio::test]
async fn a_post_calls_whom_it_is_for_and_nobody_else() {
    let stage = Stage::raise(Setting::default()).await;
    let mut post = post(world::OPS, None, "k1");
    post.message = short("@everyone cart is healthy");
    post.mention = Some(Person { id: format!("discord:{}", world::BOB), ..Person::default() });
    stage.discord.post(&post).await.unwrap();
    let shown = stage.seen(says("is healthy")).await;
    assert_eq!(shown.pinged_users, [world::BOB]);
    assert!(!shown.pinged_everyone && shown.pinged_roles.is_empty());
}

#[tokio::test]
async fn a_post_into_a_thread_that_was_never_opened_opens_it() {
    let stage = Stage::raise(Setting::default()).await;
    let mut root = post(world::OPS, None, "k1");
    root.message = short("cart is down");
    let root = stage.discord.post(&root).await.unwrap();
    let posted = stage.discord.post(&post(world::OPS, root.place.thread.clone(), "k2")).await.unwrap();
    assert_eq!(posted.place, root.place);
    let thread = stage.thread(world::OPS).await;
    assert!(stage.server.read(|view| view.messages(thread)).iter().any(says("cart is healthy")));
}

#[tokio::test]
async fn a_picture_arrives_with_the_message_that_shows_it() {
    let stage = Stage::raise(Setting::default()).await;
    let picture = Image { file: "cart.png".to_owned(), alt: text!["restarts of cart"], png: vec![7; 9_000].into() };
    let mut post = post(world::OPS, None, "k1");
    post.message = short("cart restarts").with(Block::Image(picture.clone())).below(Block::Image(picture));
    let posted = stage.discord.post(&post).await.unwrap();
    let with_files = |view: &View<'_>| {
        let all = view.all_of_bot().into_iter().flat_map(|message| message.files);
        Some(all.collect::<Vec<_>>()).filter(|files| files.len() == 2)
    };
    let files = stage.server.wait_for(SOON, with_files).await.unwrap();
    assert!(files.iter().all(|file| file.size == 9_000 && file.name.contains("cart")), "{files:?}");
    // Replaced by a message without, the picture goes.
    stage.discord.edit(&posted, &short("cart runs")).await.unwrap();
    assert!(stage.seen(says("cart runs")).await.files.is_empty());
}

#[tokio::test]
async fn a_message_is_replaced_where_it_stands() {
    let stage = Stage::raise(Setting::default()).await;
    let mut root = post(world::OPS, None, "k1");
    root.message = with_button("cart is down", "logs cart");
    let root = stage.discord.post(&root).await.unwrap();
    let below = stage.discord.post(&post(world::OPS, root.place.thread.clone(), "k2")).await.unwrap();
    stage.discord.edit(&root, &short("cart was down")).await.unwrap();
    stage.discord.edit(&below, &short("cart is healthy again")).await.unwrap();
    let first = stage.seen(says("cart was down")).await;
    assert!(first.id.to_string() == root.id && first.buttons.is_empty());
    assert_eq!(stage.seen(says("healthy again")).await.id.to_string(), below.id);
}

#[tokio::test]
async fn what_cannot_be_replaced_any_more_is_gone() {
    let stage = Stage::raise(Setting::default()).await;
    let root = stage.discord.post(&post(world::OPS, None, "k1")).await.unwrap();
    let unknown = Posted { id: "1".to_owned(), ..root.clone() };
    let refused = stage.discord.edit(&unknown, &short("x")).await;
    assert!(matches!(&refused, Err(ChatError::Gone { .. } | ChatError::NoChannel { .. })), "{refused:?}");
    stage.server.change_world(|world| world.limits().edits_of_old = 0);
    stage.server.advance(Duration::from_hours(2));
    assert_eq!(stage.discord.edit(&root, &short("x")).await, Err(ChatError::Gone { code: "30046".to_owned() }));
}

#[tokio::test]
async fn a_channel_that_is_closed_to_the_bot_is_told_from_one_that_is_none() {
    let stage = Stage::raise(Setting::default()).await;
    let refused = stage.discord.post(&post(world::SECRET, None, "k1")).await;
    assert_eq!(
        refused,
        Err(ChatError::NoChannel { channel: format!("discord:{}", world::SECRET), code: "50001".to_owned() })
    );
    let refused = stage.discord.post(&post(world::READ_ONLY, None, "k2")).await;
    assert!(matches!(refused, Err(ChatError::Forbidden { .. })), "{refused:?}");
    let refused = stage.discord.post(&post("x", None, "k3")).await;
    assert!(matches!(refused, Err(ChatError::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_person_is_who_discord_says() {
    let stage = Stage::raise(Setting::default()).await;
    let person = |id: &str| Person { id: format!("discord:{id}"), ..Person::default() };
    let bob = person(&world::BOB.to_string());
    let identity = stage.discord.identity(&bob).await.unwrap();
    assert_eq!(identity.standing, Standing::Member);
    assert!(identity.groups.contains(&format!("discord:{}", world::SRE)));
    stage.discord.identity(&bob).await.unwrap();
    assert_eq!(stage.server.read(|view| view.calls_of("GET", "/guilds/{id}/members/{id}").len()), 1);
    let nobody = stage.discord.identity(&person("1100000000000000999")).await;
    assert_eq!(nobody.unwrap().standing, Standing::Guest);
}
