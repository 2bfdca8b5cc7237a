//! The listener: a thread and a tokio runtime of its own, so that it answers while the app's threads are blocked.

use super::answer::answer;
use super::connections::{Busy, Connections};
use super::site::Site;
use fastkafka_kafka::room_for_sockets;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{self, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// From the connection, or the answer before, to the end of a request's headers.
const UNTIL_ASKED: Duration = Duration::from_secs(5);
/// A connection as a whole. Who listens to events connects again.
const UNTIL_ENDED: Duration = Duration::from_secs(300);
/// Bytes of a request's headers, and their number.
const LONGEST: usize = 16 * 1_024;
const HEADERS: usize = 64;

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    /// Both until the end.
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Listener {
    /// Listens there; port 0 takes any that is free.
    ///
    /// # Errors
    /// The system's: the port is in use, there is no thread or no descriptor left.
    pub(crate) fn open(address: SocketAddr, site: Site) -> io::Result<Self> {
        // Without one for its own sockets, tokio panics.
        room_for_sockets(8)?;
        let listener = net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let (opened, is_open) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("fk-admin".to_owned());
        // The runtime is made in there: where there is no thread the closure is dropped here, inside another
        // runtime, and there none may be dropped.
        let thread = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(error))),
            };
            runtime.block_on(async {
                let listener = match TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return drop(opened.send(Err(error))),
                };
                let _ = opened.send(Ok(()));
                let site = Arc::new(site);
                tokio::select! {
                    _ = stopped => {}
                    () = accept(&listener, &site) => {}
                }
            });
        })?;
        let gone = |_| Err(io::Error::other("its thread ended at once"));
        is_open.recv().unwrap_or_else(gone)?;
        Ok(Self {
            address,
            running: Some((stop, thread)),
        })
    }
}

/// Whoever is being answered is cut.
impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            // It waits for nothing. If it has panicked, that was said.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: &TcpListener, site: &Arc<Site>) {
    let mut connections = Connections::default();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that was gone before it came, or too many of them.
                tracing::warn!("a connection to the admin listener was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        connections.make_room();
        let busy = Busy::default();
        let conversation = tokio::spawn(converse(stream, site.clone(), busy.clone()));
        connections.add(conversation.abort_handle(), busy);
    }
}

pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    site: Arc<Site>,
    busy: Busy,
) {
    let service = service_fn(|request| {
        let response = answer(&site, &request, busy.clone());
        async { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(UNTIL_ASKED)
        .max_buf_size(LONGEST)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(UNTIL_ENDED, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection to the admin listener ended: {error}"),
        Err(_) => {
            tracing::debug!("a connection to the admin listener was closed after {UNTIL_ENDED:?}");
        }
    }
}
