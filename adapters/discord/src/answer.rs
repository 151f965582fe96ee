//! Answers: from a delivery and a reply to messages where the question was asked.
//!
//! An answer can be repeated after a crash: the first screen replaces what announced it or carries a nonce, and so does each
//! part below it, so that nothing shows twice. Follow-up messages have no nonce; they are the last resort.

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{ChatError, Delivery, Place, Posted, Reply, Visibility};

use crate::api::Failure;
use crate::intake::Acknowledgement;
use crate::outgoing::Outgoing;
use crate::places::place;
use crate::posting::{Line, Standing};
use crate::render::{Rendering, Screen, render};
use crate::way::{Manner, Ticket, Way};

/// How long after it was received an interaction is answered with its token. Discord takes it for 15 minutes.
const TICKET_LIFE: SignedDuration = SignedDuration::from_mins(14);

/// One answer.
struct Answer<'a> {
    line: &'a Line,
    delivery: &'a Delivery,
    visibility: Visibility,
    way: Way,
    rendering: Rendering,
    alive: bool,
}

impl Line {
    /// Answers a delivery.
    pub(crate) async fn answer(&self, delivery: &Delivery, reply: &Reply, now: Timestamp) -> Result<Posted, ChatError> {
        let answer = Answer {
            line: self,
            delivery,
            visibility: reply.visibility,
            way: Way::read(&delivery.address)?,
            rendering: render(&reply.message),
            alive: now.duration_since(delivery.received_at) < TICKET_LIFE,
        };
        let shown = answer.show().await;
        shown.map_err(|failure| failure.into_error("answer a question", answer.way.channel))
    }
}

