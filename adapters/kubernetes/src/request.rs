//! Paths, queries and forms of the requests that are sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kubewhy_diagnosis::kind::Kind;

/// How many objects a page may hold.
pub(crate) const PAGE: &str = "500";
/// How many pages of one list are read.
pub(crate) const MAX_PAGES: usize = 20;
/// How many lines of a log are asked for.
pub(crate) const LOG_LINES: &str = "500";
/// How many bytes of a log are asked for. The server cuts the end off, so that a log which reaches the bound is asked for
/// again with fewer lines.
pub(crate) const LOG_BYTES: usize = 1 << 20;

/// In which form the server is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole objects.
    Whole,
    /// The metadata of a list.
    MetadataList,
    /// What the server has: all groups in one document, where it can.
    Discovery,
    /// A table with the metadata of each row: for Secrets, whose data must not be sent.
    Table,
}

impl Form {
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Whole => "application/json",
            Self::MetadataList => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Self::Discovery => {
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                 application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
            }
            Self::Table => "application/json;as=Table;g=meta.k8s.io;v=v1",
        }
    }
}

/// The path of a kind's collection, in a namespace or across all.
pub(crate) fn collection(kind: Kind, namespace: Option<&str>) -> String {
    let api = kind.api_version();
    let root = if api.contains('/') { format!("/apis/{api}") } else { format!("/api/{api}") };
    match namespace.filter(|_| kind.is_namespaced()) {
        Some(namespace) => format!("{root}/namespaces/{}/{}", segment(namespace), kind.plural()),
        None => format!("{root}/{}", kind.plural()),
    }
}

/// The path of an object.
pub(crate) fn object(kind: Kind, namespace: Option<&str>, name: &str) -> String {
    format!("{}/{}", collection(kind, namespace), segment(name))
}

/// A path with its query, percent-encoded.
pub(crate) fn url(path: &str, query: &BTreeMap<&str, String>) -> String {
    let pairs: Vec<String> = query.iter().map(|(key, value)| format!("{key}={}", segment(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Names come from a person or a cluster: everything but unreserved characters is encoded, so that none can leave its place.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && !text.trim_matches('.').is_empty())
        {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        assert_eq!(object(Kind::Pod, Some("shop"), "../secrets/x"), "/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx");
        assert_eq!(object(Kind::Pod, Some("shop"), ".."), "/api/v1/namespaces/shop/pods/%2E%2E");
        assert_eq!(
            object(Kind::Deployment, Some("shop"), "cart.v1"),
            "/apis/apps/v1/namespaces/shop/deployments/cart.v1"
        );
        assert_eq!(object(Kind::Node, Some("ignored"), "n"), "/api/v1/nodes/n");
    }

    #[test]
    fn queries_are_encoded() {
        let query = BTreeMap::from([("fieldSelector", "a=b,c!=d".to_owned())]);
        assert_eq!(url("/x", &query), "/x?fieldSelector=a%3Db%2Cc%21%3Dd");
    }
}
