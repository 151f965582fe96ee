//! Snowflakes: the ids of everything, with the time of their making inside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Discord's first millisecond, 2015-01-01T00:00:00Z, in milliseconds since 1970.
const EPOCH_MS: u64 = 1_420_070_400_000;

/// Names one thing of this Discord; in JSON a string of digits, as everywhere at Discord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl Id {
    /// Makes the id of something made at `now_ms`, told from others of that millisecond by `count`.
    pub(crate) fn at(now_ms: u64, count: u64) -> Self {
        Self((now_ms.saturating_sub(EPOCH_MS) << 22) | (count & 0x3f_ffff))
    }

    /// Says when the thing was made, in milliseconds since 1970.
    pub fn created_ms(self) -> u64 {
        (self.0 >> 22) + EPOCH_MS
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(u64),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
            Written::Number(number) => Ok(Self(number)),
        }
    }
}