impl Answer<'_> {
    async fn show(&self) -> Result<Posted, Failure> {
        match (&self.way.manner, self.visibility) {
            (Manner::Message { message }, Visibility::Everybody) => self.below_or_reply(*message).await,
            (Manner::Message { message }, Visibility::OnlyAsker) => self.reply(*message).await,
            (Manner::OnMessage { ticket, message }, Visibility::Everybody) => {
                self.below_and_tell(ticket, *message).await
            }
            (Manner::Press { ticket, message, ephemeral: false }, Visibility::Everybody) => {
                match self.below(*message).await {
                    Err(Failure::Refused { .. }) => self.by_ticket(ticket).await,
                    shown => shown,
                }
            }
            (Manner::Command(ticket) | Manner::OnMessage { ticket, .. } | Manner::Press { ticket, .. }, _) => {
                self.by_ticket(ticket).await
            }
        }
    }

    /// With the token of the interaction; where that has run out, without it.
    async fn by_ticket(&self, ticket: &Ticket) -> Result<Posted, Failure> {
        if !self.alive {
            return self.without_ticket().await;
        }
        match self.first_by_ticket(ticket).await {
            Ok(first) => Ok(self.with_rest(ticket, first).await),
            Err(failure) if failure.is_expired() => self.without_ticket().await,
            Err(failure) => Err(failure),
        }
    }

    async fn first_by_ticket(&self, ticket: &Ticket) -> Result<Standing, Failure> {
        let first = self.outgoing(&self.rendering.first);
        match self.announced(ticket).await? {
            Some(visibility) if visibility == self.visibility => self.line.edit_original(ticket, &first).await,
            Some(_) => {
                // What was announced to all cannot be turned into something for one person, nor the other way round.
                self.line.delete_original(ticket).await?;
                self.line.follow_up(ticket, &first).await
            }
            None => self.line.follow_up(ticket, &first).await,
        }
    }

    /// To whom the interaction was acknowledged with "thinking ..."; nobody sees any for a press.
    async fn announced(&self, ticket: &Ticket) -> Result<Option<Visibility>, Failure> {
        match self.line.acknowledgements.of(&self.delivery.id).await {
            Some(Acknowledgement::Announced(visibility)) => return Ok(Some(visibility)),
            Some(Acknowledgement::Silent) => return Ok(None),
            Some(Acknowledgement::Failed) => return Err(expired()),
            Some(Acknowledgement::Pending) | None => {}
        }
        if matches!(self.way.manner, Manner::Press { .. }) {
            // Its first answer is the message with the button.
            return Ok(None);
        }
        let original = self.line.read_original(ticket).await?;
        Ok(original.map(|it| if it.is_ephemeral() { Visibility::OnlyAsker } else { Visibility::Everybody }))
    }

    /// Shows the rest below a first screen that stands.
    async fn with_rest(&self, ticket: &Ticket, first: Standing) -> Posted {
        let place = match self.visibility {
            Visibility::Everybody => self.place_below(first.id()),
            Visibility::OnlyAsker => self.delivery.request.place.clone(),
        };
        let posted = Posted { place, id: first.id().to_string() };
        if self.rendering.thread.is_empty() {
            return posted;
        }
        if self.visibility == Visibility::Everybody && !self.is_flat() {
            match self.open_thread(first.id()).await {
                Ok(thread) => {
                    self.line.say_rest(thread, &self.rendering.thread, &self.delivery.id).await;
                    return posted;
                }
                Err(failure) => {
                    tracing::warn!(chat.channel = self.way.channel, error = %failure, "failed to open a thread for an answer");
                }
            }
        }
        for (index, screen) in self.rendering.thread.iter().enumerate() {
            if let Err(failure) = self.line.follow_up(ticket, &self.outgoing(screen)).await {
                let left = self.rendering.thread.len() - index;
                tracing::warn!(chat.channel = self.way.channel, error = %failure, left, "failed to post the rest of an answer");
                break;
            }
        }
        posted
    }

    /// A message that says whom it answers: the token has run out. What only the asker may see becomes a direct message.
    async fn without_ticket(&self) -> Result<Posted, Failure> {
        let named = Outgoing::screen(&self.rendering.first).naming(self.way.asker).once(&self.delivery.id, 0);
        if self.visibility == Visibility::OnlyAsker {
            let direct = self.line.open_direct(self.way.asker).await?;
            let first = self.line.say(direct, &named).await?;
            self.line.say_rest(direct, &self.rendering.thread, &self.delivery.id).await;
            return Ok(Posted { place: place(direct, None), id: first.id().to_string() });
        }
        let first = self.line.say(self.way.channel, &named).await?;
        let home = if self.rendering.thread.is_empty() || self.is_flat() {
            self.way.channel
        } else {
            self.open_thread(first.id()).await.unwrap_or(self.way.channel)
        };
        self.line.say_rest(home, &self.rendering.thread, &self.delivery.id).await;
        Ok(Posted { place: self.place_below(first.id()), id: first.id().to_string() })
    }

    /// All of it in the thread below somebody's message, or where there are no threads, as a reply to it.
    async fn below(&self, message: u64) -> Result<Posted, Failure> {
        let first = Outgoing::screen(&self.rendering.first).once(&self.delivery.id, 0);
        let (home, first) = if self.is_flat() {
            (self.way.channel, first.replying(message))
        } else {
            (self.open_thread(message).await?, first)
        };
        let first = self.line.say(home, &first).await?;
        self.line.say_rest(home, &self.rendering.thread, &self.delivery.id).await;
        Ok(Posted { place: self.place_below(message), id: first.id().to_string() })
    }

    async fn below_or_reply(&self, message: u64) -> Result<Posted, Failure> {
        match self.below(message).await {
            Err(failure @ Failure::Refused { .. }) if !self.is_flat() => {
                tracing::warn!(chat.channel = self.way.channel, error = %failure, "failed to answer in a thread");
                self.reply(message).await
            }
            shown => shown,
        }
    }

    /// Below somebody's message, with a word to the asker, to whom alone it was announced.
    async fn below_and_tell(&self, ticket: &Ticket, message: u64) -> Result<Posted, Failure> {
        let posted = match self.below(message).await {
            Err(Failure::Refused { .. }) => return self.by_ticket(ticket).await,
            shown => shown?,
        };
        if self.alive {
            let home = if self.is_flat() { self.way.channel } else { message };
            let words = Outgoing::words(format!("The answer is in <#{home}>.")).ephemeral();
            if self.announced(ticket).await.is_ok_and(|announced| announced.is_some())
                && let Err(failure) = self.line.edit_original(ticket, &words).await
            {
                tracing::debug!(error = %failure, "failed to tell the asker where the answer is");
            }
        }
        Ok(posted)
    }

    /// Replies to a message where it stands.
    async fn reply(&self, message: u64) -> Result<Posted, Failure> {
        let first = Outgoing::screen(&self.rendering.first).replying(message).once(&self.delivery.id, 0);
        let first = self.line.say(self.way.channel, &first).await?;
        self.line.say_rest(self.way.channel, &self.rendering.thread, &self.delivery.id).await;
        Ok(Posted { place: self.place_below(first.id()), id: first.id().to_string() })
    }

    async fn open_thread(&self, message: u64) -> Result<u64, Failure> {
        self.line.open_thread(self.way.channel, message, &self.rendering.thread_name).await
    }

    fn outgoing<'a>(&self, screen: &'a Screen) -> Outgoing<'a> {
        match self.visibility {
            Visibility::Everybody => Outgoing::screen(screen),
            Visibility::OnlyAsker => Outgoing::screen(screen).ephemeral(),
        }
    }

    /// Whether there are no threads here: in a thread, and in direct messages.
    fn is_flat(&self) -> bool {
        self.way.threaded || self.way.guild.is_none()
    }

    fn place_below(&self, message: u64) -> Place {
        if self.way.threaded {
            return self.delivery.request.place.clone();
        }
        place(self.way.channel, self.way.guild.map(|_| message))
    }
}

fn expired() -> Failure {
    Failure::Refused { status: 404, code: crate::api::codes::UNKNOWN_INTERACTION, words: String::new() }
}
