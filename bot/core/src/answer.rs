//! What is said: everything becomes a [`Message`](kubewhy_chat::Message) here, once, and each platform gives it a form.
//!
//! The first screen is what a person reads on a phone at night; the rest is one tap below it, in the thread.

mod catalogue;
mod help;
mod log;
mod news;
mod plan;
mod report;
mod scan;
mod tell;
mod unresolved;

use jiff::Timestamp;
use kubewhy_chat::Tone;
use kubewhy_diagnosis::finding::{Finding, ObjectRef};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Report, Status};
use kubewhy_text::{Text, name, text};

pub use catalogue::{catalogue, cause};
pub use help::{help, help_about};
pub use log::{Log, log};
pub use news::news;
pub use plan::{plan_preview, remedies};
pub use report::report;
pub use scan::scan;
pub use tell::{WAITED_FOR, Waited, tells_already, told, will_tell};
pub use unresolved::{no_log, no_pod, unresolved};

use crate::commands::{Capabilities, Feature};
use crate::resolve::Wanted;

/// What an answer depends on besides the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Where it is shown.
    pub surface: Surface,
    /// How many clusters are served there.
    pub clusters: Clusters,
}

/// Where an answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Surface {
    /// Where nothing can be pressed: a command line, a ticket.
    #[default]
    Paper,
    /// In a conversation.
    Chat(Capabilities),
}

/// How many clusters are served where an answer is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clusters {
    /// One: nobody has to name it.
    #[default]
    One,
    /// Several: what buttons send names the cluster.
    Several,
}

impl Extras {
    /// For a conversation in which one cluster is served.
    pub fn chat(here: Capabilities) -> Self {
        Self { surface: Surface::Chat(here), clusters: Clusters::One }
    }

    /// Tells whether a part is there, and can be pressed.
    fn offers(&self, feature: Feature) -> bool {
        match &self.surface {
            Surface::Paper => false,
            Surface::Chat(here) => here.has(feature),
        }
    }

    /// Where what does not fit the first screen stands.
    fn where_the_rest_is(&self) -> &'static str {
        let in_a_thread = self.offers(Feature::Chat) && !self.offers(Feature::Console);
        if in_a_thread { "in the thread" } else { "in the details" }
    }

    /// The object of a report as buttons and threads name it: with its cluster only where there are several.
    pub fn named(&self, report: &Report) -> Wanted {
        self.in_cluster(Wanted::of_report(report), report)
    }

    /// An object of the cluster that a report is about, as buttons name it.
    fn in_cluster(&self, wanted: Wanted, report: &Report) -> Wanted {
        let cluster = match self.clusters {
            Clusters::One => None,
            Clusters::Several => Some(report.target.cluster.clone()).filter(|cluster| !cluster.is_empty()),
        };
        Wanted { cluster, ..wanted }
    }
}

/// The tone of a status.
pub const fn tone(status: Status) -> Tone {
    match status {
        Status::Failing => Tone::Failing,
        Status::Degraded => Tone::Degraded,
        Status::Pending => Tone::Pending,
        Status::Unknown => Tone::Unknown,
        Status::Healthy => Tone::Healthy,
    }
}

/// `Deployment shop/cart`, the name whole.
fn object(reference: &ObjectRef) -> Text {
    // A kind that no rule reads is the cluster's own word.
    let kind = Kind::from_name(&reference.kind).map(|kind| text![kind.name()]);
    text![kind.unwrap_or_else(|| text![name(reference.kind.clone())]), " ", name(reference.path())]
}

/// `since TIME`; a renderer that knows the time adds how long that is.
fn since(time: Timestamp) -> Text {
    text!["since ", time]
}

/// Parts of a line with a dot between them.
fn dotted(parts: impl IntoIterator<Item = Text>) -> Text {
    let mut line = Text::default();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(" · ");
        }
        line.push(part);
    }
    line
}

/// `[code, likely]` as words: the code of a finding and how sure it is, where it is not certain.
fn code_and_confidence(finding: &Finding) -> Text {
    use kubewhy_diagnosis::finding::Confidence;
    let sure = match finding.confidence {
        Confidence::Certain => "",
        Confidence::Likely => ", likely",
        Confidence::Possible => ", possible",
    };
    text![kubewhy_text::code(finding.code.as_str()), sure]
}

#[cfg(test)]
mod tests;
