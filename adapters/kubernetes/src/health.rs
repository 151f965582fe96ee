//! The API server's health endpoints and its version: what answers an ask for the cluster itself.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::client::Body;
use kubewhy_diagnosis::ask::Answer;
use kubewhy_diagnosis::health::{self, Endpoint};
use kubewhy_diagnosis::kind::Object;
use serde_json::Value;

use crate::answer::deepest;
use crate::request;
use crate::{Cluster, REQUEST_TIMEOUT};

/// How much of a body is kept: a line for each check, some 60 of them.
const MOST: usize = 64 * 1024;

/// What a GET brought: status and body, or the transport's last word.
type Got = Result<(u16, String), String>;

impl Cluster {
    /// The cluster as its API server shows it. Forbidden where the role lets none of it through.
    pub(crate) async fn health(&self, name: &str) -> Answer {
        let verbose = BTreeMap::from([("verbose", String::new())]);
        let none = BTreeMap::new();
        let (readyz, livez, version) = futures::future::join3(
            self.look("/readyz", &verbose),
            self.look("/livez", &verbose),
            self.look("/version", &none),
        )
        .await;
        let all = [&readyz, &livez, &version];
        if all.iter().all(|got| matches!(got, Ok((403, _)))) {
            return Answer::Forbidden("the role has no right to GET /readyz, /livez and /version".to_owned());
        }
        let silence = all.iter().find_map(|got| got.as_ref().err());
        let unreachable = silence.filter(|_| all.iter().all(|got| got.is_err())).cloned();
        let cluster = health::Cluster {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            version: version.ok().filter(|(status, _)| *status == 200).and_then(|(_, body)| version_of(&body)),
            readyz: endpoint(readyz),
            livez: endpoint(livez),
            unreachable,
        };
        Answer::Object(Object::Cluster(std::sync::Arc::new(cluster)))
    }

    /// One GET, whose body counts whatever its status is.
    async fn look(&self, path: &str, query: &BTreeMap<&str, String>) -> Got {
        self.turn().await;
        let request = http::Request::get(request::url(path, query))
            .header(http::header::ACCEPT, "application/json, text/plain")
            .body(Body::from(Vec::new()))
            .map_err(|error| error.to_string())?;
        let whole = async {
            let response = self.client.send(request).await.map_err(|error| deepest(&error))?;
            let status = response.status().as_u16();
            let body = self::body(response.into_body()).await?;
            Ok((status, body))
        };
        let silent = |_| Err(format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()));
        tokio::time::timeout(REQUEST_TIMEOUT, whole).await.unwrap_or_else(silent)
    }
}

/// A body up to its bound; what is beyond is left.
async fn body(body: Body) -> Result<String, String> {
    use http_body_util::BodyExt as _;
    let mut body = body;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| deepest(&error))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() >= MOST {
            bytes.truncate(MOST);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The answer of a health endpoint; none where the role does not let it through: nothing follows from that.
fn endpoint(got: Got) -> Option<Endpoint> {
    let (status, body) = got.ok().filter(|(status, _)| *status != 403)?;
    Some(Endpoint { status, body })
}

fn version_of(body: &str) -> Option<String> {
    let version: Value = serde_json::from_str(body).ok()?;
    version.get("gitVersion")?.as_str().map(str::to_owned)
}
