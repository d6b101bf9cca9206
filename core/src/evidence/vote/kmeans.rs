//! k-means centres of descriptors, and which of them is nearest.
//!
//! Everything is in whole numbers and every start is fixed, so that the centres are the same on every
//! machine and for any number of threads.

use alloc::vec;
use alloc::vec::Vec;

use crate::evidence::DESCRIPTOR;
use crate::evidence::distances::{Codes, Wide};

/// Rows that are compared with a group of centres while both are in the first cache.
const ROWS_AT_ONCE: usize = 64;
const CENTRES_AT_ONCE: usize = 32;

/// 2⁶⁴ over the golden ratio: its multiples lie evenly, without a period, in the ring of 64 bits (Weyl).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// `count` different numbers below `below`, evenly spread and in no step with anything. All of them if
/// there are no more.
pub(super) fn spread(count: usize, below: usize) -> Vec<usize> {
    if count >= below {
        return (0..below).collect();
    }
    let mut numbers: Vec<usize> = (0..count as u64)
        .map(|index| {
            let place = index.wrapping_mul(GOLDEN);
            ((u128::from(place) * below as u128) >> 64) as usize
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Moves `lists` centres, which begin at rows of `sample`, `rounds` times to the mean of the rows
/// nearest to them (Lloyd, 1982). A centre that nobody is nearest to stays.
pub(super) fn centres(
    sample: &[Codes],
    lists: usize,
    rounds: u32,
    on_sorted: &(dyn Fn(usize) + Sync),
) -> Vec<Codes> {
    let mut centres: Vec<Codes> = spread(lists, sample.len())
        .into_iter()
        .map(|row| sample[row])
        .collect();
    for _ in 0..rounds {
        let nearest = nearest_centres(sample, &centres, on_sorted);
        let mut sums = vec![[0_i32; DESCRIPTOR]; centres.len()];
        let mut counts = vec![0_i32; centres.len()];
        for (row, &centre) in sample.iter().zip(&nearest) {
            counts[centre as usize] += 1;
            for (sum, &code) in sums[centre as usize].iter_mut().zip(row) {
                *sum += i32::from(code);
            }
        }
        for ((centre, sum), &count) in centres.iter_mut().zip(&sums).zip(&counts) {
            if count > 0 {
                *centre = sum.map(|sum| rounded_mean(sum, count));
            }
        }
    }
    centres
}

/// sum / count to the nearest whole number, halves upward. A mean of codes is a code.
fn rounded_mean(sum: i32, count: i32) -> i8 {
    let (sum, count) = (i64::from(sum), i64::from(count));
    (2 * sum + count).div_euclid(2 * count) as i8
}

/// The nearest centre of every row; of equally near ones the first. With the feature `train` on all
/// threads. `on_sorted` hears of the rows that are done since it last heard.
pub(super) fn nearest_centres(
    rows: &[Codes],
    centres: &[Codes],
    on_sorted: &(dyn Fn(usize) + Sync),
) -> Vec<u32> {
    let wide = Wide::new(centres.as_flattened());
    let assign = |rows: &[Codes]| {
        let nearest = nearest_of_group(rows, &wide);
        on_sorted(rows.len());
        nearest
    };
    #[cfg(feature = "train")]
    {
        use rayon::prelude::*;
        rows.par_chunks(ROWS_AT_ONCE)
            .flat_map_iter(assign)
            .collect()
    }
    #[cfg(not(feature = "train"))]
    {
        rows.chunks(ROWS_AT_ONCE).flat_map(assign).collect()
    }
}

fn nearest_of_group(rows: &[Codes], centres: &Wide) -> Vec<u32> {
    let wide = Wide::new(rows.as_flattened());
    let mut best = vec![(i32::MAX, 0_u32); rows.len()];
    for first in (0..centres.len()).step_by(CENTRES_AT_ONCE) {
        let group = first..(first + CENTRES_AT_ONCE).min(centres.len());
        for (row, best) in best.iter_mut().enumerate() {
            for (centre, name) in group.clone().zip(first as u32..) {
                let distance = wide.distance(row, centres, centre);
                if distance < best.0 {
                    *best = (distance, name);
                }
            }
        }
    }
    best.into_iter().map(|(_, centre)| centre).collect()
}
