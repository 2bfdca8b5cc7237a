//! `docs serve`: a server for a browser on the same machine.

use super::site;
use crate::asyncapi::forms;
use crate::cli::failed::Failed;
use crate::cli::output::print;
use crate::host::is_meant;
use clap::Args;
use fastkafka_asyncapi::Document;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// From the connection to the end of a request's headers.
const UNTIL_ASKED: Duration = Duration::from_secs(5);
/// A connection as a whole. Who is silent or does not read holds a descriptor, and there are not many.
const UNTIL_ENDED: Duration = Duration::from_secs(60);

/// Options of `docs serve`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Serve {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub bind: SocketAddr,
}

/// Serves until Ctrl-C.
pub(super) fn serve(document: &Document, options: &Serve) -> Result<(), Failed> {
    let mut site = Site {
        pages: pages(document),
        is_private: true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::found(format_args!("cannot start the tokio runtime: {error}")))?;
    runtime.block_on(async {
        let cannot = |error: io::Error| {
            Failed::found(format_args!("cannot listen on {}: {error}", options.bind))
        };
        let listener = TcpListener::bind(options.bind).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        site.is_private = address.ip().is_loopback();
        print(format_args!("http://{address}/\n"))?;
        tokio::select! {
            () = accept(&listener, site.into()) => Ok(()),
            stop = tokio::signal::ctrl_c() => stop.map_err(|error| {
                Failed::found(format_args!("cannot wait for Ctrl-C: {error}"))
            }),
        }
    })
}

struct Site {
    pages: Vec<site::Page>,
    /// Nobody but this machine reaches it.
    is_private: bool,
}

async fn accept(listener: &TcpListener, site: Arc<Site>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that was gone before it came, or too many of them.
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(converse(stream, site.clone()));
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, site: Arc<Site>) {
    let service = service_fn(|request| {
        let response = match site.is_private && !is_meant(&request, &[]) {
            true => site::misdirected(),
            false => site::answer(&site.pages, &request),
        };
        async { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(UNTIL_ASKED)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(UNTIL_ENDED, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection ended: {error}"),
        Err(_) => tracing::debug!("a connection was closed after {UNTIL_ENDED:?}"),
    }
}

/// The forms of the document, by the paths they are served at.
fn pages(document: &Document) -> Vec<site::Page> {
    forms(document)
        .into_iter()
        .map(|(format, text)| site::Page::new(format, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_asyncapi::Format;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// What a client hears that writes `request` and no more, until the connection is closed.
    async fn heard(request: &str) -> String {
        let site = Site {
            pages: vec![site::Page::new(Format::Html, "the page".to_owned())],
            is_private: true,
        };
        let (mut client, server) = duplex(4_096);
        let conversation = tokio::spawn(converse(server, site.into()));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        conversation.await.unwrap();
        heard
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_silent_is_closed() {
        for begun in ["", "GET / HTTP/1.1\r\nhost: loc"] {
            assert!(!heard(begun).await.contains("the page"));
        }
        let answered = heard("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(answered.ends_with("the page"), "{answered}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_of_somebody_else_is_not_answered() {
        let answer = heard("GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
        assert!(!answer.contains("the page"));
    }
}
