//! Bodies and connections that break.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::answer::{Body, Error};

/// The error of a connection that the other end dropped.
pub(super) fn connection_reset() -> Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection reset by peer").into()
}

/// The body up to so many bytes, then the end of the connection.
pub(super) fn truncate(body: Body, bytes: usize) -> Body {
    let frames = stream::unfold((Some(body), bytes), |(body, left)| async move {
        let mut body = body?;
        let data = next(&mut body).await.filter(|_| left > 0);
        match data {
            Some(Ok(data)) => {
                let sent = data.slice(..left.min(data.len()));
                let left = left - sent.len();
                Some((Ok(Frame::data(sent)), (Some(body), left)))
            }
            Some(Err(error)) => Some((Err(error), (None, 0))),
            None => {
                // A server writes out what it has when it has to wait; an error at once would take the rest with it.
                tokio::task::yield_now().await;
                Some((Err(connection_reset()), (None, 0)))
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// The body in small pieces.
pub(super) fn trickle(body: Body, bytes: usize, pause: Duration) -> Body {
    let frames = stream::unfold((Some(body), Bytes::new()), move |(body, mut rest)| async move {
        let mut body = body?;
        if rest.is_empty() {
            rest = match next(&mut body).await? {
                Ok(data) => data,
                Err(error) => return Some((Err(error), (None, Bytes::new()))),
            };
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(bytes.clamp(1, rest.len().max(1)).min(rest.len()));
        Some((Ok(Frame::data(piece)), (Some(body), rest)))
    });
    StreamBody::new(frames).boxed_unsync()
}

async fn next(body: &mut Body) -> Option<Result<Bytes, Error>> {
    loop {
        match body.frame().await? {
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
