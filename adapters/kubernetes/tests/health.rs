//! The API server's health endpoints, asked of a server on the loopback: what is kept of each answer.

#![expect(clippy::panic, reason = "tests fail by a panic")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use kubewhy_diagnosis::ask::{Answer, Ask};
use kubewhy_diagnosis::health;
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_kubernetes::{Cluster, Connection};

/// A server that answers each path by its script, connection by connection.
fn serve(script: fn(&str) -> (u16, &'static str)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).unwrap_or(0);
                request.truncate(read);
                let request = String::from_utf8_lossy(&request).into_owned();
                let (code, body) = script(request.split(' ').nth(1).unwrap_or_default());
                let head = format!("HTTP/1.1 {code} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            });
        }
    });
    address
}

/// A connection to that address, by a kubeconfig of its own.
async fn connect(address: SocketAddr, name: &str) -> Cluster {
    let path: PathBuf = std::env::temp_dir().join(format!("kubewhy-health-{}-{name}", std::process::id()));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\nclusters: [{{name: lab, cluster: {{server: 'http://{address}'}}}}]\n\
         contexts: [{{name: lab, context: {{cluster: lab, user: me}}}}]\nusers: [{{name: me, user: {{}}}}]\n"
    );
    std::fs::write(&path, text).expect("a kubeconfig");
    let connection = Connection { kubeconfig: Some(path.clone()), ..Connection::default() };
    let cluster = Cluster::connect(&connection).await.expect("a client");
    std::fs::remove_file(path).expect("the kubeconfig goes");
    cluster
}

async fn ask(cluster: &Cluster) -> Answer {
    let ask = Ask::Get { kind: Kind::Cluster, namespace: None, name: "lab".to_owned() };
    cluster.answer(vec![ask]).await.remove(0).1
}

fn cluster_of(answer: Answer) -> health::Cluster {
    match answer {
        Answer::Object(Object::Cluster(cluster)) => (*cluster).clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bodies_of_failed_checks_are_kept() {
    let address = serve(|path| match path {
        path if path.starts_with("/readyz?verbose") => {
            (500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n")
        }
        path if path.starts_with("/livez?verbose") => (200, "[+]ping ok\nlivez check passed\n"),
        "/version" => (200, r#"{"major": "1", "minor": "34", "gitVersion": "v1.34.1"}"#),
        _ => (404, ""),
    });
    let cluster = connect(address, "checks").await;
    let found = cluster_of(ask(&cluster).await);
    let readyz = found.readyz.expect("an answer");
    assert_eq!((readyz.status, readyz.failed().map(|(check, _)| check).collect::<Vec<_>>()), (500, vec!["etcd"]));
    assert_eq!(found.livez.expect("an answer").status, 200);
    assert_eq!((found.version.as_deref(), found.unreachable), (Some("v1.34.1"), None));
    assert_eq!(cluster.requests(), 3);
}

#[tokio::test]
async fn a_narrow_role_leaves_fields_open_and_is_told_where_nothing_comes_through() {
    let narrow = serve(|path| if path == "/version" { (200, r#"{"gitVersion": "v1.34.1"}"#) } else { (403, "{}") });
    let found = cluster_of(ask(&connect(narrow, "narrow").await).await);
    assert_eq!((found.readyz, found.livez, found.version.as_deref()), (None, None, Some("v1.34.1")));
    let closed = serve(|_| (403, "{}"));
    assert!(matches!(ask(&connect(closed, "closed").await).await, Answer::Forbidden(why) if why.contains("/readyz")));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let found = cluster_of(ask(&connect(address, "gone").await).await);
    let why = found.unreachable.expect("a reason");
    assert!(why.to_lowercase().contains("refused"), "{why}");
    assert_eq!((found.readyz, found.livez), (None, None));
}
