//! A Prometheus of Debian's, which scrapes admin listeners every second.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::kafka::process::{PATIENCE, eventually};

/// Dropped, it is killed.
pub(crate) struct Prometheus {
    child: Child,
    address: String,
    directory: tempfile::TempDir,
    targets: Vec<String>,
}

/// Values by their times, in seconds since 1970.
pub(crate) type Samples = Vec<(f64, f64)>;

impl Prometheus {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let config = "global: { scrape_interval: 1s, scrape_timeout: 1s }\n\
                      scrape_configs:\n\
                      - job_name: fastkafka\n  \
                        file_sd_configs: [{ files: [targets.json], refresh_interval: 1s }]\n";
        fs::write(at("prometheus.yml"), config).unwrap();
        fs::write(at("targets.json"), "[]").unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", at("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", at("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Debian's package `prometheus` is installed");
        let address = eventually("Prometheus says where it listens", || {
            let log = fs::read_to_string(at("log")).unwrap();
            let (_, address) = log.split_once("msg=\"Listening on\" address=")?;
            let (address, _) = address.split_once('\n')?;
            Some(address.to_owned())
        });
        Self {
            child,
            address,
            directory,
            targets: Vec::new(),
        }
    }

    /// Scrapes there as well, until the end.
    pub(crate) fn scrape(&mut self, address: &str) {
        self.targets.push(address.to_owned());
        let at = |name: &str| self.directory.path().join(name);
        let list = json!([{ "targets": self.targets }]).to_string();
        fs::write(at("new"), list).unwrap();
        fs::rename(at("new"), at("targets.json")).unwrap();
        eventually("it is scraped", || {
            let up = self.query(&format!("up{{instance=\"{address}\"}}"));
            (up.values().next().copied() == Some(1.0)).then_some(())
        });
    }

    /// The values of now, by the value of the label `outcome`, or else of the instance.
    pub(crate) fn query(&self, query: &str) -> BTreeMap<String, f64> {
        let result = self.ask(query);
        let result = result.as_array().unwrap().iter();
        let values = result.map(|series| {
            let labels = &series["metric"];
            let label = labels["outcome"].as_str().or(labels["instance"].as_str());
            (
                label.unwrap_or_default().to_owned(),
                sample(&series["value"]).1,
            )
        });
        values.collect()
    }

    /// The samples of the only series of this selector, in the last hour.
    pub(crate) fn samples(&self, selector: &str) -> Samples {
        let result = self.ask(&format!("{selector}[1h]"));
        let [series] = &result.as_array().unwrap()[..] else {
            panic!("{selector}: {result}");
        };
        series["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(sample)
            .collect()
    }

    fn ask(&self, query: &str) -> Value {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /api/v1/query?query={query} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut answer: Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"]["result"].take()
    }
}

fn sample(sample: &Value) -> (f64, f64) {
    let value = sample[1].as_str().unwrap();
    (sample[0].as_f64().unwrap(), value.parse().unwrap())
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log"));
            eprintln!("--- log of Prometheus:\n{}\n---", log.unwrap_or_default());
        }
    }
}
