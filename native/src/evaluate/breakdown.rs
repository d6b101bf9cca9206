//! The final answer taken apart: by photos a whale has, by probability, by places looked at.

use super::answered::Answered;
use super::intervals::{Bootstrap, Interval};
use super::scores::worth;
use crate::tune::TuneError;
use flukeprint_core::gallery::{Gallery, Label};
use flukeprint_core::metrics::{
    BINS, Binning, ByPhotos, PHOTO_GROUP_NAMES, ReliabilityBin, RocPoint, photo_group,
    reliability_bins, roc_curve, top_shares,
};
use serde::Serialize;

/// Places of the top-k curve.
const PLACES: usize = 20;

/// Tables and curves of the final answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// Known whales by how many photos the gallery has of them.
    pub by_photos: PhotoTable,
    /// How often first answers with about the same probability are right.
    pub reliability: Vec<ReliabilityBin>,
    /// How often the true label is among the first so many.
    pub top_k: TopK,
    /// The ROC curve of new against known, by the lead of `New` over the best known whale. Empty
    /// unless there are both.
    #[serde(skip)]
    pub roc: Vec<RocPoint>,
}

/// Scores of known whales' photos by how many photos the gallery has of the whale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhotoTable {
    /// The groups that have queries, the fewest photos first.
    pub groups: Vec<PhotoGroup>,
    /// The mean of the groups' MAP@5: rarely seen whales count as much as those seen often. `None`
    /// without photos of known whales.
    pub balanced_map5: Option<f64>,
    /// Likewise of top-1.
    pub balanced_top1: Option<f64>,
    /// Likewise of top-5.
    pub balanced_top5: Option<f64>,
}

/// Known whales with about as many photos in the gallery. `New` is a label here as it is in the
/// answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhotoGroup {
    /// How many, in words.
    pub photos: &'static str,
    /// Photos that were looked up.
    pub queries: usize,
    /// Whales that they show.
    pub whales: usize,
    /// MAP@5.
    pub map5: f64,
    /// Share whose whale came first.
    pub top1: f64,
    /// Share whose whale was among the first five.
    pub top5: f64,
    /// Where they lie, by [`Bootstrap::default`].
    pub intervals: GroupIntervals,
}

/// Where the scores of a group lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupIntervals {
    /// Of [`PhotoGroup::map5`].
    pub map5: Interval,
    /// Of [`PhotoGroup::top1`].
    pub top1: Interval,
    /// Of [`PhotoGroup::top5`].
    pub top5: Interval,
}

/// Shares of photos whose true label is among the first 1, 2, … 20.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopK {
    /// Of all photos, `New` being a label.
    pub all: Vec<f64>,
    /// Of known whales' photos, among the known whales alone. Empty without such photos.
    pub known: Vec<f64>,
}

impl Breakdown {
    /// From the answers and the number of photos that the gallery has of each whale.
    pub(super) fn of(answers: &[Answered], photos_of: &[usize]) -> Result<Self, TuneError> {
        let first: Vec<(f32, bool)> = answers
            .iter()
            .map(|answer| (answer.probability, answer.right()))
            .collect();
        Ok(Self {
            by_photos: PhotoTable::of(answers, photos_of),
            reliability: reliability_bins(&first, Binning::EqualMass, BINS)?,
            top_k: TopK::of(answers),
            roc: roc(answers),
        })
    }
}

/// How many photos the gallery has of each whale.
pub(super) fn photos_of_each(gallery: &Gallery) -> Vec<usize> {
    let mut photos = vec![0; gallery.individuals().len()];
    for row in gallery.rows() {
        if let Label::Individual(whale) = row.label {
            photos[whale as usize] += 1;
        }
    }
    photos
}

