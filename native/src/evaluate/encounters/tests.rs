//! What the encounters' table says of hand-made scores.

use super::*;
use Label::{Individual, New};

/// One whale and New; β = 10, so that a score counts up to 0.3 from the median.
fn outcomes_of(whales: Vec<Whale>, columns: &[[f32; 3]]) -> Vec<Outcome> {
    let draw = Draw {
        columns: columns.iter().map(|column| column.to_vec()).collect(),
        findings: Vec::new(),
        whales,
    };
    let deciding = Deciding {
        parameters: &DecisionParameters::default(),
        evidence: None,
    };
    outcomes(&draw, deciding, 0).unwrap()
}

fn whale(number: u32, truth: Label, photos: &[usize]) -> Whale {
    Whale {
        whale: Individual(number),
        truth,
        photos: photos.to_vec(),
    }
}

#[test]
fn rows_by_hand() {
    // Whale 0 has three photos: right, second to New, right; the intruder is whale 1's only photo.
    let columns = [
        [0.9, 0.1, 0.5],
        [0.4, 0.1, 0.5],
        [0.8, 0.1, 0.5],
        [0.1, 0.9, 0.5],
    ];
    let whales = vec![
        whale(0, Individual(0), &[0, 1, 2]),
        whale(1, Individual(1), &[3]),
    ];
    let rows = rows(&outcomes_of(whales, &columns));
    assert_eq!(rows.len(), 3, "no whale has five photos");
    let known = |row: usize| rows[row].known.as_ref().unwrap();
    assert_eq!((known(0).whales, known(0).encounters), (2, 2));
    assert_eq!(known(0).alone.top1.value, 1.0);
    // Two photos: alone 1 and 0 right, at ranks 1 and 2; together 0.65 against 0.5.
    assert_eq!(known(1).alone.top1.value, 0.5);
    assert_eq!(known(1).alone.map5.value, 0.75);
    assert_eq!(known(1).together.top1.value, 1.0);
    assert_eq!(known(1).gain.top1.value, 0.5);
    assert_eq!(known(1).most_certain.top1.value, 1.0);
    // Known whales alone: right in both photos.
    assert_eq!(known(1).alone.known_top1.unwrap().value, 1.0);
    // Three photos and the intruder: 0.4 and 0.1 to 0.9, median 0.6 within 0.3: 0.9, 0.4, 0.8, 0.3 are 0.6.
    assert_eq!(known(2).with_intruder.top1.value, 1.0);
    assert!(rows.iter().all(|row| row.new.is_none()));
}

/// The edge of one photo fits whale 0 by 9 deviations, worth 0.9, that of the other whale 1 by 1, worth 0.1.
#[test]
fn what_edges_found_for_each_photo_counts_for_the_encounter() {
    let evidence: EvidenceParameters = serde_json::from_value(serde_json::json!({
        "whales": 1, "photos": 1, "worth": {"knots": [[0.0, 0.5], [1.0, 0.5]]}, "odds_weight": 0.0,
        "votes_weight": 0.0, "edge_weight": 1.0, "new_raise": 0.0, "sharpness": 10.0, "first_slope": 1.0,
        "first_offset": 0.0,
    }))
    .unwrap();
    let draw = Draw {
        columns: vec![vec![0.4, 0.1, 0.5]; 2],
        findings: [[9.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
            .map(|fits| Findings::of_edges(fits.to_vec()))
            .to_vec(),
        whales: vec![whale(0, Individual(0), &[0, 1])],
    };
    let deciding = Deciding {
        parameters: &DecisionParameters::default(),
        evidence: Some(&evidence),
    };
    let rows = rows(&outcomes(&draw, deciding, 0).unwrap());
    let two = rows[1].known.as_ref().unwrap();
    // The first photo alone is right, 1.3 to 0.5, the second is not, 0.4 to 0.5; together 0.4 + 0.57.
    assert_eq!(two.alone.top1.value, 0.5);
    assert_eq!(two.together.top1.value, 1.0);
    assert_eq!(two.most_certain.top1.value, 1.0);
}

#[test]
fn encounters_of_new_whales_are_a_kind_of_their_own() {
    let columns = [[0.1, 0.2, 0.5], [0.6, 0.2, 0.5]];
    let rows = rows(&outcomes_of(vec![whale(7, New, &[0, 1])], &columns));
    let new = rows[1].new.as_ref().unwrap();
    assert!(rows[1].known.is_none());
    assert_eq!(new.alone.top1.value, 0.5);
    // 0.35 against 0.5.
    assert_eq!(new.together.top1.value, 1.0);
    assert_eq!(new.together.known_top1, None);
}

/// Features that say little, as in a photo that is mostly spray: the gain has a sign and an interval
/// that holds it.
#[test]
fn intervals_hold_what_is_measured() {
    let mut columns = Vec::new();
    let whales = (0..40_u32).map(|number| {
        let photos: Vec<usize> = (0..3_usize)
            .map(|photo| {
                let noise = (number as usize * 37 + photo * 53) % 100;
                columns.push([0.3 + noise as f32 / 200.0, 0.2, 0.5]);
                columns.len() - 1
            })
            .collect();
        whale(number, Individual(0), &photos)
    });
    let whales = whales.collect();
    let rows = rows(&outcomes_of(whales, &columns));
    let gain = rows[2].known.as_ref().unwrap().gain.top1;
    assert!(
        gain.interval.low <= gain.value && gain.value <= gain.interval.high,
        "{gain:?}"
    );
    assert!(gain.interval.low < gain.interval.high);
}
