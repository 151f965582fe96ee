//! The Discord for tests as a program: prints the URL of its API and serves until it is stopped.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use kubewhy_discord_server::{DiscordServer, World};

/// A Discord for tests, driven by JSON under /control/.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A world in JSON; without it a small one
    #[arg(long)]
    world: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen, world } = Arguments::parse();
    let world = match world {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => World::default(),
    };
    let server = DiscordServer::start_at(world, listen).await?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", server.api_url())?;
    output.flush()?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
