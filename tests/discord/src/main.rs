//! The Discord for tests as a program: prints the URL of its API and serves until it is stopped.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

fn read_world(file: &Path) -> Result<World, String> {
    let named = |error: &dyn Error| format!("failed to read the world \"{}\": {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| named(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| named(&error))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen, world } = Arguments::parse();
    let world = match world {
        Some(file) => read_world(&file)?,
        None => World::default(),
    };
    let server = DiscordServer::start_at(world, listen).await?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", server.api_url())?;
    output.flush()?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
