//! `kubewhy demo`: a conversation about the embedded cluster, in which everything is broken and more breaks.

use std::io::IsTerminal as _;
use std::sync::Arc;

use kubewhy_core::commands::Capabilities;
use kubewhy_diagnosis::scan::Scan;

use crate::Ending;
use crate::cli::DemoArgs;
use crate::commands::{sandbox, why};
use crate::conversation;
use crate::demo::{Demo, Watch};
use crate::desk::{Desk, Served};
use crate::output::Output;

pub(crate) fn run(arguments: &DemoArgs, output: &mut Output) -> Ending {
    let demo = match Demo::start(arguments.after.try_into().unwrap_or_default(), arguments.at) {
        Ok(demo) => demo,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    let listening = arguments.listen.map(|address| sandbox::listen(demo.sandbox(), demo.runtime(), address, output));
    let _server = match listening.transpose() {
        Ok(server) => server,
        Err(ending) => return ending,
    };
    let source = demo.source();
    let scan = source.scan(None, None, source.clock());
    let desk = Arc::new(Desk::new(Served { source, context: None }, Capabilities::console()));
    match talk(&demo, &desk, &scan) {
        Ok(()) => Ending::Fine,
        Err(error) => {
            output.error(&format!("the conversation ended: {error}"));
            Ending::Unreadable
        }
    }
}

fn talk(demo: &Demo, desk: &Arc<Desk>, scan: &Scan) -> std::io::Result<()> {
    let mut session = conversation::open(desk, None)?;
    if std::io::stdin().is_terminal() {
        Watch::new(scan).follow(Arc::clone(desk), session.printer());
    }
    conversation::talk(desk, &mut session, &demo.greeting(scan))
}
