//! Kubernetes quantities: `100m`, `1.5`, `2Gi`, `1e3`.
//!
//! Source: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// An amount of a resource in thousandths of its unit (milli-cores, milli-bytes, milli-pieces).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole units.
    pub const fn whole(units: i64) -> Self {
        Self(units as i128 * 1000)
    }

    /// Thousandths of the unit.
    pub const fn milli(self) -> i128 {
        self.0
    }

    /// Whole units, rounded up.
    pub fn units(self) -> i128 {
        self.0.div_euclid(1000) + i128::from(self.0.rem_euclid(1000) > 0)
    }

    /// Reads a quantity; `None` where it is none. Parts smaller than a thousandth are rounded up.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let split = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at_checked(split)?;
        let factor: f64 = match suffix {
            "n" => 1e-9,
            "u" => 1e-6,
            "m" => 1e-3,
            "" => 1.0,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "Ki" => 1024.0,
            "Mi" => 1_048_576.0,
            "Gi" => 1_073_741_824.0,
            "Ti" => 1_099_511_627_776.0,
            "Pi" => 1_125_899_906_842_624.0,
            "Ei" => 1_152_921_504_606_846_976.0,
            exponent => {
                let digits = exponent.strip_prefix(['e', 'E'])?;
                10_f64.powi(digits.parse::<i32>().ok().filter(|power| power.abs() <= 30)?)
            }
        };
        // Whole numbers are multiplied exactly; a fraction has few digits.
        #[expect(clippy::cast_possible_truncation, reason = "bounded: a finite f64 saturates")]
        if let Ok(whole) = number.parse::<i64>()
            && factor >= 1.0
        {
            return Some(Self(i128::from(whole).saturating_mul(factor as i128).saturating_mul(1000)));
        }
        let value = number.parse::<f64>().ok()? * factor * 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and a quantity is far below")]
        value.is_finite().then(|| Self((value - 1e-6).ceil() as i128))
    }

    /// The amount that an API quantity says; zero where it is none.
    pub fn of(quantity: &Quantity) -> Self {
        Self::parse(&quantity.0).unwrap_or_default()
    }

    /// The amount of a resource in a resource list; `None` where the list does not name it.
    pub fn in_list(list: Option<&BTreeMap<String, Quantity>>, resource: &str) -> Option<Self> {
        list.and_then(|list| list.get(resource)).map(Self::of)
    }

    /// It in the unit that people use for that resource: `250m` or `2` of cpu, `1.2Gi` of memory, `3` of others.
    pub fn show(self, resource: &str) -> String {
        let resource = resource.trim_start_matches("requests.").trim_start_matches("limits.");
        match resource {
            "cpu" if self.0 % 1000 == 0 => (self.0 / 1000).to_string(),
            "cpu" => format!("{}m", self.0),
            "memory" | "ephemeral-storage" | "storage" => bytes(self.units()),
            other if other.starts_with("hugepages-") => bytes(self.units()),
            _ => self.units().to_string(),
        }
    }
}

/// Bytes in the largest binary unit that leaves at least 1, with at most one decimal.
pub fn bytes(bytes: i128) -> String {
    let units = [(1_i128 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    for (size, unit) in units {
        if bytes.abs() >= size {
            let tenths = (bytes * 10 + size / 2) / size;
            let (whole, tenth) = (tenths / 10, (tenths % 10).abs());
            return if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") };
        }
    }
    bytes.to_string()
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 1000 == 0 { write!(f, "{}", self.0 / 1000) } else { write!(f, "{}m", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suffix_counts() {
        for (text, milli) in [
            ("100m", 100),
            ("1", 1000),
            ("1.5", 1500),
            ("0.1", 100),
            ("1k", 1_000_000),
            ("1Ki", 1_024_000),
            ("2Gi", 2_147_483_648_000),
            ("1.5Gi", 1_610_612_736_000),
            ("1e3", 1_000_000),
            ("12E2", 1_200_000),
            ("500u", 1),
            ("-1", -1000),
        ] {
            assert_eq!(Amount::parse(text), Some(Amount(milli)), "{text}");
        }
        for text in ["", "Gi", "1Zi", "one", "1e99", "1 Gi x", "--1"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        assert_eq!(Amount::parse("1500m").map(|a| a.show("cpu")), Some("1500m".to_owned()));
        assert_eq!(Amount::parse("4000m").map(|a| a.show("requests.cpu")), Some("4".to_owned()));
        assert_eq!(Amount::parse("24479300Ki").map(|a| a.show("memory")), Some("23.3Gi".to_owned()));
        assert_eq!(Amount::parse("3").map(|a| a.show("nvidia.com/gpu")), Some("3".to_owned()));
    }
}
