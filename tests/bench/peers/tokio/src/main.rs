// SPDX-License-Identifier: LGPL-2.1-or-later

//! The peer in Rust: tokio-peer WORK N. Prints the nanoseconds of one task of
//! that work, after an untimed round of the same size.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::{spawn_blocking, yield_now, JoinSet};

/// No-op tasks, all joined.
async fn join_set(n: u64) {
    let mut set = JoinSet::new();
    for _ in 0..n {
        set.spawn(async {});
    }

    let mut joined = 0;
    while let Some(result) = set.join_next().await {
        result.unwrap();
        joined += 1;
    }
    assert_eq!(joined, n);
}

/// Tasks that return a value, all values taken.
async fn join_set_value(n: u64) {
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn(async move { i });
    }

    let mut sum = 0;
    while let Some(result) = set.join_next().await {
        sum += result.unwrap();
    }
    assert_eq!(sum, n * (n - 1) / 2);
}

/// No-op functions on the pool for code that blocks, all joined.
async fn blocking(n: u64) {
    let handles: Vec<_> = (0..n).map(|_| spawn_blocking(|| {})).collect();
    for handle in handles {
        handle.await.unwrap();
    }
}

/// Tasks that all wait for one notification; from that until all are joined.
async fn notify(n: u64) -> Duration {
    let stop = Arc::new(Notify::new());
    let n_begun = Arc::new(AtomicU64::new(0));
    let mut set = JoinSet::new();
    for _ in 0..n {
        let (stop, n_begun) = (stop.clone(), n_begun.clone());
        set.spawn(async move {
            n_begun.fetch_add(1, Relaxed);
            stop.notified().await
        });
    }
    while n_begun.load(Relaxed) < n {
        yield_now().await;
    }

    let start = Instant::now();
    stop.notify_waiters();
    while let Some(result) = set.join_next().await {
        result.unwrap();
    }
    start.elapsed()
}

async fn whole(work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

fn runtime(work: &str) -> Runtime {
    match work {
        "join-set-local" | "notify" => Builder::new_current_thread().build(),
        // Left alone, the blocking pool would start up to 512 threads for
        // no-ops, and be many times slower.
        _ => Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(2)
            .build(),
    }
    .unwrap()
}

fn timed(runtime: &Runtime, work: &str, n: u64) -> Option<Duration> {
    Some(match work {
        "join-set" | "join-set-local" => runtime.block_on(whole(join_set(n))),
        "join-set-value" => runtime.block_on(whole(join_set_value(n))),
        "blocking" => runtime.block_on(whole(blocking(n))),
        "notify" => runtime.block_on(notify(n)),
        _ => return None,
    })
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let size = args.get(2).and_then(|n| n.parse().ok()).filter(|&n| n > 0);

    let elapsed = size.and_then(|n| {
        let runtime = runtime(&args[1]);
        timed(&runtime, &args[1], n)?;
        timed(&runtime, &args[1], n)
    });
    match (elapsed, size) {
        (Some(elapsed), Some(n)) => println!("ns={:.2}", elapsed.as_nanos() as f64 / n as f64),
        _ => {
            eprintln!("Usage: tokio-peer WORK N");
            std::process::exit(2);
        }
    }
}
