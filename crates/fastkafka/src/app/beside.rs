//! An app beside a server: the order of their ends, and the time for each.

use super::App;
use super::dropped::EndOnDrop;
use super::life::Server;
use crate::error::RunError;
use std::fmt::Display;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

impl App {
    /// Starts, polls the server, and stops when asked to, or when one of the two ends by itself.
    pub(crate) async fn run_beside<E: Display>(
        &self,
        server: impl Future<Output = Result<(), E>>,
    ) -> Result<(), RunError> {
        match self.start().await {
            // Stopped on request; the server was never polled.
            Err(RunError::Stopped) => return Ok(()),
            started => started?,
        }
        let dropped = EndOnDrop::new(self);
        let end = self.serve(server).await;
        dropped.disarm();
        end
    }

    /// Everything is polled here, too: handlers that block all threads of tokio must not keep the app from
    /// its end.
    async fn serve<E: Display>(
        &self,
        server: impl Future<Output = Result<(), E>>,
    ) -> Result<(), RunError> {
        let life = &self.inner.life;
        let runtime = life.runtime.get().expect("just started");
        let mut end = pin!(async {
            self.stopping().await;
            self.stop().await
        });
        if life.advance_server(Server::Serves, |now| matches!(now, Server::None)) {
            let over = tokio::select! {
                over = server => Server::Ended(over.map_err(|error| self.server_failed(error))),
                () = self.server_let_go() => Server::LetGo,
                end = &mut end => return end,
                never = self.fail_with(runtime) => match never {},
            };
            life.advance_server(over, |now| matches!(now, Server::Serves));
        }
        self.shut_down();
        end.await
    }

    /// Said at once: the app drains first, and that takes its time.
    fn server_failed(&self, error: impl Display) -> String {
        let why = format!("its server failed: {error}");
        self.fail(why.clone());
        why
    }

    async fn server_let_go(&self) {
        let mut server = self.inner.life.server.subscribe();
        let _ = server.wait_for(|now| matches!(now, Server::LetGo)).await;
    }

    /// Waits for the server, which hears of the end by [`App::stopping`]. Says what was wrong with it.
    pub(super) async fn end_server(&self, within: Duration) -> Option<RunError> {
        let mut server = self.inner.life.server.subscribe();
        let over = server.wait_for(|now| !matches!(now, Server::Serves));
        let in_time = timeout(within, over).await.is_ok();
        // None begins any more.
        let life = &self.inner.life;
        life.advance_server(Server::LetGo, |now| !matches!(now, Server::Ended(_)));
        let now = life.server.borrow();
        match &*now {
            Server::Ended(Err(why)) => Some(RunError::Ended(why.clone())),
            Server::LetGo if !in_time => Some(RunError::Stop(format!(
                "its server did not end within {within:?}, half of `shutdown_timeout`: a request is in hand, or \
                 what it streams does not end with `App::stopping`"
            ))),
            _ => None,
        }
    }

    /// The future that polled the server was dropped, and the server with it.
    pub(super) fn let_go_of_server(&self) {
        let life = &self.inner.life;
        life.advance_server(Server::LetGo, |now| matches!(now, Server::Serves));
    }
}
