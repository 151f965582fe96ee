//! The one that writes.
//!
//! A write is on the disk when it returns, which takes milliseconds. What arrives in the meantime waits, and is then written
//! together and made durable together: a burst of questions is acknowledged about as fast as a single one.

use std::sync::Arc;

use sqlx::Row as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::failure::Failure;
use super::{BEGIN_TO_WRITE, Connection, Pool};
use crate::StoreError;

/// How many writes wait for their turn. Who comes then waits before giving a write away.
const QUEUE: usize = 1024;
/// How many writes become durable together at most.
const TOGETHER: usize = 256;

/// A statement that writes, with its values. It can be run again after it was taken back.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// What cannot be done when it fails.
    pub(crate) action: &'static str,
    /// The statement.
    pub(crate) statement: &'static str,
    /// The values of `$1` and so on.
    pub(crate) values: Vec<Value>,
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// What a write did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    /// How many rows it made, changed or dropped.
    pub(crate) rows: u64,
    /// The first value that the statement returns, where it returns one.
    pub(crate) returned: Option<String>,
}

struct Order {
    write: Write,
    reply: oneshot::Sender<Result<Written, StoreError>>,
}

impl Order {
    /// Whether somebody waits for it. What nobody waits for any more and was not begun is not written.
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn settle(self, result: Result<Written, Failure>, place: &str) {
        let result = result.map_err(|failure| failure.into_error(self.write.action, place));
        // Who no longer waits has nobody to tell.
        drop(self.reply.send(result));
    }
}

/// The way to the one that writes. It ends when this is dropped.
pub(super) struct Writer {
    place: Arc<str>,
    orders: mpsc::Sender<Order>,
    _task: JoinSet<()>,
}

impl Writer {
    /// Begins to take writes.
    pub(super) fn start(pool: Pool, place: Arc<str>) -> Self {
        let (orders, mut incoming) = mpsc::channel(QUEUE);
        let mut task = JoinSet::new();
        let shown = place.clone();
        task.spawn(async move {
            let mut batch = Vec::with_capacity(TOGETHER);
            while incoming.recv_many(&mut batch, TOGETHER).await > 0 {
                batch.retain(Order::is_wanted);
                if !batch.is_empty() {
                    run(&pool, batch.split_off(0), &shown).await;
                }
            }
        });
        Self { place, orders, _task: task }
    }

    /// Writes, and returns when it is on the disk.
    pub(super) async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let action = write.action;
        let ended = || Failure::ended().into_error(action, &self.place);
        let (reply, result) = oneshot::channel();
        self.orders.send(Order { write, reply }).await.map_err(|_| ended())?;
        result.await.map_err(|_| ended())?
    }
}

/// Writes a batch, and tells each who waits what became of the own write.
async fn run(pool: &Pool, batch: Vec<Order>, place: &str) {
    let mut connection = match pool.acquire().await {
        Ok(connection) => connection,
        Err(error) => return settle_all(batch, &Failure::of(error), place),
    };
    let failure = match together(&mut connection, &batch).await {
        Ok(written) => {
            for (order, written) in batch.into_iter().zip(written) {
                order.settle(Ok(written), place);
            }
            return;
        }
        Err(failure) => failure,
    };
    // Waiting for a lock again would not help, and others wait behind.
    if batch.len() == 1 || failure.is_lock() {
        return settle_all(batch, &failure, place);
    }
    // All were taken back. One of them may be at fault, so that each is tried by itself.
    let mut batch = batch.into_iter();
    while let Some(order) = batch.next() {
        let alone = together(&mut connection, std::slice::from_ref(&order)).await;
        let lock = alone.as_ref().err().filter(|failure| failure.is_lock()).cloned();
        order.settle(alone.map(|written| written.into_iter().next().unwrap_or_default()), place);
        if let Some(failure) = lock {
            return settle_all(batch, &failure, place);
        }
    }
}

fn settle_all(orders: impl IntoIterator<Item = Order>, failure: &Failure, place: &str) {
    for order in orders {
        order.settle(Err(failure.clone()), place);
    }
}

/// Writes all in one transaction: all of them, or none.
///
/// The transaction is not one of sqlx: on a full disk SQLite may have taken it back by itself, and sqlx would count it as
/// open from then on.
async fn together(connection: &mut Connection, batch: &[Order]) -> Result<Vec<Written>, Failure> {
    let result = begin_and_commit(connection, batch).await;
    if result.is_err() {
        // Where nothing is open any more, or never was, this fails, and that is well.
        drop(sqlx::raw_sql("ROLLBACK").execute(connection).await);
    }
    result.map_err(Failure::of)
}

async fn begin_and_commit(connection: &mut Connection, batch: &[Order]) -> Result<Vec<Written>, sqlx::Error> {
    sqlx::raw_sql(BEGIN_TO_WRITE).execute(&mut *connection).await?;
    let mut written = Vec::with_capacity(batch.len());
    for order in batch {
        written.push(execute(connection, &order.write).await?);
    }
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(written)
}

async fn execute(connection: &mut Connection, write: &Write) -> Result<Written, sqlx::Error> {
    let mut query = sqlx::query(write.statement);
    for value in &write.values {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(*number),
        };
    }
    if !write.statement.contains(" RETURNING ") {
        return Ok(Written { rows: query.execute(connection).await?.rows_affected(), returned: None });
    }
    // All rows: a statement that is left before its end may not be on the disk yet.
    let rows = query.fetch_all(connection).await?;
    let returned = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(Written { rows: rows.len().try_into().unwrap_or(u64::MAX), returned })
}
