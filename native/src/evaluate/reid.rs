//! Re-identification: is the nearest other photo of the same whale?
//!
//! Each photo of a whale that has two or more is looked up among all the other photos, and whales are
//! ranked by their nearest one. Nothing is learnt of the whales and no threshold is chosen, so this
//! measures the features alone, on whales that training may never have seen.

use super::intervals::{Bootstrap, Interval};
use crate::tune::TuneError;
use crate::{Error, Result};
use flukeprint_core::gallery::{Label, dot, normalized};
use flukeprint_core::metrics::{LISTED, RankCounts};
use rayon::prelude::*;
use serde::Serialize;

/// How often photos find their whale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reid {
    /// Photos in all; each query is looked up among the others.
    pub photos: usize,
    /// Photos that were looked up: those of whales with two or more.
    pub queries: usize,
    /// Whales that the queries show. Other photos are there to be mistaken for them.
    pub whales: usize,
    /// Share of the queries whose nearest photo shows their whale.
    pub top1: f64,
    /// Share of the queries whose whale is among the five nearest.
    pub top5: f64,
    /// How much of it is chance.
    pub intervals: ReidIntervals,
}

/// Where the shares lie, by [`Bootstrap::default`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReidIntervals {
    /// Of [`Reid::top1`].
    pub top1: Interval,
    /// Of [`Reid::top5`].
    pub top5: Interval,
}

/// Looks up every photo of a whale with two or more among all others, by the cosine of `features`,
/// `[photos, width]`, in f32.
///
/// A photo of a new whale counts as a whale of its own. A whale that is exactly as near as the right
/// one comes before it, so that features that are all the same recognise nothing.
///
/// # Errors
/// [`Error::NoSecondPhoto`]; not one feature of `width` values a label; a feature without direction or
/// with a value that is no number.
pub fn reidentify(width: usize, features: &[f32], labels: &[Label]) -> Result<Reid> {
    let queries = queries(labels)?;
    if width == 0 || features.len() != width * labels.len() {
        let shape = TuneError::Shape {
            what: "feature values",
            found: features.len(),
            queries: labels.len(),
            wanted: format!("{width} a query are needed"),
        };
        return Err(shape.into());
    }
    let features: Vec<Vec<f32>> = features
        .chunks_exact(width)
        .enumerate()
        .map(|(query, feature)| {
            normalized(feature, width).map_err(|problem| TuneError::Feature { query, problem })
        })
        .collect::<std::result::Result<_, _>>()?;
    let ranks: Vec<usize> = queries
        .par_iter()
        .map(|&query| rank(query, &features, labels))
        .collect();
    Reid::of_ranks(labels, &queries, &ranks)
}

impl Reid {
    /// From the rank of its whale for each of `queries`, photos with these `labels`.
    ///
    /// # Errors
    /// [`Error::NoSecondPhoto`] without queries.
    pub(super) fn of_ranks(labels: &[Label], queries: &[usize], ranks: &[usize]) -> Result<Self> {
        let mut counts = RankCounts::default();
        ranks.iter().for_each(|&rank| counts.record(Some(rank)));
        let hits: Vec<(Label, [f64; 2])> = queries
            .iter()
            .zip(ranks)
            .map(|(&query, &rank)| (labels[query], [1, LISTED].map(|k| hit(rank, k))))
            .collect();
        let nothing = || Error::NoSecondPhoto {
            photos: labels.len(),
        };
        let [top1, top5] = Bootstrap::default().means(&hits).ok_or_else(nothing)?;
        let mut whales: Vec<Label> = hits.iter().map(|&(whale, _)| whale).collect();
        whales.sort_unstable();
        whales.dedup();
        Ok(Self {
            photos: labels.len(),
            queries: queries.len(),
            whales: whales.len(),
            top1: counts.top(1).ok_or_else(nothing)?,
            top5: counts.top(LISTED).ok_or_else(nothing)?,
            intervals: ReidIntervals { top1, top5 },
        })
    }
}

/// The photos that can be looked up: those of whales with two or more.
///
/// # Errors
/// [`Error::NoSecondPhoto`] when there is none.
pub(super) fn queries(labels: &[Label]) -> Result<Vec<usize>> {
    let mut photos = vec![0_usize; whales(labels)];
    for label in labels {
        if let Label::Individual(whale) = label {
            photos[*whale as usize] += 1;
        }
    }
    let has_second = |&query: &usize| match labels[query] {
        Label::Individual(whale) => photos[whale as usize] >= 2,
        Label::New => false,
    };
    let queries: Vec<usize> = (0..labels.len()).filter(has_second).collect();
    match queries.is_empty() {
        true => Err(Error::NoSecondPhoto {
            photos: labels.len(),
        }),
        false => Ok(queries),
    }
}

/// One more than the greatest number of a whale.
fn whales(labels: &[Label]) -> usize {
    let number = |label: &Label| match label {
        Label::Individual(whale) => *whale as usize + 1,
        Label::New => 0,
    };
    labels.iter().map(number).max().unwrap_or(0)
}

/// The rank of the query's whale among all, each by its nearest photo.
fn rank(query: usize, features: &[Vec<f32>], labels: &[Label]) -> usize {
    let mut nearest = vec![f32::NEG_INFINITY; whales(labels)];
    let mut alone = Vec::new();
    for (photo, feature) in features.iter().enumerate() {
        let cosine = dot(&features[query], feature);
        match labels[photo] {
            _ if photo == query => (),
            Label::Individual(whale) => {
                let best = &mut nearest[whale as usize];
                *best = best.max(cosine);
            }
            Label::New => alone.push(cosine),
        }
    }
    let whale = labels[query].slot(nearest.len());
    let own = nearest[whale];
    let whales = nearest.iter().enumerate();
    let others = whales.filter(|&(other, _)| other != whale);
    let others = others.map(|(_, &cosine)| cosine).chain(alone);
    1 + others.filter(|&cosine| cosine >= own).count()
}

