//! What a user of the tuning relies on.

use flukeprint_core::decision::{Columns, DecisionParameters, negative_log_likelihood};
use flukeprint_core::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};
use flukeprint_core::metrics::map_at_5;
use proptest::prelude::*;
use rayon::iter::ParallelIterator;

use super::*;
use crate::evaluate::scores::nearest_photo_rows;

use Label::{Individual as Whale, New};

/// MAP@5 of one column of the decision by its definition: every list sorted in full.
fn map5_by_lists(
    scene: &Scene,
    parameters: &DecisionParameters,
    column: impl Fn(Columns) -> Vec<f32>,
) -> f64 {
    let labels = scene.individuals + 1;
    let lists: Vec<Vec<Label>> = (0..scene.truths.len())
        .map(|query| {
            let logits = &scene.logits[query * scene.classified..][..scene.classified];
            let similarity = scene.similarities[query * labels..][..labels].to_vec();
            let scores = column(Columns::new(logits, similarity, parameters).unwrap());
            let mut slots: Vec<usize> = (0..labels).collect();
            // A stable sort: equal scores stay in label order.
            slots.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap());
            slots.truncate(5);
            slots
                .iter()
                .map(|&slot| Label::from_slot(slot, scene.individuals))
                .collect()
        })
        .collect();
    map_at_5(&lists, &scene.truths).unwrap()
}

#[derive(Clone, Debug)]
struct Scene {
    individuals: usize,
    classified: usize,
    truths: Vec<Label>,
    logits: Vec<f32>,
    similarities: Vec<f32>,
}

impl Scene {
    fn queries(&self) -> LabelledQueries {
        LabelledQueries::new(
            self.individuals,
            self.truths.clone(),
            self.logits.clone(),
            self.similarities.clone(),
        )
        .unwrap()
    }
}

/// A few queries, of known and of new whales, with coarse values so that whales tie with each
/// other and with `New`.
fn scene() -> impl Strategy<Value = Scene> {
    (1_usize..9, 0_usize..3, 2_usize..10).prop_flat_map(|(classified, later, count)| {
        let individuals = classified + later;
        let logit = (-8_i8..9).prop_map(|x| f32::from(x) / 2.0);
        let similarity = (0_usize..25).prop_map(|x| grid::new_constants()[5 * x]);
        let slot = 0..individuals;
        (
            prop::collection::vec((slot, any::<bool>()), count),
            prop::collection::vec(logit, count * classified),
            prop::collection::vec(similarity, count * (individuals + 1)),
        )
            .prop_map(move |(truths, logits, similarities)| {
                let drawn = truths.iter().enumerate().map(|(query, &(slot, new))| {
                    // One of each kind at least.
                    let new = query == 1 || (query > 1 && new);
                    Label::from_slot(if new { individuals } else { slot }, individuals)
                });
                Scene {
                    individuals,
                    classified,
                    truths: drawn.collect(),
                    logits,
                    similarities,
                }
            })
    })
}

/// The first of the values with the largest score.
fn first_best<T: Copy>(values: impl IntoIterator<Item = T>, score: impl Fn(T) -> f64) -> T {
    let scored: Vec<(T, f64)> = values
        .into_iter()
        .map(|value| (value, score(value)))
        .collect();
    let most = scored
        .iter()
        .map(|(_, score)| *score)
        .fold(f64::MIN, f64::max);
    // Sums of 1/rank in another order differ in the last digits.
    scored
        .iter()
        .find(|(_, score)| *score > most - 1e-9)
        .unwrap()
        .0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn finds_what_trying_everything_finds(scene in scene()) {
        let tuned = tune(&scene.queries()).unwrap().parameters;
        let start = DecisionParameters::default();
        let pairs = grid::TEMPERATURES.iter()
            .flat_map(|&t| grid::new_constants().map(|p| (t, p)));
        let (temperature, p) = first_best(pairs, |(temperature, new_probability)| {
            let parameters = DecisionParameters { temperature, new_probability, ..start };
            map5_by_lists(&scene, &parameters, |columns| columns.classifier)
        });
        prop_assert_eq!((tuned.temperature, tuned.new_probability), (temperature, p));
        let q = first_best(grid::new_constants(), |new_similarity| {
            let parameters = DecisionParameters { new_similarity, ..start };
            map5_by_lists(&scene, &parameters, |columns| columns.similarity_with_new)
        });
        prop_assert_eq!(tuned.new_similarity, q);
        let weights = first_best(grid::weights(), |weights| {
            let parameters = DecisionParameters { weights, ..tuned };
            map5_by_lists(&scene, &parameters, |columns| columns.fused)
        });
        prop_assert_eq!(tuned.weights, weights);
    }

    #[test]
    fn the_table_says_what_lists_say(scene in scene()) {
        let tuning = tune(&scene.queries()).unwrap();
        let map5 = |column: fn(Columns) -> Vec<f32>| {
            map5_by_lists(&scene, &tuning.parameters, column)
        };
        let by_lists = [
            map5(|columns| columns.classifier),
            map5(|columns| columns.similarity),
            map5(|columns| columns.similarity),
            map5(|columns| columns.similarity_with_new),
            map5(|columns| columns.fused),
        ];
        for (row, by_lists) in tuning.rows[1..].iter().zip(by_lists) {
            prop_assert!((row.map5 - by_lists).abs() < 1e-9, "{:?}: {}", row, by_lists);
        }
    }

    #[test]
    fn the_whole_is_no_worse_than_its_parts_or_the_default(scene in scene()) {
        let queries = scene.queries();
        let rows = tune(&queries).unwrap().rows;
        let default = score_rows(&queries, &DecisionParameters::default()).unwrap();
        let all = rows[5].map5;
        for part in &rows[1..5] {
            prop_assert!(all >= part.map5);
        }
        prop_assert!(all >= default[5].map5);
        prop_assert!(rows[1].map5 >= default[1].map5);
        prop_assert!(rows[4].map5 >= default[4].map5);
    }

    #[test]
    fn no_other_sharpness_is_likelier(scene in scene(), other in -4.0_f64..6.0) {
        let parameters = tune(&scene.queries()).unwrap().parameters;
        let loss = |sharpness: f32| -> f64 {
            scene.queries().par_iter().map(|query| {
                let similarity = query.nearest.to_vec();
                let fused = Columns::new(query.logits, similarity, &parameters).unwrap().fused;
                negative_log_likelihood(&fused, query.truth.slot(scene.individuals), sharpness)
            }).collect::<Vec<_>>().iter().sum()
        };
        let (found, other) = (loss(parameters.sharpness), loss(other.exp() as f32));
        prop_assert!(found <= other + 1e-4 * (1.0 + other.abs()), "{} {}", found, other);
    }

    #[test]
    fn one_thread_or_many_tune_alike(scene in scene()) {
        let queries = scene.queries();
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let tuned = |pool: &rayon::ThreadPool| pool.install(|| tune(&queries).unwrap());
        prop_assert_eq!(tuned(&alone), tuned(&four));
    }
}

