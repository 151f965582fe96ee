//! The `log` subresource: what an API server checks, and what a kubelet then does.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use super::Request;
use crate::answer::{Answer, Error, full};
use crate::handle::Sandbox;
use crate::logs::Line;
use crate::object::{elements, text};
use crate::status::{Cause, Status};

/// Reads or follows the log of a container.
pub(super) fn read(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let options = Options::read(request)?;
    let pod = {
        let store = sandbox.store();
        store.at(&request.place()).cloned().ok_or_else(|| request.not_found())?
    };
    let container = container(&pod, request.query.get("container"))?;
    if text(&pod, "/spec/nodeName").is_empty() {
        return Ok(Answer::Empty);
    }
    let source = Source {
        namespace: request.target.namespace.clone(),
        pod: request.target.name.clone(),
        container,
        previous: options.previous,
    }
    .between_runs(sandbox, &pod);
    source.check_started(sandbox, &pod)?;
    let (lines, position) = source.lines(sandbox, 0);
    let text = options.cut(lines);
    if !options.follow || options.previous {
        return Ok(Answer::Stream("text/plain", full(text)));
    }
    let follower = Follower {
        changes: sandbox.logs().changes(),
        closed: sandbox.closing(),
        sandbox: sandbox.clone(),
        source,
        position,
        left: options.limit_bytes.map(|limit| limit.saturating_sub(text.len())),
        timestamps: options.timestamps,
        ready: VecDeque::from([Bytes::from(text)]),
    };
    let frames = stream::unfold(follower, |mut follower| async move {
        let bytes = follower.next().await?;
        Some((Ok::<_, Error>(Frame::data(bytes)), follower))
    });
    Ok(Answer::Stream("text/plain", StreamBody::new(frames).boxed_unsync()))
}

/// What part of a log is asked for.
struct Options {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail_lines: Option<usize>,
    limit_bytes: Option<usize>,
    since: Option<Timestamp>,
}

