//! `kafka-lab`: brokers by hand.
//!
//! `start` leaves a background process behind that owns the brokers and holds a lock on the pid file while it
//! lives: the lock, not the number, says whether it runs, so a stale file never gets a stranger killed.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use kafka_lab::Kafka;

#[derive(Parser)]
#[command(about = "Apache Kafka brokers on free loopback ports, for trying things by hand")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Names the brokers that `start` starts and `stop` ends; the lab's cache directory has the default one.
    #[arg(long, global = true)]
    pid_file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Starts brokers in the background; prints the address of each, then the pid file.
    Start {
        /// How many brokers, each a cluster of its own.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
        count: u32,
    },
    /// Ends what `start` started, and removes its data.
    Stop,
    /// Owns the brokers: what `start` runs in the background.
    #[command(hide = true)]
    Serve { count: u32 },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pid_file = arguments
        .pid_file
        .unwrap_or_else(|| kafka_lab::cache().join("kafka-lab.pid"));
    let done = match arguments.action {
        Action::Start { count } => start(&pid_file, count),
        Action::Stop => stop(&pid_file),
        Action::Serve { count } => serve(&pid_file, count),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "kafka-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(pid_file: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(kafka_lab::cache())?;
    let log_path = pid_file.with_extension("log");
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("serve")
        .arg(count.to_string())
        .arg("--pid-file")
        .arg(pid_file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log_path)?);
    // The shell's Ctrl-C is not for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;

    let mut printed = 0;
    for line in BufReader::new(child.stdout.take().expect("is piped")).lines() {
        // A caller may have read enough (`| head -n 1`): the brokers run all the same.
        let _ = writeln!(std::io::stdout(), "{}", line?);
        printed += 1;
        // The addresses and the pid file: from here on it serves.
        if printed == count + 1 {
            return Ok(());
        }
    }
    child.wait()?;
    let said = fs::read_to_string(log_path)?;
    let said = said.trim_end();
    Err(said.strip_prefix("kafka-lab: ").unwrap_or(said).into())
}

fn serve(pid_file: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    let mut file = open(pid_file)?;
    if file.try_lock().is_err() {
        return Err("brokers are running already; `kafka-lab stop` ends them".into());
    }
    file.set_len(0)?;
    write!(file, "{}", std::process::id())?;
    let brokers = (0..count)
        .map(|_| Kafka::start())
        .collect::<Result<Vec<_>, _>>()?;
    for broker in &brokers {
        writeln!(std::io::stdout(), "{}", broker.bootstrap())?;
    }
    writeln!(std::io::stdout(), "{}", pid_file.display())?;
    // `stop` ends this process; the brokers end with it.
    loop {
        std::thread::park();
    }
}

#[cfg(unix)]
fn stop(pid_file: &Path) -> Result<(), Box<dyn Error>> {
    use rustix::process::{Pid, Signal, kill_process};

    let mut file = open(pid_file)?;
    if file.try_lock().is_ok() {
        return Err("no brokers are running".into());
    }
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    let pid = Pid::from_raw(text.trim().parse()?).ok_or("the pid file holds no process")?;
    kill_process(pid, Signal::TERM)?;
    // Granted when it has ended.
    file.lock()?;
    fs::remove_file(pid_file)?;
    Ok(())
}

#[cfg(not(unix))]
fn stop(pid_file: &Path) -> Result<(), Box<dyn Error>> {
    Err(format!("end the process named in {}", pid_file.display()).into())
}

fn open(pid_file: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(pid_file)
}
