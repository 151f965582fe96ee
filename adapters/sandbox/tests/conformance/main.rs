//! The sandbox beside a real kube-apiserver: the same requests to both, their answers compared.
//!
//! What a real 1.34 answered is committed (`conformance/recorded-1.34.json`). `KUBEWHY_APISERVER=https://HOST:PORT`
//! (with `KUBEWHY_APISERVER_TOKEN`) asks a real one again and says whether the recording still holds;
//! `KUBEWHY_RECORD=1` rewrites it. That server's certificate is not checked and namespaces stay behind in it: give it a
//! throw-away one, without controllers, so that nothing but the requests changes anything.
#![expect(clippy::panic, clippy::print_stderr, reason = "a test speaks so")]

mod compare;
mod send;
mod shape;
mod suite;
mod table;

use std::io::Write as _;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use hyper_util::rt::TokioExecutor;
use kube::{Client, Config, client::ConfigExt};
use kubewhy_sandbox::{Clock, Rule, Sandbox};
use send::{Answers, Server};
use tower::ServiceBuilder;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn recording() -> BTreeMap<String, Answers> {
    let text = fs::read_to_string(folder().join("recorded-1.34.json")).expect("the recording can be read");
    serde_json::from_str(&text).expect("the recording is JSON")
}

/// The real server, where the environment names one.
fn live() -> Option<Server> {
    let address = env::var("KUBEWHY_APISERVER").ok()?;
    let mut config = Config::new(address.parse().expect("KUBEWHY_APISERVER is a URL"));
    config.accept_invalid_certs = true;
    let connector = config.rustls_https_connector().expect("a connector to the real server");
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    // Without the layers of a kube client, which send a refused request again.
    let service = ServiceBuilder::new().layer(config.base_uri_layer()).service(http);
    let client = Client::new(service, "default");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    let run = format!("r{:08x}", now.as_secs() & 0xffff_ffff);
    Some(Server { client, token: env::var("KUBEWHY_APISERVER_TOKEN").ok(), run })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recording_holds_on_the_real_server() {
    let Some(server) = live() else {
        eprintln!("not asked: KUBEWHY_APISERVER names no server");
        return;
    };
    let areas = suite::load(&folder());
    let answers = server.ask(&areas).await;
    if env::var_os("KUBEWHY_RECORD").is_some() {
        let text = serde_json::to_string_pretty(&answers).expect("answers are JSON");
        fs::write(folder().join("recorded-1.34.json"), text + "\n").expect("the recording can be written");
        return;
    }
    let differing = compare::differing(&areas, &recording(), &answers, compare::Whole::Exact);
    assert!(differing.is_empty(), "the real server answers otherwise than recorded:\n{}", differing.join("\n"));
}

/// Gives the viewer of `roles.yaml` the rules that the real server reads from a role.
fn restrict_viewer(sandbox: &Sandbox, areas: &[suite::Area], run: &str) {
    let area = areas.iter().find(|area| area.name == "roles").expect("there is an area of roles");
    let rules = area.variables.get("rules").and_then(serde_json::Value::as_str).expect("the rules are text");
    let rules: serde_json::Value = serde_json::from_str(rules).expect("the rules are JSON");
    let role = serde_json::json!({"metadata": {"namespace": format!("conf-roles-{run}")}, "rules": rules});
    sandbox.restrict_user("conf-viewer", Rule::of_role(&role));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_answers_like_the_real_server() {
    let areas = suite::load(&folder());
    let sandbox = Sandbox::new(Clock::system());
    // The real one had been restarted: what was before is too old to be watched.
    sandbox.compact();
    let client = Client::new(sandbox.service(), "default");
    let server = Server { client, token: None, run: "r00000000".to_owned() };
    restrict_viewer(&sandbox, &areas, &server.run);
    let answers = server.ask(&areas).await;
    let outcome = table::outcome(&areas, &recording(), &answers);
    let (equal, all) = outcome.equal;
    // Written past the test runner, which would keep the words of a test that passes.
    let told = format!("conformance: {equal} of {all} requests are answered as a real API server answered them\n");
    let _ = std::io::stderr().write_all(told.as_bytes());
    assert!(outcome.unstated.is_empty(), "differ, and nothing says why:\n{}", outcome.unstated.join("\n"));
    assert!(outcome.unfounded.is_empty(), "stated to differ, and do not:\n{}", outcome.unfounded.join("\n"));
    let stale = table::refresh(&folder().join("README.md"), &outcome.text);
    assert!(!stale, "the table in conformance/README.md was stale; it is written anew");
}
