use flukeprint_core::decision::probabilities;
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::{ece, ece_by_chance};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::tune;
use super::*;

/// First answers that are right with the odds that slope and offset make of theirs.
fn drawn(count: usize, slope: f64, offset: f64) -> Vec<Answered> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let answers = (0..count).map(|_| {
        let log_odds = rng.random_range(-4.0..4.0);
        let probability = 1.0 / (1.0 + (-slope * log_odds - offset).exp());
        (log_odds, rng.random_bool(probability))
    });
    answers.collect()
}

#[test]
fn the_numbers_that_answers_were_drawn_by_are_found() {
    for (slope, offset) in [(0.4, -0.8), (1.0, 0.0), (2.0, 1.0)] {
        let found = fit_answers(&drawn(20_000, slope, offset), 0.0);
        // Standard errors are about 0.02.
        assert!((found[0] - slope).abs() < 0.1, "{found:?}");
        assert!((found[1] - offset).abs() < 0.1, "{found:?}");
    }
}

#[test]
fn few_photos_change_little_and_no_mistake_makes_not_certain() {
    let [slope, offset] = fit_answers(&[], 0.0);
    assert!((slope - 1.0).abs() < 1e-3 && offset.abs() < 1e-3);
    // By the penalty alone: slope 1 + a, offset b with a = 2b and 2b = 1/(1 + e^(2 + 5b)).
    let [slope, offset] = fit_answers(&[(2.0, true)], 0.0);
    assert!(
        (slope - 1.0 - 2.0 * offset).abs() < 1e-3,
        "{slope} {offset}"
    );
    assert!((2.0 * offset - 1.0 / (1.0 + (2.0 + 5.0 * offset).exp())).abs() < 1e-3);
    let [slope, offset] = fit_answers(&vec![(2.0, true); 500], 0.0);
    assert!(slope * 2.0 + offset < 10.0, "{slope} {offset}");
}

/// Of `New`, three in ten are right whatever is said, and the others by even odds and more.
#[test]
fn a_floor_is_found_where_there_is_one_and_none_where_there_is_none() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut drawn = |count: usize, floor: f64| -> Vec<Answered> {
        let answers = (0..count).map(|_| {
            let log_odds: f64 = rng.random_range(-4.0..4.0);
            let probability = floor + (1.0 - floor) / (1.0 + (1.0 - 2.0 * log_odds).exp());
            (log_odds, rng.random_bool(probability))
        });
        answers.collect()
    };
    let found = with_floor(&drawn(20_000, 0.3));
    assert!((found.floor - 0.3).abs() < 0.051, "{found:?}");
    assert!(
        (found.slope - 2.0).abs() < 0.2 && (found.offset + 1.0).abs() < 0.2,
        "{found:?}"
    );
    let found = with_floor(&drawn(20_000, 0.0));
    assert_eq!(found.floor, 0.0);
    assert_eq!(with_floor(&[]).floor, 0.0);
}

/// Whales are right with odds 2 · o - 1, `New` with o / 2 + 1, at β = 1; two labels, so that o is the lead.
#[test]
fn whales_and_new_get_numbers_of_their_own() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let photos: Vec<Scored> = (0..40_000)
        .map(|_| {
            let lead: f64 = rng.random_range(0.0..4.0);
            let new = rng.random_bool(0.5);
            let odds = if new {
                lead / 2.0 + 1.0
            } else {
                2.0 * lead - 1.0
            };
            let right = rng.random_bool(1.0 / (1.0 + (-odds).exp()));
            let scores = if new { [0.0, lead] } else { [lead, 0.0] };
            (
                scores.map(|score| score as f32).to_vec(),
                usize::from(new == right),
            )
        })
        .collect();
    let expected = [(2.0, -1.0), (0.5, 1.0)];
    for (found, (slope, offset)) in fit_apart(&photos, 1.0).iter().zip(expected) {
        assert!((found.slope - slope).abs() < 0.1, "{found:?}");
        assert!((found.offset - offset).abs() < 0.1, "{found:?}");
    }
    let only_whales: Vec<Scored> = vec![(vec![1.0, 0.0], 0); 9];
    let [_, of_new] = fit_apart(&only_whales, 1.0);
    assert!((of_new.slope - 1.0).abs() < 1e-3 && of_new.offset.abs() < 1e-3);
}

/// One whale: above a similarity of 0.5 three of four photos show it, below one of ten, however far
/// above or below. No β says so, since it makes those at the border a toss-up.
fn a_step(seed: u64) -> LabelledQueries {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut truths, mut similarities) = (Vec::new(), Vec::new());
    for _ in 0..600 {
        let similarity: f32 = rng.random_range(0.1..0.9);
        let known = rng.random_bool(if similarity > 0.5 { 0.75 } else { 0.1 });
        truths.push(if known {
            Label::Individual(0)
        } else {
            Label::New
        });
        similarities.extend([similarity, 0.0]);
    }
    LabelledQueries::new(1, truths, vec![0.0; 600], similarities).unwrap()
}

/// The first answers' probabilities, and whether they are right.
fn answers(queries: &LabelledQueries, parameters: &DecisionParameters) -> Vec<(f32, bool)> {
    let scored = final_scores(queries, parameters).unwrap();
    let answer = |(scores, slot): &Scored| {
        let probabilities = probabilities(scores, parameters);
        let highest = probabilities.iter().copied().fold(0.0, f32::max);
        (highest, rank_of(scores, *slot) == 1)
    };
    scored.iter().map(answer).collect()
}

#[test]
fn photos_that_were_not_tuned_on_are_told_better_probabilities() {
    let tuned = tune(&a_step(1)).unwrap().parameters;
    let (other, without) = (
        a_step(2),
        DecisionParameters {
            first_slope: 1.0,
            first_offset: 0.0,
            new_first: None,
            ..tuned
        },
    );
    let (before, after) = (answers(&other, &without), answers(&other, &tuned));
    let chance = ece_by_chance(&after).unwrap();
    let (before, after) = (ece(&before).unwrap(), ece(&after).unwrap());
    assert!(after < 0.75 * before, "{before} to {after}");
    assert!(after < 2.0 * chance, "{after} by chance {chance}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_other_numbers_are_likelier(
        answers in prop::collection::vec((-30.0_f64..30.0, any::<bool>()), 0..40),
        slope in 0.02_f64..20.0,
        offset in -20.0_f64..20.0,
    ) {
        let found = fit_answers(&answers, 0.0);
        let (least, other) = (loss(&answers, found, 0.0), loss(&answers, [slope, offset], 0.0));
        prop_assert!(least <= other + 1e-4 * (1.0 + other), "{} {}", least, other);
        prop_assert!(found[0] >= 0.02);
    }
}
