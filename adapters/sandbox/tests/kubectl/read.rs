use crate::{
    cluster::{cluster, eventually},
    samples::shop,
};
use serde_json::{Value, json};

#[test]
fn get_prints_tables_narrow_and_wide() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("tables"));
    assert_eq!(
        cluster.out("get pods -n tables"),
        "NAME         READY   STATUS             RESTARTS     AGE\n\
         web-1-bad    0/1     CrashLoopBackOff   7 (5m ago)   120m\n\
         web-1-good   1/1     Running            0            120m\n"
    );
    let wide = cluster.out("get po -n tables -o wide");
    assert!(wide.contains("10.1.0.4   tables-node   <none>           <none>"), "{wide}");
    assert!(wide.starts_with("NAME         READY   STATUS             RESTARTS     AGE    IP"), "{wide}");
    assert_eq!(
        cluster.out("get deploy,svc,cm -n tables"),
        "NAME                  READY   UP-TO-DATE   AVAILABLE   AGE\n\
         deployment.apps/web   1/2     2            1           120m\n\n\
         NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\n\
         service/web   ClusterIP   10.96.0.7    <none>        80/TCP    0s\n\n\
         NAME                 DATA   AGE\n\
         configmap/settings   1      0s\n"
    );
    assert_eq!(
        cluster.out("get node tables-node"),
        "NAME          STATUS   ROLES    AGE   VERSION\ntables-node   Ready    worker   0s    v1.34.1\n"
    );
}

#[test]
fn get_prints_every_output_form() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("forms"));
    assert_eq!(cluster.out("get pods -n forms -o name"), "pod/web-1-bad\npod/web-1-good\n");
    assert_eq!(cluster.out("get pod web-1-bad -n forms -o jsonpath={.status.containerStatuses[0].restartCount}"), "7");
    assert_eq!(
        cluster.out("get pods -n forms -o custom-columns=N:.metadata.name,R:.status.containerStatuses[0].restartCount"),
        "N            R\nweb-1-bad    7\nweb-1-good   0\n"
    );
    assert_eq!(cluster.out("get pods -n forms -o 'go-template={{len .items}}'"), "2");
    let list: Value = serde_json::from_str(&cluster.out("get pods -n forms -o json")).expect("JSON");
    assert_eq!((list["kind"].as_str(), list["items"][0]["kind"].as_str()), (Some("List"), Some("Pod")));
    let one: Value = serde_json::from_str(&cluster.out("get deploy web -n forms -o json")).expect("JSON");
    assert_eq!(one["spec"]["strategy"]["type"], "RollingUpdate");
    let yaml = cluster.out("get cm settings -n forms -o yaml");
    assert!(yaml.starts_with("apiVersion: v1\ndata:\n  color: blue\nkind: ConfigMap\n"), "{yaml}");
    assert_eq!(cluster.out("get pods -n forms --show-labels --no-headers").matches("app=web").count(), 2);
    assert!(
        cluster
            .out("get pods -n forms -L app")
            .starts_with("NAME         READY   STATUS             RESTARTS     AGE    APP")
    );
}

#[test]
fn get_selects_sorts_and_reaches_all_namespaces() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("select-a"));
    cluster.put(shop("select-b"));
    let all = cluster.out("get pods -A -l app=web,nope!=x --no-headers");
    assert!(all.contains("select-a") && all.contains("select-b"), "{all}");
    assert_eq!(cluster.out("get pods -n select-a -l app=other"), "");
    assert_eq!(cluster.out("get pods -n select-a --field-selector=metadata.name=web-1-bad -o name"), "pod/web-1-bad\n");
    assert_eq!(
        cluster.out("get pods -n select-a --sort-by=.status.containerStatuses[0].restartCount -o name"),
        "pod/web-1-good\npod/web-1-bad\n"
    );
    assert_eq!(cluster.out("get pods -n select-a --chunk-size=1 -o name").lines().count(), 2);
    let everything = cluster.out("get all -n select-a");
    for part in ["pod/web-1-bad", "service/web", "deployment.apps/web", "replicaset.apps/web-1"] {
        assert!(everything.contains(part), "{part} in {everything}");
    }
}

#[test]
fn errors_are_said_as_a_server_says_them() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("errors"));
    assert_eq!(cluster.err("get pod nope -n errors"), "Error from server (NotFound): pods \"nope\" not found\n");
    assert_eq!(cluster.err("get nonsense -n errors"), "error: the server doesn't have a resource type \"nonsense\"\n");
    assert_eq!(
        cluster.err("create cm settings -n errors"),
        "error: failed to create configmap: configmaps \"settings\" already exists\n"
    );
    assert_eq!(
        cluster.err("create cm x -n errors-nowhere"),
        "error: failed to create configmap: namespaces \"errors-nowhere\" not found\n"
    );
    assert_eq!(cluster.run("get pods -n errors-empty").err, "No resources found in errors-empty namespace.\n");
}

