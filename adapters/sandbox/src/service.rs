//! The API as a tower service: from a request to an answer, with access, faults and journal around it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::access::{Attributes, User};
use crate::answer::{self, Answer, Body, Error, Form};
use crate::call::{Call, Verb};
use crate::discovery;
use crate::faults::{Effect, WatchFault};
use crate::handle::Sandbox;
use crate::journal::{self, Entry, Preconditions};
use crate::resources::Registry;
use crate::status::Status;
use crate::store::changes_of_this_thread;
use crate::verbs;

mod broken;

/// The largest body that is read.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// How long a client may take for the body of a request.
const BODY_PATIENCE: Duration = Duration::from_mins(1);

/// The API of a sandbox as a service of HTTP requests. Clones serve the same sandbox.
#[derive(Clone, Debug)]
pub struct Service {
    sandbox: Sandbox,
}

impl Service {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let sandbox = self.sandbox.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let read = tokio::time::timeout(BODY_PATIENCE, Limited::new(body, LARGEST_BODY).collect()).await;
            let body = match read {
                Ok(Ok(body)) => body.to_bytes(),
                Ok(Err(error)) if error.is::<LengthLimitError>() => return Ok(answer::refusal(&too_large())),
                // The client is gone, or as good as gone.
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(answer::refusal(&too_slow())),
            };
            let body = match crate::protobuf::as_json(&mut head.headers, body) {
                Ok(body) => body,
                Err(status) => return Ok(answer::refusal(&status)),
            };
            handle(&sandbox, &head, body).await
        })
    }
}

fn too_large() -> Status {
    Status::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {LARGEST_BODY}"))
}

fn too_slow() -> Status {
    let seconds = BODY_PATIENCE.as_secs();
    Status::new(408, "Timeout", format!("the body of the request did not come within {seconds} s"))
}

/// What the faults leave to do after the request was handled.
#[derive(Default)]
struct Afterwards {
    refusal: Option<Status>,
    disconnect: bool,
    truncate: Option<usize>,
    trickle: Option<(usize, Duration)>,
    stale: Option<u64>,
    watch: Vec<WatchFault>,
}

async fn handle(sandbox: &Sandbox, head: &http::request::Parts, body: Bytes) -> Result<Response<Body>, Error> {
    let call = match Call::parse(&head.method, &head.uri) {
        Ok(call) => call,
        Err(status) if head.method == http::Method::HEAD => {
            return Ok(answer::refusal(&status).map(|_| answer::full(Bytes::new())));
        }
        Err(status) => return Ok(answer::refusal(&status)),
    };
    let mut afterwards = Afterwards::default();
    let effects = sandbox.faults().meet(&call, &body);
    for effect in effects {
        match effect {
            Effect::Refuse(status) => {
                note(sandbox, &call, head, &body, status.code, &status.reason, false);
                return Ok(answer::refusal(&status));
            }
            Effect::Disconnect => {
                note(sandbox, &call, head, &body, 0, "", false);
                return Err(broken::connection_reset());
            }
            Effect::Delay(time) => tokio::time::sleep(time).await,
            Effect::Hang => std::future::pending().await,
            Effect::Meanwhile(hook) => hook.run(sandbox),
            Effect::RefuseAfterwards(status) => afterwards.refusal = Some(status),
            Effect::DisconnectAfterwards => afterwards.disconnect = true,
            Effect::Truncate(bytes) => afterwards.truncate = Some(bytes),
            Effect::Trickle(bytes, pause) => afterwards.trickle = Some((bytes, pause)),
            Effect::Stale(revision) => afterwards.stale = Some(revision),
            Effect::Watch(fault) => afterwards.watch.push(fault),
        }
    }
    Ok(finish(answer_call(sandbox, &call, head, &body, &afterwards)?, &afterwards))
}

/// Answers a request that reached the server.
fn answer_call(
    sandbox: &Sandbox,
    call: &Call,
    head: &http::request::Parts,
    body: &Bytes,
    afterwards: &Afterwards,
) -> Result<Response<Body>, Error> {
    let now = sandbox.now();
    let accept = header(&head.headers, "accept");
    let collection = matches!(call.verb, Verb::List | Verb::Watch | Verb::DeleteCollection);
    // A refusal of the form is one of the request, in its turn.
    let form = Form::of(accept, &call.query, collection);
    let before = changes_of_this_thread();
    let result = attend(sandbox, call, head, body, form.clone(), afterwards);
    let (code, reason) = match &result {
        Ok(Answer::Object(code, ..) | Answer::Document(code, _) | Answer::Text(code, _)) => (*code, String::new()),
        Ok(_) => (200, String::new()),
        Err(status) => (status.code, status.reason.to_string()),
    };
    let applied = changes_of_this_thread() != before;
    match &afterwards.refusal {
        _ if afterwards.disconnect => {
            note(sandbox, call, head, body, 0, "", applied);
            return Err(broken::connection_reset());
        }
        Some(status) => {
            note(sandbox, call, head, body, status.code, &status.reason, applied);
            return Ok(answer::refusal(status));
        }
        None => note(sandbox, call, head, body, code, &reason, applied),
    }
    Ok(answer::respond(result, form.unwrap_or(Form::Object), now))
}

