use crate::{
    cluster::{Cluster, cluster},
    samples::{WIDGETS, shop},
};
use serde_json::{Value, json};

fn field(cluster: &Cluster, what: &str, path: &str) -> String {
    cluster.out(&format!("get {what} -o jsonpath={path}"))
}

#[test]
fn objects_are_made_from_arguments() {
    let Some(cluster) = cluster() else { return };
    assert_eq!(cluster.out("create ns make"), "namespace/make created\n");
    assert_eq!(
        cluster.out("create deployment web --image=web:1 --replicas=2 -n make"),
        "deployment.apps/web created\n"
    );
    assert_eq!(
        field(cluster, "deploy web -n make", "{.spec.template.spec.containers[0].imagePullPolicy}"),
        "IfNotPresent"
    );
    assert_eq!(cluster.out("create secret generic token --from-literal=a=b -n make"), "secret/token created\n");
    assert_eq!(field(cluster, "secret token -n make", "{.data.a}"), "Yg==");
    assert_eq!(cluster.out("create cm settings --from-literal=a=b -n make"), "configmap/settings created\n");
    assert_eq!(cluster.out("run one --image=web -n make"), "pod/one created\n");
    assert_eq!(field(cluster, "pod one -n make", "{.spec.containers[0].imagePullPolicy}"), "Always");
    assert_eq!(cluster.out("expose deployment web --port=80 -n make"), "service/web exposed\n");
    assert!(field(cluster, "svc web -n make", "{.spec.clusterIP}").starts_with("10.96."));
    assert_eq!(cluster.out("create job once --image=web -n make"), "job.batch/once created\n");
    assert!(!field(cluster, "job once -n make", "{.spec.selector.matchLabels}").is_empty());
    assert_eq!(
        cluster.out("create cm dry --from-literal=a=b -n make --dry-run=server"),
        "configmap/dry created (server dry run)\n"
    );
    assert!(cluster.err("get cm dry -n make").contains("not found"));
}

const CONFIG: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: apply}
data: {a: '1', b: '2'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apply}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1', env: [{name: A, value: '1'}, {name: B, value: '2'}]}
      - {name: log, image: 'log:1'}
";

