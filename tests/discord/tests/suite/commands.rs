//! Registering commands: form, replacement, and how often.

use kubewhy_discord_server::{World, world};
use serde_json::{Value, json};

use crate::bot::{Bot, commands_path, unhurried};

fn global_path() -> String {
    format!("/applications/{}/commands", World::default().application.id)
}

#[tokio::test]
async fn a_wrong_command_is_refused_at_its_path() {
    let bot = Bot::new().await;
    let options = |options: Value| json!([{"name": "ok", "description": "d", "options": options}]);
    let option = |name: &str| json!({"type": 3, "name": name, "description": "d"});
    let many: Vec<Value> = (0..26).map(|n| option(&format!("o{n}"))).collect();
    let long: Vec<Value> = (0..4)
        .map(|n| {
            let choices: Vec<Value> =
                (0..25).map(|_| json!({"name": "n".repeat(60), "value": "v".repeat(60)})).collect();
            json!({"type": 3, "name": format!("o{n}"), "description": "d", "choices": choices})
        })
        .collect();
    for (body, path, code) in [
        (json!([{"name": "Upper", "description": "d"}]), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
        (json!([{"name": "two words", "description": "d"}]), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
        (json!([{"name": "x".repeat(33), "description": "d"}]), "0.name", "BASE_TYPE_BAD_LENGTH"),
        (json!([{"name": "x"}]), "0.description", "BASE_TYPE_REQUIRED"),
        (json!([{"name": "x", "description": "d".repeat(101)}]), "0.description", "BASE_TYPE_BAD_LENGTH"),
        (options(json!(many)), "0.options", "BASE_TYPE_BAD_LENGTH"),
        (
            options(json!([option("b"), {"type": 3, "name": "a", "description": "d", "required": true}])),
            "0.options.1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (options(json!([option("a"), option("a")])), "0.options.1.name", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"),
        (options(json!(long)), "0", "APPLICATION_COMMAND_TOO_LARGE"),
        (
            json!([{"name": "a", "description": "d"}, {"name": "a", "description": "d"}]),
            "1.name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
        ),
        (
            json!([{"name": "Why?", "type": 3, "description": "d"}]),
            "0.description",
            "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET",
        ),
    ] {
        let answer = bot.call("PUT", &commands_path(), body.clone()).await;
        assert_eq!(answer.code(), 50_035, "{body}: {answer:?}");
        assert_eq!(answer.wrong(path), [code], "{}", answer.body);
    }
    assert_eq!(bot.server.command_writes(), 0);
}

#[tokio::test]
async fn a_put_replaces_and_keeps_ids_of_the_same_name() {
    let bot = Bot::new().await;
    let put = async |body: Value| bot.call("PUT", &global_path(), body).await.body;
    let first = put(json!([{"name": "a", "description": "d"}, {"name": "b", "description": "d"}])).await;
    let same = put(json!([{"name": "a", "description": "d"}])).await;
    assert_eq!((&same[0]["id"], &same[0]["version"]), (&first[0]["id"], &first[0]["version"]));
    let changed = put(json!([{"name": "a", "description": "other"}])).await;
    assert_eq!(changed[0]["id"], first[0]["id"]);
    assert_ne!(changed[0]["version"], first[0]["version"]);
    assert_eq!(bot.get(&global_path()).await.body.as_array().unwrap().len(), 1);
    assert_eq!(bot.get(&commands_path()).await.body, json!([]), "guild and application have their own");
    bot.server.read(|view| {
        assert_eq!(view.command_writes(), 3);
        assert_eq!(view.commands(None)[0]["description"], "other");
    });
}

#[tokio::test]
async fn single_commands_are_added_read_and_deleted() {
    let bot = Bot::new().await;
    let body = json!({"name": "a", "description": "d"});
    let made = bot.call("POST", &commands_path(), body.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(bot.call("POST", &commands_path(), body).await.status, 200, "the same name is replaced");
    let path = format!("{}/{}", commands_path(), made.id());
    assert_eq!(bot.get(&path).await.body["name"], "a");
    assert_eq!(bot.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(bot.get(&path).await.code(), 10_063);
}

#[tokio::test]
async fn creates_run_out_and_repeated_puts_do_not_count() {
    let mut world = unhurried();
    world.limits.command_creates = 2;
    let bot = Bot::in_world(world).await;
    let named = |names: &[&str]| names.iter().map(|name| json!({"name": name, "description": "d"})).collect::<Value>();
    for _ in 0..3 {
        assert_eq!(bot.call("PUT", &global_path(), named(&["a", "b"])).await.status, 200);
    }
    assert_eq!(bot.call("PUT", &global_path(), named(&["a", "c"])).await.code(), 30_034);
    let hundred: Vec<String> = (0..101).map(|n| format!("c{n}")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    assert_eq!(bot.call("PUT", &global_path(), named(&hundred)).await.code(), 30_032);
    assert_eq!(bot.call("PUT", "/applications/42/commands", json!([])).await.code(), 10_002);
    let elsewhere = format!("/applications/{}/guilds/{}/commands", World::default().application.id, world::OPS);
    assert_eq!(bot.call("PUT", &elsewhere, json!([])).await.code(), 50_001);
}
