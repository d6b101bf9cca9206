//! Which photo of another whale a photo is compared with.

use crate::{Error, Result};
use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres_min;
use rayon::prelude::*;

/// Whole steps that the greatest distance is divided into, for the assignment: sums of whole numbers
/// do not depend on their order.
const STEPS: f32 = (1u32 << 30) as f32;
/// Photos that are compared with another one while it is in the processor's cache.
const BLOCK: usize = 16;
/// Sums that are taken side by side.
const LANES: usize = 16;

/// For each photo one of another whale, each used once as far as possible, so that the sum of the
/// distances is least (spec, *Training*: linear assignment over the batch). A photo for which that
/// leaves none, because its whale has more than half of the batch, gets its nearest.
///
/// `distances` has one row a photo, `[n, n]`; `individuals` says who each photo shows.
///
/// # Errors
/// [`Error::OneWhale`] when all photos show the same whale.
pub fn assigned(distances: &[f32], individuals: &[u32]) -> Result<Vec<usize>> {
    refuse_one_whale(individuals)?;
    let photos = individuals.len();
    if photos == 0 {
        return Ok(Vec::new());
    }
    let greatest = distances.iter().copied().filter(|d| d.is_finite());
    let greatest = greatest.fold(f32::MIN_POSITIVE, f32::max);
    // One forbidden pair costs more than all allowed ones together.
    let forbidden = STEPS as i64 * (photos as i64 + 1);
    let cost = |(row, column): (usize, usize)| match individuals[row] == individuals[column] {
        true => forbidden,
        // The cast takes what is no number to 0; the loss will say so.
        false => (distances[row * photos + column] / greatest * STEPS)
            .round()
            .clamp(0.0, STEPS) as i64,
    };
    let (_, columns) = kuhn_munkres_min(&Matrix::from_fn(photos, photos, cost));
    let rows = distances.chunks_exact(photos).zip(columns).enumerate();
    let negative = |(row, (distances, column)): (usize, (&[f32], usize))| {
        if individuals[row] != individuals[column] {
            return Ok(column);
        }
        let others = (0..photos).filter(|&other| individuals[other] != individuals[row]);
        let nearest = others.min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        nearest.ok_or(Error::OneWhale)
    };
    rows.map(negative).collect()
}

/// For each photo the nearest one of another whale among all (spec, *Training*: the hardest negative
/// over all features); of equally near ones the first.
///
/// `features` is `[photos, width]`. The number of threads makes no difference.
///
/// # Errors
/// [`Error::OneWhale`] when all photos show the same whale.
pub fn hardest(features: &[f32], width: usize, individuals: &[u32]) -> Result<Vec<usize>> {
    refuse_one_whale(individuals)?;
    let block = |(anchors, whales): (&[f32], &[u32])| {
        let mut best: Vec<Option<(f32, usize)>> = vec![None; whales.len()];
        for (other, row) in features.chunks_exact(width).enumerate() {
            let anchors = anchors.chunks_exact(width).zip(whales);
            for ((anchor, whale), best) in anchors.zip(&mut best) {
                if *whale == individuals[other] {
                    continue;
                }
                let square = squared_distance(anchor, row);
                if best.is_none_or(|(least, _)| square < least) {
                    *best = Some((square, other));
                }
            }
        }
        best
    };
    let blocks = features.par_chunks(BLOCK * width);
    blocks
        .zip(individuals.par_chunks(BLOCK))
        .flat_map_iter(block)
        .map(|best| best.map(|(_, other)| other).ok_or(Error::OneWhale))
        .collect()
}

/// Anchor, farthest photo of its whale and nearest photo of another whale, for each photo of the
/// batch that has both; of equally far ones the first. `distances` is `[n, n]`.
pub fn hardest_in_batch(distances: &[f32], individuals: &[u32]) -> Vec<[usize; 3]> {
    let photos = individuals.len();
    let triplet = |anchor: usize| {
        let distance = |other: usize| distances[anchor * photos + other];
        let same = |other: &usize| individuals[*other] == individuals[anchor];
        let positive = (0..photos)
            .filter(|other| same(other) && *other != anchor)
            .min_by(|&a, &b| distance(b).total_cmp(&distance(a)))?;
        let negative = (0..photos)
            .filter(|other| !same(other))
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))?;
        Some([anchor, positive, negative])
    };
    (0..photos).filter_map(triplet).collect()
}

/// The distances between all rows of `features`, `[n, width]`: `[n, n]`.
pub fn distances(features: &[f32], width: usize) -> Vec<f32> {
    let rows = || features.chunks_exact(width);
    rows()
        .flat_map(|a| rows().map(move |b| squared_distance(a, b).sqrt()))
        .collect()
}

/// ‖a − b‖², the same whichever comes first.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += (a - b) * (a - b);
    }
    sums.iter().sum()
}