fn hit(rank: usize, k: usize) -> f64 {
    f64::from(u8::from(rank <= k))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Individual as Whale, New};
    use proptest::prelude::*;

    /// Features in the plane at these angles, in degrees, of growing length.
    fn at(degrees: &[f32]) -> Vec<f32> {
        let feature = |(length, degrees): (usize, &f32)| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            [cos, sin].map(|value| value * (length + 1) as f32)
        };
        degrees.iter().enumerate().flat_map(feature).collect()
    }

    #[test]
    fn shares_of_hand_placed_photos() {
        // Whale 0 at 0° and 10°, whale 1 at 40° and 62°, whale 2 alone at 50°, a new whale at 70°.
        let features = at(&[0.0, 10.0, 40.0, 62.0, 50.0, 70.0]);
        let labels = [Whale(0), Whale(0), Whale(1), Whale(1), Whale(2), New];
        let reid = reidentify(2, &features, &labels).unwrap();
        assert_eq!((reid.photos, reid.queries, reid.whales), (6, 4, 2));
        // Both of whale 0 find it; 40° finds 50° first, 62° finds 70° and 50°.
        assert_eq!((reid.top1, reid.top5), (0.5, 1.0));
        assert_eq!(
            reid.intervals.top1,
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
        assert_eq!(
            reid.intervals.top5,
            Interval {
                low: 1.0,
                high: 1.0
            }
        );
        // Five others that are nearer are too many.
        let features = at(&[0.0, 90.0, 1.0, 2.0, 3.0, 4.0, 85.0, 86.0]);
        let labels = [Whale(7), Whale(7), New, New, New, New, Whale(1), Whale(1)];
        let reid = reidentify(2, &features, &labels).unwrap();
        // Both of whale 7 find four new whales and whale 1 first, both of whale 1 find each other.
        assert_eq!((reid.top1, reid.top5), (0.5, 0.5));
    }

    #[test]
    fn features_that_are_all_the_same_recognise_nothing() {
        let labels: Vec<Label> = (0..12).map(|photo| Whale(photo / 2)).collect();
        let reid = reidentify(3, &[0.5; 36], &labels).unwrap();
        assert_eq!((reid.top1, reid.top5), (0.0, 0.0));
    }

    #[test]
    fn without_a_second_photo_of_any_whale_it_is_refused_in_one_line() {
        for labels in [vec![], vec![Whale(0), Whale(1), New, New]] {
            let features = vec![1.0; 2 * labels.len()];
            let error = reidentify(2, &features, &labels).unwrap_err();
            assert!(matches!(error, Error::NoSecondPhoto { .. }), "{error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn features_that_cannot_be_compared_are_refused_in_words() {
        let message = |width: usize, features: &[f32]| {
            let refused = reidentify(width, features, &[Whale(0); 2]);
            refused.unwrap_err().to_string()
        };
        let direction = message(2, &[1.0, 0.0, 0.0, 0.0]);
        assert!(
            direction.contains("query 1") && direction.contains("no direction"),
            "{direction}"
        );
        let nan = message(2, &[1.0, 0.0, f32::NAN, 0.0]);
        assert!(
            nan.contains("query 1") && nan.contains("NaN, not a finite number"),
            "{nan}"
        );
        let other_width = "4 feature values for 2 queries: 3 a query are needed";
        assert_eq!(message(3, &[1.0; 4]), other_width);
        assert!(message(0, &[]).contains("0 feature values"));
    }

    proptest! {
        #[test]
        fn photos_of_other_whales_never_help(
            photos in prop::collection::vec((0u32..4, -1.0f32..1.0, -1.0f32..1.0), 2..20),
            others in prop::collection::vec((-1.0f32..1.0, -1.0f32..1.0), 0..10),
        ) {
            let is_long = |x: f32, y: f32| x.hypot(y) > 0.01;
            let photos: Vec<_> = photos.into_iter().filter(|p| is_long(p.1, p.2)).collect();
            let others: Vec<_> = others.into_iter().filter(|p| is_long(p.0, p.1)).collect();
            let mut labels: Vec<Label> = photos.iter().map(|p| Whale(p.0)).collect();
            let mut features: Vec<f32> = photos.iter().flat_map(|p| [p.1, p.2]).collect();
            let Ok(alone) = reidentify(2, &features, &labels) else { return Ok(()) };
            for (number, other) in (4..).zip(others) {
                labels.push(if number % 2 == 0 { New } else { Whale(number) });
                features.extend([other.0, other.1]);
            }
            let among = reidentify(2, &features, &labels).unwrap();
            prop_assert_eq!((alone.queries, alone.whales), (among.queries, among.whales));
            prop_assert!(among.top1 <= alone.top1 && among.top5 <= alone.top5);
        }

        #[test]
        fn the_order_of_the_photos_does_not_matter(
            (photos, shuffled) in prop::collection::vec((0u32..5, -1.0f32..1.0, 0.1f32..1.0), 2..20)
                .prop_flat_map(|photos| (Just(photos.clone()), Just(photos).prop_shuffle())),
        ) {
            let of = |photos: &[(u32, f32, f32)]| {
                let label = |whale| if whale == 4 { New } else { Whale(whale) };
                let labels: Vec<Label> = photos.iter().map(|p| label(p.0)).collect();
                let features: Vec<f32> = photos.iter().flat_map(|p| [p.1, p.2]).collect();
                reidentify(2, &features, &labels).ok()
            };
            prop_assert_eq!(of(&photos), of(&shuffled));
        }
    }
}