#[test]
fn apply_makes_changes_and_prunes_fields() {
    let Some(cluster) = cluster() else { return };
    cluster.out("create ns apply");
    assert_eq!(cluster.feed("apply -f -", CONFIG), "configmap/settings created\ndeployment.apps/web created\n");
    assert_eq!(cluster.feed("apply -f -", CONFIG), "configmap/settings unchanged\ndeployment.apps/web unchanged\n");
    let changed = CONFIG.replace("b: '2'", "c: '3'").replace("web:1", "web:2").replace("{name: A, value: '1'}, ", "");
    let changed = changed.replace("      - {name: log, image: 'log:1'}\n", "");
    assert_eq!(cluster.feed("apply -f -", &changed), "configmap/settings configured\ndeployment.apps/web configured\n");
    assert_eq!(field(cluster, "cm settings -n apply", "{.data}"), r#"{"a":"1","c":"3"}"#);
    let containers: Value =
        serde_json::from_str(&field(cluster, "deploy web -n apply", "{.spec.template.spec.containers}")).expect("JSON");
    assert_eq!(containers.as_array().map(Vec::len), Some(1));
    assert_eq!(containers[0]["image"], "web:2");
    assert_eq!(containers[0]["env"], json!([{"name": "B", "value": "2"}]));
    assert_eq!(
        cluster.feed("delete -f -", &changed),
        "configmap \"settings\" deleted\ndeployment.apps \"web\" deleted\n"
    );
}

#[test]
fn all_three_patches_are_taken() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("patch"));
    let patched = "deployment.apps/web patched\n";
    let strategic = r#"patch deploy web -n patch -p '{"spec":{"template":{"spec":{"containers":[{"name":"log","image":"log:1"}]}}}}'"#;
    assert_eq!(cluster.out(strategic), patched);
    assert_eq!(field(cluster, "deploy web -n patch", "{.spec.template.spec.containers[*].name}"), "log web");
    assert_eq!(
        cluster.out(r#"patch deploy web -n patch --type=merge -p '{"metadata":{"labels":{"tier":"front"}}}'"#),
        patched
    );
    assert_eq!(
        cluster.out(r#"patch deploy web -n patch --type=json -p '[{"op":"remove","path":"/metadata/labels/tier"}]'"#),
        patched
    );
    assert_eq!(field(cluster, "deploy web -n patch", "{.metadata.labels}"), r#"{"app":"web"}"#);
    assert_eq!(
        cluster.err(r#"patch deploy web -n patch --type=json -p '[{"op":"test","path":"/spec/replicas","value":7}]'"#),
        "The request is invalid: the server rejected our request due to an error in our request\n"
    );
    let status = r#"patch deploy web -n patch --subresource=status --type=merge -p '{"status":{"readyReplicas":2}}'"#;
    assert_eq!(cluster.out(status), patched);
    assert_eq!(field(cluster, "deploy web -n patch", "{.status.readyReplicas}"), "2");
}

#[test]
fn labels_annotations_scale_and_image_are_set() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("set"));
    assert_eq!(cluster.out("label pod web-1-bad seen=yes -n set"), "pod/web-1-bad labeled\n");
    assert_eq!(cluster.out("get pods -l seen=yes -n set -o name"), "pod/web-1-bad\n");
    assert_eq!(cluster.out("label pod web-1-bad seen- -n set"), "pod/web-1-bad unlabeled\n");
    assert!(
        cluster
            .err("label pod web-1-bad app=other -n set")
            .contains("already has a value (web), and --overwrite is false")
    );
    assert_eq!(cluster.out("annotate deploy web note=hi -n set"), "deployment.apps/web annotated\n");
    assert_eq!(cluster.out("scale deploy web --replicas=5 -n set"), "deployment.apps/web scaled\n");
    assert_eq!(field(cluster, "deploy web -n set", "{.spec.replicas}"), "5");
    assert!(
        cluster
            .err("scale deploy web --replicas=6 --current-replicas=2 -n set")
            .contains("Expected replicas to be 2, was 5")
    );
    assert_eq!(cluster.out("set image deploy/web web=web:9 -n set"), "deployment.apps/web image updated\n");
    assert_eq!(cluster.out("cordon set-node"), "node/set-node cordoned\n");
    assert!(cluster.out("get node set-node").contains("Ready,SchedulingDisabled"));
}

#[test]
fn rollouts_are_followed_restarted_and_undone() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("rollout"));
    let waiting = cluster.out("rollout status deploy/web -n rollout --watch=false");
    assert_eq!(waiting, "Waiting for deployment \"web\" rollout to finish: 1 of 2 updated replicas are available...\n");
    cluster.out(r#"patch deploy web -n rollout --subresource=status --type=merge -p '{"status":{"availableReplicas":2,"readyReplicas":2}}'"#);
    assert_eq!(cluster.out("rollout status deploy/web -n rollout"), "deployment \"web\" successfully rolled out\n");
    assert_eq!(
        cluster.out("rollout history deploy/web -n rollout"),
        "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n\n"
    );
    assert_eq!(cluster.out("rollout restart deploy/web -n rollout"), "deployment.apps/web restarted\n");
    let annotations = field(cluster, "deploy web -n rollout", "{.spec.template.metadata.annotations}");
    assert!(annotations.contains("kubectl.kubernetes.io/restartedAt"), "{annotations}");
    assert_eq!(cluster.out("rollout pause deploy/web -n rollout"), "deployment.apps/web paused\n");
    assert_eq!(cluster.out("rollout resume deploy/web -n rollout"), "deployment.apps/web resumed\n");
    let mut second = shop("rollout").into_iter().find(|one| one["kind"] == "ReplicaSet").expect("a replica set");
    second["metadata"]["name"] = json!("web-2");
    second["metadata"]["uid"] = json!("rollout-r2");
    second["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("2");
    second["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    cluster.put([second]);
    assert_eq!(cluster.out("rollout undo deploy/web --to-revision=2 -n rollout"), "deployment.apps/web rolled back\n");
    assert_eq!(field(cluster, "deploy web -n rollout", "{.spec.template.spec.containers[0].image}"), "web:2");
}

#[test]
fn waiting_ends_when_it_is_so() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("wait"));
    assert_eq!(
        cluster.out("wait pod/web-1-good --for=condition=Ready -n wait --timeout=5s"),
        "pod/web-1-good condition met\n"
    );
    let path = "wait pod/web-1-bad --for=jsonpath={.status.phase}=Running -n wait --timeout=5s";
    assert_eq!(cluster.out(path), "pod/web-1-bad condition met\n");
    assert_eq!(
        cluster.err("wait pod/web-1-bad --for=condition=Ready -n wait --timeout=1s"),
        "error: timed out waiting for the condition on pods/web-1-bad\n"
    );
    assert_eq!(cluster.out("wait pod/gone --for=delete -n wait --timeout=5s"), "");
}

