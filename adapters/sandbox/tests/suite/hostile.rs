//! What nobody should send.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::api::{Api, config, refusal};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn bodies_that_are_no_objects_are_400() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    for body in ["", "{", "null", "[]", "7", "\"x\"", "garbage", "{\"metadata\":", "\u{0}", "\u{feff}{}"] {
        for (method, path) in [("POST", CONFIGS.to_owned()), ("PUT", format!("{CONFIGS}/a"))] {
            let answer = api.ask(method, &path, "application/json", body.to_owned()).await;
            assert_eq!(refusal(&answer).0, 400, "{method} {body:?}: {}", answer.1);
        }
        let answer = api.ask("PATCH", &format!("{CONFIGS}/a"), "application/json-patch+json", body.to_owned()).await;
        assert!(answer.0 == 400 || body == "[]", "{body:?}: {}", answer.1);
    }
    let answer = api.ask("POST", CONFIGS, "application/json", "garbage").await;
    assert!(refusal(&answer).2.starts_with(
        "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: "
    ));
    assert!(refusal(&answer).2.ends_with("(67617262616765)"));
}

#[tokio::test]
async fn fields_of_wrong_types_are_400() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    for metadata in [
        json!("x"),
        json!([]),
        json!({"name": 7}),
        json!({"name": "b", "labels": []}),
        json!({"name": "b", "labels": {"a": 1}}),
        json!({"name": "b", "finalizers": "x"}),
        json!({"name": "b", "finalizers": [1]}),
        json!({"name": "b", "ownerReferences": {"uid": "x"}}),
        json!({"name": "b", "ownerReferences": ["x"]}),
        json!({"name": "b", "deletionGracePeriodSeconds": "x"}),
        json!({"name": "b", "uid": {}}),
    ] {
        let answer = api.post(CONFIGS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).await;
        assert_eq!(refusal(&answer).0, 400, "{metadata}");
        let mut patch = metadata.clone();
        if let Some(fields) = patch.as_object_mut() {
            fields.remove("name");
        }
        if metadata.get("name").is_some_and(Value::is_string) {
            let answer = api.merge(&format!("{CONFIGS}/a"), json!({"metadata": patch})).await;
            assert_eq!(refusal(&answer).0, 422, "{metadata}");
        }
    }
    let owners = json!({"name": "b", "ownerReferences": [{"uid": ""}]});
    assert_eq!(api.post(CONFIGS, json!({"metadata": owners})).await.0, 422);
    let pods = "/api/v1/namespaces/default/pods";
    for spec in [json!("x"), json!({}), json!({"containers": [{}]}), json!({"containers": []})] {
        let (code, _) = api.post(pods, json!({"metadata": {"name": "p"}, "spec": spec})).await;
        assert!(code == 400 || code == 422, "{spec}: {code}");
    }
}

#[tokio::test]
async fn huge_bodies_are_413_and_huge_numbers_harmless() {
    let api = Api::new();
    let answer = api.ask("POST", CONFIGS, "application/json", vec![b' '; 4 * 1024 * 1024]).await;
    assert_eq!(refusal(&answer).1, "RequestEntityTooLarge");
    api.pod("default", "a");
    for query in [
        "limit=9223372036854775807",
        "limit=-5",
        "limit=0",
        "resourceVersion=0&limit=1",
        "watch=true&timeoutSeconds=9223372036854775807",
    ] {
        let response = api.raw("GET", &format!("/api/v1/pods?{query}"), "", "").await.expect("an answer");
        assert_eq!(response.status(), 200, "{query}");
    }
    for (query, code) in [
        ("limit=99999999999999999999", 400),
        ("resourceVersion=-1", 400),
        ("resourceVersion=x", 400),
        ("continue=zz", 400),
    ] {
        assert_eq!(api.get(&format!("/api/v1/pods?{query}")).await.0, code, "{query}");
    }
    let grace = json!({"gracePeriodSeconds": i64::MAX});
    assert_eq!(api.delete("/api/v1/namespaces/default/pods/a", grace).await.0, 200);
    assert_eq!(api.delete("/api/v1/namespaces/default/pods/a", json!({"gracePeriodSeconds": i64::MIN})).await.0, 200);
}

