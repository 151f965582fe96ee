//! The Slack for tests as a program: driven over `/control`.

use std::error::Error;
use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use kubewhy_slack_server::{SlackServer, World};

/// A Slack for tests. The first line it prints is the URL of its Web API.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What the workspace holds, as JSON; `GET /control/world` shows all keys.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let world = match &options.world {
        None => World::default(),
        Some(path) => {
            let text = std::fs::read(path).map_err(|problem| format!("cannot read {}: {problem}", path.display()))?;
            serde_json::from_slice(&text).map_err(|problem| format!("{} is no world: {problem}", path.display()))?
        }
    };
    let server = SlackServer::listen(world, options.listen).await?;
    writeln!(stdout(), "{}", server.api_url())?;
    stdout().flush()?;
    tokio::select! {
        () = server.serve() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
