//! The quick search beside the plain one: a rank is what the decision's own scores give, ties and the
//! last digits included.

use flukeprint_core::decision::{
    Columns, DecisionParameters, classifier_column, classifier_probabilities, rank_of,
};
use flukeprint_core::gallery::Label;
use proptest::prelude::*;

use super::contest::Mixtures;
use super::queries::LabelledQuery;
use super::standing::{Logits, Standing};
use super::{grid, search};

/// Ranks beyond the list are not told apart.
const BEYOND: usize = 6;

/// One query of up to 40 whales. Values come from a few, some moved by a last digit or two, so that
/// whales tie and nearly tie with each other, with the truth and with `New`.
#[derive(Clone, Debug)]
struct Crowd {
    individuals: usize,
    truth: Label,
    logits: Vec<f32>,
    similarity: Vec<f32>,
}

impl Crowd {
    fn query(&self) -> LabelledQuery<'_> {
        LabelledQuery::of_nearest(self.truth, &self.logits, &self.similarity)
    }
}

fn nudged(value: f32, digits: i32) -> f32 {
    (0..digits.abs()).fold(value, |value, _| match digits > 0 {
        true => value.next_up(),
        false => value.next_down(),
    })
}

fn crowd() -> impl Strategy<Value = Crowd> {
    // At 40 times the logits, most probabilities are too small for an f32.
    let scale = prop_oneof![Just(0.5_f32), Just(4.0), Just(40.0)];
    (1_usize..40, 0_usize..3, scale).prop_flat_map(|(classified, later, scale)| {
        let individuals = classified + later;
        let digits = || prop_oneof![3 => Just(0), 1 => -2_i32..3];
        let logit = (-4_i8..5, digits()).prop_map(move |(x, d)| nudged(scale * f32::from(x), d));
        let similarity =
            (1_usize..9, digits()).prop_map(|(x, d)| nudged(grid::new_constants()[14 * x], d));
        (
            0..=individuals,
            prop::collection::vec(logit, classified),
            prop::collection::vec(similarity, individuals + 1),
        )
            .prop_map(move |(slot, logits, similarity)| Crowd {
                individuals,
                truth: Label::from_slot(slot, individuals),
                logits,
                similarity,
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_temperature_and_constant_ranks_as_the_decision_does(crowd in crowd()) {
        let constants = grid::new_constants();
        let slot = crowd.truth.slot(crowd.individuals);
        for temperature in grid::TEMPERATURES {
            let logits = Logits::new(crowd.query(), crowd.individuals);
            let standing = logits.standing(temperature, &constants);
            for p in constants {
                let column = classifier_column(&crowd.logits, crowd.individuals, temperature, p);
                let plain = rank_of(&column, slot);
                prop_assert_eq!(standing.rank(p).min(BEYOND), plain.min(BEYOND), "{} {}", temperature, p);
            }
        }
    }

    #[test]
    fn every_mixture_ranks_as_the_decision_does(
        crowd in crowd(), t in 0_usize..8, p in 0_usize..121, q in 0_usize..121, on_a_whale in any::<bool>(),
    ) {
        let constants = grid::new_constants();
        let temperature = grid::TEMPERATURES[t];
        let mut parameters = DecisionParameters {
            temperature,
            new_probability: constants[p],
            new_similarity: constants[q],
            ..DecisionParameters::default()
        };
        if on_a_whale {
            // `New` ties with a whale in both halves.
            let whale = p % crowd.individuals;
            let probabilities =
                classifier_probabilities(&crowd.logits, crowd.individuals, temperature);
            parameters.new_probability = probabilities[whale];
            parameters.new_similarity = crowd.similarity[whale];
        }
        let mixtures = Mixtures::new(grid::weights());
        let contest = search::contest(&crowd.query(), &parameters, &mixtures);
        for &weights in &mixtures.weights {
            let parameters = DecisionParameters { weights, ..parameters };
            let columns = Columns::new(&crowd.logits, crowd.similarity.clone(), &parameters);
            let plain = rank_of(&columns.unwrap().fused, crowd.truth.slot(crowd.individuals));
            prop_assert_eq!(contest.rank(weights).min(BEYOND), plain.min(BEYOND), "{:?}", weights);
        }
    }

    #[test]
    fn similarities_alone_rank_as_the_decision_does(crowd in crowd()) {
        let standing = Standing::new(&crowd.similarity[..crowd.individuals], crowd.truth);
        for q in grid::new_constants() {
            let parameters = DecisionParameters { new_similarity: q, ..DecisionParameters::default() };
            let columns = Columns::new(&crowd.logits, crowd.similarity.clone(), &parameters).unwrap();
            let plain = rank_of(&columns.similarity_with_new, crowd.truth.slot(crowd.individuals));
            prop_assert_eq!(standing.rank(q).min(BEYOND), plain.min(BEYOND));
        }
    }
}
