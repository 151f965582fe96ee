//! Frames: JSON as text, or compressed as the client asked.

use std::io::Write as _;

use axum::body::Bytes;
use axum::extract::ws::Message;
use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::Value;

/// Payloads from this size on are compressed where each is on its own; small ones stay text, as at Discord.
const WORTH_COMPRESSING: usize = 512;

/// How a connection compresses.
pub(crate) enum Compressing {
    /// Not at all.
    Never,
    /// Large payloads, each on its own (`compress` of the identify).
    Payloads,
    /// Everything, as one stream (`compress=zlib-stream` of the address).
    Stream(Box<Compress>),
}

impl Compressing {
    /// The whole-stream way.
    pub(crate) fn stream() -> Self {
        Self::Stream(Box::new(Compress::new(Compression::default(), true)))
    }

    /// Writes a payload as a frame.
    pub(crate) fn frame(&mut self, payload: &Value) -> Message {
        let text = payload.to_string();
        match self {
            Self::Payloads if text.len() >= WORTH_COMPRESSING => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
                    Ok(bytes) => Message::Binary(Bytes::from(bytes)),
                    Err(_) => Message::text(text),
                }
            }
            Self::Stream(stream) => Message::Binary(Bytes::from(deflate(stream, text.as_bytes()))),
            Self::Never | Self::Payloads => Message::text(text),
        }
    }
}

/// Compresses one payload so that the other side can read it at once; ends with `00 00 ff ff`.
fn deflate(stream: &mut Compress, mut input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len() + 64);
    loop {
        let before = stream.total_in();
        let _ = stream.compress_vec(input, &mut output, FlushCompress::Sync);
        let taken = usize::try_from(stream.total_in() - before).unwrap_or(usize::MAX);
        input = input.get(taken..).unwrap_or_default();
        // Room left means that everything was written, the marker too.
        if input.is_empty() && output.len() < output.capacity() {
            return output;
        }
        output.reserve(input.len() + 64);
    }
}