#[test]
fn the_grid_is_the_specs() {
    let constants = grid::new_constants();
    assert_eq!(constants.len(), 121);
    assert_eq!(
        (constants[0], constants[60], constants[120]),
        (0.0, 0.475, 0.95)
    );
    assert!(constants.is_sorted_by(|a, b| a < b));
    let weights = grid::weights();
    assert_eq!(weights.len(), 5 * 5 * 5 - 1);
    assert_eq!(weights[0], [0.0, 0.0, 0.2]);
    assert!(weights.contains(&[4.0, 3.0, 0.8]));
    let default = DecisionParameters::default();
    assert!(constants.contains(&default.new_probability));
    assert!(constants.contains(&default.new_similarity));
    assert!(grid::TEMPERATURES.contains(&default.temperature));
    assert!(weights.contains(&default.weights));
}

/// Two whales seen well and two strangers, one of whom looks a little like whale 0.
fn two_and_two() -> LabelledQueries {
    LabelledQueries::new(
        2,
        vec![Whale(0), Whale(1), New, New],
        vec![4.0, 0.0, 0.0, 4.0, 0.5, 0.0, 0.0, 0.1],
        // Whale 0, whale 1, New (a photo of a third stranger).
        vec![0.9, 0.2, 0.3, 0.1, 0.8, 0.3, 0.5, 0.2, 0.4, 0.3, 0.3, 0.6],
    )
    .unwrap()
}

#[test]
fn separable_photos_are_all_named_rightly() {
    let tuning = tune(&two_and_two()).unwrap();
    let rows = &tuning.rows;
    // The raw classifier names both whales and no stranger: 2 of 4.
    assert_eq!((rows[0].map5, rows[0].top1_known), (0.5, Some(1.0)));
    assert_eq!(rows[0].auc_new, Some(1.0));
    assert_eq!((rows[1].map5, rows[1].auc_new), (1.0, Some(1.0)));
    // Without q the third photo goes to whale 0, New second: (1 + 1 + 1/2 + 1)/4.
    assert_eq!(
        (rows[2].map5, rows[2].top1, rows[2].top5),
        (0.875, 0.75, 1.0)
    );
    assert_eq!(rows[3].map5, 0.875);
    assert_eq!((rows[4].map5, rows[5].map5), (1.0, 1.0));
    let q = tuning.parameters.new_similarity;
    // The smallest constant above the strangers' 0.5.
    assert!((q - 0.506_666_7).abs() < 1e-6, "{q}");
}

#[test]
fn a_baseline_without_classifier_tunes_q_alone() {
    let queries = LabelledQueries::new(1, vec![Whale(0), New], vec![], vec![0.8, 0.0, 0.6, 0.0]);
    let queries = queries.unwrap();
    assert_eq!(tune(&queries), Err(TuneError::NoClassifier));
    let q = tune_new_similarity(&queries).unwrap();
    let rows = nearest_photo_rows(&queries, q).unwrap();
    // The stranger's photo goes to the whale without q: (1 + 1/2)/2.
    assert_eq!((rows[0].map5, rows[1].map5), (0.75, 1.0));
    assert_eq!(
        (rows[1].top1_known, rows[1].auc_new),
        (Some(1.0), Some(1.0))
    );
    assert!(nearest_photo_rows(&queries, f32::NAN).is_err());
}

