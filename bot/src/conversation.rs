//! A conversation at a terminal or in a pipe: lines go to the desk, answers come back.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use kubewhy_chat::{Input, Message};
use kubewhy_console::{Details, Line, Session, Settings, View};
use kubewhy_core::complete::complete;
use kubewhy_core::resolve::Wanted;
use kubewhy_diagnosis::kind::Kind;

use crate::desk::{Answered, Asked, Desk, Outcome, Whereabouts};
use crate::source::Source;

/// Opens a session whose words are completed from what the desk serves.
///
/// # Errors
/// Where the terminal cannot be set up.
pub(crate) fn open(desk: &Arc<Desk>, history: Option<PathBuf>) -> io::Result<Session> {
    let (names, time) = (Arc::clone(desk), Arc::clone(desk));
    let completion = move |line: &str, cursor: usize| {
        complete(line, cursor, &|kind: Kind, namespace: Option<&str>| {
            let names = names.sources().flat_map(|source| source.names(kind, namespace));
            names.map(|(_, name)| name).collect()
        })
    };
    // In a pipe nobody can ask for the details afterwards.
    let interactive = io::IsTerminal::is_terminal(&io::stdin()) && io::IsTerminal::is_terminal(&io::stdout());
    let details = if interactive { Details::Below } else { Details::Open };
    Session::open(Settings {
        history,
        completion: Some(Box::new(completion)),
        view: View { details, ..View::of_standard_output() },
        clock: Box::new(move || time.sources().next().map_or_else(Timestamp::now, Source::clock)),
        ..Settings::default()
    })
}

/// Talks until the person leaves or the input ends.
///
/// # Errors
/// Where reading or writing fails.
pub(crate) fn talk(desk: &Desk, session: &mut Session, greeting: &Message) -> io::Result<()> {
    session.printer().answer(greeting)?;
    // What the answer before was about.
    let mut about = None;
    while let Some(line) = session.next_line()? {
        let input = match line {
            Line::Words(words) => Input::Line(words),
            Line::Press(press) => Input::Press(press),
        };
        if respond(desk, session, input, &mut about)? == Next::End {
            break;
        }
    }
    Ok(())
}

/// Whether a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Line,
    End,
}

fn respond(desk: &Desk, session: &mut Session, mut input: Input, about: &mut Option<Wanted>) -> io::Result<Next> {
    let printer = session.printer();
    let grant = desk.everything();
    loop {
        let asked = Asked { about: about.as_ref(), place: Whereabouts::Open, grant: &grant };
        let answered = match desk.answer(&input, &asked) {
            Outcome::Reply(answered) => answered,
            Outcome::More => return printer.more().map(|()| Next::Line),
            Outcome::Quit => return Ok(Next::End),
        };
        let Answered { reply, about: now_about, tell: _ } = *answered;
        *about = now_about.or(about.take());
        printer.answer(&reply.message)?;
        let Some(form) = reply.form else { return Ok(Next::Line) };
        let Some(values) = session.fill(&form)? else { return Ok(Next::Line) };
        input = Input::Form { token: form.token, values };
    }
}
