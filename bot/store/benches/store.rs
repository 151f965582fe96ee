//! How long a delivery takes to be on the disk: `cargo bench -p kubewhy-store`. A directory on the disk to measure can be
//! given: `cargo bench -p kubewhy-store -- /var/lib/kubewhy`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{Address, Delivery, Input, Person, Place, Request, samples};
use kubewhy_store::{Ending, Store};
use tokio::task::JoinSet;

const DELIVERIES: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let on_disk = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let directory = on_disk.map_or_else(tempfile::tempdir, tempfile::tempdir_in)?;
    measure_disk(directory.path())?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let url = format!("sqlite:{}", directory.path().join("bench.db").display());
        let store = Store::open(&url).await?;
        for at_once in [1, 8, 64, 512] {
            measure(&store, at_once).await?;
        }
        store.close().await;
        let begun = Instant::now();
        let store = Store::open(&url).await?;
        writeln!(io::stdout(), "opened again in {:.1} ms", milliseconds(begun.elapsed()))?;
        let begun = Instant::now();
        let dropped = store.prune(samples::now() + SignedDuration::from_hours(24 * 8)).await?;
        writeln!(io::stdout(), "{dropped} rows dropped in {:.1} ms", milliseconds(begun.elapsed()))?;
        Ok(())
    })
}

/// What the disk alone needs: no delivery can be faster than one block.
fn measure_disk(directory: &Path) -> io::Result<()> {
    let mut file = File::create(directory.join("blocks"))?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let begun = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    writeln!(io::stdout(), "the disk alone: p50 {:.2} ms, p99 {:.2} ms", at(&times, 50), at(&times, 99))
}

/// Takes deliveries, some at once, each accepted, begun and ended, as it is when people ask.
async fn measure(store: &Store, at_once: usize) -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..at_once {
        let store = store.clone();
        tasks.spawn(async move {
            let mut accepted = Vec::new();
            for index in (task..DELIVERIES).step_by(at_once) {
                let delivery = delivery(format!("slack:Ev{at_once}-{index}"));
                let begun = Instant::now();
                store.accept(&delivery).await?;
                accepted.push(begun.elapsed());
                store.begin(&delivery.id).await?;
                store.finish(&delivery.id, Ending::Answered, Timestamp::now()).await?;
            }
            Ok::<_, kubewhy_store::StoreError>(accepted)
        });
    }
    let mut accepted = Vec::new();
    for times in tasks.join_all().await {
        accepted.extend(times?);
    }
    let elapsed = begun.elapsed();
    accepted.sort_unstable();
    writeln!(
        io::stdout(),
        "{at_once:>3} at once: accept p50 {:.2} ms, p99 {:.2} ms; {:.0} deliveries/s accepted, begun and ended",
        at(&accepted, 50),
        at(&accepted, 99),
        f64::from(u32::try_from(DELIVERIES)?) / elapsed.as_secs_f64(),
    )?;
    Ok(())
}

fn delivery(id: String) -> Delivery {
    Delivery {
        id,
        request: Request {
            who: Person { id: "slack:T01:U01".to_owned(), name: "ada".to_owned(), identity: None },
            place: Place { channel: "slack:C01".to_owned(), thread: Some("1795144560.000100".to_owned()) },
            input: Input::Line("why pod cart-7d9f8b6c5-x2x4z -n shop".to_owned()),
        },
        address: Address("x".repeat(200)),
        received_at: samples::now(),
    }
}

/// A percentile of sorted times, in milliseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).copied().map(milliseconds).unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
