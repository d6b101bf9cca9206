//! Whether the final answer's probabilities can be believed, and how well a threshold tells new whales
//! from known ones.

use super::answered::Answered;
use super::intervals::{Bootstrap, Interval};
use crate::tune::{LabelledQueries, TuneError};
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::{
    MetricsError, ece, ece_by_chance, equal_error_rate, squared_error_beyond_chance,
};

/// How much the final answer's certainty is worth on labelled photos.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// The expected calibration error of the first answer's probability, `New` being an answer, by
    /// [`flukeprint_core::metrics::ece`]: 15 bins of equal mass.
    pub ece: f64,
    /// What `ece` would be by chance alone on as many photos, the probabilities being right:
    /// [`flukeprint_core::metrics::ece_by_chance`].
    pub ece_by_chance: f64,
    /// Where `ece` lies. Photos drawn twice make a calibration error of their own, and so the draws
    /// are moved by as much as their mean is above `ece`, at most down to 0.
    pub ece_interval: Interval,
    /// The root of [`squared_error_beyond_chance`], 0 where that is below: how far probabilities are from
    /// what they claim, whatever the number of photos.
    pub ece_beyond_chance: f64,
    /// Where `ece_beyond_chance` lies, drawn as `ece_interval`.
    pub ece_beyond_chance_interval: Interval,
    /// The equal-error rate of new against known by the lead of `New` over the best known whale.
    /// `None` unless there are both.
    pub eer_new: Option<f64>,
    /// Where `eer_new` lies.
    pub eer_new_interval: Option<Interval>,
}

impl Confidence {
    /// Measures `parameters` on `queries`, with intervals by [`Bootstrap::default`].
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn of(
        queries: &LabelledQueries,
        parameters: &DecisionParameters,
    ) -> Result<Self, TuneError> {
        Ok(Self::of_answers(&Answered::all(queries, parameters)?)?)
    }

    /// From what was answered.
    pub(super) fn of_answers(answers: &[Answered]) -> Result<Self, MetricsError> {
        let first: Vec<(f32, bool)> = answers
            .iter()
            .map(|answer| (answer.probability, answer.right()))
            .collect();
        let error = ece(&first)?;
        let beyond = squared_error_beyond_chance(&first)?;
        let squares = calibration_interval(answers, beyond, squared_error_beyond_chance);
        let newness: Vec<(f32, bool)> = answers
            .iter()
            .map(|answer| (answer.lead, answer.shows_new()))
            .collect();
        // It fails where there are only known whales, or only new ones.
        let eer_new = eer_new(&newness).ok();
        Ok(Self {
            ece: error,
            ece_by_chance: ece_by_chance(&first)?,
            ece_interval: calibration_interval(answers, error, ece),
            ece_beyond_chance: root(beyond),
            ece_beyond_chance_interval: Interval {
                low: root(squares.low),
                high: root(squares.high),
            },
            eer_new,
            eer_new_interval: eer_new.map(|_| eer_interval(answers)),
        })
    }
}

/// The equal-error rate from each query's lead and whether it shows a new whale.
fn eer_new(queries: &[(f32, bool)]) -> Result<f64, MetricsError> {
    let of = |wanted: bool| -> Vec<f32> {
        let of_kind = queries.iter().filter(|&&(_, new)| new == wanted);
        of_kind.map(|&(lead, _)| lead).collect()
    };
    Ok(equal_error_rate(&of(true), &of(false))?.rate)
}

fn eer_interval(answers: &[Answered]) -> Interval {
    let bootstrap = Bootstrap::default();
    let queries: Vec<(Label, f32, bool)> = answers
        .iter()
        .map(|answer| (answer.truth, answer.lead, answer.shows_new()))
        .collect();
    // Every draw has as many of both kinds as there are, so that it has a rate.
    bootstrap.interval(bootstrap.measures(&queries, |drawn| eer_new(drawn).unwrap_or(f64::NAN)))
}

