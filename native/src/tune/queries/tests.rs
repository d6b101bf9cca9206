//! What beyond the nearest photo is known of the whales.

use super::*;
use crate::tune::{grid, tune};
use flukeprint_core::decision::{rank_of, similarity_column, with_new_similarity};
use flukeprint_core::gallery::{FeatureStore, GalleryRow, Individual};
use flukeprint_core::metrics::RankCounts;
use proptest::prelude::*;

const WHALES: usize = 3;
const DIMENSION: usize = 4;

/// A gallery of three whales and `New`, and some queries of its labels.
fn scene() -> impl Strategy<Value = (Gallery, Vec<Label>, Vec<f32>)> {
    let feature = || prop::collection::vec(-1.0_f32..1.0, DIMENSION);
    let photo = || (0..=WHALES, feature());
    let photos = |count| prop::collection::vec(photo(), count);
    let usable = |photos: &Vec<(usize, Vec<f32>)>| {
        photos
            .iter()
            .all(|(_, feature)| feature.iter().any(|value| value.abs() > 0.01))
    };
    let both_kinds = |queries: &Vec<(usize, Vec<f32>)>| {
        queries.iter().any(|query| query.0 == WHALES)
            && queries.iter().any(|query| query.0 < WHALES)
    };
    (
        photos(1..12_usize).prop_filter("directions", usable),
        photos(2..9_usize)
            .prop_filter("directions", usable)
            .prop_filter("known and new", both_kinds),
    )
        .prop_map(|(photos, queries)| {
            let (truths, features) = split(&queries);
            (gallery(&photos), truths, features)
        })
}

fn split(photos: &[(usize, Vec<f32>)]) -> (Vec<Label>, Vec<f32>) {
    let label = |photo: &(usize, Vec<f32>)| Label::from_slot(photo.0, WHALES);
    let features = photos.iter().flat_map(|photo| &photo.1).copied();
    (photos.iter().map(label).collect(), features.collect())
}

fn gallery(photos: &[(usize, Vec<f32>)]) -> Gallery {
    let (labels, features) = split(photos);
    let names = (0..WHALES).map(|whale| Individual {
        name: format!("w{whale}"),
    });
    let rows = labels
        .into_iter()
        .map(|label| GalleryRow { label, photo: 0 });
    let store = FeatureStore::from_features(DIMENSION, &features).unwrap();
    Gallery::new(names.collect(), rows.collect(), store).unwrap()
}

fn parameters(share: f32) -> DecisionParameters {
    DecisionParameters {
        centre_share: share,
        ..DecisionParameters::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn queries_are_as_similar_as_the_decision_finds_them(
        (gallery, truths, features) in scene(),
        share in 0_usize..3,
    ) {
        let parameters = parameters(grid::CENTRE_SHARES[share]);
        let queries = LabelledQueries::in_gallery(&gallery, truths, vec![], &features).unwrap();
        for (query, feature) in queries.iter().zip(features.chunks(DIMENSION)) {
            let closeness = gallery.closeness_per_label(feature).unwrap();
            let decided = similarity_column(&closeness, &parameters);
            prop_assert_eq!(query.similarity(&parameters).into_owned(), decided);
        }
    }

    #[test]
    fn the_best_of_all_shares_and_constants_is_found((gallery, truths, features) in scene()) {
        let logits = vec![0.0; WHALES * truths.len()];
        let queries = LabelledQueries::in_gallery(&gallery, truths, logits, &features).unwrap();
        let points = |parameters: &DecisionParameters| {
            let mut counts = RankCounts::default();
            for query in queries.iter() {
                let column = query.similarity(parameters);
                let column = with_new_similarity(&column, parameters.new_similarity);
                counts.record(Some(rank_of(&column, query.truth.slot(WHALES))));
            }
            counts.points()
        };
        let tuned = tune(&queries).unwrap().parameters;
        let best = grid::CENTRE_SHARES.iter().flat_map(|&share| {
            grid::new_constants().map(|new_similarity| DecisionParameters {
                new_similarity,
                ..parameters(share)
            })
        });
        let best = best.map(|parameters| points(&parameters)).max();
        prop_assert_eq!(Some(points(&tuned)), best);
    }

    #[test]
    fn an_ensemble_of_the_same_network_twice_is_that_network((gallery, truths, features) in scene()) {
        let alone = LabelledQueries::in_gallery(&gallery, truths, vec![], &features).unwrap();
        let twice = LabelledQueries::average(&[alone.clone(), alone.clone()]).unwrap();
        prop_assert_eq!(twice, alone);
    }
}
