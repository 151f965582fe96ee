//! `[limits]`.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::review::Review;

/// `[limits]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLimits {
    questions_per_person: u32,
    questions_per_channel: u32,
    api_requests_per_second: u32,
    answer_within: String,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            questions_per_person: 30,
            // What a platform lets one channel show in a minute, with the thread of each answer.
            questions_per_channel: 60,
            api_requests_per_second: 100,
            answer_within: "30s".to_owned(),
        }
    }
}

/// How much may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Questions of one person a minute; `None` = without a limit.
    pub questions_per_person: Option<NonZeroU32>,
    /// Questions in one channel a minute; `None` = without a limit.
    pub questions_per_channel: Option<NonZeroU32>,
    /// Requests to one cluster's API a second, for all questions together; `None` = without a limit.
    pub api_requests_per_second: Option<NonZeroU32>,
    /// How long reading for one answer may take.
    pub answer_within: std::time::Duration,
}

pub(super) fn resolve(raw: &RawLimits, review: &mut Review) -> Limits {
    let default = RawLimits::default().answer_within;
    Limits {
        questions_per_person: NonZeroU32::new(raw.questions_per_person),
        questions_per_channel: NonZeroU32::new(raw.questions_per_channel),
        api_requests_per_second: NonZeroU32::new(raw.api_requests_per_second),
        answer_within: review.duration("limits.answer_within", &raw.answer_within, &default),
    }
}
