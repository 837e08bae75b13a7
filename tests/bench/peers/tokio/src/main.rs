// SPDX-License-Identifier: LGPL-2.1-or-later

//! The peer in Rust: tokio-peer WORK N. Prints the nanoseconds of one task of
//! that work, after an untimed round of the same size.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{spawn_blocking, JoinSet};

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

fn timed(runtime: &Runtime, work: &str, n: u64) -> Option<Duration> {
    let start = Instant::now();
    match work {
        "join-set" => runtime.block_on(join_set(n)),
        "join-set-value" => runtime.block_on(join_set_value(n)),
        "blocking" => runtime.block_on(blocking(n)),
        _ => return None,
    }
    Some(start.elapsed())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let size = args.get(2).and_then(|n| n.parse().ok()).filter(|&n| n > 0);
    // Left alone, the blocking pool would start up to 512 threads for no-ops,
    // and be many times slower.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(2)
        .build()
        .unwrap();

    let elapsed = size.and_then(|n| {
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