#[test]
fn describe_tells_a_pods_story() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("describe"));
    let pod = cluster.out("describe pod web-1-bad -n describe");
    for line in [
        "Name:             web-1-bad",
        "Node:             describe-node/",
        "Controlled By:  ReplicaSet/web-1",
        "    Restart Count:  7",
        "      Reason:       CrashLoopBackOff",
        "QoS Class:",
    ] {
        assert!(pod.contains(line), "{line} in {pod}");
    }
    assert!(pod.contains("Warning  BackOff") && pod.contains("(x9 over"), "{pod}");
    let deployment = cluster.out("describe deploy web -n describe");
    assert!(deployment.contains("2 desired | 2 updated | 2 total | 1 available | 1 unavailable"), "{deployment}");
    assert!(deployment.contains("NewReplicaSet:     web-1 (2/2 replicas created)"), "{deployment}");
    assert!(cluster.out("describe node describe-node").contains("Non-terminated Pods:"));
    assert!(cluster.out("describe svc web -n describe").contains("IP:                       10.96.0.7"));
}

#[test]
fn events_are_listed_and_told_of_one_object() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("events"));
    let events = cluster.out("events -n events --for pod/web-1-bad");
    assert!(events.contains("Pod/web-1-bad   Back-off restarting failed container web"), "{events}");
    assert_eq!(
        cluster.out("get events -n events"),
        "LAST SEEN   TYPE      REASON    OBJECT          MESSAGE\n\
         2m          Warning   BackOff   pod/web-1-bad   Back-off restarting failed container web\n"
    );
    assert_eq!(
        cluster.out("get events.v1.events.k8s.io -n events -o jsonpath={.items[0].note}"),
        "Back-off restarting failed container web"
    );
}

#[test]
fn logs_are_read_whole_in_part_and_of_the_run_before() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("logs"));
    cluster.sandbox.set_log("logs", "web-1-bad", "web", false, "one\ntwo\nthree\n");
    cluster.sandbox.set_log("logs", "web-1-bad", "web", true, "panic: no config\n");
    assert_eq!(cluster.out("logs web-1-bad -n logs"), "one\ntwo\nthree\n");
    assert_eq!(cluster.out("logs web-1-bad -n logs --tail=1"), "three\n");
    assert_eq!(cluster.out("logs pod/web-1-bad -c web -p -n logs"), "panic: no config\n");
    assert!(cluster.out("logs web-1-bad -n logs --timestamps --tail=1").starts_with("2026-03-01T12:00:00"));
    let refused = cluster.err("logs web-1-bad -n logs -c nope");
    assert!(refused.contains("container nope is not valid for pod web-1-bad"), "{refused}");
}

#[test]
fn the_server_says_what_it_serves() {
    let Some(cluster) = cluster() else { return };
    let resources = cluster.out("api-resources --no-headers");
    for line in ["pods", "deployments", "horizontalpodautoscalers", "customresourcedefinitions"] {
        assert!(resources.lines().any(|one| one.starts_with(line)), "{line} in {resources}");
    }
    assert!(cluster.out("api-versions").lines().any(|version| version == "autoscaling/v2"));
    assert!(cluster.out("version").contains("Server Version: v1.34.1"));
    assert_eq!(cluster.out("get --raw /readyz"), "ok");
    assert!(cluster.out("cluster-info").contains("Kubernetes control plane"));
}

#[test]
fn access_is_asked_about() {
    let Some(cluster) = cluster() else { return };
    assert_eq!(cluster.out("auth can-i delete pods -n default"), "yes\n");
    assert!(cluster.out("auth can-i --list -n default").contains("*.*"));
    assert!(cluster.out("auth whoami").contains("Username"));
}

#[test]
fn a_watch_tells_of_changes_as_they_happen() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("watch"));
    let log = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("watch-{}.out", std::process::id()));
    let words = ["get", "cm", "-n", "watch", "-w", "--no-headers"].map(str::to_owned);
    let out = std::fs::File::create(&log).expect("a file");
    let mut child = cluster.bare(&words).stdout(out).spawn().expect("kubectl runs");
    let seen = |text: &str| std::fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
    eventually("the list", || seen("settings   1"));
    cluster.put([json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "namespace": "watch"},
        "data": {"a": "1", "b": "2"}})]);
    eventually("the new one", || seen("later      2"));
    child.kill().expect("kubectl ends");
    child.wait().expect("kubectl has ended");
}