impl PhotoTable {
    fn of(answers: &[Answered], photos_of: &[usize]) -> Self {
        let mut counts = ByPhotos::default();
        let mut worths = PHOTO_GROUP_NAMES.map(|_| Vec::new());
        for answer in answers {
            let Label::Individual(whale) = answer.truth else {
                continue;
            };
            let photos = photos_of[whale as usize];
            counts.record(photos, Some(answer.rank));
            worths[photo_group(photos)].push((answer.truth, worth(Some(answer.rank))));
        }
        let named = PHOTO_GROUP_NAMES.into_iter().zip(counts.groups());
        let groups = named.zip(&worths).filter_map(|((photos, counts), worths)| {
            let [map5, top1, top5] = Bootstrap::default().means(worths)?;
            Some(PhotoGroup {
                photos,
                queries: worths.len(),
                whales: distinct(worths.iter().map(|&(whale, _)| whale)),
                map5: counts.map5()?,
                top1: counts.top(1)?,
                top5: counts.top(5)?,
                intervals: GroupIntervals { map5, top1, top5 },
            })
        });
        Self {
            groups: groups.collect(),
            balanced_map5: counts.map5(),
            balanced_top1: counts.top(1),
            balanced_top5: counts.top(5),
        }
    }
}

fn distinct(labels: impl Iterator<Item = Label>) -> usize {
    labels.collect::<std::collections::BTreeSet<_>>().len()
}

impl TopK {
    fn of(answers: &[Answered]) -> Self {
        let all: Vec<Option<usize>> = answers.iter().map(|answer| Some(answer.rank)).collect();
        let known = answers.iter().map(|answer| answer.rank_in_known);
        let known: Vec<Option<usize>> = known.filter(Option::is_some).collect();
        Self {
            all: top_shares(&all, PLACES),
            known: top_shares(&known, PLACES),
        }
    }
}

fn roc(answers: &[Answered]) -> Vec<RocPoint> {
    let leads = |new: bool| -> Vec<f32> {
        let of_kind = answers.iter().filter(|answer| answer.shows_new() == new);
        of_kind.map(|answer| answer.lead).collect()
    };
    // It is refused where there are only known whales, or only new ones.
    roc_curve(&leads(true), &leads(false)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Individual as Whale, New};

    fn answered(truth: Label, rank: usize, lead: f32) -> Answered {
        Answered {
            truth,
            first: if rank == 1 { truth } else { New },
            probability: 0.5,
            rank,
            rank_in_known: (truth != New).then_some(rank.max(2) - 1),
            lead,
        }
    }

    /// Whale 0 has one photo and comes second and first, whale 1 has seven and comes first: a group
    /// of (1 + 1/2)/2 and one of 1, the same weight for each.
    #[test]
    fn whales_with_few_photos_weigh_as_much_as_others() {
        let answers = [
            answered(Whale(0), 2, 0.5),
            answered(Whale(0), 1, -0.5),
            answered(Whale(1), 1, -0.5),
            answered(New, 1, 0.5),
        ];
        let found = Breakdown::of(&answers, &[1, 7]).unwrap();
        let table = &found.by_photos;
        let groups: Vec<_> = table
            .groups
            .iter()
            .map(|group| {
                (
                    group.photos,
                    group.queries,
                    group.whales,
                    group.map5,
                    group.top1,
                )
            })
            .collect();
        assert_eq!(
            groups,
            [("1", 2, 1, 0.75, 0.5), ("6 or more", 1, 1, 1.0, 1.0)]
        );
        assert_eq!(table.balanced_map5, Some(0.875));
        assert_eq!(
            (table.balanced_top1, table.balanced_top5),
            (Some(0.75), Some(1.0))
        );
        // Three of four come first; among the known whales all do.
        assert_eq!((found.top_k.all[0], found.top_k.all[1]), (0.75, 1.0));
        assert_eq!(
            (found.top_k.known[0], found.top_k.known.len()),
            (1.0, PLACES)
        );
        // At a lead of 1/2 the new whale is taken, and one of three known.
        let points: Vec<_> = found
            .roc
            .iter()
            .map(|point| (point.taken, point.found))
            .collect();
        assert_eq!(points, [(0.0, 0.0), (1.0 / 3.0, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn new_whales_alone_have_no_table_and_no_curve() {
        let found = Breakdown::of(&[answered(New, 1, 0.5)], &[1]).unwrap();
        assert_eq!(found.by_photos.groups, []);
        assert_eq!(found.by_photos.balanced_map5, None);
        assert_eq!((found.top_k.known.len(), found.roc.len()), (0, 0));
        assert_eq!(found.reliability.len(), 1);
    }
}
