//! What a payload allows its receiver for a while: to open a view, to answer.

use std::time::Duration;

use crate::state::State;

/// Opens one view within three seconds.
pub(crate) struct Trigger {
    pub(crate) user: String,
    issued: Duration,
    used: bool,
}

/// Answers five times within 30 minutes.
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    /// The message whose button was pressed.
    pub(crate) original: Option<String>,
    issued: Duration,
    uses: u32,
}

const USES_OF_A_RESPONSE_URL: u32 = 5;

impl State {
    pub(crate) fn grant_trigger(&mut self, user: &str) -> String {
        let secret = self.secret();
        let id = format!("{}.{}.{}", self.clock.seconds(), self.world.team.id, secret.replace('-', ""));
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), issued: self.now(), used: false });
        id
    }

    /// Exchanges a trigger for the right to open a view for a user.
    pub(crate) fn exchange_trigger(&mut self, id: &str) -> Result<String, &'static str> {
        let now = self.now();
        let lifetime = Duration::from_millis(self.world.patience.trigger_ms);
        let Some(trigger) = self.triggers.get_mut(id) else {
            return Err("invalid_trigger_id");
        };
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if now.saturating_sub(trigger.issued) > lifetime {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// The URL with which a payload can be answered.
    pub(crate) fn grant_response_url(&mut self, user: &str, channel: &str, original: Option<&str>) -> String {
        let secret = self.secret();
        let place = if original.is_some() { "actions" } else { "commands" };
        let path = format!("/{place}/{}/{secret}", self.world.team.id);
        let grant = ResponseUrl {
            user: user.to_owned(),
            channel: channel.to_owned(),
            original: original.map(str::to_owned),
            issued: self.now(),
            uses: 0,
        };
        self.response_urls.insert(path.clone(), grant);
        format!("http://{}{path}", self.address)
    }

    /// Uses a response URL once: who may be answered, where, and about which message.
    pub(crate) fn use_response_url(&mut self, path: &str) -> Result<(String, String, Option<String>), &'static str> {
        let now = self.now();
        let lifetime = Duration::from_millis(self.world.patience.response_url_ms);
        let Some(grant) = self.response_urls.get_mut(path) else {
            return Err("invalid_url");
        };
        if now.saturating_sub(grant.issued) > lifetime {
            return Err("expired_url");
        }
        if grant.uses >= USES_OF_A_RESPONSE_URL {
            return Err("used_url");
        }
        grant.uses += 1;
        Ok((grant.user.clone(), grant.channel.clone(), grant.original.clone()))
    }
}
