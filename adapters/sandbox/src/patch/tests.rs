//! Expectations are what a 1.34 server answered to the same patches.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::resources::Registry;

fn deployments() -> std::sync::Arc<Resource> {
    Registry::builtin().find("apps", "v1", "deployments").expect("deployments")
}

fn web() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "finalizers": ["a/b"]},
        "spec": {"replicas": 1, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}, "template": {"spec": {
            "containers": [
                {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                 "args": ["-v"], "ports": [{"containerPort": 80}]},
                {"name": "log", "image": "log:1"},
            ],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "a", "operator": "Exists"}],
        }}},
    })
}

fn patched(kind: PatchKind, patch: &Value) -> Result<Value, Status> {
    apply(kind, &deployments(), &web(), patch)
}

fn strategic(patch: &Value) -> Value {
    patched(PatchKind::Strategic, patch).expect("fits")
}

fn pod(patch: &Value) -> Value {
    strategic(&json!({"spec": {"template": {"spec": patch}}}))["spec"]["template"]["spec"].clone()
}

fn refused(kind: PatchKind, patch: &Value) -> (u16, String) {
    let status = patched(kind, patch).expect_err("does not fit");
    (status.code, status.message)
}

#[test]
fn json_patches_change_what_they_name() {
    let patch = json!([
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "test", "path": "/metadata/nope", "value": null},
        {"op": "replace", "path": "/spec/replicas", "value": 3},
        {"op": "replace", "path": "/metadata/labels/new", "value": "x"},
        {"op": "add", "path": "/metadata/labels/a~1b", "value": "y"},
        {"op": "remove", "path": "/metadata/finalizers"},
        {"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "third"}},
    ]);
    let object = patched(PatchKind::Json, &patch).expect("fits");
    assert_eq!(object["spec"]["replicas"], 3);
    assert_eq!(object["metadata"]["labels"], json!({"app": "web", "new": "x", "a/b": "y"}));
    assert!(object["metadata"].get("finalizers").is_none());
    assert_eq!(object["spec"]["template"]["spec"]["containers"][2]["name"], "third");
}

#[test]
fn json_patches_that_do_not_fit_are_invalid() {
    for patch in [
        json!([{"op": "test", "path": "/spec/replicas", "value": 7}]),
        json!([{"op": "remove", "path": "/metadata/labels/nope"}]),
        json!([{"op": "remove", "path": "/metadata/nope/x"}]),
        json!([{"op": "add", "path": "/metadata/nope/x", "value": 1}]),
        json!([{"op": "bogus", "path": "/x"}]),
        json!([{"path": "/x"}]),
    ] {
        let status = patched(PatchKind::Json, &patch).expect_err("does not fit");
        assert_eq!(
            status.to_value(),
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422,
                "message": "the server rejected our request due to an error in our request", "details": {}}),
            "{patch}"
        );
    }
}

#[test]
fn a_failed_operation_leaves_nothing_behind() {
    let object = web();
    let patch = json!([{"op": "remove", "path": "/spec"}, {"op": "remove", "path": "/nope"}]);
    apply(PatchKind::Json, &deployments(), &object, &patch).expect_err("second does not fit");
    assert_eq!(object, web());
}