/// Who may, what is meant, what is done.
fn attend(
    sandbox: &Sandbox,
    call: &Call,
    head: &http::request::Parts,
    body: &Bytes,
    form: Result<Form, Status>,
    afterwards: &Afterwards,
) -> Result<Answer, Status> {
    let user = admit(sandbox, call, &head.headers)?;
    let registry = sandbox.registry();
    let Some(target) = &call.target else { return about_server(sandbox, call, head) };
    let resource = registry
        .find(&target.group, &target.version, &target.plural)
        .ok_or_else(|| nothing_there(&registry, &target.group))?;
    let request = verbs::Request {
        verb: call.verb,
        target: target.clone(),
        query: call.query.clone(),
        resource,
        user,
        form: form?,
        content_type: header(&head.headers, "content-type").to_owned(),
        body: body.clone(),
        stale: afterwards.stale,
        watch_faults: afterwards.watch.clone(),
        now: sandbox.now(),
    };
    if sandbox.needs_guards() {
        check_guards(call, body)?;
    }
    verbs::answer(sandbox, &request)
}

/// Finds out who asks and whether they may.
fn admit(sandbox: &Sandbox, call: &Call, headers: &HeaderMap) -> Result<User, Status> {
    let mut access = sandbox.access();
    let user = access.user(headers)?;
    let asked = Attributes::of(call);
    // Everybody may ask what they may do.
    let asks_self = asked.group == "authorization.k8s.io" && asked.resource.starts_with("selfsubject")
        || asked.group == "authentication.k8s.io" && asked.resource == "selfsubjectreviews";
    if !asks_self {
        access.check(&user, &asked)?;
    }
    Ok(user)
}

fn about_server(sandbox: &Sandbox, call: &Call, head: &http::request::Parts) -> Result<Answer, Status> {
    if !matches!(call.verb, Verb::Get | Verb::List | Verb::Watch) {
        return Err(Status::no_such_path());
    }
    let query = head.uri.query().unwrap_or_default();
    let health = sandbox.health();
    if let Some((status, text)) = health.answer(&call.path, head.uri.query().unwrap_or_default()) {
        return Ok(Answer::Text(status, text));
    }
    let registry = sandbox.registry();
    let answer = discovery::answer(&registry, &call.path, query, header(&head.headers, "accept"));
    let absent = || {
        let mut parts = call.path.split('/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next()) {
            (Some("api"), Some(_)) => Status::no_such_resource(),
            (Some("apis"), Some(group)) => nothing_there(&registry, group),
            _ => Status::no_such_path(),
        }
    };
    match answer.ok_or_else(absent)? {
        discovery::Answer::Json { content_type, value } if call.path == "/version" => {
            Ok(Answer::Typed(content_type, health.versioned(value)))
        }
        discovery::Answer::Json { content_type, value } => Ok(Answer::Typed(content_type, value)),
        discovery::Answer::Text(text) => Ok(Answer::Text(200, text)),
        discovery::Answer::Refused(status) => Err(status),
    }
}

/// The refusal for what is not there: a group that is built in says so itself.
fn nothing_there(registry: &Registry, group: &str) -> Status {
    let served = registry.resources().iter().any(|resource| resource.group == group && resource.custom.is_none());
    if served { Status::no_such_resource() } else { Status::no_such_path() }
}

/// Refuses a write that could hit another object than the one that was looked at.
fn check_guards(call: &Call, body: &Bytes) -> Result<(), Status> {
    let Some(target) = call.target.as_ref().filter(|_| call.verb.is_write()) else { return Ok(()) };
    // A creation cannot hit anything: the name is taken or it is not. An eviction can.
    if call.verb == Verb::Create && target.subresource != "eviction" {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if call.verb != Verb::DeleteCollection && !Preconditions::of(call.verb, &body).is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} of {} \"{}\" demands neither a UID, nor a resource version, nor a value",
        call.verb, target.plural, target.name
    );
    Err(Status::new(428, "PreconditionRequired", message).about(&target.group, &target.plural, &target.name))
}

/// Writes down a write.
fn note(
    sandbox: &Sandbox,
    call: &Call,
    head: &http::request::Parts,
    body: &Bytes,
    code: u16,
    reason: &str,
    applied: bool,
) {
    let Some(target) = call.target.clone().filter(|_| call.verb.is_write()) else { return };
    let bytes = body.len();
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(body) => body,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => String::from_utf8_lossy(body).into_owned().into(),
    };
    let user = sandbox.access().claimed(&head.headers);
    let dry_run = journal::is_dry_run(call, &body);
    let entry = Entry {
        at: sandbox.now(),
        user,
        user_agent: header(&head.headers, "user-agent").to_owned(),
        verb: call.verb,
        path: head.uri.path_and_query().map_or_else(|| call.path.clone(), ToString::to_string),
        group: target.group,
        resource: target.plural,
        subresource: target.subresource,
        namespace: target.namespace,
        name: target.name,
        content_type: header(&head.headers, "content-type").to_owned(),
        preconditions: Preconditions::of(call.verb, &body),
        body,
        dry_run,
        code,
        reason: reason.to_owned(),
        applied,
    };
    sandbox.writes().push(entry, bytes);
}

/// Does to the answer's body what the faults want.
fn finish(response: Response<Body>, afterwards: &Afterwards) -> Response<Body> {
    let mut response = response;
    if let Some((bytes, pause)) = afterwards.trickle {
        response = response.map(|body| broken::trickle(body, bytes, pause));
    }
    if let Some(bytes) = afterwards.truncate {
        response = response.map(|body| broken::truncate(body, bytes));
    }
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
