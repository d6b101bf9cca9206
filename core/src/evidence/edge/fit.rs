//! How well a query's edge lies on those of a gallery.
//!
//! What a piece is worth on a photo is how much nearer it comes there than to all but the best 50 of the gallery (McCann and Lowe,
//! *Local Naive Bayes Nearest Neighbor*, 2012); `lay` lays the pieces in order. Tips are cut off or found too far out, and a
//! fluke seen from the side has a half that looks short: each half of the query's edge is taken shorter and longer too, and the
//! best of all is its sum. That is measured in standard deviations from the mean of all photos. Of a query with several edges
//! each has its share of the pieces, in turn, and the photo's fit is the mean.
//!
//! A place of a photo counts the less, the more common it is (`ground`), and how well the best photos fit is the mean with what the
//! other way around says (`back`).
//!
//! Only the fifth of a large gallery that fits best without is compared at other lengths, and of the others every eighth, which
//! stands for them in what is usual.

use alloc::vec;
use alloc::vec::Vec;

use super::back::both_ways;
use super::background::Background;
use super::curve::Edge;
use super::ground::Ground;
use super::lay::{Asked, Distances, best_sum};
use super::segments::{PIECES, Scales};
use crate::Result;

/// Every so manyeth piece of a query is looked for: one from its first edge, one from its second, and so on in turn.
const EVERY: usize = 4;
/// Lengths at which the halves of a query's edge are compared beside their own, tip to notch.
pub(super) const STRETCHES: [f32; 2] = [0.88, 1.14];
/// They are compared with the best fifth of a gallery, and with at least so many photos.
const AGAIN: (usize, usize) = (5, 500);
/// And with every so manyeth of the others.
const SAMPLED: usize = 8;
/// Photos that come nearer than the background.
const NEARER: usize = 50;
/// Photos with an edge that a gallery needs, to tell what is usual.
pub const FEWEST: usize = 20;

/// The edges of a gallery's photos, ready to be compared with: 3.5 KB a photo.
#[derive(Clone, Debug)]
pub struct Edges {
    photos: Vec<Option<Ground>>,
    background: Background,
}

impl Edges {
    /// Of photos, each with an edge or without one.
    ///
    /// # Errors
    /// None that a program of this version can have: what it was built with cannot be read.
    pub fn of<'a>(photos: impl IntoIterator<Item = Option<&'a Edge>>) -> Result<Self> {
        let background = Background::shipped()?;
        let photos: Vec<Option<&Edge>> = photos.into_iter().collect();
        let ground = |edge: &Option<&Edge>| edge.map(|edge| Ground::of(edge, &background));
        Ok(Self {
            photos: of_all(&photos, ground),
            background,
        })
    }

    /// Photos, those without an edge too.
    pub fn photos(&self) -> usize {
        self.photos.len()
    }

    /// What they take in memory, bytes.
    pub fn bytes(&self) -> usize {
        self.photos.len() * size_of::<Option<Ground>>()
    }

    /// How well each photo's edge fits those of a query, [`Edge::of_query`], in standard deviations above the mean of all photos,
    /// on average of the query's, `[photos]`; of the photos that fit best, how well the query's fit theirs counts too. 0 for those
    /// without an edge, and for all where the query has none or fewer than [`FEWEST`] photos have one.
    pub fn fit(&self, query: &[Edge]) -> Vec<f32> {
        self.fit_among(query, &|_| true)
    }

    /// As [`Self::fit`], as if only the photos that are `in_it`, `[photos]`, were in the gallery.
    pub fn fit_of_some(&self, in_it: &[bool], query: &[Edge]) -> Vec<f32> {
        self.fit_among(query, &|photo| in_it[photo])
    }

    fn fit_among(&self, query: &[Edge], in_it: &dyn Fn(usize) -> bool) -> Vec<f32> {
        let mut fits = vec![0.0; self.photos.len()];
        let with_edges = self.photos.iter().enumerate();
        let (among, photos): (Vec<usize>, Vec<&Ground>) = with_edges
            .filter(|(photo, _)| in_it(*photo))
            .filter_map(|(photo, ground)| Some((photo, ground.as_ref()?)))
            .unzip();
        if among.len() < FEWEST || query.is_empty() {
            return fits;
        }
        let edges = query.len();
        let mut mean = vec![0.0; photos.len()];
        for (number, edge) in query.iter().enumerate() {
            let in_turn = (EVERY * number..PIECES).step_by(EVERY * edges);
            let fit = laid(edge, &in_turn.collect::<Vec<_>>(), &photos);
            for (mean, fit) in mean.iter_mut().zip(fit) {
                *mean += fit / edges as f32;
            }
        }
        both_ways(&mut mean, &photos, query, &self.background);
        for (photo, fit) in among.into_iter().zip(mean) {
            fits[photo] = fit;
        }
        fits
    }
}

