//! The sockets: a listener whose connections can be cut from outside, with a reset as a broken network does.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Cuts one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Arc<CutState>);

#[derive(Debug, Default)]
struct CutState {
    done: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Cut {
    /// Resets the connection: what was not sent yet is lost.
    pub(crate) fn reset(&self) {
        self.0.done.store(true, Ordering::SeqCst);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

/// All connections of a server, so that they end with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Vec<Weak<CutState>>>>);

impl Connections {
    fn add(&self, cut: &Cut) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|cut| cut.strong_count() > 0);
        list.push(Arc::downgrade(&cut.0));
    }

    /// Resets all of them.
    pub(crate) fn reset(&self) {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for cut in list.iter().filter_map(Weak::upgrade) {
            Cut(cut).reset();
        }
    }
}

/// A listener whose connections carry a [`Cut`].
pub(crate) struct CuttableListener {
    pub(crate) inner: TcpListener,
    pub(crate) connections: Connections,
}

impl Listener for CuttableListener {
    type Io = Wire;
    type Addr = (SocketAddr, Cut);

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = <TcpListener as Listener>::accept(&mut self.inner).await;
        // Small frames follow each other here, as on any gateway; the answer to a failure is the same bytes later.
        let _ = stream.set_nodelay(true);
        let cut = Cut::default();
        self.connections.add(&cut);
        (Wire { stream, cut: cut.clone() }, (address, cut))
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok((self.inner.local_addr()?, Cut::default()))
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().1.clone()
    }
}

/// A connection that can be cut.
pub(crate) struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl Wire {
    fn check(&self, waker: &AtomicWaker, context: &Context<'_>) -> io::Result<()> {
        waker.register(context.waker());
        if !self.cut.0.done.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(&self.cut.0.reader, context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(&self.cut.0.writer, context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(&self.cut.0.writer, context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(&self.cut.0.writer, context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
