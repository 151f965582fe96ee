//! The grammar of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

/// Explains why a Kubernetes object is broken: the root cause, the evidence it rests on, and the fix.
#[derive(Debug, Parser)]
#[command(name = "kubewhy", version, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kubewhy demo                              a chat with an embedded cluster in which everything is broken
  kubewhy why pod cart-7c9 -n shop          one answer from the current kubeconfig context
  kubewhy why deploy/cart -n shop -o json   the same for a workload, for a program
  kubewhy why cart                          whatever is called so
  kubewhy why pod cart-7c9 --from dump/     from `kubectl cluster-info dump --output-directory dump`
  kubewhy scan -A                           everything that is broken, one report per root cause
  kubewhy record pod cart-7c9 -n shop -o case/   what an answer read, redacted, for a bug report
  kubewhy catalogue quota-exceeded          what a cause means

Exit codes: 0 healthy, degraded, pending or done; 1 a failure was found; 2 wrong usage; 3 the cluster or the target could
not be read, does not exist, or is ambiguous.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A chat in this terminal with an embedded cluster in which everything is broken; needs nothing
    Demo(DemoArgs),
    /// The same chat with a real cluster or a dump
    Chat(ChatArgs),
    /// Explain one object
    Why(WhyArgs),
    /// Find everything that is broken, one report per root cause
    Scan(ScanArgs),
    /// Save what an answer read, redacted, as a dump that --from replays
    Record(RecordArgs),
    /// Serve the embedded cluster, or a dump, as a Kubernetes API on loopback
    Sandbox(SandboxArgs),
    /// Run the bot in Slack, Discord or both
    Run(RunArgs),
    /// Test the configuration: tokens, rights, channels, clusters; each line ok or what to do
    Check(RunArgs),
    /// Print what to install, made from the configuration
    Print(PrintArgs),
    /// List the causes that are told apart, or explain one
    Catalogue(CatalogueArgs),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Where evidence comes from.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the flag is called --from")]
pub(crate) struct From {
    /// The kubeconfig context; without it the current one, or the cluster around this pod
    #[arg(long, conflicts_with = "from")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file
    #[arg(long, conflicts_with = "from", value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// A dump instead of a cluster: a file or folder of objects and logs
    #[arg(long, value_name = "DUMP")]
    pub(crate) from: Option<PathBuf>,
    /// The clock of the answer (RFC 3339); for a dump its newest time is the default
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Begin so long after the demo's start: more has broken by then
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) after: SignedDuration,
    /// The demo's clock stands still at this time (RFC 3339); without it, it runs from now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Serve the cluster too, so that kubectl works on it; prints where its kubeconfig is
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) from: From,
}

#[derive(Args, Debug)]
pub(crate) struct SandboxArgs {
    /// A dump to serve instead of the demo's cluster: a file or folder of objects and logs
    #[arg(long, value_name = "DUMP")]
    pub(crate) from: Option<PathBuf>,
    /// Where to listen; an address of this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Write the kubeconfig to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The configuration; without it ./kubewhy.toml, then /etc/kubewhy/kubewhy.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is logged: error, warn, info, debug or trace, instead of what the configuration says
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

/// `90s`, `2m`, `1h 30m`.
fn duration(words: &str) -> Result<SignedDuration, String> {
    let duration: SignedDuration =
        words.parse().map_err(|_| format!("\"{words}\" is no duration; write 90s, 2m or 1h 30m"))?;
    if duration.is_negative() { Err("it lies in the past".to_owned()) } else { Ok(duration) }
}

#[derive(Args, Debug)]
pub(crate) struct WhyArgs {
    /// KIND NAME, KIND/NAME, or a NAME that is looked up among all kinds
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub(crate) target: Vec<String>,
    /// The namespace
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) from: From,
    /// How the answer looks
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Args, Debug)]
pub(crate) struct ScanArgs {
    /// The namespace
    #[arg(short, long, conflicts_with = "all_namespaces")]
    pub(crate) namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) from: From,
    /// How the answer looks
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Args, Debug)]
pub(crate) struct RecordArgs {
    /// KIND NAME, KIND/NAME, or a NAME that is looked up among all kinds
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub(crate) target: Vec<String>,
    /// The namespace
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) from: From,
    /// The folder to write; it must not exist yet or be empty
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct PrintArgs {
    /// What
    #[arg(value_enum)]
    pub(crate) topic: Topic,
    #[command(flatten)]
    pub(crate) config: RunArgs,
}

/// Something that follows from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    /// The configuration that is in effect, secrets masked; without any, an example with every key
    Config,
    /// The Kubernetes roles that the bot needs, and nothing more
    Rbac,
    /// The manifest from which Slack makes the app
    SlackManifest,
}

#[derive(Args, Debug)]
pub(crate) struct CatalogueArgs {
    /// The code of a cause
    pub(crate) code: Option<String>,
    /// How the answer looks
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person at a terminal
    Text,
    /// For a ticket or a chat
    Markdown,
    /// For a program
    Json,
}
