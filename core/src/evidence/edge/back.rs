//! The other way around: the pieces of a photo's edge, laid on a query's.
//!
//! What one of two edges has and the other lacks (a half that is hidden, a tip that is cut off) weighs otherwise by the one's pieces
//! than by the other's, and their mean errs less than each. Only photos that fit well are laid so: the order of the others is of no use.

use alloc::vec::Vec;

use super::background::{Background, input};
use super::curve::Edge;
use super::fit::{STRETCHES, of_all};
use super::ground::Ground;
use super::lay::{Asked, Distances, best_sum};
use super::segments::{PIECES, Scales};

/// So many photos of a gallery, those that fit best and better than the mean, are laid on the query too.
const BEST: usize = 30;
/// What that counts, and the rest of 1 is the fit's.
const SHARE: f32 = 0.5;
/// Every so manyeth piece of a photo is looked for.
const EVERY: usize = 8;
/// One standard deviation of what strangers' pieces come to. From data/hwi.
const DEVIATION: f32 = 0.3;
/// What a stranger comes to the other way around, of what it fits (their correlation).
const ALIKE: f32 = 0.6;

/// `fits` of `photos` with how well those of the best lie on the `query`'s edges, in standard deviations of strangers: half of the best
/// are taken for such. Of the others it is what it usually is.
pub(super) fn both_ways(
    fits: &mut [f32],
    photos: &[&Ground],
    query: &[Edge],
    background: &Background,
) {
    let query = query.iter().map(|edge| Ground::of(edge, background));
    let query: Vec<Ground> = query.collect();
    let mut best: Vec<usize> = (0..fits.len()).collect();
    best.sort_by(|&a, &b| fits[b].total_cmp(&fits[a]));
    best.truncate(BEST);
    best.retain(|&photo| fits[photo] > 0.0);
    let backs = of_all(&best, |&photo| laid_back(photos[photo], &query, background));
    let mut back: Vec<f32> = fits.iter().map(|fit| ALIKE * fit).collect();
    let of_stranger = ALIKE * median(best.iter().map(|&photo| fits[photo]));
    let usual = median(backs.iter().copied());
    for (photo, one) in best.into_iter().zip(backs) {
        back[photo] = of_stranger + (one - usual) / DEVIATION;
    }
    for (fit, back) in fits.iter_mut().zip(back) {
        *fit = (1.0 - SHARE) * *fit + SHARE * back;
    }
}

/// The middle one, of an even number the upper one; 0 of none.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// What a photo's pieces come to on the query's edges, on average.
fn laid_back(photo: &Ground, query: &[Ground], background: &Background) -> f32 {
    let lengths =
        [1.0, STRETCHES[0], STRETCHES[1]].map(|stretch| Asking::of(photo, stretch, background));
    let notch = (0..PIECES)
        .step_by(EVERY)
        .filter(|&number| number < PIECES / 2)
        .count();
    let sums = query.iter().map(|edge| {
        let distances = lengths
            .each_ref()
            .map(|asking| Distances::of(&asking.pieces, edge));
        let of = |length: usize| (&distances[length], &lengths[length].background[..]);
        best_sum([of(0), of(1), of(2)], notch)
    });
    sums.sum::<f32>() / query.len() as f32
}

/// A photo's pieces at one length.
struct Asking {
    pieces: Vec<Asked>,
    background: Vec<f32>,
}

impl Asking {
    fn of(photo: &Ground, stretch: f32, background: &Background) -> Self {
        let scales = Scales::stretched(&photo.edge, stretch);
        let numbers = || (0..PIECES).step_by(EVERY);
        Self {
            pieces: numbers().map(|number| Asked::of(&scales, number)).collect(),
            background: numbers()
                .map(|number| background.of(&input(&scales, number)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Numbers, any_edge};
    use super::*;

    fn grounds(edges: &[Edge]) -> Vec<Ground> {
        let background = Background::shipped().unwrap();
        edges
            .iter()
            .map(|edge| Ground::of(edge, &background))
            .collect()
    }

    #[test]
    fn only_photos_that_fit_well_are_laid_back_and_the_others_keep_their_order() {
        let mut numbers = Numbers(31);
        let edges: Vec<Edge> = (0..50).map(|_| any_edge(&mut numbers)).collect();
        let photos = grounds(&edges);
        let photos: Vec<&Ground> = photos.iter().collect();
        let background = Background::shipped().unwrap();
        // The later, the better; the first five below the mean.
        let before: Vec<f32> = (0..50_u8)
            .map(|photo| (f32::from(photo) - 5.0) / 10.0)
            .collect();
        let mut fits = before.clone();
        both_ways(&mut fits, &photos, &edges[40..41], &background);
        // The thirty best are 20 to 49. 0.5 of the fit, and 0.5 of 0.6 of it, since strangers fit so the other way around.
        for photo in 0..20 {
            assert!((fits[photo] - 0.8 * before[photo]).abs() < 1e-6, "{photo}");
        }
        let back = |photo: usize| 2.0 * fits[photo] - before[photo];
        let mut backs: Vec<f32> = (20..50).map(back).collect();
        backs.sort_by(f32::total_cmp);
        assert_eq!(backs[29], back(40));
        assert!(backs[29] > backs[28] + 5.0, "{backs:?}");
        // The middle one is a stranger: 0.6 of the middle fit, that of photo 35.
        assert!((backs[15] - 0.6 * before[35]).abs() < 1e-4, "{backs:?}");
        // Of few photos those that do not fit are not laid back either.
        let mut fits = before[..20].to_vec();
        both_ways(&mut fits, &photos[..20], &edges[40..41], &background);
        assert!((0..6).all(|photo| (fits[photo] - 0.8 * before[photo]).abs() < 1e-6));
        assert!((6..20).any(|photo| (fits[photo] - 0.8 * before[photo]).abs() > 0.1));
    }

    #[test]
    fn of_two_edges_of_a_query_both_count_alike() {
        let mut numbers = Numbers(32);
        let edges: Vec<Edge> = (0..3).map(|_| any_edge(&mut numbers)).collect();
        let background = Background::shipped().unwrap();
        let photos = grounds(&edges);
        let back = |query: &[Ground]| laid_back(&photos[0], query, &background);
        let [one, other] = [1, 2].map(|edge| back(&photos[edge..=edge]));
        assert!((back(&photos[1..]) - (one + other) / 2.0).abs() < 1e-4);
    }
}
