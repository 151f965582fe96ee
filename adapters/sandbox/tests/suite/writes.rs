//! Create, update, patch.

use serde_json::{Value, json};

use crate::api::{Api, config, deployment, draft, refusal, running, text};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// A custom resource with status and scale.
pub(crate) fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.org"},
        "spec": {"group": "example.org", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {
                "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}}}]},
    })
}

#[tokio::test]
async fn a_created_pod_is_pending_and_its_status_the_servers() {
    let api = Api::new();
    let mut pod = draft("a");
    pod["status"] = json!({"phase": "Running"});
    pod["metadata"]["uid"] = json!("mine");
    let (code, made) = api.post(PODS, pod).await;
    assert_eq!((code, text(&made, "/status/phase")), (201, "Pending"));
    assert_ne!(text(&made, "/metadata/uid"), "mine");
    assert_eq!(made["metadata"]["generation"], 1);
}

#[tokio::test]
async fn a_name_is_needed_generated_or_refused() {
    let api = Api::new();
    let answer = api.post(CONFIGS, json!({"apiVersion": "v1", "kind": "ConfigMap"})).await;
    let message = "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required";
    assert_eq!(refusal(&answer), (422, "Invalid", message));
    let generated = json!({"metadata": {"generateName": "job-"}});
    let (_, one) = api.post(CONFIGS, generated.clone()).await;
    let (_, two) = api.post(CONFIGS, generated).await;
    let (one, two) = (text(&one, "/metadata/name"), text(&two, "/metadata/name"));
    assert!(one.starts_with("job-") && one.len() == 9 && one != two, "{one} {two}");
    for name in ["Upper", "-a", "a_b", "a..b", "\u{e4}"] {
        let answer = api.post(CONFIGS, config(name)).await;
        assert_eq!(refusal(&answer).1, "Invalid", "{name}");
        assert_eq!(answer.1["details"]["causes"][0]["field"], "metadata.name");
    }
}

#[tokio::test]
async fn a_taken_name_is_409() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    let answer = api.post(CONFIGS, config("a")).await;
    assert_eq!(refusal(&answer), (409, "AlreadyExists", "configmaps \"a\" already exists"));
}

#[tokio::test]
async fn objects_of_another_kind_version_or_namespace_are_400() {
    let api = Api::new();
    let answer = api.post(PODS, config("a")).await;
    let message = "ConfigMap in version \"v1\" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): \
                   unknown conversion";
    assert_eq!(refusal(&answer), (400, "BadRequest", message));
    let answer = api.post(PODS, json!({"apiVersion": "v2", "kind": "Pod", "metadata": {"name": "a"}})).await;
    let message = "Pod in version \"v2\" cannot be handled as a Pod: no kind \"Pod\" is registered for version \"v2\" in \
                   scheme \"pkg/runtime/scheme.go:110\"";
    assert_eq!(refusal(&answer).2, message);
    let mut elsewhere = config("a");
    elsewhere["metadata"]["namespace"] = json!("other");
    let message = "the namespace of the provided object does not match the namespace sent on the request";
    assert_eq!(refusal(&api.post(CONFIGS, elsewhere).await), (400, "BadRequest", message));
}

#[tokio::test]
async fn an_update_with_an_old_version_is_409() {
    let api = Api::new();
    let (_, first) = api.post(CONFIGS, config("a")).await;
    let mut changed = first.clone();
    changed["data"]["a"] = json!("2");
    let (code, second) = api.put(&format!("{CONFIGS}/a"), changed).await;
    assert_eq!((code, text(&second, "/data/a")), (200, "2"));
    assert_ne!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let message = "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your \
                   changes to the latest version and try again";
    let mut late = first.clone();
    late["data"]["a"] = json!("3");
    assert_eq!(refusal(&api.put(&format!("{CONFIGS}/a"), late.clone()).await), (409, "Conflict", message));
    late["metadata"]["resourceVersion"] = json!("");
    assert_eq!(api.put(&format!("{CONFIGS}/a"), late).await.0, 200, "without a version it is blind");
}

