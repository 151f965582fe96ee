use serde_json::json;

use super::*;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.learn(&json!({"spec": {
        "group": "example.org", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"]},
        "versions": [{"name": "v1alpha1", "served": true}, {"name": "v1", "served": true, "subresources": {"status": {}}}],
    }}));
    registry
}

fn document(path: &str, accept: &str) -> Value {
    match answer(&registry(), path, "", accept) {
        Some(Answer::Json { value, .. }) => value,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn groups_are_listed_with_their_preferred_version() {
    let groups = document("/apis", "application/json")["groups"].clone();
    let find = |name: &str| groups.as_array().expect("list").iter().find(|one| one["name"] == name).cloned();
    assert_eq!(find("autoscaling").expect("autoscaling")["preferredVersion"]["version"], "v2");
    assert_eq!(find("example.org").expect("custom")["preferredVersion"]["groupVersion"], "example.org/v1");
    assert_eq!(
        document("/apis/apps", ""),
        json!({
            "kind": "APIGroup", "apiVersion": "v1", "name": "apps",
            "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
            "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
        })
    );
}

#[test]
fn resources_are_listed_with_their_subresources() {
    let resources = document("/api/v1", "")["resources"].as_array().expect("list").clone();
    let eviction = resources.iter().find(|one| one["name"] == "pods/eviction").expect("eviction");
    assert_eq!(
        *eviction,
        json!({"name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy",
        "version": "v1", "kind": "Eviction", "verbs": ["create"]})
    );
    assert!(answer(&registry(), "/apis/nope/v1", "", "").is_none());
    assert!(answer(&registry(), "/apis/nope", "", "").is_none());
    assert!(answer(&registry(), "/api/v1/pods", "", "").is_none());
}

#[test]
fn the_aggregated_form_is_given_to_those_who_ask_for_it_first() {
    let Some(Answer::Json { content_type, value }) = answer(&registry(), "/apis", "", AGGREGATED) else {
        panic!("no answer");
    };
    assert!(content_type.contains("as=APIGroupDiscoveryList"));
    let apps = value["items"].as_array().expect("list").iter().find(|one| one["metadata"]["name"] == "apps");
    let resources = apps.expect("apps")["versions"][0]["resources"].as_array().expect("list").clone();
    let deployments = resources.iter().find(|one| one["resource"] == "deployments").expect("deployments");
    assert_eq!(
        *deployments,
        json!({
            "resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"}, "scope": "Namespaced",
            "singularResource": "deployment", "shortNames": ["deploy"], "categories": ["all"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "subresources": [
                {"subresource": "scale", "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}, "verbs": ["get", "patch", "update"]},
                {"subresource": "status", "responseKind": {"group": "", "version": "", "kind": "Deployment"}, "verbs": ["get", "patch", "update"]},
            ],
        })
    );
    assert_eq!(
        document("/apis", "application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")["kind"],
        "APIGroupList"
    );
    let core = document("/api", AGGREGATED);
    assert_eq!(core["items"][0]["metadata"], json!({}));
}

#[test]
fn openapi_says_that_fields_are_checked_by_the_server() {
    let contents = document("/openapi/v3", "");
    for (group_version, path, kind) in [
        ("api/v1", "/api/v1/namespaces/{namespace}/pods/{name}", "Pod"),
        ("apis/example.org/v1", "/apis/example.org/v1/namespaces/{namespace}/widgets/{name}", "Widget"),
    ] {
        let url = contents["paths"][group_version]["serverRelativeURL"].as_str().expect("url").to_owned();
        let (address, hash) = url.split_once("?hash=").expect("hash");
        assert_eq!(hash.len(), 16);
        let patch = document(address, "application/json")["paths"][path]["patch"].clone();
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], kind);
        assert!(patch["parameters"].as_array().expect("list").iter().any(|one| one["name"] == "fieldValidation"));
    }
}

#[test]
fn openapi_in_protobuf_is_not_spoken() {
    let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let Some(Answer::Refused(status)) = answer(&registry(), "/openapi/v2", "", accept) else { panic!("no refusal") };
    assert_eq!(status.code, 406);
}

#[test]
fn health_is_ok_and_in_detail_on_demand() {
    assert_eq!(answer(&registry(), "/healthz", "", ""), Some(Answer::Text("ok".to_owned())));
    let Some(Answer::Text(text)) = answer(&registry(), "/readyz", "verbose", "") else { panic!("no text") };
    assert_eq!(text, "[+]ping ok\n[+]log ok\n[+]etcd ok\nreadyz check passed\n");
    assert!(answer(&registry(), "/livez/nope", "", "").is_none());
}
