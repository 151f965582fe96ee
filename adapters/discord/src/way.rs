//! The way back to a question, as it is kept with the delivery.

use kubewhy_chat::{Address, ChatError};
use serde::{Deserialize, Serialize};

/// The way back to a question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    /// The server; none in a direct message.
    pub(crate) guild: Option<u64>,
    /// Where the words stand: a channel, or a thread.
    pub(crate) channel: u64,
    /// Whether that is a thread.
    pub(crate) threaded: bool,
    /// Who asked.
    pub(crate) asker: u64,
    /// How it was asked.
    pub(crate) manner: Manner,
}

/// How something was asked, which decides how it is answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Manner {
    /// A slash command, or a form that one opened: the answer is a message of its own.
    Command(Ticket),
    /// A command on somebody's message: the answer is below that message.
    OnMessage { ticket: Ticket, message: u64 },
    /// A button, menu or form of a message: the answer is below it. Below a message that only one person sees is nothing.
    Press { ticket: Ticket, message: u64, ephemeral: bool },
    /// A message.
    Message { message: u64 },
}

/// What Discord lets us answer an interaction with, for 15 minutes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) application: u64,
    pub(crate) token: String,
}

impl Way {
    pub(crate) fn read(address: &Address) -> Result<Self, ChatError> {
        serde_json::from_str(&address.0)
            .map_err(|_| ChatError::Invalid { action: "read the way back to a question", code: "address".to_owned() })
    }

    pub(crate) fn write(&self) -> Address {
        Address(serde_json::to_string(self).expect("numbers and strings are always JSON"))
    }
}

impl Ticket {
    /// Where follow-up messages go.
    pub(crate) fn path(&self) -> String {
        format!("webhooks/{}/{}", self.application, self.token)
    }

    /// Where the first answer is.
    pub(crate) fn original(&self) -> String {
        format!("{}/messages/@original", self.path())
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::{Address, ChatError};

    use super::{Manner, Ticket, Way};

    #[test]
    fn a_way_survives_being_kept() {
        let ticket = Ticket { application: 1, token: "aW50ZXI".to_owned() };
        for manner in [
            Manner::Command(ticket.clone()),
            Manner::OnMessage { ticket: ticket.clone(), message: 4 },
            Manner::Press { ticket, message: 4, ephemeral: true },
            Manner::Message { message: 5 },
        ] {
            let way = Way { guild: Some(9), channel: 2, threaded: true, asker: 3, manner };
            assert!(Way::read(&way.write()) == Ok(way));
        }
    }

    #[test]
    fn words_that_are_no_way_are_refused() {
        for words in ["", "{}", "null", "{\"guild\":1}"] {
            assert!(matches!(Way::read(&Address(words.to_owned())), Err(ChatError::Invalid { .. })), "{words}");
        }
    }
}
