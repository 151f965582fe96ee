//! Calls of Discord's REST API: one way for all of them, with its pace, deadlines, repetitions and the stop at 401.

mod call;
mod failure;
mod pace;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

pub(crate) use self::call::{Attachment, Call, Repeat};
pub(crate) use self::failure::{Failure, codes};
use self::pace::{Notice, Pace};
use crate::settings::DiscordError;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How many attempts are repeated after the first, for losses and failures of the server; being asked to wait is no attempt.
const REPETITIONS: usize = 3;
/// The longest body that is read.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// What Discord asks bots to call themselves.
const USER_AGENT: &str = concat!("DiscordBot (https://github.com/kubewhy/kubewhy, ", env!("CARGO_PKG_VERSION"), ")");

/// Discord's REST API.
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
    token: SecretString,
    pace: Pace,
    revoked: AtomicBool,
}

/// What one attempt came to.
enum Attempted {
    Answered(Vec<u8>),
    Wait(Instant),
    Failed { failure: Failure, repeatable: bool },
}

impl Api {
    /// An API below `base`, such as `https://discord.com/api`.
    pub(crate) fn new(base: &str, token: SecretString) -> Result<Self, DiscordError> {
        HeaderValue::from_str(token.expose_secret()).map_err(|_| DiscordError::Token)?;
        Ok(Self {
            client: client()?,
            base: format!("{base}/v10"),
            token,
            pace: Pace::new(),
            revoked: AtomicBool::new(false),
        })
    }

