//! What a user of the gallery relies on.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn individuals(count: usize) -> Vec<Individual> {
    (0..count)
        .map(|number| Individual {
            name: format!("w_{number}"),
        })
        .collect()
}

fn rows(labels: &[Label]) -> Vec<GalleryRow> {
    let numbered = labels.iter().zip(0..);
    numbered
        .map(|(&label, photo)| GalleryRow { label, photo })
        .collect()
}

fn gallery(count: usize, dimension: usize, labels: &[Label], features: &[f32]) -> Gallery {
    let store = FeatureStore::from_features(dimension, features).unwrap();
    Gallery::new(individuals(count), rows(labels), store).unwrap()
}

/// The definition, in f64, one pair at a time.
fn distance_by_definition(a: &[f32], b: &[f32]) -> f64 {
    let length = |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let (a_length, b_length) = (length(a), length(b));
    let squares = a
        .iter()
        .zip(b)
        .map(|(&x, &y)| (f64::from(x) / a_length - f64::from(y) / b_length).powi(2));
    (squares.sum::<f64>() + 1e-6).sqrt()
}

use Label::{Individual as Whale, New};

#[test]
fn finds_the_nearest_photo_of_every_label() {
    // Whale 0 has two photos, whale 1 none, New one.
    let gallery = gallery(
        2,
        2,
        &[Whale(0), New, Whale(0)],
        &[1.0, 0.0, 0.0, 1.0, 0.6, 0.8],
    );
    let nearest = gallery.nearest_per_label(&[0.0, 5.0]).unwrap();
    assert_eq!(nearest.len(), 3);
    // (0,1) to (0.6,0.8): square 0.36 + 0.04 = 0.4.
    let whale = nearest[0].unwrap();
    assert_eq!(whale.row, 2);
    assert!((whale.distance - 0.400_001_f32.sqrt()).abs() < 1e-6);
    assert_eq!(nearest[1], None);
    // The same feature: only the 1e-6 remains.
    let new = nearest[2].unwrap();
    assert_eq!(new.row, 1);
    assert!((new.distance - 1e-3).abs() < 1e-6);
}

#[test]
fn of_equally_near_photos_the_first_counts() {
    let gallery = gallery(1, 2, &[Whale(0), Whale(0)], &[1.0, 0.0, 3.0, 0.0]);
    assert_eq!(
        gallery.nearest_per_label(&[1.0, 1.0]).unwrap()[0]
            .unwrap()
            .row,
        0
    );
}

#[test]
fn an_enrolled_whale_is_found_in_either_kind_of_store() {
    let floats = FeatureStore::from_features(2, &[1.0, 0.0]).unwrap();
    for store in [floats.to_codes(), floats] {
        let mut gallery = Gallery::new(individuals(1), rows(&[Whale(0)]), store).unwrap();
        let label = gallery
            .add_individual(Individual {
                name: "Salt".into(),
            })
            .unwrap();
        assert_eq!(label, Whale(1));
        let row = gallery.enroll(GalleryRow { label, photo: 9 }, &[0.0, 2.0]);
        assert_eq!(row, Ok(1));
        let nearest = gallery.nearest_per_label(&[0.0, 1.0]).unwrap();
        assert_eq!(nearest[1].unwrap().row, 1);
        assert!(nearest[1].unwrap().distance < 2e-3);
    }
}

#[test]
fn a_refused_enrolment_leaves_the_gallery_as_it_was() {
    let mut gallery = gallery(1, 2, &[Whale(0)], &[1.0, 0.0]);
    let before = gallery.clone();
    let row = |label| GalleryRow { label, photo: 0 };
    assert!(gallery.enroll(row(Whale(1)), &[1.0, 0.0]).is_err());
    assert!(gallery.enroll(row(Whale(0)), &[0.0, 0.0]).is_err());
    assert!(
        gallery
            .add_individual(Individual { name: "w_0".into() })
            .is_err()
    );
    assert_eq!(gallery, before);
}

#[test]
fn an_unusable_query_is_refused_with_the_reason() {
    let gallery = gallery(1, 2, &[Whale(0)], &[1.0, 0.0]);
    let message = |feature: &[f32]| gallery.nearest_per_label(feature).unwrap_err().to_string();
    assert_eq!(
        message(&[1.0]),
        "query: the feature has 1 values where the gallery has 2: it comes from another model"
    );
    assert_eq!(
        message(&[1.0, f32::NAN]),
        "query: value 1 of the feature is NaN, not a finite number"
    );
    assert_eq!(
        message(&[f32::INFINITY, 0.0]),
        "query: value 0 of the feature is inf, not a finite number"
    );
    assert_eq!(
        message(&[0.0, -0.0]),
        "query: the feature has length zero, so it has no direction to compare"
    );
}

