//! Lists: selection, pages, versions.

use serde_json::json;

use crate::api::{Api, names, refusal, running, text};

fn with_pods(count: usize) -> Api {
    let api = Api::new();
    for number in 0..count {
        api.pod("default", &format!("p{number:03}"));
    }
    api
}

#[tokio::test]
async fn a_list_is_of_one_namespace_or_of_all() {
    let api = with_pods(2);
    api.pod("other", "q");
    let (_, all) = api.get("/api/v1/pods").await;
    assert_eq!(names(&all), ["p000", "p001", "q"]);
    assert_eq!((text(&all, "/kind"), text(&all, "/apiVersion")), ("PodList", "v1"));
    assert!(all["items"][0].get("kind").is_none(), "items of built-in lists do not repeat their kind");
    assert_eq!(text(&all, "/metadata/resourceVersion"), api.sandbox.revision().to_string());
    assert_eq!(names(&api.get("/api/v1/namespaces/other/pods").await.1), ["q"]);
    assert_eq!(names(&api.get("/api/v1/namespaces/absent/pods").await.1), [""; 0]);
}

#[tokio::test]
async fn selectors_select() {
    let api = with_pods(3);
    let mut pending = running("default", "waits");
    pending["status"]["phase"] = json!("Pending");
    pending["spec"]["nodeName"] = json!("node-2");
    api.sandbox.put(pending).expect("a pod");
    let select = async |query: &str| {
        let (code, list) = api.get(&format!("/api/v1/pods?{query}")).await;
        assert_eq!(code, 200, "{query}: {list}");
        names(&list).join(" ")
    };
    assert_eq!(select("labelSelector=app%3Dp001").await, "p001");
    assert_eq!(select("labelSelector=app+in+(p000,p002)").await, "p000 p002");
    assert_eq!(select("labelSelector=app,app!=p000").await, "p001 p002 waits");
    assert_eq!(select("fieldSelector=status.phase!=Running").await, "waits");
    assert_eq!(select("fieldSelector=spec.nodeName=node-2,status.phase=Pending").await, "waits");
    assert_eq!(select("fieldSelector=metadata.name=p002&labelSelector=app").await, "p002");
}

#[tokio::test]
async fn broken_selectors_are_400() {
    let api = Api::new();
    for (query, message) in [
        ("labelSelector=a+in+b", "unable to parse requirement: found 'b' expected: '('"),
        ("fieldSelector=spec.containers=1", "field label not supported: spec.containers"),
        ("fieldSelector=nonsense", "invalid selector: 'nonsense'; can't understand 'nonsense'"),
    ] {
        assert_eq!(refusal(&api.get(&format!("/api/v1/pods?{query}")).await), (400, "BadRequest", message));
    }
    let answer = api.get("/apis/apps/v1/deployments?fieldSelector=spec.replicas%3D1").await;
    let message = "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    assert_eq!(refusal(&answer).2, message);
}

#[tokio::test]
async fn pages_show_the_state_of_the_first_one() {
    let api = with_pods(7);
    let (_, first) = api.get("/api/v1/pods?limit=3").await;
    assert_eq!(names(&first), ["p000", "p001", "p002"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 4);
    api.sandbox.remove("v1", "Pod", "default", "p004");
    api.pod("default", "p0035");
    let mut changed = running("default", "p005");
    changed["status"]["phase"] = json!("Failed");
    api.sandbox.put(changed).expect("a pod");
    let next = text(&first, "/metadata/continue").to_owned();
    let (_, second) = api.get(&format!("/api/v1/pods?limit=3&continue={next}")).await;
    assert_eq!(names(&second), ["p003", "p004", "p005"]);
    assert_eq!(second["items"][2]["status"]["phase"], "Running", "as it was");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let next = text(&second, "/metadata/continue").to_owned();
    let (_, third) = api.get(&format!("/api/v1/pods?limit=3&continue={next}")).await;
    assert_eq!(names(&third), ["p006"]);
    assert!(third["metadata"].get("continue").is_none() && third["metadata"].get("remainingItemCount").is_none());
}

#[tokio::test]
async fn pages_go_across_namespaces() {
    let api = Api::new();
    for (namespace, name) in [("a", "x"), ("a", "y"), ("b", "a"), ("b", "z"), ("c", "b")] {
        api.pod(namespace, name);
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let (_, page) = api.get(&format!("/api/v1/pods?limit=2&continue={next}")).await;
        seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
        text(&page, "/metadata/continue").clone_into(&mut next);
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["x", "y", "a", "z", "b"]);
}

#[tokio::test]
async fn a_selection_has_pages_but_no_count() {
    let api = with_pods(5);
    let (_, page) = api.get("/api/v1/pods?limit=2&labelSelector=app").await;
    assert_eq!(names(&page), ["p000", "p001"]);
    assert!(page["metadata"].get("remainingItemCount").is_none());
    assert!(!text(&page, "/metadata/continue").is_empty());
    let (_, last) = api.get("/api/v1/pods?limit=2&labelSelector=app+in+(p000,p001)").await;
    assert_eq!(text(&last, "/metadata/continue"), "");
}

#[tokio::test]
async fn an_expired_page_is_410_with_a_token_to_go_on() {
    let api = with_pods(4);
    let (_, first) = api.get("/api/v1/pods?limit=2").await;
    api.pod("default", "later");
    api.sandbox.compact();
    let answer = api.get(&format!("/api/v1/pods?limit=2&continue={}", text(&first, "/metadata/continue"))).await;
    let (code, reason, message) = refusal(&answer);
    assert_eq!((code, reason), (410, "Expired"));
    assert!(message.starts_with("The provided continue parameter is too old"), "{message}");
    let regardless = text(&answer.1, "/metadata/continue");
    let (code, rest) = api.get(&format!("/api/v1/pods?limit=9&continue={regardless}")).await;
    assert_eq!((code, names(&rest)), (200, vec!["p002", "p003"]).clone());
}

#[tokio::test]
async fn an_exact_version_is_read_as_it_was() {
    let api = with_pods(1);
    let then = api.sandbox.revision();
    api.sandbox.remove("v1", "Pod", "default", "p000");
    let path = format!("/api/v1/pods?resourceVersion={then}&resourceVersionMatch=Exact");
    let (_, list) = api.get(&path).await;
    assert_eq!((names(&list), text(&list, "/metadata/resourceVersion")), (vec!["p000"], then.to_string().as_str()));
    api.sandbox.compact();
    assert_eq!(refusal(&api.get(&path).await).0, 410);
}

#[tokio::test]
async fn combinations_that_mean_nothing_are_422() {
    let api = Api::new();
    for query in [
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Nonsense&resourceVersion=1",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "sendInitialEvents=true",
        "watch=true&sendInitialEvents=true",
        "watch=true&resourceVersionMatch=NotOlderThan",
    ] {
        assert_eq!(refusal(&api.get(&format!("/api/v1/pods?{query}")).await).1, "Invalid", "{query}");
    }
}

#[tokio::test]
async fn a_list_of_custom_resources_repeats_their_kind() {
    let api = Api::new();
    api.sandbox.put(crate::writes::definition()).expect("a definition");
    let widget =
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
    assert_eq!(api.post("/apis/example.org/v1/namespaces/default/widgets", widget).await.0, 201);
    let (_, list) = api.get("/apis/example.org/v1/widgets").await;
    assert_eq!((text(&list, "/kind"), text(&list["items"][0], "/kind")), ("WidgetList", "Widget"));
    api.sandbox.remove("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "widgets.example.org");
    assert_eq!(api.get("/apis/example.org/v1/widgets").await.0, 404);
}
