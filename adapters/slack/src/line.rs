//! What all calls share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kubewhy_chat::{Identity, Posted};
use moka::future::Cache;
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::api::{Api, Failure};
use crate::identity::Groups;
use crate::link::Board;
use crate::pace::Pace;
use crate::settings::{Settings, SlackError};

/// How long identities and groups are believed.
const IDENTITY_TTL: Duration = Duration::from_secs(5 * 60);
/// How long it is remembered what was posted under a key.
const POSTED_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// What is remembered of a post.
#[derive(Clone, Debug)]
pub(crate) enum Remembered {
    /// It stands there.
    Posted(Posted),
    /// It may stand there.
    Doubtful,
}

/// What all calls share.
pub(crate) struct Line {
    pub(crate) api: Api,
    pub(crate) pace: Pace,
    pub(crate) board: Arc<Board>,
    pub(crate) command: String,
    pub(crate) started: Instant,
    pub(crate) posts: Cache<String, Remembered>,
    pub(crate) identities: Cache<String, Identity>,
    pub(crate) groups: Cache<(), Arc<Groups>>,
    me: OnceCell<Me>,
    strange: AtomicU64,
}

/// Who we are in Slack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Me {
    pub(crate) user_id: String,
    pub(crate) team_id: String,
    /// The bot's name, with which it is invited.
    #[serde(default)]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) team: String,
    #[serde(default)]
    pub(crate) bot_id: Option<String>,
}

impl Line {
    pub(crate) fn new(settings: Settings) -> Result<Self, SlackError> {
        let kept = |most: u64, time| Cache::builder().max_capacity(most).time_to_live(time).build();
        Ok(Self {
            api: Api::new(&settings)?,
            pace: Pace::new(),
            board: Arc::default(),
            command: settings.command,
            started: Instant::now(),
            posts: Cache::builder().max_capacity(10_000).time_to_live(POSTED_TTL).build(),
            identities: kept(10_000, IDENTITY_TTL),
            groups: Cache::builder().max_capacity(1).time_to_live(IDENTITY_TTL).build(),
            me: OnceCell::new(),
            strange: AtomicU64::new(0),
        })
    }

    /// Who we are, asked once.
    pub(crate) async fn me(&self) -> Result<&Me, Failure> {
        self.me.get_or_try_init(|| self.api.get("auth.test", &[])).await
    }

    /// Who we are, where it is known already.
    pub(crate) fn known_me(&self) -> Option<&Me> {
        self.me.get()
    }

    /// Counts a delivery that was acknowledged and means nothing to us.
    pub(crate) fn pass_over(&self, what: &str) {
        self.strange.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(what, "a delivery of Slack was passed over");
    }

    pub(crate) fn passed_over(&self) -> u64 {
        self.strange.load(Ordering::Relaxed)
    }
}
