//! Clients that block, in handlers that are made for them. Two of them have a tokio runtime of their own, which
//! panics where another one waits on the same thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use fastkafka::{App, ProduceError, Topic, consumes, produces};
use serde::{Deserialize, Serialize};

/// Nothing takes so long that works.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Deserialize, Serialize, schemars::JsonSchema)]
enum Client {
    Postgres(SocketAddr),
    Reqwest(SocketAddr),
    Ureq(SocketAddr),
}

static ANSWERS: OnceLock<Mutex<Sender<Result<String, String>>>> = OnceLock::new();

struct Blocking;

#[consumes(
    app = Blocking,
    topic = "calls",
    auto_offset_reset = "earliest",
    attempts = 1,
    blocking
)]
fn on_call(client: Client) {
    let answer = ask(client);
    let answers = ANSWERS.get().unwrap().lock().unwrap();
    answers.send(answer).unwrap();
}

#[produces(app = Blocking, topic = "calls")]
async fn to_calls(client: Client) -> Result<Client, ProduceError> {
    Ok(client)
}

fn ask(client: Client) -> Result<String, String> {
    match client {
        Client::Postgres(at) => {
            let config = format!("host={} port={} user=me", at.ip(), at.port());
            let connected = postgres::Client::connect(&config, postgres::NoTls);
            let mut client = connected.map_err(|error| error.to_string())?;
            let answered = client.simple_query("");
            let answers = answered.map_err(|error| error.to_string())?.len();
            client.close().map_err(|error| error.to_string())?;
            Ok(format!("{answers} answer"))
        }
        Client::Reqwest(at) => {
            let answer = reqwest::blocking::get(format!("http://{at}/"));
            let text = answer.and_then(reqwest::blocking::Response::text);
            text.map_err(|error| error.to_string())
        }
        Client::Ureq(at) => {
            let answer = ureq::get(format!("http://{at}/")).call();
            let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
            text.map_err(|error| error.to_string())
        }
    }
}

/// A server that answers each connection so.
fn server(answer: fn(TcpStream) -> std::io::Result<()>) -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    thread::spawn(move || {
        for client in server.incoming().flatten() {
            // Whatever goes wrong is an error of the client, too.
            let _ = answer(client);
        }
    });
    at
}

fn over_http(mut client: TcpStream) -> std::io::Result<()> {
    let mut read = Vec::new();
    let mut part = [0; 1_024];
    while !read.ends_with(b"\r\n\r\n") {
        match client.read(&mut part)? {
            0 => return Ok(()),
            length => read.extend_from_slice(&part[..length]),
        }
    }
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\npong")
}

/// As little of PostgreSQL's protocol as a client needs that asks nothing.
fn as_postgres(mut client: TcpStream) -> std::io::Result<()> {
    const READY: [u8; 6] = [b'Z', 0, 0, 0, 5, b'I'];
    // Its length, and what it says.
    fn read_rest(client: &mut TcpStream) -> std::io::Result<()> {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
        client.read_exact(&mut rest)
    }
    // Nobody has to prove who he is.
    read_rest(&mut client)?;
    client.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0])?;
    client.write_all(&READY)?;
    let mut kind = [0];
    loop {
        client.read_exact(&mut kind)?;
        read_rest(&mut client)?;
        match kind {
            // An empty query.
            [b'Q'] => {
                client.write_all(&[b'I', 0, 0, 0, 4])?;
                client.write_all(&READY)?;
            }
            _ => return Ok(()),
        }
    }
}

fn answer_of(answers: &Receiver<Result<String, String>>) -> Result<String, String> {
    answers
        .recv_timeout(PATIENCE)
        .expect("the handler has not panicked")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_handler_calls_postgres_reqwest_and_ureq() {
    let (tell, answers) = channel();
    ANSWERS.set(Mutex::new(tell)).unwrap();
    let app = App::scoped::<Blocking>()
        .title("Blocking")
        .topic("calls", Topic::new())
        .build();
    app.start().await.unwrap();
    let (http, postgres) = (server(over_http), server(as_postgres));
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ok = |text: &str| Some(text.to_owned());
    for (client, expected) in [
        (Client::Reqwest(http), ok("pong")),
        (Client::Ureq(http), ok("pong")),
        (Client::Postgres(postgres), ok("1 answer")),
        (Client::Reqwest(closed), None),
        (Client::Ureq(closed), None),
        (Client::Postgres(closed), None),
    ] {
        to_calls(client).await.unwrap();
        let answer = tokio::task::block_in_place(|| answer_of(&answers));
        assert_eq!(answer.clone().ok(), expected, "{client:?}: {answer:?}");
    }
    assert!(app.health().is_ready(), "{}", app.health());
    app.stop().await.unwrap();
}