#[tokio::test]
async fn deep_json_is_refused_not_followed() {
    let api = Api::new();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(api.ask("POST", CONFIGS, "application/json", deep.clone()).await.0, 400);
    assert_eq!(api.ask("POST", CONFIGS, "application/yaml", deep).await.0, 400);
}

#[tokio::test]
async fn owners_that_own_themselves_or_each_other_do_not_loop() {
    let api = Api::new();
    let owned = |name: &str, owner: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"),
            "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": format!("uid-{owner}"), "blockOwnerDeletion": true}]}})
    };
    for object in [owned("self", "self"), owned("x", "y"), owned("y", "x")] {
        api.sandbox.put(object).expect("an object");
    }
    for name in ["self", "x", "y"] {
        api.delete(&format!("{CONFIGS}/{name}"), json!({"propagationPolicy": "Foreground"})).await;
    }
    assert_eq!(api.delete("/api/v1/namespaces/default/configmaps", json!({})).await.0, 200);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_line_is_a_server_error(
        method in "GET|POST|PUT|PATCH|DELETE|OPTIONS",
        path in "(/(api|apis|v1|apps|namespaces|default|pods|configmaps|a|status|log|scale|eviction|watch|%2e|%ff|x{1,3})){0,8}",
        query in "(([a-zA-Z]{1,5}|labelSelector|fieldSelector|continue|limit|resourceVersion|dryRun)=[a-z0-9%=,!()]{0,8}&){0,3}",
        body in ".{0,40}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let api = Api::new();
            let uri = format!("{path}?{query}");
            if uri.parse::<http::Uri>().is_err() || !uri.starts_with('/') {
                return;
            }
            let response = api.raw(&method, &uri, "application/json", body).await.expect("an answer");
            // A real server has no better code for a version, or for options of a deletion, that it cannot read.
            let known = response.status() == 504 || method == "DELETE" || uri.contains("resourceVersion=");
            assert!(response.status().as_u16() < 500 || known, "{method} {uri}: {}", response.status());
        });
    }

    #[test]
    fn no_body_is_a_server_error(fields in proptest::collection::btree_map("(metadata|spec|status|kind|apiVersion|data)", leaf(), 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let api = Api::new();
            api.pod("default", "a");
            let body = json!(fields);
            for (method, path, kind) in [
                ("POST", "/api/v1/namespaces/default/pods", "application/json"),
                ("PUT", "/api/v1/namespaces/default/pods/a", "application/json"),
                ("PATCH", "/api/v1/namespaces/default/pods/a", "application/merge-patch+json"),
                ("PATCH", "/api/v1/namespaces/default/pods/a", "application/strategic-merge-patch+json"),
                ("PATCH", "/api/v1/namespaces/default/pods/a/status", "application/merge-patch+json"),
                ("POST", "/api/v1/namespaces/default/pods/a/eviction", "application/json"),
                ("DELETE", "/api/v1/namespaces/default/pods/a", "application/json"),
            ] {
                let (code, answer) = api.ask(method, path, kind, body.to_string()).await;
                // A real server, too, takes a resource version on a new object for its own fault,
                // and has no better code for some strategic patches, for options of a deletion, for other versions.
                let known = kind.contains("strategic") && answer["kind"] == "Status"
                    || method == "DELETE"
                    || answer["message"].as_str().is_some_and(|message| message.starts_with("strconv.ParseUint"))
                    || answer["message"] == "resourceVersion should not be set on objects to be created";
                assert!(code < 500 || known, "{method} {path} {body}: {code} {answer}");
            }
            assert_eq!(api.get("/api/v1/pods").await.0, 200);
            let table = api.with("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
            assert_eq!(table.get("/api/v1/pods").await.0, 200);
        });
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/.]{0,6}".prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        let keys = "(name|labels|finalizers|ownerReferences|containers|uid|resourceVersion|conditions|phase|image|tolerations|[a-z]{1,3})";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}
