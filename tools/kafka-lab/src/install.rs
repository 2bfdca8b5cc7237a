//! Kafka's jars and the compiled helper, fetched and built once per cache directory.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;

const KAFKA_VERSION: &str = "4.1.1";
/// The last that Go 1.19 builds, which is what Debian 12 has.
const TOXIPROXY_VERSION: &str = "2.7.0";
const POM: &str = include_str!("../config/pom.xml");
const LOG4J: &str = include_str!("../config/log4j2.xml");
const BROKER: &str = include_str!("../java/Broker.java");
const HELPER: &str = include_str!("../java/Helper.java");

/// What a `java` command line needs.
pub(crate) struct Install {
    pub(crate) class_path: OsString,
    pub(crate) log4j: PathBuf,
}

/// Where the lab keeps Kafka, the logs of its brokers and the state of `kafka-lab start`:
/// `FASTKAFKA_LAB_CACHE`, else `kafka-lab` in Cargo's target directory.
#[must_use]
pub fn cache() -> PathBuf {
    if let Some(named) = env::var_os("FASTKAFKA_LAB_CACHE") {
        return named.into();
    }
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
            PathBuf::from,
        )
        .join("kafka-lab")
}

/// Fetches and compiles what is not there yet.
pub(crate) fn install() -> Result<Install, LabError> {
    install_in(&cache())
}

/// Builds toxiproxy if it is not there yet, and returns its server.
pub(crate) fn install_toxiproxy() -> Result<PathBuf, LabError> {
    let (cache, _lock) = locked(&cache())?;
    let directory = cache.join(format!("toxiproxy-{TOXIPROXY_VERSION}"));
    complete(&directory, |to| {
        let module = "github.com/Shopify/toxiproxy/v2/cmd/server";
        run(
            "go",
            "Go, 1.19 or later (Debian: golang)",
            Command::new("go")
                .arg("install")
                .arg(format!("{module}@v{TOXIPROXY_VERSION}"))
                .env("GOBIN", to),
        )
    })?;
    Ok(directory.join("server"))
}

/// An interpreter of Python that has these packages, each with its version: `msgpack==1.1.2`.
///
/// # Errors
/// When there is no Python, or the packages can not be installed.
pub fn python(packages: &[&str]) -> Result<PathBuf, LabError> {
    let (cache, _lock) = locked(&cache())?;
    let home = cache.join(format!("python-{}", packages.join("-").replace("==", "-")));
    let interpreter = |home: &Path| home.join("bin/python");
    complete(&home, |to| {
        let package = "Python, 3.9 or later (Debian: python3-venv)";
        let mut venv = Command::new("python3");
        run("python3", package, venv.args(["-m", "venv"]).arg(to))?;
        let mut install = Command::new(interpreter(to));
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(packages);
        run("pip", package, &mut install)
    })?;
    Ok(interpreter(&home))
}

/// The cache directory as an absolute path, and its lock: test processes start at the same time, and the
/// others wait for the first.
fn locked(cache: &Path) -> Result<(PathBuf, File), LabError> {
    fs::create_dir_all(cache).map_err(LabError::io(format!("create {}", cache.display())))?;
    // Java is started in another directory.
    let cache = cache
        .canonicalize()
        .map_err(LabError::io(format!("resolve {}", cache.display())))?;
    let path = cache.join("install.lock");
    let lock = File::create(&path).map_err(LabError::io(format!("create {}", path.display())))?;
    lock.lock()
        .map_err(LabError::io(format!("lock {}", path.display())))?;
    Ok((cache, lock))
}

fn install_in(cache: &Path) -> Result<Install, LabError> {
    let (cache, _lock) = locked(cache)?;
    // What depends on a source lies under its fingerprint, so that an edit is never run stale.
    let libs = cache.join(format!("{KAFKA_VERSION}-{}", fingerprint(&[POM])));
    let classes = cache.join(format!(
        "helper-{}",
        fingerprint(&[POM, LOG4J, BROKER, HELPER])
    ));

    complete(&libs, fetch)?;
    complete(&classes, |to| compile(&libs, to))?;

    let class_path =
        env::join_paths([libs.join("*"), classes.clone()]).map_err(|source| LabError::Io {
            what: format!("put {} on a class path", cache.display()),
            source: std::io::Error::other(source),
        })?;
    Ok(Install {
        class_path,
        log4j: classes.join("log4j2.xml"),
    })
}

/// Fills `target` by `fill` unless it is there: an interrupted attempt leaves nothing under that name.
fn complete(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), LabError>,
) -> Result<(), LabError> {
    if target.exists() {
        return Ok(());
    }
    let parent = target.parent().expect("lies in the cache directory");
    let partial = tempfile::tempdir_in(parent)
        .map_err(LabError::io(format!("write to {}", parent.display())))?;
    let filled = partial.path().join("filled");
    fs::create_dir(&filled).map_err(LabError::io(format!("create {}", filled.display())))?;
    fill(&filled)?;
    fs::rename(&filled, target).map_err(LabError::io(format!("create {}", target.display())))
}

fn fetch(libs: &Path) -> Result<(), LabError> {
    let pom = libs.with_file_name("pom.xml");
    write(&pom, POM)?;
    run(
        "mvn",
        "Maven (Debian: maven)",
        Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(pom)
            .arg(format!("-Dkafka.version={KAFKA_VERSION}"))
            .arg("dependency:copy-dependencies")
            .arg("-DincludeScope=runtime")
            .arg(format!("-DoutputDirectory={}", libs.display())),
    )
}

fn compile(libs: &Path, classes: &Path) -> Result<(), LabError> {
    write(&classes.join("log4j2.xml"), LOG4J)?;
    let sources = [("Broker.java", BROKER), ("Helper.java", HELPER)];
    let mut javac = Command::new("javac");
    javac
        .args(["--release", "17", "-cp"])
        .arg(libs.join("*"))
        .arg("-d")
        .arg(classes);
    for (name, source) in sources {
        let path = classes.with_file_name(name);
        write(&path, source)?;
        javac.arg(path);
    }
    run(
        "javac",
        "a JDK, 17 or later (Debian: default-jdk-headless)",
        &mut javac,
    )
}

fn run(
    program: &'static str,
    package: &'static str,
    command: &mut Command,
) -> Result<(), LabError> {
    let output = command.output().map_err(|source| LabError::Missing {
        program,
        package,
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let mut printed = output.stdout;
    printed.extend(output.stderr);
    Err(LabError::Install {
        program,
        status: output.status,
        output: String::from_utf8_lossy(&printed).into_owned(),
    })
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    fs::write(path, text).map_err(LabError::io(format!("write {}", path.display())))
}

fn fingerprint(texts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_what_to_install() {
        let error = run(
            "no-such-program",
            "Something (Debian: something)",
            &mut Command::new("no-such-program"),
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.starts_with("`no-such-program` can not be run: "),
            "{error}"
        );
        assert!(
            error.contains("install Something (Debian: something)"),
            "{error}"
        );
    }

    #[test]
    fn what_was_interrupted_is_done_again() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("libs");
        let interrupted = complete(&target, |to| {
            write(&to.join("half"), "")?;
            Err(LabError::io("fetch")(std::io::Error::other("interrupted")))
        });
        assert!(interrupted.is_err() && !target.exists());

        complete(&target, |to| write(&to.join("whole"), "")).unwrap();
        complete(&target, |_| panic!("it is there already")).unwrap();
        assert!(target.join("whole").exists() && !target.join("half").exists());
    }
}
