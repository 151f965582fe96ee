//! `kubewhy chat`: a conversation about a real cluster or a dump.

use std::path::PathBuf;
use std::sync::Arc;

use kubewhy_chat::{Block, Message, Tone};
use kubewhy_core::commands::Capabilities;
use kubewhy_text::{code, name, text};

use crate::Ending;
use crate::cli::ChatArgs;
use crate::commands::{open, why};
use crate::conversation;
use crate::desk::{Desk, Served};
use crate::output::Output;

pub(crate) fn run(arguments: &ChatArgs, output: &mut Output) -> Ending {
    let (source, now) = match open(&arguments.from) {
        Ok(opened) => opened,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    let source = if arguments.from.at.is_some() { source.at(now) } else { source };
    let greeting = greeting(source.name());
    let served = Served { source, context: arguments.from.context.clone() };
    let desk = Arc::new(Desk::new(served, Capabilities::console()));
    let talked =
        conversation::open(&desk, history()).and_then(|mut session| conversation::talk(&desk, &mut session, &greeting));
    match talked {
        Ok(()) => Ending::Fine,
        Err(error) => {
            output.error(&format!("the conversation ended: {error}"));
            Ending::Unreadable
        }
    }
}

fn greeting(cluster: &str) -> Message {
    Message::new(Tone::Plain, text!["Asking ", name(cluster)]).with(Block::Paragraph(text![
        "Nothing is changed by asking. Try ",
        code("scan"),
        " for what is broken, ",
        code("why NAME"),
        " for one object, ",
        code("help"),
        " for the rest."
    ]))
}

/// Where the lines of earlier conversations are kept: the state folder of the XDG base directories.
fn history() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    let folder = state.join("kubewhy");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