#[test]
fn a_broken_gallery_is_refused_with_the_row() {
    let empty = Gallery::new(individuals(1), vec![], FeatureStore::empty(2).unwrap()).unwrap();
    assert_eq!(
        empty.nearest_per_label(&[1.0, 0.0]),
        Err(GalleryError::Empty)
    );
    assert_eq!(FeatureStore::empty(0), Err(GalleryError::NoDimension));
    assert!(matches!(
        FeatureStore::from_features(2, &[1.0; 3]),
        Err(GalleryError::Shape {
            values: 3,
            dimension: 2
        })
    ));
    assert!(matches!(
        FeatureStore::from_features(2, &[1.0, 0.0, 0.0, 0.0]),
        Err(GalleryError::Row {
            row: 1,
            problem: FeatureError::ZeroLength
        })
    ));
    assert!(matches!(
        FeatureStore::from_unit_features(2, vec![1.0, 0.0, 1.0, 1.0]),
        Err(GalleryError::Row {
            row: 1,
            problem: FeatureError::NotUnit { .. }
        })
    ));
    assert!(matches!(
        FeatureStore::from_codes(2, vec![127, 0, 127, 0], vec![1.0 / 127.0, f32::NAN]),
        Err(GalleryError::Row {
            row: 1,
            problem: FeatureError::Scale { .. }
        })
    ));
    assert!(matches!(
        FeatureStore::from_codes(2, vec![127, 0], vec![]),
        Err(GalleryError::RowCount {
            features: 1,
            described: 0,
            what: "scales"
        })
    ));
    let store = FeatureStore::from_features(2, &[1.0, 0.0]).unwrap();
    assert!(matches!(
        Gallery::new(individuals(1), rows(&[Whale(1)]), store.clone()),
        Err(GalleryError::UnknownIndividual {
            row: 0,
            individuals: 1,
            ..
        })
    ));
    assert!(matches!(
        Gallery::new(individuals(1), vec![], store.clone()),
        Err(GalleryError::RowCount {
            features: 1,
            described: 0,
            what: "labels"
        })
    ));
    let twice = vec![individuals(1)[0].clone(); 2];
    assert!(matches!(
        Gallery::new(twice, rows(&[Whale(0)]), store),
        Err(GalleryError::DuplicateIndividual { .. })
    ));
}

#[test]
fn huge_and_tiny_features_have_a_direction_too() {
    let gallery = gallery(1, 2, &[Whale(0)], &[3e38, 3e38]);
    let distance = gallery.nearest_per_label(&[1e-10, 1e-10]).unwrap()[0]
        .unwrap()
        .distance;
    assert!(distance < 2e-3, "{distance}");
}

#[test]
fn stored_features_come_back_bit_for_bit() {
    let store = FeatureStore::from_features(3, &[0.1, 0.2, 0.3, -4.0, 5.0, 6.0]).unwrap();
    let features = store.features().unwrap().to_vec();
    assert_eq!(
        FeatureStore::from_unit_features(3, features),
        Ok(store.clone())
    );
    let coded = store.to_codes();
    let (codes, scales) = coded.codes().unwrap();
    let read = FeatureStore::from_codes(3, codes.to_vec(), scales.to_vec());
    assert_eq!(read, Ok(coded));
}

fn feature(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, dimension)
        .prop_filter("a direction", |v| v.iter().any(|x| x.abs() > 0.01))
}

/// A dimension that is no multiple of the lanes, features, labels of three whales and New, and a
/// query.
fn scene() -> impl Strategy<Value = (usize, Vec<Vec<f32>>, Vec<Label>, Vec<f32>)> {
    (prop_oneof![1_usize..8, 30_usize..70], 1_usize..40).prop_flat_map(|(dimension, count)| {
        let label = (0_usize..4).prop_map(|slot| Label::from_slot(slot, 3));
        (
            Just(dimension),
            prop::collection::vec(feature(dimension), count),
            prop::collection::vec(label, count),
            feature(dimension),
        )
    })
}

