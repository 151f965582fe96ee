//! The API on a socket.

use std::time::Duration;

use kubewhy_sandbox::serve;
use kubewhy_sandbox::{Effect, Fault, Filter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::api::{Api, PATIENCE};

async fn start(api: &Api) -> serve::Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    serve::serve(&api.sandbox, listener).expect("a server")
}

async fn send(server: &serve::Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

/// Everything until the connection ends.
async fn all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_over_the_wire_is_answered() {
    let api = Api::new();
    api.pod("default", "a");
    let server = start(&api).await;
    let get = "GET /api/v1/namespaces/default/pods/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = all(send(&server, get).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("content-type: application/json"), "{answer}");
    assert!(answer.contains("\"name\":\"a\""));
    let nonsense = all(send(&server, "NONSENSE\r\n\r\n").await).await;
    assert!(nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");
    server.stop().await;
}

#[tokio::test]
async fn what_a_web_page_sends_is_refused() {
    let api = Api::new();
    api.pod("default", "a");
    let server = start(&api).await;
    let port = server.address().port();
    let ask = |line: &str, headers: &str| format!("{line} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
    let get = "GET /api/v1/pods";
    let rebound = format!("host: evil.example:{port}\r\n");
    for request in [
        ask(get, &rebound),
        ask(get, "host: 127.0.0.1.evil.example\r\n"),
        ask(get, "host: 192.168.1.7\r\n"),
        ask(get, "host: localhost\r\nhost: evil.example\r\n"),
        ask("GET http://evil.example/api/v1/pods", "host: localhost\r\n"),
        ask("DELETE /api/v1/namespaces/default/pods/a", &rebound),
        ask(get, "host: localhost\r\norigin: https://evil.example\r\n"),
        ask(get, "host: localhost\r\norigin: null\r\n"),
        ask(get, "host: localhost\r\norigin: http://localhost\r\nupgrade: websocket\r\n"),
        ask("OPTIONS /api/v1/pods", "host: localhost\r\norigin: https://evil.example\r\n"),
    ] {
        let answer = all(send(&server, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{request}: {answer}");
        assert!(answer.contains("this API is ") && !answer.contains("access-control"), "{answer}");
    }
    for host in
        [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "LOCALHOST".to_owned()]
    {
        let answer = all(send(&server, &ask(get, &format!("host: {host}\r\n"))).await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
    assert_eq!(api.get("/api/v1/namespaces/default/pods/a").await.0, 200);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_given_up() {
    let api = Api::new();
    let server = start(&api).await;
    let head = send(&server, "GET /api/v1/pods HTTP/1.1\r\nhost: local").await;
    let post = "POST /api/v1/namespaces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{";
    let body = send(&server, post).await;
    for (what, stream, code) in [("head", head, None), ("body", body, Some("408"))] {
        let mut stream = stream;
        let mut answer = Vec::new();
        let end = tokio::time::timeout(Duration::from_mins(10), stream.read_to_end(&mut answer)).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(end.is_ok(), "the {what} is waited for");
        assert!(code.is_none_or(|code| text.starts_with(&format!("HTTP/1.1 {code}"))), "{what}: {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_ends_its_watches() {
    let api = Api::new();
    let server = start(&api).await;
    let address = server.address();
    let mut stream = send(&server, "GET /api/v1/pods?watch=true HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.expect("a head");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.expect("a stop in time");
    assert!(all(stream).await.ends_with("0\r\n\r\n"), "the stream was ended, not cut");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_dropped_connection_is_dropped() {
    let api = Api::new();
    let server = start(&api).await;
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Disconnect));
    let get = "GET /api/v1/pods HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(all(send(&server, get).await).await, "");
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Truncate(5)));
    let cut = all(send(&server, get).await).await;
    assert!(cut.contains("200 OK") && !cut.ends_with("0\r\n\r\n"), "{cut}");
    server.stop().await;
}

#[tokio::test]
async fn a_kubeconfig_leads_to_the_server() {
    let api = Api::new();
    let server = start(&api).await;
    let text = serve::kubeconfig(server.address());
    let config = kube::config::Kubeconfig::from_yaml(&text).expect("a kubeconfig");
    let mut config = kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default())
        .await
        .expect("a config");
    config.default_retry = false;
    let client = kube::Client::try_from(config).expect("a client");
    assert_eq!(client.apiserver_version().await.expect("a version").minor, "34");
    server.stop().await;
}

#[tokio::test]
async fn who_knew_a_run_before_is_told_to_list_again() {
    let api = Api::new();
    let known = api.sandbox.revision();
    api.sandbox.skip_to_revision(1_800_000_000_000);
    api.pod("default", "a");
    let watch = |revision: u64| format!("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion={revision}");
    let server = start(&api).await;
    let ask = |path: String| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let stale = all(send(&server, &ask(watch(known))).await).await;
    assert!(stale.contains("\"code\":410"), "{stale}");
    let fresh = all(send(&server, &ask(watch(1_800_000_000_000))).await).await;
    assert!(fresh.contains("ADDED") && !fresh.contains("410"), "{fresh}");
    server.stop().await;
}