/// How well the pieces of an edge that have these numbers lie on each photo's, in standard deviations.
fn laid(edge: &Edge, numbers: &[usize], photos: &[&Ground]) -> Vec<f32> {
    // The first piece of the right half.
    let notch = numbers.partition_point(|&number| number < PIECES / 2);
    let own = Length::of(edge, 1.0, numbers, photos, &vec![1.0; photos.len()]);
    let mut sums = of_all(&own.distances, |own_distances| {
        best_sum([(own_distances, &own.background)], notch)
    });
    let (again, stand_for) = compared_again(&sums);
    let again_photos: Vec<&Ground> = again.iter().map(|&photo| photos[photo]).collect();
    let [shorter, longer] =
        STRETCHES.map(|stretch| Length::of(edge, stretch, numbers, &again_photos, &stand_for));
    let numbered: Vec<(usize, usize)> = again.iter().copied().enumerate().collect();
    let best = of_all(&numbered, |&(number, photo)| {
        let lengths = [own.on(photo), shorter.on(number), longer.on(number)];
        best_sum(lengths, notch)
    });
    for (&photo, best) in again.iter().zip(&best) {
        sums[photo] = *best;
    }
    standardised(&sums, &best, &stand_for)
}

/// The photos that are compared at other lengths too, by what they come to without, and how many each of them stands for.
fn compared_again(sums: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let mut photos: Vec<usize> = (0..sums.len()).collect();
    photos.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
    let best = (sums.len() / AGAIN.0).max(AGAIN.1).min(sums.len());
    let others = photos.split_off(best);
    let sample = others.iter().skip(SAMPLED / 2).step_by(SAMPLED);
    photos.extend(sample);
    let each = others.len() as f32 / (photos.len() - best).max(1) as f32;
    let stand_for = (0..photos.len()).map(|number| if number < best { 1.0 } else { each });
    let stand_for = stand_for.collect();
    (photos, stand_for)
}

/// An edge with halves of one length beside a gallery's.
struct Length {
    /// Of every photo.
    distances: Vec<Distances>,
    /// Of every piece the distance at which all but the nearest photos are background.
    background: Vec<f32>,
}

impl Length {
    /// With the pieces that have these numbers, on photos that each stand for so many.
    fn of(
        edge: &Edge,
        stretch: f32,
        numbers: &[usize],
        photos: &[&Ground],
        stand_for: &[f32],
    ) -> Self {
        let query = Scales::stretched(edge, stretch);
        let asked = numbers.iter().map(|&number| Asked::of(&query, number));
        let asked: Vec<Asked> = asked.collect();
        let distances = of_all(photos, |ground| Distances::of(&asked, ground));
        let background = (0..numbers.len()).map(|asked| {
            let nearest = distances.iter().map(|photo| photo.nearest[asked]);
            background(nearest.zip(stand_for.iter().copied()).collect())
        });
        Self {
            background: background.collect(),
            distances,
        }
    }

    fn on(&self, photo: usize) -> (&Distances, &[f32]) {
        (&self.distances[photo], &self.background)
    }
}

/// Of every item, on all threads that there are.
pub(super) fn of_all<Item: Sync, Out: Send>(
    items: &[Item],
    of: impl Fn(&Item) -> Out + Send + Sync,
) -> Vec<Out> {
    #[cfg(feature = "train")]
    {
        use rayon::prelude::*;
        items.par_iter().map(of).collect()
    }
    #[cfg(not(feature = "train"))]
    {
        items.iter().map(of).collect()
    }
}

/// The distance at which [`NEARER`] photos are nearer, or the largest of fewer, by the distance of each and how many photos it stands for,
/// 1 or more.
pub(super) fn background(mut nearest: Vec<(f32, f32)>) -> f32 {
    let by_distance = |a: &(f32, f32), b: &(f32, f32)| a.0.total_cmp(&b.0);
    let last = NEARER.min(nearest.len() - 1);
    nearest.select_nth_unstable_by(last, by_distance);
    nearest[..=last].sort_unstable_by(by_distance);
    let mut nearer = 0.0;
    let within = nearest[..last].iter().find(|(_, photos)| {
        nearer += photos;
        nearer > NEARER as f32
    });
    within.map_or(nearest[last].0, |&(distance, _)| distance)
}

/// `values` less the mean of a `sample`, each of which stands for so many, over its standard deviation; zeros where all of it are the
/// same.
fn standardised(values: &[f32], sample: &[f32], stand_for: &[f32]) -> Vec<f32> {
    let mean_of = |value: &dyn Fn(f64) -> f64| {
        let weighed = sample.iter().zip(stand_for);
        let sum = weighed.map(|(&one, &photos)| f64::from(photos) * value(f64::from(one)));
        sum.sum::<f64>() / stand_for.iter().copied().map(f64::from).sum::<f64>()
    };
    let mean = mean_of(&|value| value);
    let deviation = libm::sqrt(mean_of(&|value| (value - mean) * (value - mean)));
    let standard = |&value: &f32| match deviation > 0.0 {
        true => ((f64::from(value) - mean) / deviation) as f32,
        false => 0.0,
    };
    values.iter().map(standard).collect()
}

