//! `docs serve`: a server for a browser on the same machine.

use super::site;
use crate::asyncapi::forms;
use crate::cli::failed::Failed;
use crate::cli::output::print;
use clap::Args;
use fastkafka_asyncapi::Document;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

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
    let pages = pages(document).into();
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
        print(format_args!("http://{address}/\n"))?;
        tokio::select! {
            () = accept(&listener, pages) => Ok(()),
            stop = tokio::signal::ctrl_c() => stop.map_err(|error| {
                Failed::found(format_args!("cannot wait for Ctrl-C: {error}"))
            }),
        }
    })
}

async fn accept(listener: &TcpListener, pages: Arc<[site::Page]>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that was gone before it came, or too many of them.
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = site::answer(&pages, &request);
                async { Ok::<_, Infallible>(response) }
            });
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = served.await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
}

/// The forms of the document, by the paths they are served at.
fn pages(document: &Document) -> Vec<site::Page> {
    forms(document)
        .into_iter()
        .map(|(format, text)| site::Page::new(format, text))
        .collect()
}