/// Where a measure of calibration lies, not below 0.
fn calibration_interval(
    answers: &[Answered],
    measured: f64,
    measure: impl Fn(&[(f32, bool)]) -> Result<f64, MetricsError> + Sync,
) -> Interval {
    let bootstrap = Bootstrap::default();
    let queries: Vec<(Label, f32, bool)> = answers
        .iter()
        .map(|answer| (answer.truth, answer.probability, answer.right()))
        .collect();
    let draws = bootstrap.measures(&queries, |drawn| measure(drawn).unwrap_or(f64::NAN));
    let above = draws.iter().sum::<f64>() / draws.len() as f64 - measured;
    let Interval { low, high } = bootstrap.interval(draws);
    Interval {
        low: (low - above).max(0.0),
        high: (high - above).max(0.0),
    }
}

/// The root of what the mean squared error of probabilities is beyond chance.
pub(super) fn beyond_chance(answers: &[(f32, bool)]) -> Result<f64, MetricsError> {
    squared_error_beyond_chance(answers).map(root)
}

/// Of a square that may come out below 0.
fn root(square: f64) -> f64 {
    square.max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One whale and New, by similarity alone, q = 0.5 and β = 4: the lead of the first is its log
    /// odds divided by four.
    fn of(photos: &[(f32, Label)]) -> Confidence {
        let parameters = DecisionParameters {
            new_similarity: 0.5,
            sharpness: 4.0,
            ..DecisionParameters::default()
        };
        let similarities = photos.iter().flat_map(|&(similarity, _)| [similarity, 0.0]);
        let queries = LabelledQueries::new(
            1,
            photos.iter().map(|&(_, truth)| truth).collect(),
            vec![0.0; photos.len()],
            similarities.collect(),
        );
        Confidence::of(&queries.unwrap(), &parameters).unwrap()
    }

    const WHALE: Label = Label::Individual(0);

    #[test]
    fn the_first_answers_probability_is_measured_new_included() {
        // Log odds 1 for the whale, then 1 and 1/2 for New: right, wrong, right. Equal ones are one
        // bin with one of two right.
        let found = of(&[(0.75, WHALE), (0.25, WHALE), (0.375, Label::New)]);
        let probability = |odds: f64| 1.0 / (1.0 + (-odds).exp());
        let by_hand = 2.0 / 3.0 * (probability(1.0) - 0.5) + 1.0 / 3.0 * (1.0 - probability(0.5));
        assert!((found.ece - by_hand).abs() < 1e-6, "{found:?}");
        // Leads of New: 1/8 for the new whale, -1/4 and 1/4 for the known. Missed is all at 1/4 and
        // none at 1/8, taken half at both.
        assert_eq!(found.eer_new, Some(0.5));
    }

    #[test]
    fn intervals_hold_what_is_measured() {
        let photo = |i: u16| {
            let similarity = f32::from(i * 37 % 100) / 100.0;
            let known = i * 53 % 100 < i * 37 % 100;
            (similarity, if known { WHALE } else { Label::New })
        };
        let photos: Vec<(f32, Label)> = (0..300).map(photo).collect();
        let found = of(&photos);
        let within = |interval: Interval, value: f64| {
            (0.0..=value).contains(&interval.low) && (value..=1.0).contains(&interval.high)
        };
        assert!(within(found.ece_interval, found.ece), "{found:?}");
        let beyond = (found.ece_beyond_chance_interval, found.ece_beyond_chance);
        assert!(within(beyond.0, beyond.1) && beyond.1 > 0.0, "{found:?}");
        let eer = found.eer_new_interval.zip(found.eer_new);
        assert!(
            eer.is_some_and(|(interval, eer)| within(interval, eer)),
            "{found:?}"
        );
        assert!(found.ece_by_chance > 0.0);
    }

    #[test]
    fn known_whales_alone_have_no_equal_error_rate() {
        let found = of(&[(0.75, WHALE), (0.25, WHALE)]);
        assert_eq!((found.eer_new, found.eer_new_interval), (None, None));
        assert!(found.ece > 0.0);
    }
}