#[cfg(test)]
mod tests {
    use super::super::curve::HEIGHTS;
    use super::super::field::WIDTH;
    use super::super::tests::{Numbers, any_edge};
    use super::*;
    use core::slice;

    /// The edge of a fluke whose left half looks short and whose right one looks long.
    fn askew(edge: &Edge) -> Edge {
        let half = HEIGHTS / 2;
        let heights = [&edge.heights(0.87)[..half], &edge.heights(1.15)[half..]].concat();
        let in_pixels = heights.iter().map(|height| height * WIDTH as f32);
        Edge::of(&in_pixels.collect::<Vec<_>>())
    }

    /// How well it fits the gallery's photo 8 where no other length is tried.
    fn fit_at_own_length(query: &Edge, gallery: &[Edge]) -> f32 {
        let background = Background::shipped().unwrap();
        let photos = gallery.iter().map(|edge| Ground::of(edge, &background));
        let photos: Vec<Ground> = photos.collect();
        let numbers: Vec<usize> = (0..PIECES).step_by(EVERY).collect();
        let each = vec![1.0; gallery.len()];
        let own = Length::of(
            query,
            1.0,
            &numbers,
            &photos.iter().collect::<Vec<_>>(),
            &each,
        );
        let sum = |photo| best_sum([own.on(photo)], numbers.len() / 2);
        let sums: Vec<f32> = (0..gallery.len()).map(sum).collect();
        standardised(&sums, &sums, &each)[8]
    }

    #[test]
    fn a_fluke_seen_askew_is_found_among_few_and_among_many() {
        let mut numbers = Numbers(21);
        let gallery: Vec<Edge> = (0..700).map(|_| any_edge(&mut numbers)).collect();
        let query = askew(&gallery[8]);
        for photos in [40, 700] {
            let edges = Edges::of(gallery[..photos].iter().map(Some)).unwrap();
            let fits = edges.fit(slice::from_ref(&query));
            let best = fits.iter().copied().fold(0.0, f32::max);
            assert_eq!(best, fits[8], "{photos}");
            // A quarter at least of what being seen so costs at its own length alone is made good: these edges are rougher than a whale's, and
            // lose much where they are stretched twice.
            let (own, clear) = (
                fit_at_own_length(&query, &gallery[..photos]),
                edges.fit(&gallery[8..9])[8],
            );
            let least = own + (clear - own) / 4.0;
            assert!(fits[8] > least, "{photos}: {} {own} {clear}", fits[8]);
        }
    }

    #[test]
    fn of_many_photos_the_best_fifth_and_every_eighth_of_the_others_are_compared_again() {
        // The later, the better.
        let sums: Vec<f32> = (0..3000_u16).map(f32::from).collect();
        let (photos, stand_for) = compared_again(&sums);
        assert_eq!(photos[..600], (2400..3000).rev().collect::<Vec<_>>());
        assert_eq!(photos[600..602], [2395, 2387]);
        assert_eq!(
            (photos.len(), stand_for[599..601].to_vec()),
            (900, vec![1.0, 8.0])
        );
        assert_eq!(stand_for.iter().sum::<f32>(), 3000.0);
        let (photos, stand_for) = compared_again(&sums[..400]);
        assert_eq!((photos.len(), stand_for), (400, vec![1.0; 400]));
    }

    #[test]
    fn the_background_is_what_fifty_photos_are_nearer_than() {
        let of = |count: u8, each: f32| {
            let distances = (0..count).rev();
            background(distances.map(|one| (f32::from(one), each)).collect())
        };
        assert_eq!(of(60, 1.0), 50.0);
        // Each stands for ten: up to the sixth there are sixty.
        assert_eq!(of(10, 10.0), 5.0);
        assert_eq!(of(20, 1.0), 19.0);
    }

    #[test]
    fn photos_of_a_sample_count_as_many_as_they_stand_for() {
        // Three of 1 and one of 3: a mean of 1.5, a variance of 0.75.
        let standard = standardised(&[1.0, 2.0, 3.0], &[1.0, 3.0], &[3.0, 1.0]);
        for (value, expected) in standard.iter().zip([-0.577_35, 0.577_35, 1.732_05]) {
            assert!((value - expected).abs() < 1e-5, "{standard:?}");
        }
        assert_eq!(standardised(&[2.0, 5.0], &[2.0], &[4.0]), [0.0; 2]);
    }
}
