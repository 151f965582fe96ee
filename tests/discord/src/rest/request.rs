//! A call as it came: route, query, JSON and files.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::answer::plain;
use crate::draft::File;
use crate::error::Refusal;
use crate::id::Id;

/// More than ten files of the largest size, in bytes.
const LARGEST: usize = 128 * 1024 * 1024;

pub(crate) struct Incoming {
    pub(crate) method: String,
    /// The path below the version.
    pub(crate) path: String,
    /// The path with placeholders, such as `/channels/{id}/messages`.
    pub(crate) route: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) files: Vec<File>,
    is_broken: bool,
}

impl Incoming {
    /// Reads a request whole.
    pub(crate) async fn read(request: Request) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let Some(path) = below_version(parts.uri.path()) else {
            return Err(plain(StatusCode::NOT_FOUND, "404: Not Found"));
        };
        let query = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri)
            .map(|query| query.0)
            .unwrap_or_default();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_multipart = kind.starts_with("multipart/form-data");
        let mut incoming = Self {
            method: parts.method.to_string(),
            route: template(&path),
            path,
            query,
            headers: parts.headers.clone(),
            body: Value::Null,
            files: Vec::new(),
            is_broken: false,
        };
        if is_multipart {
            let request = Request::from_parts(parts, body);
            incoming.is_broken = incoming.read_multipart(request).await.is_none();
        } else {
            incoming.read_json(body).await?;
        }
        Ok(incoming)
    }

    async fn read_json(&mut self, body: Body) -> Result<(), Response> {
        let Ok(bytes) = to_bytes(body, LARGEST).await else {
            return Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "Request entity too large"));
        };
        if !bytes.is_empty() {
            match serde_json::from_slice(&bytes) {
                Ok(body) => self.body = body,
                Err(_) => self.is_broken = true,
            }
        }
        Ok(())
    }

    async fn read_multipart(&mut self, request: Request) -> Option<()> {
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let content_type = field.content_type().map(str::to_owned);
            let bytes = field.bytes().await.ok()?;
            if name == "payload_json" {
                self.body = serde_json::from_slice(&bytes).ok()?;
            } else if let Some(file_name) = file_name {
                let next = self.files.len() as u64;
                let number = name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']'));
                let number = number.and_then(|number| number.parse().ok()).unwrap_or(next);
                self.files.push(File { number, name: file_name, content_type, bytes: bytes.to_vec() });
            }
        }
        Some(())
    }

    /// Says what is wrong with the body, if it could not be read.
    pub(crate) fn body_problem(&self) -> Option<Refusal> {
        self.is_broken.then(Refusal::invalid_json)
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// Says whether the call authorises itself: by an interaction's token, or not at all.
    pub(crate) fn needs_no_token(&self) -> bool {
        self.route.starts_with("/interactions/") || self.route.starts_with("/webhooks/") || self.route == "/gateway"
    }

    /// The part of the path whose values have buckets of their own: channel, guild, or webhook with its token.
    pub(crate) fn major(&self) -> String {
        match self.segments().as_slice() {
            ["channels" | "guilds", id, ..] => (*id).to_owned(),
            ["webhooks" | "interactions", id, token, ..] => format!("{id}/{token}"),
            _ => String::new(),
        }
    }

    pub(crate) fn asks(&self, key: &str) -> bool {
        self.query.get(key).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1"))
    }

    pub(crate) fn id(&self, key: &str) -> Option<Id> {
        self.query.get(key)?.parse().ok()
    }
}

/// Cuts what stands before the routes: any prefix, `/api`, and a version.
fn below_version(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let api = segments.iter().position(|segment| *segment == "api")?;
    let mut rest = segments.split_off(api + 1);
    let is_version = |segment: &str| segment.strip_prefix('v').is_some_and(|number| number.parse::<u8>().is_ok());
    if rest.first().is_some_and(|first| is_version(first)) {
        rest.remove(0);
    }
    // discord.js writes `%40original`.
    let rest: Vec<String> = rest.into_iter().map(decoded).collect();
    Some(format!("/{}", rest.join("/")))
}

/// Reads the percent signs of a path's segment.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
        let text = String::from_utf8_lossy(&digits).into_owned();
        bytes.push(u8::from_str_radix(&text, 16).unwrap_or(b'?'));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn template(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    let is_hook = matches!(segments.get(1), Some(&("interactions" | "webhooks")));
    let mut written = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let is_emoji = place > 0 && segments.get(place - 1) == Some(&"reactions");
        written.push(match *segment {
            _ if is_hook && place == 3 => "{token}",
            _ if is_emoji => "{emoji}",
            id if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => "{id}",
            segment => segment,
        });
    }
    written.join("/")
}