impl Options {
    fn read(request: &Request) -> Result<Self, Status> {
        let query = &request.query;
        let numbers =
            ["tailLines", "limitBytes", "sinceSeconds"].map(|name| query.number(name).map(|value| (name, value)));
        let mut causes = Vec::new();
        let mut values = Vec::new();
        for number in numbers {
            let (name, value) = number?;
            let (least, detail) = if name == "tailLines" {
                (0, "must be greater than or equal to 0")
            } else {
                (1, "must be greater than 0")
            };
            if let Some(wrong) = value.filter(|value| *value < least) {
                causes.push(Cause::invalid(name, &wrong.into(), detail));
            }
            values.push(value);
        }
        let (seconds, time) = (values.pop().flatten(), query.get("sinceTime"));
        if seconds.is_some() && !time.is_empty() {
            causes.push(Cause::forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
        }
        if query.has("stream") {
            causes.push(Cause::forbidden("stream", "may not be specified"));
        }
        if !causes.is_empty() {
            return Err(Status::invalid("", "PodLogOptions", &request.target.name, causes));
        }
        let since = match seconds {
            Some(seconds) => request.now.checked_sub(SignedDuration::from_secs(seconds)).ok(),
            None if time.is_empty() => None,
            None => Some(time.parse().map_err(|_| {
                Status::bad_request(format!("parsing time \"{time}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse"))
            })?),
        };
        let mut size = || values.pop().flatten().and_then(|value| usize::try_from(value).ok());
        let limit_bytes = size();
        Ok(Self {
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            timestamps: query.flag("timestamps"),
            limit_bytes,
            tail_lines: size(),
            since,
        })
    }

    fn cut(&self, lines: Vec<Line>) -> String {
        let skipped = self.tail_lines.map_or(0, |tail| lines.len().saturating_sub(tail));
        let recent = lines.into_iter().skip(skipped).filter(|line| self.since.is_none_or(|since| line.at >= since));
        let mut shown = String::new();
        for line in recent {
            shown.push_str(&show(&line, self.timestamps));
            if self.limit_bytes.is_some_and(|limit| shown.len() >= limit) {
                break;
            }
        }
        if let Some(limit) = self.limit_bytes {
            truncate(&mut shown, limit);
        }
        shown
    }
}

/// Cuts a text to so many bytes, between two characters.
fn truncate(text: &mut String, limit: usize) {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

fn show(line: &Line, timestamps: bool) -> String {
    if timestamps {
        format!("{} {}\n", line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"), line.text)
    } else {
        format!("{}\n", line.text)
    }
}

/// The container that is meant, by name or because there is no other.
pub(super) fn container(pod: &Value, asked: &str) -> Result<String, Status> {
    let names = |list: &str| -> Vec<&str> {
        elements(pod, &format!("/spec/{list}")).iter().map(|container| text(container, "/name")).collect()
    };
    let [containers, init, ephemeral] = ["containers", "initContainers", "ephemeralContainers"].map(names);
    let name = crate::object::meta(pod, "name");
    if !asked.is_empty() {
        let known = [&containers, &init, &ephemeral].into_iter().flatten().any(|one| *one == asked);
        let wrong = || Status::bad_request(format!("container {asked} is not valid for pod {name}"));
        return if known { Ok(asked.to_owned()) } else { Err(wrong()) };
    }
    let only = match containers.as_slice() {
        [only] => *only,
        [] => return Err(Status::bad_request(format!("a container name must be specified for pod {name}"))),
        _ => {
            let default = pod.pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container");
            let default = default.and_then(Value::as_str).filter(|default| containers.contains(default));
            match default {
                Some(default) => default,
                None => return Err(ambiguous(name, &containers, &init, &ephemeral)),
            }
        }
    };
    Ok(only.to_owned())
}

fn ambiguous(pod: &str, containers: &[&str], init: &[&str], ephemeral: &[&str]) -> Status {
    let names = [init, containers, ephemeral].concat().join(" ");
    Status::bad_request(format!("a container name must be specified for pod {pod}, choose one of: [{names}]"))
}

/// One run of one container.
struct Source {
    namespace: String,
    pod: String,
    container: String,
    previous: bool,
}

impl Source {
    fn lines(&self, sandbox: &Sandbox, position: usize) -> (Vec<Line>, usize) {
        sandbox.logs().from(&self.namespace, &self.pod, &self.container, self.previous, position)
    }

    /// A container that has ended and not yet begun again: its log is that of the run that ended.
    fn between_runs(mut self, sandbox: &Sandbox, pod: &Value) -> Self {
        let has = |previous| sandbox.logs().has(&self.namespace, &self.pod, &self.container, previous);
        let ended = status_of(pod, &self.container).is_some_and(|status| {
            status.pointer("/state/waiting").is_some() && status.pointer("/lastState/terminated").is_some()
        });
        if ended && !has(false) && has(true) {
            self.previous = true;
        }
        self
    }

    /// Refuses, as a kubelet does, the log of a run that there is not.
    fn check_started(&self, sandbox: &Sandbox, pod: &Value) -> Result<(), Status> {
        let Self { namespace, pod: pod_name, container, previous } = self;
        if sandbox.logs().has(namespace, pod_name, container, *previous) {
            return Ok(());
        }
        let status = status_of(pod, container);
        if *previous {
            let ended = status.is_some_and(|status| status.pointer("/lastState/terminated").is_some());
            if ended {
                return Ok(());
            }
            let message = format!("previous terminated container \"{container}\" in pod \"{pod_name}\" not found");
            return Err(Status::bad_request(message));
        }
        let waiting = match status {
            None => Some(""),
            Some(status) if status.pointer("/lastState/terminated").is_some() => None,
            Some(status) => status.pointer("/state/waiting").map(|waiting| text(waiting, "/reason")),
        };
        let Some(reason) = waiting else { return Ok(()) };
        let start = format!("container \"{container}\" in pod \"{pod_name}\" is");
        Err(Status::bad_request(match reason {
            "" => format!("{start} not available"),
            reason if reason.contains("ImagePull") || reason == "InvalidImageName" => {
                format!("{start} waiting to start: {}", pull_problem(reason))
            }
            reason => format!("{start} waiting to start: {reason}"),
        }))
    }

    /// Whether the run can still write something.
    fn goes_on(&self, sandbox: &Sandbox) -> bool {
        let store = sandbox.store();
        let pods = crate::store::ShelfName::new("", "pods");
        let Some(pod) = store.get(&pods, &self.namespace, &self.pod) else { return false };
        let ended = status_of(pod, &self.container).is_some_and(|status| status.pointer("/state/terminated").is_some());
        !ended && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
    }
}

/// A kubelet says these in its own words.
fn pull_problem(reason: &str) -> &str {
    match reason {
        "ImagePullBackOff" | "ErrImagePull" => "trying and failing to pull image",
        "InvalidImageName" => "image name is invalid",
        other => other,
    }
}

fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let mut all = lists.into_iter().flat_map(|list| elements(pod, &format!("/status/{list}")));
    all.find(|status| text(status, "/name") == container)
}

/// A log that is followed.
struct Follower {
    sandbox: Sandbox,
    source: Source,
    changes: watch::Receiver<()>,
    closed: watch::Receiver<u64>,
    position: usize,
    /// How many bytes may still be sent; `None` for all.
    left: Option<usize>,
    timestamps: bool,
    ready: VecDeque<Bytes>,
}

impl Follower {
    /// The next lines; `None` when the container ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front().filter(|bytes| !bytes.is_empty()) {
                return Some(bytes);
            }
            if self.left == Some(0) {
                return None;
            }
            self.changes.borrow_and_update();
            let goes_on = self.source.goes_on(&self.sandbox);
            let (lines, position) = self.source.lines(&self.sandbox, self.position);
            self.position = position;
            if !lines.is_empty() {
                self.take(&lines);
                continue;
            }
            if !goes_on {
                return None;
            }
            tokio::select! {
                // Both receivers only look at a value: nothing is lost when the other arm wins.
                changed = self.changes.changed() => changed.ok()?,
                _ = self.closed.changed() => return None,
            }
        }
    }

    fn take(&mut self, lines: &[Line]) {
        let mut text: String = lines.iter().map(|line| show(line, self.timestamps)).collect();
        if let Some(left) = &mut self.left {
            truncate(&mut text, *left);
            *left = left.saturating_sub(text.len().max(1));
        }
        self.ready.push_back(text.into());
    }
}