#[tokio::test]
async fn an_update_of_another_uid_is_409() {
    let api = Api::new();
    let (_, mut object) = api.post(CONFIGS, config("a")).await;
    object["metadata"]["uid"] = json!("other");
    let answer = api.put(&format!("{CONFIGS}/a"), object).await;
    let (code, reason, message) = refusal(&answer);
    assert_eq!((code, reason), (409, "Conflict"));
    assert!(message.contains("Precondition failed: UID in precondition: other, UID in object meta: "), "{message}");
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_version() {
    let api = Api::new();
    let (_, object) = api.post(CONFIGS, config("a")).await;
    let before = api.sandbox.revision();
    let (code, same) = api.put(&format!("{CONFIGS}/a"), object.clone()).await;
    assert_eq!((code, same, api.sandbox.revision()), (200, object, before));
}

#[tokio::test]
async fn names_in_body_and_path_must_agree() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    let answer = api.put(&format!("{CONFIGS}/a"), config("b")).await;
    let message = "the name of the object (b) does not match the name on the URL (a)";
    assert_eq!(refusal(&answer), (400, "BadRequest", message));
    let answer = api.merge(&format!("{CONFIGS}/a"), json!({"metadata": {"name": "b"}})).await;
    assert_eq!(refusal(&answer), (400, "BadRequest", message));
    let answer = api.merge(&format!("{CONFIGS}/a"), json!({"metadata": {"uid": "b"}})).await;
    assert_eq!(refusal(&answer).1, "Invalid");
    let answer = api.merge(&format!("{CONFIGS}/a"), json!({"metadata": {"namespace": "b"}})).await;
    assert_eq!(refusal(&answer).0, 400);
    assert_eq!(api.put(&format!("{CONFIGS}/absent"), config("absent")).await.0, 404);
}

#[tokio::test]
async fn a_pod_takes_another_image_but_no_other_node() {
    let api = Api::new();
    api.pod("default", "a");
    let path = format!("{PODS}/a");
    let image = json!({"spec": {"containers": [{"name": "app", "image": "app:2"}]}});
    let (code, answer) = api.merge(&path, image).await;
    assert_eq!(code, 200, "{answer}");
    for patch in [
        json!({"spec": {"nodeName": "node-2"}}),
        json!({"spec": {"containers": [{"name": "app", "image": "app:2", "command": ["sh"]}]}}),
        json!({"spec": {"terminationGracePeriodSeconds": 1}}),
        json!({"spec": {"containers": [{"name": "b", "image": "app:2"}]}}),
    ] {
        let answer = api.merge(&path, patch.clone()).await;
        let (code, reason, message) = refusal(&answer);
        assert_eq!((code, reason), (422, "Invalid"), "{patch}");
        assert!(
            message.starts_with("Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields"),
            "{message}"
        );
    }
    let (_, pod) = api.get(&path).await;
    let mut tolerations = pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    tolerations.push(json!({"key": "example.org/x", "operator": "Exists"}));
    let (code, answer) = api.merge(&path, json!({"spec": {"tolerations": tolerations}})).await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(api.merge(&path, json!({"spec": {"tolerations": null}})).await.0, 422);
}

#[tokio::test]
async fn other_kinds_keep_what_must_not_change() {
    let api = Api::new();
    api.post(DEPLOYMENTS, deployment("a")).await;
    let selector = json!({"spec": {"selector": {"matchLabels": {"app": "b"}}}});
    let answer = api.merge(&format!("{DEPLOYMENTS}/a"), selector).await;
    assert!(refusal(&answer).2.contains("spec.selector") && refusal(&answer).2.contains("field is immutable"));
    let mut frozen = config("frozen");
    frozen["immutable"] = json!(true);
    api.post(CONFIGS, frozen).await;
    let answer = api.merge(&format!("{CONFIGS}/frozen"), json!({"data": {"a": "2"}})).await;
    assert_eq!(
        refusal(&answer).2,
        "ConfigMap \"frozen\" is invalid: data: Forbidden: field is immutable when `immutable` is set"
    );
}

