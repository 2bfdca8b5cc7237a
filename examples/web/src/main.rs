//! Without a command the web server and the consumers, with `run` the consumers alone.

use anyhow::Context;
use clap::Parser;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(about = "An order form beside consumers: without a command, both in this process")]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<fastkafka::cli::Command>,
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// A broker of the app by name, `embedded`, or an address HOST:PORT[,HOST:PORT..].
    #[arg(long, value_name = "NAME|ADDRESS", default_value = "embedded")]
    kafka_broker: String,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    match args.command {
        Some(command) => Ok(command.execute(web::app)),
        None => serve(&args).map(|()| ExitCode::SUCCESS),
    }
}

#[tokio::main]
async fn serve(args: &Args) -> anyhow::Result<()> {
    fastkafka::cli::log();
    let app = web::app();
    let lifespan = app.axum_lifespan(&args.kafka_broker)?;
    let listener = TcpListener::bind(args.bind)
        .await
        .with_context(|| format!("cannot listen on {}", args.bind))?;
    writeln!(std::io::stdout(), "http://{}/", listener.local_addr()?)?;
    lifespan.serve(listener, web::router(&app)).await?;
    Ok(())
}
