//! Calls of Slack's Web API: each with a timeout, each failure told apart by what may have happened.

mod failure;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use slack_morphism::prelude::{
    ClientResult, SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector as _,
    SlackClientHyperConnector, ValueStruct as _,
};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

pub(crate) use failure::Failure;

use crate::settings::{Settings, SlackError};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a file may take on its way.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long is waited at most because Slack asked to, before the caller is told.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a call is repeated.
const REPEATS: usize = 3;

type Connector = HttpsConnector<HttpConnector>;

/// Whether a call may be repeated when nobody knows whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// It changes nothing, or the same a second time.
    Repeatable,
    /// A second time would be seen.
    Once,
}

/// Calls of the Web API.
pub(crate) struct Api {
    client: SlackClient<SlackClientHyperConnector<Connector>>,
    bot: SlackApiToken,
    app: SlackApiToken,
    url: Url,
    /// Until when Slack asked not to call a method; where it limits each channel, in that channel.
    pauses: Mutex<BTreeMap<(&'static str, String), Instant>>,
    /// Whether the server refused to be read by GET.
    takes_only_posts: AtomicBool,
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SlackError> {
        let url = settings.api()?;
        // slack-morphism's own connector refuses http://, which a server for tests or an egress proxy speaks.
        let connector = connector()?;
        let connector = SlackClientHyperConnector::with_connector(connector).with_slack_api_url(url.as_str());
        Ok(Self {
            client: SlackClient::new(connector),
            bot: token(settings.bot_token.expose_secret()),
            app: token(settings.app_token.expose_secret()),
            url,
            pauses: Mutex::default(),
            takes_only_posts: AtomicBool::new(false),
        })
    }

    /// Where the API is.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The bot's token, for the one call that slack-morphism cannot make.
    pub(crate) fn bot_token(&self) -> &str {
        self.bot.token_value.value()
    }

    /// Calls a method that reads.
    pub(crate) async fn get<A>(&self, method: &'static str, parameters: &[(&str, &str)]) -> Result<A, Failure>
    where
        A: DeserializeOwned + Send,
    {
        if self.takes_only_posts.load(Ordering::Relaxed) {
            return self.read_by_post(method, parameters).await;
        }
        let given: Vec<(&str, Option<&str>)> = parameters.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let read = self
            .repeat((method, ""), Care::Repeatable, TIMEOUT, || async {
                self.client.open_session(&self.bot).http_session_api.http_get(method, &given, None).await
            })
            .await;
        match read {
            // Slack takes both ways; what stands between, or for it, may know only the one that most clients use.
            Err(Failure::Refused { code, .. }) if matches!(code.as_str(), "http_404" | "http_405" | "http_501") => {
                let read = self.read_by_post(method, parameters).await;
                self.takes_only_posts.fetch_or(read.is_ok(), Ordering::Relaxed);
                read
            }
            read => read,
        }
    }

    async fn read_by_post<A>(&self, method: &'static str, parameters: &[(&str, &str)]) -> Result<A, Failure>
    where
        A: DeserializeOwned + Send,
    {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let address = if query.is_empty() { method.to_owned() } else { format!("{method}?{query}") };
        let body: BTreeMap<&str, &str> = parameters.iter().copied().collect();
        self.repeat((method, ""), Care::Repeatable, TIMEOUT, || async {
            self.client.open_session(&self.bot).http_session_api.http_post(&address, &body, None).await
        })
        .await
    }

    /// Calls a method that writes.
    pub(crate) async fn post<Q, A>(&self, method: &'static str, care: Care, request: &Q) -> Result<A, Failure>
    where
        Q: Serialize + Send + Sync,
        A: DeserializeOwned + Send,
    {
        self.post_in("", method, care, request).await
    }

    /// Calls a method that writes, and which Slack limits in each channel.
    pub(crate) async fn post_in<Q, A>(
        &self,
        channel: &str,
        method: &'static str,
        care: Care,
        request: &Q,
    ) -> Result<A, Failure>
    where
        Q: Serialize + Send + Sync,
        A: DeserializeOwned + Send,
    {
        self.repeat((method, channel), care, TIMEOUT, || async {
            self.client.open_session(&self.bot).http_session_api.http_post(method, request, None).await
        })
        .await
    }

    /// Calls a method that writes and is worth nothing after a while; it is not repeated.
    pub(crate) async fn post_within<Q>(&self, method: &str, limit: Duration, request: &Q) -> Result<(), Failure>
    where
        Q: Serialize + Send + Sync,
    {
        let session = self.client.open_session(&self.bot);
        let call = session.http_session_api.http_post::<Q, IgnoredAny>(method, request, None);
        once(limit, call).await.map(|_| ())
    }

    /// Asks for the address of a socket, with the app's token, once.
    pub(crate) async fn open_connection<A>(&self) -> Result<A, Failure>
    where
        A: DeserializeOwned + Send,
    {
        let session = self.client.open_session(&self.app);
        once(TIMEOUT, session.http_session_api.http_post("apps.connections.open", &serde_json::json!({}), None)).await
    }

    /// Posts to an address that Slack handed out, without a token: the address itself is the secret.
    pub(crate) async fn respond<Q>(&self, url: &Url, body: &Q) -> Result<(), Failure>
    where
        Q: Serialize + Send + Sync,
    {
        let span = tracing::Span::none();
        self.repeat(("response_url", ""), Care::Once, TIMEOUT, || async {
            let answered: IgnoredAny =
                self.client.http_api.connector.http_post_uri(url.clone(), body, without_token(&span)).await?;
            Ok(answered)
        })
        .await
        .map(|_| ())
    }

    /// Sends the bytes of a file to where Slack takes them.
    pub(crate) async fn upload(&self, url: &Url, bytes: &[u8]) -> Result<(), Failure> {
        let span = tracing::Span::none();
        self.repeat(("upload", ""), Care::Repeatable, UPLOAD_TIMEOUT, || async {
            let kind = "application/octet-stream".to_owned();
            let connector = &self.client.http_api.connector;
            let taken: IgnoredAny =
                connector.http_post_uri_binary(url.clone(), kind, bytes, without_token(&span)).await?;
            Ok(taken)
        })
        .await
        .map(|_| ())
    }

    async fn repeat<A, F>(
        &self,
        call: (&'static str, &str),
        care: Care,
        limit: Duration,
        attempt: impl Fn() -> F + Send,
    ) -> Result<A, Failure>
    where
        F: Future<Output = ClientResult<A>> + Send,
        A: Send,
    {
        let mut delays = delays(Duration::from_millis(300), Duration::from_secs(5));
        for repeats in 0.. {
            self.pause(call).await?;
            let failure = match once(limit, attempt()).await {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            if let Failure::Throttled(wait) = &failure {
                self.silence(call, *wait);
            }
            let may_repeat = failure.had_no_effect() || (care == Care::Repeatable && failure.is_passing());
            let delay = delays.next().filter(|_| may_repeat && repeats < REPEATS);
            let Some(delay) = delay else { return Err(failure) };
            tracing::debug!(method = call.0, attempt = repeats, error = %failure, "a call of Slack is repeated");
            sleep(delay).await;
        }
        Err(Failure::Unsent("it was not tried".to_owned()))
    }

    /// Waits as long as Slack asked to before that method is called again.
    async fn pause(&self, (method, channel): (&'static str, &str)) -> Result<(), Failure> {
        let until = self.pauses().get(&(method, channel.to_owned())).copied();
        let wait = until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
        if wait > LONGEST_PAUSE {
            return Err(Failure::Throttled(wait));
        }
        if !wait.is_zero() {
            sleep(wait).await;
        }
        Ok(())
    }

    fn silence(&self, (method, channel): (&'static str, &str), wait: Duration) {
        tracing::warn!(method, chat.channel = channel, seconds = wait.as_secs(), "Slack asks to wait");
        let now = Instant::now();
        let mut pauses = self.pauses();
        pauses.retain(|_, until| *until > now);
        pauses.insert((method, channel.to_owned()), now + wait);
    }

    fn pauses(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), Instant>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connector that trusts what the machine trusts and speaks https and http.
pub(crate) fn connector() -> Result<Connector, SlackError> {
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(SlackError::Certificates)?
        .https_or_http()
        .enable_all_versions()
        .build())
}

/// Growing pauses between attempts, with jitter so that many who lost the same server do not come back at once.
pub(crate) fn delays(first: Duration, longest: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

async fn once<A>(limit: Duration, call: impl Future<Output = ClientResult<A>>) -> Result<A, Failure> {
    match timeout(limit, call).await {
        Ok(answered) => answered.map_err(Failure::from),
        Err(_) => Err(Failure::Unclear(format!("no answer within {} s", limit.as_secs()))),
    }
}

fn token(value: &str) -> SlackApiToken {
    SlackApiToken::new(value.into())
}

fn without_token(span: &tracing::Span) -> SlackClientApiCallContext<'_> {
    SlackClientApiCallContext { rate_control_params: None, token: None, tracing_span: span, is_sensitive_url: true }
}
