//! `[http]`.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::review::{Review, shown};

/// `[http]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawHttp {
    listen: String,
}

impl Default for RawHttp {
    fn default() -> Self {
        Self { listen: Http::default().listen.to_string() }
    }
}

/// The server of `/healthz` and `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)) }
    }
}

pub(super) fn resolve(raw: &RawHttp, review: &mut Review) -> Http {
    let Ok(listen) = raw.listen.parse() else {
        review.problem(
            "http.listen",
            format!("{} is no address with a port", shown(&raw.listen)),
            "write an IP address and a port, such as \"127.0.0.1:8080\", or \"0.0.0.0:8080\" for probes from outside",
        );
        return Http::default();
    };
    Http { listen }
}