#[test]
fn one_kind_of_photo_cannot_tune_but_can_be_scored() {
    let known = LabelledQueries::new(1, vec![Whale(0)], vec![1.0], vec![0.8, 0.0]).unwrap();
    assert_eq!(tune(&known), Err(TuneError::OnlyKnown { queries: 1 }));
    let row = &score_rows(&known, &DecisionParameters::default()).unwrap()[4];
    assert_eq!((row.map5, row.auc_new), (1.0, None));
    let new = LabelledQueries::new(1, vec![New], vec![1.0], vec![0.8, 0.0]).unwrap();
    assert_eq!(tune(&new), Err(TuneError::OnlyNew { queries: 1 }));
    assert_eq!(
        tune_new_similarity(&new),
        Err(TuneError::OnlyNew { queries: 1 })
    );
    let row = &score_rows(&new, &DecisionParameters::default()).unwrap()[4];
    assert_eq!((row.top1_known, row.auc_new), (None, None));
}

#[test]
fn broken_queries_are_refused_by_number() {
    let message = |truths: &[Label], logits: &[f32], similarities: &[f32]| {
        let queries =
            LabelledQueries::new(1, truths.to_vec(), logits.to_vec(), similarities.to_vec());
        queries.unwrap_err().to_string()
    };
    assert_eq!(
        message(&[], &[], &[]),
        "there is no query: at least one photo is needed to score"
    );
    assert_eq!(
        message(&[New, Whale(1)], &[1.0, 1.0], &[0.1; 4]),
        "query 1 shows individual 1, but there are only 1"
    );
    assert_eq!(
        message(&[New, New], &[1.0, f32::NAN], &[0.1; 4]),
        "query 1: logit 0 is NaN, not a finite number"
    );
    assert_eq!(
        message(&[New, New], &[1.0, 1.0], &[0.1, 0.1, 0.1, f32::INFINITY]),
        "query 1: similarity 1 is inf, not a finite number"
    );
    assert_eq!(
        message(&[New, New], &[1.0; 3], &[0.1; 4]),
        "3 logits for 2 queries: at most 1 a query are needed, as many for each"
    );
    assert_eq!(
        message(&[New], &[1.0], &[0.1; 4]),
        "4 similarities for 1 queries: 2 a query are needed"
    );
    let none = LabelledQueries::new(0, vec![New], vec![], vec![0.1]);
    assert_eq!(none, Err(TuneError::NoIndividuals));
}

#[test]
fn searches_the_gallery_for_every_query() {
    let store = FeatureStore::from_features(2, &[1.0, 0.0, 0.0, 1.0]).unwrap();
    let gallery = Gallery::new(
        vec![Individual {
            name: "Salt".into(),
        }],
        vec![
            GalleryRow {
                label: Whale(0),
                photo: 0,
            },
            GalleryRow {
                label: New,
                photo: 1,
            },
        ],
        store,
    )
    .unwrap();
    // More queries than are searched together, every other one turned to New.
    let count = 70;
    let features: Vec<f32> = (0..count)
        .flat_map(|query| {
            if query % 2 == 0 {
                [2.0, 0.0]
            } else {
                [0.0, 3.0]
            }
        })
        .collect();
    let truths: Vec<Label> = (0..count)
        .map(|q| if q % 2 == 0 { Whale(0) } else { New })
        .collect();
    let queries = LabelledQueries::in_gallery(&gallery, truths.clone(), vec![], &features).unwrap();
    assert_eq!((queries.len(), queries.known()), (70, 35));
    assert_eq!(nearest_photo_rows(&queries, 0.5).unwrap()[0].top1, 1.0);

    let mut broken = features.clone();
    (broken[6], broken[7]) = (0.0, 0.0);
    let error = LabelledQueries::in_gallery(&gallery, truths.clone(), vec![], &broken);
    assert_eq!(
        error.unwrap_err().to_string(),
        "query 3: the feature has length zero, so it has no direction to compare"
    );
    broken[6] = f32::NAN;
    let error = LabelledQueries::in_gallery(&gallery, truths.clone(), vec![], &broken);
    assert_eq!(
        error.unwrap_err().to_string(),
        "query 3: value 0 of the feature is NaN, not a finite number"
    );
    let error = LabelledQueries::in_gallery(&gallery, truths, vec![], &features[1..]);
    assert!(matches!(
        error,
        Err(TuneError::Shape {
            what: "feature values",
            ..
        })
    ));
}

#[test]
fn golden_section_finds_a_parabolas_bottom() {
    let bottom = sharpness::golden_section(|x| (x - 1.25).powi(2), -4.0, 7.0, 1e-4);
    assert!((bottom - 1.25).abs() < 1e-4);
    // At an end too.
    assert!(sharpness::golden_section(|x| x, 0.0, 1.0, 1e-4) < 1e-4);
}
