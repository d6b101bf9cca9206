//! Seconds that tuning the decision takes on made-up photos.
//!
//! `cargo bench -p flukeprint --bench tuning -- [photos] [whales]`, 4,000 and 5,000 unless said
//! otherwise; `RAYON_NUM_THREADS` sets the threads. Beside the seconds on the clock stand those of all
//! threads together on their processors (Linux), which other programs disturb less. Nothing is embedded
//! or searched: logits and similarities are drawn, the true whale's ahead of the others' by as much as in
//! a middling network.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // prints a table; made-up input is never refused

use flukeprint::tune::{LabelledQueries, tune, tune_classifier_at, tune_new_similarity};
use flukeprint_core::gallery::Label;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::time::Instant;

const ROUNDS: usize = 3;
/// The share of photos that show known whales.
const KNOWN: f64 = 0.7;

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let photos = numbers.first().copied().unwrap_or(4000);
    let whales = numbers.get(1).copied().unwrap_or(5000);
    let queries = made_up(photos, whales);
    let threads = rayon::current_num_threads();
    println!(
        "{photos} photos, {whales} whales, {threads} threads: seconds (of processors), {ROUNDS} rounds"
    );
    time("everything", || {
        let tuning = tune(&queries).unwrap();
        format!("MAP@5 {:.4}, {:?}", tuning.rows[4].map5, tuning.parameters)
    });
    time("p at one T", || {
        format!("{:.3}", tune_classifier_at(&queries, 1.0).unwrap())
    });
    time("q", || {
        format!("{:.3}", tune_new_similarity(&queries).unwrap())
    });
}

fn time(what: &str, run: impl Fn() -> String) {
    let mut found = String::new();
    let seconds: Vec<String> = (0..ROUNDS)
        .map(|_| {
            let (begun, worked) = (Instant::now(), processor_seconds());
            found = run();
            let worked = processor_seconds() - worked;
            format!("{:.2} ({worked:.2})", begun.elapsed().as_secs_f64())
        })
        .collect();
    println!("{what:<12}{}  {found}", seconds.join(", "));
}

/// User time of this process so far, in hundredths as Linux counts it; 0 elsewhere.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets, which may hold anything, user time is the twelfth value.
    let values = stat.rsplit(')').next().unwrap_or_default();
    let ticks = values
        .split_whitespace()
        .nth(11)
        .and_then(|ticks| ticks.parse::<f64>().ok());
    ticks.unwrap_or(0.0) / 100.0
}

fn made_up(photos: usize, whales: usize) -> LabelledQueries {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut truths, mut logits, mut similarities) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..photos {
        let truth = rng.random_range(0..whales);
        let is_known = rng.random_bool(KNOWN);
        truths.push(Label::from_slot(
            if is_known { truth } else { whales },
            whales,
        ));
        for whale in 0..=whales {
            let ahead = if is_known && whale == truth { 2.5 } else { 0.0 };
            let mut value = || ahead + rng.sample::<f32, _>(StandardNormal);
            if whale < whales {
                logits.push(3.0 * value());
            }
            similarities.push((0.35 + 0.05 * value()).clamp(0.0, 1.0));
        }
    }
    LabelledQueries::new(whales, truths, logits, similarities).unwrap()
}
