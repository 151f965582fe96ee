//! Who is let in: programs on this machine, no web page.
//!
//! A browser on this machine can be made to send requests here by any page: directly, which its `Origin` header tells, or
//! under a name of the page's own that suddenly means loopback, which the `Host` header tells.

use std::future::ready;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::answer::{self, Body, Error};
use crate::service::Service;
use crate::status::Status;

/// The API for those that are let in.
#[derive(Clone)]
pub(super) struct Gate(pub(super) Service);

impl tower::Service<Request<Incoming>> for Gate {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (head, body) = request.into_parts();
        match check(&head) {
            Ok(()) => tower::Service::call(&mut self.0, Request::from_parts(head, body)),
            Err(status) => Box::pin(ready(Ok(answer::refusal(&status)))),
        }
    }
}

/// Refuses what a web page sent.
///
/// # Errors
/// 403 where the request was for another name than one of loopback, or comes from a page.
fn check(head: &Parts) -> Result<(), Status> {
    if head.headers.contains_key(ORIGIN) {
        return Err(forbidden("this API is not for web pages: requests with an Origin header are refused".to_owned()));
    }
    let named = head.headers.get_all(HOST).iter().map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let meant = head.uri.authority().map(Authority::to_string);
    match named.chain(meant).find(|host| !is_loopback(host)) {
        Some(other) => {
            let shown: String = other.chars().filter(|letter| !letter.is_control()).take(100).collect();
            Err(forbidden(format!(
                "this API is for this machine only: the host \"{shown}\" is no name of loopback, use localhost or 127.0.0.1"
            )))
        }
        None => Ok(()),
    }
}

fn forbidden(message: String) -> Status {
    Status::new(403, "Forbidden", message)
}

/// Whether a host, with its port or without, can only mean this machine.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.trim().parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_is_loopback() {
        for host in ["localhost", "LocalHost:8001", "127.0.0.1", "127.0.0.1:8001", "127.1.2.3:1", "[::1]", "[::1]:8001"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":8001",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:8001",
            "localhost@example.org",
            "0.0.0.0:8001",
            "10.0.0.1",
            "[::2]",
            "local host",
            "localhost,example.org",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