#[test]
fn an_object_is_replaced_and_a_stale_one_refused() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("replace"));
    let old = cluster.out("get cm settings -n replace -o json");
    assert_eq!(cluster.feed("replace -f -", &old.replace("blue", "red")), "configmap/settings replaced\n");
    let words = ["replace", "-f", "-"].map(str::to_owned);
    let said = cluster.command(&words, Some(&old));
    assert!(said.code != 0 && said.err.contains("the object has been modified"), "{said:?}");
    assert_eq!(field(cluster, "cm settings -n replace", "{.data.color}"), "red");
}

#[test]
fn objects_are_deleted_one_by_one_and_by_label() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("delete"));
    assert_eq!(cluster.out("delete cm settings -n delete"), "configmap \"settings\" deleted\n");
    assert_eq!(
        cluster.err("delete cm settings -n delete"),
        "Error from server (NotFound): configmaps \"settings\" not found\n"
    );
    assert_eq!(cluster.out("delete cm settings -n delete --ignore-not-found"), "");
    let forced = cluster.out("delete pod web-1-bad -n delete --force --grace-period=0");
    assert_eq!(forced, "pod \"web-1-bad\" force deleted\n");
    assert_eq!(cluster.out("delete pods -l app=web -n delete --wait=false"), "pod \"web-1-good\" deleted\n");
    cluster.out("delete deploy web -n delete --cascade=orphan");
    assert_eq!(cluster.out("get rs -n delete -o name"), "replicaset.apps/web-1\n");
}

#[test]
fn custom_resources_are_served_as_soon_as_they_are_defined() {
    let Some(cluster) = cluster() else { return };
    cluster.out("create ns custom");
    let created = "customresourcedefinition.apiextensions.k8s.io/widgets.example.org created\n";
    assert_eq!(cluster.feed("apply -f -", WIDGETS), created);
    let established = cluster.out("wait crd/widgets.example.org --for=condition=Established --timeout=5s");
    assert_eq!(established, "customresourcedefinition.apiextensions.k8s.io/widgets.example.org condition met\n");
    let widget = "
apiVersion: example.org/v1
kind: Widget
metadata: {name: one, namespace: custom}
spec: {replicas: 2, colour: red}
";
    assert_eq!(cluster.feed("apply -f -", widget), "widget.example.org/one created\n");
    assert_eq!(cluster.feed("apply -f -", &widget.replace("red", "blue")), "widget.example.org/one configured\n");
    assert_eq!(cluster.out("get wd -n custom"), "NAME   SIZE\none    2\n");
    assert_eq!(cluster.out("get widget one -n custom -o wide"), "NAME   SIZE   COLOUR\none    2      blue\n");
    assert_eq!(cluster.out("scale widget one --replicas=4 -n custom"), "widget.example.org/one scaled\n");
    assert_eq!(field(cluster, "widget one -n custom", "{.spec.replicas}"), "4");
    assert!(cluster.out("get all -n custom").contains("widget.example.org/one"));
    assert!(cluster.out("describe widget one -n custom").contains("Colour:    blue"));
    assert_eq!(cluster.out("delete widget one -n custom"), "widget.example.org \"one\" deleted\n");
    cluster.out("delete crd widgets.example.org");
    assert!(cluster.err("get widgets -n custom").contains("the server could not find the requested resource"));
}

#[test]
fn mistakes_are_refused_before_they_are_kept() {
    let Some(cluster) = cluster() else { return };
    cluster.put(shop("mistakes"));
    let words = ["apply", "-f", "-"].map(str::to_owned);
    let good = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: typo, namespace: mistakes}
spec:
  replicas: 3
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}
";
    let refused = cluster.command(&words, Some(&good.replace("replicas:", "replica:")));
    assert_eq!(
        refused.err,
        "Error from server (BadRequest): error when creating \"STDIN\": Deployment in version \"v1\" cannot be handled as a \
         Deployment: strict decoding error: unknown field \"spec.replica\"\n"
    );
    let refused = cluster.command(&words, Some(&good.replace('3', "three")));
    assert!(
        refused
            .err
            .contains("json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        "{refused:?}"
    );
    assert_eq!(
        cluster.err(r#"patch deploy web -n mistakes -p '{"spec":{"replicas":"three"}}'"#),
        "The request is invalid: patch: Invalid value: \"map[spec:map[replicas:three]]\": unrecognized type: \
         int32\n"
    );
    assert_eq!(
        cluster.out(r#"patch deploy web -n mistakes -p '{"spec":{"nope":1}}'"#),
        "deployment.apps/web patched (no change)\n"
    );
}
