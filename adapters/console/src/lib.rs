//! A chat in a terminal.
//!
//! Entry points: [`render()`] gives a message the form of a terminal, [`markdown()`] that of a ticket, [`Session`] reads what
//! a person types (or a script pipes) and prints what is answered and what comes unasked.
//!
//! Invariants: what came from a cluster or a person cannot steer the terminal (escape sequences are the theme's alone), cannot
//! pass for a line of ours (only headlines, numbered buttons and echoed lines start in the first column), and cannot grow a
//! line beyond [`LONGEST_LINE`]. Rendering is pure: no clock, no terminal.
//!
//! ```
//! use kubewhy_chat::{Block, Button, Message, Tone};
//! use kubewhy_console::{View, render};
//! use kubewhy_text::{name, text};
//!
//! let message = Message::new(Tone::Failing, text!["Node ", name("worker-2"), " does not answer"])
//!     .with(Block::Buttons(vec![Button::command("Why", "why node worker-2")]));
//! assert_eq!(render(&message, &View::default()), "✖ failing: Node worker-2 does not answer\n\n[1] Why\n");
//! ```
#![warn(missing_docs)]

mod markdown;
mod pressable;
mod render;
mod session;
mod theme;
mod view;

pub use markdown::markdown;
pub use pressable::{LastShown, NoSuchNumber};
pub use render::{LONGEST_LINE, render, thread};
pub use session::{Clock, Completion, Line, Printer, Session, Settings};
pub use view::{Details, View};