#[test]
fn bodies_that_are_no_patch_are_bad_requests() {
    let message = |kind, body: &[u8]| decode(kind, body).expect_err("no patch").message;
    assert_eq!(message(PatchKind::Merge, b"{\"a\":"), "error decoding patch: unexpected end of JSON input");
    assert_eq!(message(PatchKind::Strategic, b""), "unexpected end of JSON input");
    assert_eq!(
        message(PatchKind::Merge, b"[1]"),
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
    assert_eq!(
        message(PatchKind::Strategic, b"[]"),
        "json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
    assert!(message(PatchKind::Json, b"{}").starts_with("error decoding patch: json: cannot unmarshal object"));
    assert!(message(PatchKind::Json, b"xx").starts_with("error decoding patch: "));
}

#[test]
fn custom_resources_take_no_strategic_patch() {
    let mut registry = Registry::builtin();
    registry.learn(&json!({"spec": {"group": "example.org", "scope": "Cluster",
        "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "served": true}]}}));
    let widgets = registry.find("example.org", "v1", "widgets").expect("learnt");
    let status = PatchKind::of(STRATEGIC, &widgets).expect_err("unsupported");
    assert_eq!((status.code, status.reason.as_ref()), (415, "UnsupportedMediaType"));
    assert_eq!(apply(PatchKind::Strategic, &widgets, &json!({}), &json!({})).expect_err("unsupported"), status);
    assert_eq!(PatchKind::of("application/merge-patch+json; charset=utf-8", &widgets), Ok(PatchKind::Merge));
}

#[test]
fn media_types_name_the_form() {
    let deployments = deployments();
    assert_eq!(PatchKind::of(STRATEGIC, &deployments), Ok(PatchKind::Strategic));
    assert_eq!(PatchKind::of(JSON, &deployments), Ok(PatchKind::Json));
    assert_eq!(PatchKind::of(APPLY, &deployments).expect_err("no server-side apply").code, 415);
    assert_eq!(PatchKind::of("application/json", &deployments).expect_err("no patch").code, 415);
}

#[test]
fn merge_patches_replace_lists_and_delete_by_null() {
    let patch =
        json!({"metadata": {"labels": null}, "spec": {"template": {"spec": {"containers": [{"name": "only"}]}}}});
    let object = patched(PatchKind::Merge, &patch).expect("fits");
    assert!(object["metadata"].get("labels").is_none());
    assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "only"}]));
    assert_eq!(object["spec"]["replicas"], 1);
}

#[test]
fn strategic_patches_merge_lists_by_key() {
    let spec = pod(&json!({"containers": [{"name": "log", "image": "log:2"}, {"name": "new", "image": "new:1"}]}));
    assert_eq!(spec["containers"][0]["image"], "web:1");
    assert_eq!(spec["containers"][1], json!({"name": "log", "image": "log:2"}));
    assert_eq!(spec["containers"][2], json!({"name": "new", "image": "new:1"}));
    let env = pod(&json!({"containers": [{"name": "web", "env": [{"name": "B", "value": "3"}], "args": ["-q"]}]}));
    assert_eq!(env["containers"][0]["env"], json!([{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]));
    assert_eq!(env["containers"][0]["args"], json!(["-q"]));
}

#[test]
fn lists_without_a_strategy_are_replaced_and_maps_merged() {
    let spec = pod(&json!({"tolerations": [{"key": "b"}], "nodeSelector": {"zone": "a", "disk": null}}));
    assert_eq!(spec["tolerations"], json!([{"key": "b"}]));
    assert_eq!(spec["nodeSelector"], json!({"zone": "a"}));
}

#[test]
fn directives_delete_and_replace() {
    let spec = pod(&json!({"containers": [{"name": "web", "$patch": "delete"}]}));
    assert_eq!(spec["containers"], json!([{"name": "log", "image": "log:1"}]));
    let spec = pod(&json!({"containers": [{"$patch": "replace"}, {"name": "only"}]}));
    assert_eq!(spec["containers"], json!([{"name": "only"}]));
    let spec = pod(&json!({"nodeSelector": {"$patch": "replace", "zone": "a"}}));
    assert_eq!(spec["nodeSelector"], json!({"zone": "a"}));
    let spec = pod(&json!({"nodeSelector": {"$patch": "delete"}}));
    assert_eq!(spec["nodeSelector"], json!({}));
    let spec = pod(&json!({"affinity": {"$patch": "delete"}}));
    assert!(spec.get("affinity").is_none());
}

#[test]
fn retained_keys_change_the_member_of_a_union() {
    let volume = json!({"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}});
    assert_eq!(pod(&json!({"volumes": [volume]}))["volumes"], json!([{"name": "v", "configMap": {"name": "c"}}]));
    let strategy = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(strategic(&strategy)["spec"]["strategy"], json!({"type": "Recreate"}));
    let patch = json!({"spec": {"$retainKeys": ["a"], "replicas": 1}});
    assert_eq!(refused(PatchKind::Strategic, &patch), (400, "invalid patch format of retainKeys".to_owned()));
}

#[test]
fn plain_lists_merge_and_lose_what_a_parallel_list_names() {
    let added = strategic(&json!({"metadata": {"finalizers": ["c/d"]}}));
    assert_eq!(added["metadata"]["finalizers"], json!(["c/d", "a/b"]));
    let gone = strategic(&json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b", "x/y"]}}));
    assert_eq!(gone["metadata"]["finalizers"], json!([]));
    let unlike = strategic(&json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "a/b"}}));
    assert_eq!(unlike["metadata"]["finalizers"], json!(["a/b"]));
    let patch = json!({"metadata": {"$deleteFromPrimitiveList": ["a"]}});
    assert_eq!(refused(PatchKind::Strategic, &patch), (400, "invalid patch format of primitive list".to_owned()));
}

#[test]
fn an_order_is_followed_for_the_items_it_names() {
    let spec = pod(&json!({
        "$setElementOrder/containers": [{"name": "new"}, {"name": "log"}, {"name": "web"}],
        "containers": [{"name": "new", "image": "new:1"}],
    }));
    let names: Vec<_> = spec["containers"].as_array().expect("list").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["new", "log", "web"]);
    let alone = pod(&json!({"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}]}));
    assert_eq!(alone["containers"][0]["name"], "log");
    let patch = json!({"metadata": {"$setElementOrder/finalizers": ["a"], "finalizers": ["b/c"]}});
    let message = "The order in patch list:\n[b/c]\n doesn't match $setElementOrder list:\n[a]\n";
    assert_eq!(refused(PatchKind::Strategic, &patch), (500, message.to_owned()));
}

#[test]
fn strategic_patches_that_do_not_fit_are_refused_in_kubernetes_words() {
    let containers = |list: Value| json!({"spec": {"template": {"spec": {"containers": list}}}});
    for (patch, message) in [
        (containers(json!([{"image": "a"}])), "map: map[image:a] does not contain declared merge key: name"),
        (
            containers(json!([{"name": "web", "$patch": "zz"}])),
            "unknown patch type: zz in map: map[$patch:zz name:web]",
        ),
    ] {
        assert_eq!(refused(PatchKind::Strategic, &patch), (500, message.to_owned()));
    }
    let (code, message) = refused(PatchKind::Strategic, &containers(json!(["x"])));
    assert!(code == 500 && message.starts_with("list element types are not identical: [[map["), "{message}");
    assert_eq!(refused(PatchKind::Strategic, &containers(json!([["x"], ["y"]]))).0, 500);
}

#[test]
fn a_scale_is_patched_as_the_kind_it_is() {
    let scale =
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "finalizers": ["a"]}});
    let patch = json!({"spec": {"replicas": 2}, "metadata": {"finalizers": ["b"]}});
    let scale = apply(PatchKind::Strategic, &deployments(), &scale, &patch).expect("fits");
    assert_eq!(scale["spec"]["replicas"], 2);
    assert_eq!(scale["metadata"]["finalizers"], json!(["b", "a"]));
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "metadata",
        "spec",
        "template",
        "containers",
        "name",
        "finalizers",
        "labels",
        "volumes",
        "$patch",
        "$retainKeys",
        "$deleteFromPrimitiveList/finalizers",
        "$setElementOrder/containers",
        "$setElementOrder",
        "op",
        "path",
        "value",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["web", "delete", "replace", "merge", "add", "/spec", "/metadata/finalizers/0", "ü"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_patch_panics(object in any_json(), patch in any_json()) {
        let resource = deployments();
        for kind in [PatchKind::Json, PatchKind::Merge, PatchKind::Strategic] {
            let _ = apply(kind, &resource, &object, &patch);
            let _ = apply(kind, &resource, &web(), &patch);
            let _ = decode(kind, patch.to_string().as_bytes());
        }
    }

    #[test]
    fn a_new_item_of_a_list_keeps_no_directive(name in "[a-z]{1,8}") {
        let spec = pod(&json!({
            "$setElementOrder/containers": [{"name": name}],
            "containers": [{"name": name, "env": [{"name": "X", "$patch": "delete"}, {"name": "Y", "value": "1"}]}],
        }));
        prop_assert!(!spec.to_string().contains('$'), "{}", spec);
    }
}

#[test]
fn copies_of_copies_are_refused_before_they_fill_the_memory() {
    let grow = |times: usize| {
        let copy = |n: usize| json!({"op": "copy", "from": "/metadata", "path": format!("/metadata/copy{n}")});
        (0..times).map(copy).collect::<Vec<Value>>()
    };
    assert!(patched(PatchKind::Json, &grow(5).into()).is_ok());
    let refused = patched(PatchKind::Json, &grow(40).into()).expect_err("a bomb");
    assert_eq!((refused.code, &*refused.reason), (413, "RequestEntityTooLarge"));
}

#[test]
fn a_patch_cannot_nest_deeper_than_what_is_read() {
    let chain = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": inner}));
    let add = |path: &str, value: Value| json!({"op": "add", "path": path, "value": value});
    assert!(patched(PatchKind::Json, &json!([add("/metadata/a", chain(100))])).is_ok());
    let step = "/a".repeat(100);
    let longer: Vec<Value> = (0..4).map(|n| add(&format!("/metadata{}", step.repeat(n) + "/a"), chain(100))).collect();
    assert_eq!(patched(PatchKind::Json, &longer.into()).expect_err("too deep").code, 422);
    let moves = |n: usize| {
        [
            add("/metadata/b", chain(60)),
            json!({"op": "move", "from": "/metadata/a", "path": format!("/metadata/b{}", "/a".repeat(60))}),
            json!({"op": "move", "from": "/metadata/b", "path": "/metadata/a"}),
        ]
        .map(|operation| if n == 0 { add("/metadata/a", json!({})) } else { operation })
    };
    let chained: Vec<Value> = (0..10).flat_map(moves).collect();
    assert_eq!(patched(PatchKind::Json, &chained.into()).expect_err("too deep").code, 422);
}