fn refuse_one_whale(individuals: &[u32]) -> Result<()> {
    match individuals {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Err(Error::OneWhale),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    use rand_chacha::ChaCha8Rng;

    /// Photos of two or more whales, with features of small whole numbers, whose distances are exact
    /// and often equal.
    fn photos(
        most: usize,
        whales: u32,
        width: usize,
    ) -> impl Strategy<Value = (Vec<f32>, Vec<u32>)> {
        let photo = (proptest::collection::vec(-2i8..3, width), 0..whales);
        proptest::collection::vec(photo, 2..most)
            .prop_map(|photos| {
                let (features, individuals): (Vec<_>, Vec<_>) = photos.into_iter().unzip();
                let features = features.concat().into_iter().map(f32::from).collect();
                (features, individuals)
            })
            .prop_filter("one whale", |(_, whales)| {
                whales.iter().any(|w| *w != whales[0])
            })
    }

    /// The definition: the first of the nearest photos of another whale.
    fn nearest_by_definition(
        features: &[f32],
        width: usize,
        whales: &[u32],
        anchor: usize,
    ) -> usize {
        let row = |photo: usize| &features[photo * width..(photo + 1) * width];
        let square = |other: usize| -> f64 {
            let pairs = row(anchor).iter().zip(row(other));
            pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        (0..whales.len())
            .filter(|&other| whales[other] != whales[anchor])
            .reduce(|best, other| {
                if square(other) < square(best) {
                    other
                } else {
                    best
                }
            })
            .unwrap()
    }

    #[test]
    fn the_assignment_is_the_cheapest_and_not_the_nearest_of_each() {
        // Photos at 0, 10 | 1, 12 on a line: both of the first whale are nearest to 1, but only one
        // may have it. 0–1, 10–12 costs 3, 0–12, 10–1 costs 21.
        let places: [f32; 4] = [0.0, 10.0, 1.0, 12.0];
        let distances: Vec<f32> = places
            .iter()
            .flat_map(|a| places.map(|b| (a - b).abs()))
            .collect();
        assert_eq!(assigned(&distances, &[7, 7, 3, 3]).unwrap(), [2, 3, 0, 1]);
    }

    #[test]
    fn what_an_assignment_cannot_serve_gets_its_nearest() {
        // Three photos of whale 0 and one of whale 1: only one of the three can have it by assignment.
        let distances = distances(&[0.0, 1.0, 2.0, 9.0], 1);
        let found = assigned(&distances, &[0, 0, 0, 1]).unwrap();
        assert_eq!(found[..3], [3, 3, 3]);
        assert!(found[3] < 3);
    }

    #[test]
    fn one_whale_alone_is_refused_with_what_to_do() {
        for refusal in [
            assigned(&[0.0; 4], &[5, 5]).unwrap_err(),
            hardest(&[1.0, 2.0], 1, &[5, 5]).unwrap_err(),
        ] {
            assert!(
                refusal.to_string().contains("add photos of another whale"),
                "{refusal}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_assignment_never_costs_more_than_another((features, whales) in photos(14, 6, 3), seed: u64) {
            let (all, n) = (distances(&features, 3), whales.len());
            let found = assigned(&all, &whales).unwrap();
            prop_assert!(found.iter().enumerate().all(|(row, &other)| whales[row] != whales[other]));
            let most = whales.iter().map(|w| whales.iter().filter(|v| *v == w).count()).max();
            prop_assume!(most.unwrap() * 2 <= n); // then there is an allowed permutation
            let mut order = found.clone();
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());

            let total = |columns: &[usize]| -> f64 {
                let pairs = columns.iter().enumerate();
                pairs.map(|(row, column)| f64::from(all[row * n + column])).sum()
            };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            for _ in 0..200 {
                let other = allowed_permutation(&whales, &mut rng);
                prop_assert!(total(&found) <= total(&other) + 1e-5);
            }
        }

        #[test]
        fn the_hardest_is_the_first_of_the_nearest_of_another_whale((features, whales) in photos(70, 5, 19)) {
            let found = hardest(&features, 19, &whales).unwrap();
            let wanted: Vec<usize> = (0..whales.len())
                .map(|anchor| nearest_by_definition(&features, 19, &whales, anchor))
                .collect();
            prop_assert_eq!(&found, &wanted);
            let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            prop_assert_eq!(one_thread.install(|| hardest(&features, 19, &whales)).unwrap(), found);
        }
    }

    /// A random permutation without a pair of one whale: forbidden places are swapped away.
    fn allowed_permutation(whales: &[u32], rng: &mut ChaCha8Rng) -> Vec<usize> {
        let n = whales.len();
        let mut columns: Vec<usize> = (0..n).collect();
        loop {
            columns.shuffle(rng);
            for row in 0..n {
                let mut places: Vec<usize> = (0..n).collect();
                places.shuffle(rng);
                let fits = |row: usize, column: usize| whales[row] != whales[column];
                let swap = places
                    .into_iter()
                    .find(|&p| fits(row, columns[p]) && fits(p, columns[row]));
                if let (false, Some(place)) = (fits(row, columns[row]), swap) {
                    columns.swap(row, place);
                }
            }
            if (0..n).all(|row| whales[row] != whales[columns[row]]) {
                return columns;
            }
        }
    }
}