proptest! {
    #[test]
    fn agrees_with_the_definition((dimension, features, labels, query) in scene()) {
        let gallery = gallery(3, dimension, &labels, &features.concat());
        let found = gallery.nearest_per_label(&query).unwrap();
        for (slot, found) in found.into_iter().enumerate() {
            let of_label = labels.iter().enumerate().filter(|(_, l)| l.slot(3) == slot);
            let by_definition = of_label
                .map(|(row, _)| distance_by_definition(&query, &features[row]))
                .reduce(f64::min);
            prop_assert_eq!(found.is_some(), by_definition.is_some());
            let (Some(found), Some(by_definition)) = (found, by_definition) else { continue };
            let row = found.row as usize;
            prop_assert_eq!(labels[row].slot(3), slot);
            // Squares are right to a few 1e-7; near zero the root magnifies that.
            let square = f64::from(found.distance).powi(2);
            prop_assert!((square - by_definition.powi(2)).abs() < 4e-6);
            let of_row = distance_by_definition(&query, &features[row]);
            prop_assert!((of_row.powi(2) - by_definition.powi(2)).abs() < 4e-6);
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_only_row_numbers(
        (dimension, features, labels, query) in scene(),
        turn in 0_usize..40,
    ) {
        let straight = gallery(3, dimension, &labels, &features.concat());
        let (mut turned_features, mut turned_labels) = (features.clone(), labels.clone());
        turned_features.rotate_left(turn % features.len());
        turned_labels.rotate_left(turn % features.len());
        turned_features.reverse();
        turned_labels.reverse();
        let turned = gallery(3, dimension, &turned_labels, &turned_features.concat());
        let distances = |gallery: &Gallery| -> Vec<Option<f32>> {
            let nearest = gallery.nearest_per_label(&query).unwrap();
            nearest.into_iter().map(|n| n.map(|n| n.distance)).collect()
        };
        prop_assert_eq!(distances(&straight), distances(&turned));
    }

    #[test]
    fn many_queries_at_once_get_what_each_gets_alone(
        (dimension, features, labels, query) in scene(),
    ) {
        let gallery = gallery(3, dimension, &labels, &features.concat());
        let mut queries: Vec<&[f32]> = features.iter().map(Vec::as_slice).collect();
        queries.push(&query);
        let together = gallery.closeness_per_label_of_each(&queries).unwrap();
        for (query, together) in queries.iter().zip(together) {
            prop_assert_eq!(gallery.closeness_per_label(query).unwrap(), together);
        }
    }

    #[test]
    fn a_label_s_photos_come_nearest_first_and_the_first_is_the_nearest(
        (dimension, features, labels, query) in scene(),
    ) {
        let floats = gallery(3, dimension, &labels, &features.concat());
        let codes = floats.features().to_codes();
        let codes =
            Gallery::new(floats.individuals().to_vec(), floats.rows().to_vec(), codes).unwrap();
        for gallery in [floats, codes] {
            let nearest = gallery.nearest_per_label(&query).unwrap();
            for (slot, &nearest) in nearest.iter().enumerate() {
                let label = Label::from_slot(slot, 3);
                let photos = gallery.nearest_of(&query, label, 99).unwrap();
                prop_assert_eq!(photos.len(), labels.iter().filter(|&&one| one == label).count());
                prop_assert_eq!(photos.first().copied(), nearest);
                prop_assert!(photos.is_sorted_by(|a, b| a.distance <= b.distance));
                let two = gallery.nearest_of(&query, label, 2).unwrap();
                prop_assert_eq!(&two[..], &photos[..photos.len().min(2)]);
            }
        }
    }

    #[test]
    fn codes_agree_with_floats_within_the_rounding(
        (dimension, features, labels, query) in scene(),
    ) {
        let floats = gallery(3, dimension, &labels, &features.concat());
        let codes = Gallery::new(
            floats.individuals().to_vec(),
            floats.rows().to_vec(),
            floats.features().to_codes(),
        ).unwrap();
        // Rounding moves each value of a unit vector by half a step at most, and bringing the
        // result back to length one at most doubles that. Moving an end moves a distance no more.
        let moved = |feature: &[f32], steps: f32| {
            let unit = normalized(feature, dimension).unwrap();
            let largest = unit.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            2.0 * 0.5 * largest / steps * (dimension as f32).sqrt()
        };
        let row_moved = features.iter().map(|f| moved(f, 127.0)).fold(0.0, f32::max);
        let bound = row_moved + moved(&query, 2047.0) + 2e-3;
        let exact = floats.nearest_per_label(&query).unwrap();
        let coded = codes.nearest_per_label(&query).unwrap();
        for (exact, coded) in exact.into_iter().zip(coded) {
            prop_assert_eq!(exact.is_some(), coded.is_some());
            let (Some(exact), Some(coded)) = (exact, coded) else { continue };
            prop_assert!((exact.distance - coded.distance).abs() <= bound);
        }
    }

    #[test]
    fn the_length_of_a_query_does_not_matter(
        (dimension, features, labels, query) in scene(),
        power in -6_i32..7,
    ) {
        let gallery = gallery(3, dimension, &labels, &features.concat());
        let scaled: Vec<f32> = query.iter().map(|x| x * 2.0_f32.powi(power)).collect();
        prop_assert_eq!(
            gallery.nearest_per_label(&query).unwrap(),
            gallery.nearest_per_label(&scaled).unwrap()
        );
    }
}
