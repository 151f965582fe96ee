//! `kubewhy man`: the manual page in roff.

use clap::CommandFactory as _;

use crate::Ending;
use crate::cli::Cli;
use crate::output::Output;

pub(crate) fn run(output: &mut Output) -> Ending {
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => {
            output.answer(&String::from_utf8_lossy(&page));
            Ending::Fine
        }
        Err(error) => {
            output.error(&format!("the manual page could not be made: {error}"));
            Ending::Unreadable
        }
    }
}
