//! `silence [INCIDENT | CODE | OBJECT] for 2h because TEXT`: no messages about something for a time.

use std::fmt;

use jiff::SignedDuration;
use kubewhy_diagnosis::causes::Code;
use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, duration, short, shown};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// The longest silence.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The shortest silence.
const SHORTEST: SignedDuration = SignedDuration::from_secs(60);

/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;

/// No messages about something for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// What it is about.
    pub what: Silenced,
    /// How long.
    pub length: SignedDuration,
    /// Why, in the person's words.
    pub reason: String,
}

/// What a silence is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silenced {
    /// The incident of the thread, or of the place.
    Here,
    /// An incident, by its number.
    Incident(u64),
    /// Every finding with a code.
    Code(Code),
    /// An object.
    Object(Wanted),
}

pub(super) const SPEC: Spec = Spec {
    word: "silence",
    aliases: &["mute", "snooze"],
    usage: "silence [#INCIDENT | CODE | [KIND] NAME] for TIME because TEXT",
    help: "no messages about it for a time",
    example: "silence deploy cart -n shop for 2h because we are moving the database",
    needs: Feature::Incidents,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let reason = arguments.cut_after(&["because"]);
    let what = silenced(arguments)?;
    let mut length = None;
    while arguments.peek().is_some() {
        if arguments.take_place()? {
            continue;
        }
        let Some(word) = arguments.option(&["for", "--for"])? else { return Err(arguments.unexpected()) };
        // `2 hours` is `2hours`.
        let whole = match arguments.peek() {
            Some(unit) if word.chars().all(|c| c.is_ascii_digit()) => {
                arguments.take();
                format!("{word}{unit}")
            }
            _ => word.to_owned(),
        };
        let read =
            duration(&whole).ok_or_else(|| arguments.wrong(text![quoted(short(&whole)), " is no length of time"]))?;
        if !(SHORTEST..=LONGEST).contains(&read) {
            return Err(arguments.wrong(text!["a silence lasts from one minute to 30 days"]));
        }
        length = Some(read);
    }
    let what = match what {
        Silenced::Object(object) => Silenced::Object(arguments.settle(Some(object))?),
        other => other,
    };
    let length = length.ok_or_else(|| arguments.wrong(text!["for how long? A silence has an end"]))?;
    let reason = reason.map(|reason| reason.chars().take(LONGEST_REASON).collect::<String>().trim().to_owned());
    let reason = reason
        .filter(|reason| !reason.is_empty())
        .ok_or_else(|| arguments.wrong(text!["why? A silence says its reason to those who come later"]))?;
    Ok(Command::Silence(Silence { what, length, reason }))
}

fn silenced(arguments: &mut Arguments<'_>) -> Result<Silenced, UserError> {
    if let Some(word) = arguments.peek() {
        if let Some(number) = word.strip_prefix('#') {
            let number = number
                .parse()
                .map_err(|_| arguments.wrong(text![quoted(short(word)), " is no number of an incident"]))?;
            arguments.take();
            return Ok(Silenced::Incident(number));
        }
        if let Ok(code) = word.to_ascii_lowercase().parse::<Code>() {
            arguments.take();
            return Ok(Silenced::Code(code));
        }
    }
    Ok(arguments.object(&["for"])?.map_or(Silenced::Here, Silenced::Object))
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("silence")?;
        match &self.what {
            Silenced::Here => {}
            Silenced::Incident(number) => write!(f, " #{number}")?,
            Silenced::Code(code) => write!(f, " {code}")?,
            Silenced::Object(object) => write!(f, " {object}")?,
        }
        write!(f, " for {} because {}", shown(self.length), self.reason)
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_diagnosis::kind::Kind;

    use super::super::tests::{error, ok, wanted};
    use super::*;

    #[test]
    fn a_silence_has_an_object_an_end_and_a_reason() {
        let silence = ok("silence deploy cart -n shop for 2h because it's known, see \"RFC 7\"");
        assert_eq!(
            silence,
            Command::Silence(Silence {
                what: Silenced::Object(wanted(Some(Kind::Deployment), "cart", Some("shop"))),
                length: SignedDuration::from_hours(2),
                reason: "it's known, see \"RFC 7".to_owned(),
            })
        );
        assert!(matches!(
            ok("silence oom-limit for 2 hours because load test"),
            Command::Silence(Silence { what: Silenced::Code(Code::OomLimit), .. })
        ));
        assert!(matches!(
            ok("silence #12 for 1d because x"),
            Command::Silence(Silence { what: Silenced::Incident(12), .. })
        ));
        assert!(matches!(ok("silence for 1d because x"), Command::Silence(Silence { what: Silenced::Here, .. })));
        assert!(error("silence cart because x").to_string().contains("how long"));
        assert!(error("silence cart for 2h").to_string().contains("reason"));
        assert!(error("silence cart for 2y because x").to_string().contains("no length of time"));
        assert!(error("silence cart for 90d because x").to_string().contains("30 days"));
    }
}