    /// Calls, and reads the answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Failure> {
        let action = call.action;
        let body = self.perform(&call).await?;
        serde_json::from_slice(&body).map_err(|error| {
            // Neither the body nor serde's words, which quote it.
            tracing::warn!(
                action,
                line = error.line(),
                column = error.column(),
                "discord answered in words that are not understood"
            );
            Failure::Unreachable { why: "its answer is not understood".to_owned(), doubtful: true }
        })
    }

    /// Calls where only success matters.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<(), Failure> {
        self.perform(&call).await.map(drop)
    }

    /// Whether the token was refused. From then on nothing is asked any more: 10,000 refused requests within 10 minutes
    /// get a whole address banned.
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    async fn perform(&self, call: &Call<'_>) -> Result<Vec<u8>, Failure> {
        let deadline = Instant::now() + call.deadline;
        let mut delays = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_times(REPETITIONS)
            .build();
        loop {
            if call.is_authorized() && self.is_revoked() {
                return Err(Failure::Revoked { code: "401".to_owned() });
            }
            match self.attempt(call, deadline).await? {
                Attempted::Answered(body) => return Ok(body),
                Attempted::Wait(until) => sleep_until(until).await,
                Attempted::Failed { failure, repeatable } => {
                    let delay = delays.next().filter(|delay| repeatable && Instant::now() + *delay < deadline);
                    let Some(delay) = delay else { return Err(failure) };
                    tracing::debug!(action = call.action, error = %failure, "discord is asked again");
                    sleep(delay).await;
                }
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>, deadline: Instant) -> Result<Attempted, Failure> {
        let mut turn = self.pace.turn(call.bucket().as_deref(), call.counts(), deadline).await?;
        let request = self.request(call)?;
        let response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Ok(lost(&error, call.repeat)),
            Err(_) => return Ok(late(call.repeat)),
        };
        let status = response.status();
        let notice = Notice::read(response.headers(), status);
        turn.learn(&notice);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return match limited(response, deadline).await {
                Limited::Wait(wait) => self.pace.hold(turn, &wait, deadline).map(Attempted::Wait),
                Limited::Refused(failure) => Ok(Attempted::Failed { failure, repeatable: false }),
            };
        }
        let body = match timeout_at(deadline, read(response)).await {
            Ok(Ok(body)) => body,
            Ok(Err(failed)) => return Ok(failed.unless(status, call.repeat)),
            Err(_) => return Ok(late(call.repeat)),
        };
        drop(turn);
        if status.is_success() {
            return Ok(Attempted::Answered(body));
        }
        Ok(self.refused(call, status, &body))
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::RequestBuilder, Failure> {
        let mut request = self.client.request(call.method.clone(), format!("{}/{}", self.base, call.path));
        if call.is_authorized() {
            let mut value = HeaderValue::from_str(&format!("Bot {}", self.token.expose_secret()))
                .map_err(|_| Failure::Revoked { code: "token".to_owned() })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        Ok(match &call.body {
            Some(body) if call.files.is_empty() => request.json(body),
            Some(body) => request.multipart(multipart(body, call.files)),
            None => request,
        })
    }

    fn refused(&self, call: &Call<'_>, status: StatusCode, body: &[u8]) -> Attempted {
        #[derive(Default, Deserialize)]
        struct Refusal {
            #[serde(default)]
            code: u64,
            #[serde(default)]
            message: String,
        }
        let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
        if status == StatusCode::UNAUTHORIZED && call.is_authorized() {
            if !self.revoked.swap(true, Ordering::Relaxed) {
                tracing::error!("discord does not accept the bot token any more: give another one and start again");
            }
            return Attempted::Failed { failure: Failure::Revoked { code: "401".to_owned() }, repeatable: false };
        }
        if status.is_server_error() {
            // 503 is said before anything was done; the others may come after the effect.
            let doubtful = status != StatusCode::SERVICE_UNAVAILABLE;
            return Attempted::Failed {
                failure: Failure::Unreachable { why: format!("it answers {}", status.as_u16()), doubtful },
                repeatable: !doubtful || call.repeat == Repeat::Freely,
            };
        }
        let failure = Failure::Refused { status: status.as_u16(), code: refusal.code, words: refusal.message };
        Attempted::Failed { failure, repeatable: false }
    }
}

/// A client with deadlines, whose pool nobody else uses.
pub(crate) fn client() -> Result<reqwest::Client, DiscordError> {
    reqwest::Client::builder()
        .use_rustls_tls()
        .connect_timeout(CONNECT)
        .timeout(ATTEMPT)
        .user_agent(USER_AGENT)
        // A redirection would carry the token, or an answer, to another host.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| DiscordError::Client(error.without_url().to_string()))
}

fn multipart(body: &Value, files: &[Attachment<'_>]) -> Form {
    let form = Form::new().text("payload_json", body.to_string());
    files.iter().enumerate().fold(form, |form, (index, file)| {
        form.part(format!("files[{index}]"), Part::bytes(file.bytes.to_vec()).file_name(file.name.to_owned()))
    })
}

fn lost(error: &reqwest::Error, repeat: Repeat) -> Attempted {
    // The error's own words hold the address, and with it the token of an interaction.
    let (why, doubtful) = if error.is_connect() {
        ("no connection".to_owned(), false)
    } else if error.is_timeout() {
        (format!("no answer within {} s", ATTEMPT.as_secs()), true)
    } else if error.is_builder() {
        ("the request cannot be built".to_owned(), false)
    } else {
        ("the connection broke".to_owned(), true)
    };
    let repeatable = !error.is_builder() && (!doubtful || repeat == Repeat::Freely);
    Attempted::Failed { failure: Failure::Unreachable { why, doubtful }, repeatable }
}

fn late(repeat: Repeat) -> Attempted {
    let failure = Failure::Unreachable { why: "no answer in time".to_owned(), doubtful: true };
    Attempted::Failed { failure, repeatable: repeat == Repeat::Freely }
}

/// Why a body could not be read.
struct Unread(&'static str);

impl Unread {
    fn unless(self, status: StatusCode, repeat: Repeat) -> Attempted {
        let failure = Failure::Unreachable { why: self.0.to_owned(), doubtful: true };
        Attempted::Failed { failure, repeatable: status.is_success() && repeat == Repeat::Freely }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Unread("the connection broke"))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Unread("its answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How long to wait, and whether with everything.
struct Wait {
    pause: Duration,
    global: bool,
}

/// What a 429 means.
enum Limited {
    Wait(Wait),
    Refused(Failure),
}

async fn limited(response: Response, deadline: Instant) -> Limited {
    #[derive(Default, Deserialize)]
    struct Words {
        #[serde(default)]
        retry_after: f64,
        #[serde(default)]
        global: bool,
        #[serde(default)]
        code: u64,
        #[serde(default)]
        message: String,
    }
    let headers = response.headers();
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    let global = headers.contains_key("x-ratelimit-global");
    let words: Words = match timeout_at(deadline, read(response)).await {
        // Without words it is not Discord that limits but what stands before it, and it bans the whole address.
        Ok(Ok(body)) => serde_json::from_slice(&body).unwrap_or(Words { global: true, ..Words::default() }),
        _ => Words::default(),
    };
    if words.code == codes::TOO_OLD_TO_EDIT {
        // The limit of one message, which no waiting of a call sits out.
        let status = StatusCode::TOO_MANY_REQUESTS.as_u16();
        return Limited::Refused(Failure::Refused { status, code: words.code, words: words.message });
    }
    // The body is exact to the millisecond, the header may be rounded up to a second; a ban has only the header.
    let seconds = if words.retry_after > 0.0 { words.retry_after } else { header.unwrap_or(1.0) };
    // A pause of nothing would turn a wrong clock over there into a storm.
    let pause = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_millis(50));
    Limited::Wait(Wait { pause, global: global || words.global })
}
