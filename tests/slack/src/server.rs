//! The server: started, driven, dropped.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::people::Person;
use crate::state::Shared;
use crate::state::socket::Frame;
use crate::wire::Wire;
use crate::world::World;
use crate::{CallFault, EnvelopeFault, EnvelopeKind, api, control, socket};

/// A Slack on loopback. Dropped, it is gone: sockets, connections, all. What can be done with it is in [`Slack`].
pub struct SlackServer {
    slack: Slack,
    task: JoinHandle<()>,
}

/// A running Slack: people act in it, faults are planned, and all that happened is read back.
#[derive(Clone)]
pub struct Slack {
    pub(crate) shared: Arc<Shared>,
}

/// How often it is looked at whether something has become due.
const TICK: Duration = Duration::from_millis(10);

impl SlackServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// No port can be opened.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::listen(world, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts a server on an address.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn listen(world: World, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared::new(world, listener.local_addr()?));
        let task = tokio::spawn(run(listener, Arc::clone(&shared)));
        Ok(Self { slack: Slack { shared }, task })
    }

    /// Waits until the server ends, which it does not by itself.
    pub async fn serve(mut self) {
        drop((&mut self.task).await);
    }
}

impl Slack {
    /// Where the Web API is: `http://127.0.0.1:PORT/api`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.shared.address)
    }

    /// Where the control plane is: `http://127.0.0.1:PORT/control`.
    pub fn control_url(&self) -> String {
        format!("http://{}/control", self.shared.address)
    }

    /// The workspace as it is now: who joined, which channels were opened.
    pub fn world(&self) -> World {
        self.shared.look(|state| state.world.clone())
    }

    /// Changes the workspace: archives a channel, takes a scope away, makes somebody a guest.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        self.shared.change(|state| {
            change(&mut state.world);
            state.limiter.on = state.world.limits;
        });
    }

    /// A person who acts.
    pub fn person(&self, user: &str) -> Person<'_> {
        Person::new(self, user)
    }

    /// Lets time pass: trigger ids expire, rate limits refill, events are sent again.
    pub fn advance(&self, by: Duration) {
        self.shared.change(|state| {
            state.clock.advance(by);
            state.tick();
        });
    }

    /// Plans a fault for the next `count` calls of a method; `*` is any. `upload` and `response_url` are methods too.
    pub fn fail_calls(&self, method: &str, fault: CallFault, count: u32) {
        self.shared.change(|state| state.faults.plan_call(method, fault, count));
    }

    /// Plans a fault for the next `count` envelopes, of a kind or of all.
    pub fn fail_envelopes(&self, kind: Option<EnvelopeKind>, fault: EnvelopeFault, count: u32) {
        self.shared.change(|state| state.faults.plan_envelope(kind, fault, count));
    }

    /// Forgets all faults that are still to happen.
    pub fn clear_faults(&self) {
        self.shared.change(|state| state.faults.clear());
    }

    /// Breaks sockets off without a word: all, or one.
    pub fn drop_connections(&self, which: Option<u64>) {
        self.command(which, || Frame::Cut);
    }

    /// Closes sockets in good order: all, or one.
    pub fn close_connections(&self, which: Option<u64>) {
        self.command(which, || Frame::Close);
    }

    /// Sockets stay open and say nothing any more, not even a pong: all, or one.
    pub fn silence_connections(&self, which: Option<u64>) {
        self.command(which, || Frame::Silence);
    }

    /// The next sockets open and say nothing at all.
    pub fn silence_next_connections(&self, count: u32) {
        self.shared.change(|state| state.faults.silent_sockets = count);
    }

    /// Sends a disconnect envelope, to all or one: `warning`, `refresh_requested`, `too_many_websockets`, `link_disabled`.
    pub fn disconnect(&self, reason: &str, which: Option<u64>) {
        self.shared.change(|state| {
            let all: Vec<u64> = state.sockets.open.keys().copied().collect();
            for connection in all.into_iter().filter(|one| which.is_none_or(|which| which == *one)) {
                state.disconnect(connection, reason);
            }
        });
    }

    /// The next sockets are disconnected as soon as they are open.
    pub fn storm(&self, count: u32) {
        self.shared.change(|state| state.faults.storm = count);
    }

    /// The next sockets are refused with `too_many_websockets`.
    pub fn refuse_connections(&self, count: u32) {
        self.shared.change(|state| state.faults.refused_sockets = count);
    }

    /// Revokes a token; with the app-level one, sockets are closed.
    pub fn revoke(&self, token: &str) {
        self.shared.change(|state| {
            state.revoked.insert(token.to_owned());
            if token == state.world.app.app_token {
                let all: Vec<u64> = state.sockets.open.keys().copied().collect();
                for connection in all {
                    state.disconnect(connection, "link_disabled");
                }
            }
        });
    }

    /// Undoes [`Slack::revoke`].
    pub fn restore(&self, token: &str) {
        self.shared.change(|state| state.revoked.remove(token));
    }

    /// Keeps the rate limits, or does not.
    pub fn limits(&self, on: bool) {
        self.shared.change(|state| {
            state.world.limits = on;
            state.limiter.on = on;
        });
    }

    /// The socket that got an envelope that is not acknowledged yet.
    pub fn carrier(&self, envelope: &str) -> Option<u64> {
        self.shared.look(|state| state.carrier(envelope))
    }

    fn command(&self, which: Option<u64>, frame: impl Fn() -> Frame) {
        self.shared.change(|state| {
            let all: Vec<u64> = state.sockets.open.keys().copied().collect();
            for connection in all.into_iter().filter(|one| which.is_none_or(|which| which == *one)) {
                state.command_socket(connection, frame());
            }
        });
    }
}

impl Deref for SlackServer {
    type Target = Slack;

    fn deref(&self) -> &Slack {
        &self.slack
    }
}

impl Drop for SlackServer {
    fn drop(&mut self) {
        self.task.abort();
        // Without their senders, the tasks of the sockets end.
        self.shared.change(|state| state.sockets.open.clear());
    }
}

fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/api/{method}", any(api::web_api))
        .route("/link/", get(socket::link))
        .route("/upload/v1/{id}", any(api::upload::upload))
        .route("/commands/{team}/{id}", post(api::upload::response_url))
        .route("/actions/{team}/{id}", post(api::upload::response_url))
        .nest("/control", control::routes())
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(shared))
}

/// Accepts connections and does what is due; all its tasks end with it.
async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let router = routes(&shared);
    let mut connections: JoinSet<()> = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    continue;
                };
                drop(stream.set_nodelay(true));
                let (wire, scissors) = Wire::new(stream);
                let router: Router<()> = router.clone().layer(Extension(scissors));
                connections.spawn(async move {
                    let service = TowerToHyperService::new(router);
                    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(wire), service);
                    drop(served.with_upgrades().await);
                });
            }
            _ = ticks.tick() => {
                if shared.look(crate::state::State::is_waiting) {
                    shared.change(crate::state::State::tick);
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
