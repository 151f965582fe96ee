//! The API on a socket, for `kubectl` and everything else that is not in this process.

mod gate;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::handle::Sandbox;
use gate::Gate;

/// How long requests that are being answered may still take when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until it is stopped. Dropped, it stops without waiting for anything.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    sandbox: Sandbox,
}

impl Server {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops to listen, ends watches and followed logs, lets other requests finish (for at most two seconds), and returns
    /// when all connections are closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.sandbox.close_streams();
        // The task ends by itself; that it panicked would have been told by the panic.
        drop((&mut self.task).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a sandbox on a listener, HTTP/1.1 without encryption: for loopback: requests that
/// a web page sent, or that are for another name than loopback's, are refused.
///
/// # Errors
/// When the listener does not know its own address.
pub fn serve(sandbox: &Sandbox, listener: TcpListener) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(sandbox.clone(), listener, stopped));
    Ok(Server { address, stop, task, sandbox: sandbox.clone() })
}

/// The text of a kubeconfig file that leads to a server.
pub fn kubeconfig(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters:\n\
         - name: sandbox\n  cluster:\n    server: http://{address}\n\
         users:\n\
         - name: sandbox\n  user: {{}}\n\
         contexts:\n\
         - name: sandbox\n  context:\n    cluster: sandbox\n    user: sandbox\n    namespace: default\n\
         current-context: sandbox\n"
    )
}

async fn accept(sandbox: Sandbox, listener: TcpListener, stopped: watch::Receiver<bool>) {
    let mut stopping = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Accepting is cancel-safe: a connection that is not taken stays in the queue.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(sandbox.clone(), stream, stopped.clone()))),
                // Too many open files, most likely: time, not a tight loop, helps.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = until(&mut stopping) => break,
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Whoever takes longer is cut off when the set is dropped.
    drop(tokio::time::timeout(GRACE, finished).await);
}

async fn connection(sandbox: Sandbox, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
    // Small writes of a watch are not held back for more.
    drop(stream.set_nodelay(true));
    let service = TowerToHyperService::new(Gate(sandbox.service()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What goes wrong on a connection is its client's business, and often was asked for.
        done = connection.as_mut() => return drop(done),
        () = until(&mut stopped) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// Waits until the server is to stop, or nobody is left who could say so.
async fn until(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}