#[tokio::test]
async fn generations_count_changes_of_what_is_wanted() {
    let api = Api::new();
    api.post(DEPLOYMENTS, deployment("a")).await;
    let path = format!("{DEPLOYMENTS}/a");
    let (_, labelled) = api.merge(&path, json!({"metadata": {"labels": {"x": "y"}}})).await;
    assert_eq!(labelled["metadata"]["generation"], 1);
    let (_, scaled) = api.merge(&path, json!({"spec": {"replicas": 5}})).await;
    assert_eq!(scaled["metadata"]["generation"], 2);
    let (_, claimed) = api.merge(&path, json!({"metadata": {"generation": 99}})).await;
    assert_eq!(claimed["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_json_patch_whose_test_fails_changes_nothing() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    let path = format!("{CONFIGS}/a");
    let test = |value: &str| json!([{"op": "test", "path": "/data/a", "value": value}, {"op": "replace", "path": "/data/a", "value": "9"}]);
    let (code, _) = api.json_patch(&path, test("other")).await;
    assert_eq!(code, 422);
    assert_eq!(text(&api.get(&path).await.1, "/data/a"), "1");
    assert_eq!(text(&api.json_patch(&path, test("1")).await.1, "/data/a"), "9");
}

#[tokio::test]
async fn a_patch_with_an_old_version_is_409() {
    let api = Api::new();
    let (_, first) = api.post(CONFIGS, config("a")).await;
    let path = format!("{CONFIGS}/a");
    api.merge(&path, json!({"data": {"a": "2"}})).await;
    let old = json!({"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}, "data": {"a": "3"}});
    assert_eq!(refusal(&api.merge(&path, old).await).1, "Conflict");
}

#[tokio::test]
async fn a_strategic_patch_merges_containers_by_name() {
    let api = Api::new();
    api.post(DEPLOYMENTS, deployment("a")).await;
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}});
    let kind = "application/strategic-merge-patch+json";
    let (code, object) = api.ask("PATCH", &format!("{DEPLOYMENTS}/a"), kind, patch.to_string()).await;
    assert_eq!(code, 200, "{object}");
    assert_eq!(object["spec"]["template"]["spec"]["containers"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn server_side_apply_is_415() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    let answer = api.ask("PATCH", &format!("{CONFIGS}/a"), "application/apply-patch+yaml", "{}").await;
    assert_eq!(refusal(&answer).1, "UnsupportedMediaType");
    let answer = api.ask("POST", CONFIGS, "application/vnd.kubernetes.protobuf", "x").await;
    assert_eq!(refusal(&answer).0, 400, "protobuf is read, and this is none");
}

#[tokio::test]
async fn a_dry_run_answers_as_if_and_stores_nothing() {
    let api = Api::new();
    api.post(CONFIGS, config("kept")).await;
    let before = (api.sandbox.revision(), api.get(&format!("{CONFIGS}/kept")).await);
    assert_eq!(api.post(&format!("{CONFIGS}?dryRun=All"), config("new")).await.0, 201);
    let (code, shown) = api.merge(&format!("{CONFIGS}/kept?dryRun=All"), json!({"data": {"a": "2"}})).await;
    assert_eq!((code, text(&shown, "/data/a")), (200, "2"));
    assert_eq!(api.ask("DELETE", &format!("{CONFIGS}/kept?dryRun=All"), "", "").await.0, 200);
    assert_eq!(api.delete(&format!("{CONFIGS}/kept"), json!({"dryRun": ["All"]})).await.0, 200);
    assert_eq!(api.ask("DELETE", &format!("{CONFIGS}?dryRun=All"), "", "").await.0, 200);
    assert_eq!((api.sandbox.revision(), api.get(&format!("{CONFIGS}/kept")).await), before);
    let answer = api.post(&format!("{CONFIGS}?dryRun=Some"), config("new")).await;
    let message =
        "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"";
    assert_eq!(refusal(&answer).2, message);
    assert_eq!(api.post(&format!("{CONFIGS}?dryRun=All"), config("kept")).await.0, 409);
}

#[tokio::test]
async fn a_custom_resource_can_be_written_but_not_blindly() {
    let api = Api::new();
    let (code, _) = api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition()).await;
    assert_eq!(code, 201);
    let widgets = "/apis/example.org/v1/namespaces/default/widgets";
    let widget =
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
    assert_eq!(api.post(widgets, widget.clone()).await.0, 201);
    let answer = api.put(&format!("{widgets}/w"), widget).await;
    assert!(
        refusal(&answer).2.ends_with("metadata.resourceVersion: Invalid value: 0: must be specified for an update")
    );
    let (code, scale) = api.merge(&format!("{widgets}/w/scale"), json!({"spec": {"replicas": 7}})).await;
    assert_eq!((code, &scale["spec"]["replicas"]), (200, &json!(7)));
    assert_eq!(api.get(&format!("{widgets}/w")).await.1["spec"]["size"], 7);
}

#[tokio::test]
async fn finalizers_cannot_be_added_to_what_is_being_deleted() {
    let api = Api::new();
    let mut pod = running("default", "a");
    pod["metadata"]["finalizers"] = json!(["example.org/hold"]);
    api.sandbox.put(pod).expect("a pod");
    api.delete(&format!("{PODS}/a"), json!({})).await;
    let both = json!({"metadata": {"finalizers": ["example.org/hold", "example.org/more"]}});
    let answer = api.merge(&format!("{PODS}/a"), both).await;
    assert!(refusal(&answer).2.contains("no new finalizers can be added if the object is being deleted"));
    let answer = api.merge(&format!("{CONFIGS}/none"), json!({})).await;
    assert_eq!(answer.0, 404);
}

#[tokio::test]
async fn yaml_bodies_are_read() {
    let api = Api::new();
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: \"1\"\n";
    let (code, made) = api.ask("POST", CONFIGS, "application/yaml", yaml).await;
    assert_eq!((code, text(&made, "/data/a")), (201, "1"), "{made}");
}
