//! Whether answers that claim a probability are right that often.

use alloc::vec::Vec;

use serde::Serialize;

use super::MetricsError;

/// Bins of the reported [`ece`].
pub const BINS: usize = 15;

/// How answers are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binning {
    /// As many answers in each bin as can be; equal probabilities stay together (Nguyen and
    /// O'Connor, 2015). Every bin says something, wherever the probabilities are.
    EqualMass,
    /// Bins of equal width over 0…1, each with its upper end (Guo et al., 2017); those without
    /// answers are left out. For comparing with papers.
    EqualWidth,
}

/// Answers with about the same probability: a point of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// How many answers, at least one.
    pub answers: usize,
    /// The smallest probability among them.
    pub lowest: f32,
    /// The largest probability among them.
    pub highest: f32,
    /// The mean probability.
    pub confidence: f64,
    /// The share that is right.
    pub accuracy: f64,
    /// How far `accuracy` lies from `confidence` on average by chance alone, if each answer is right
    /// with its own probability: √(2/π) standard deviations of the share (normal approximation).
    pub by_chance: f64,
}

impl ReliabilityBin {
    fn of(answers: &[(usize, f32, bool)]) -> Self {
        let count = answers.len() as f64;
        let probabilities = || answers.iter().map(|&(_, probability, _)| probability);
        let right = answers.iter().filter(|&&(_, _, right)| right).count();
        let variance: f64 = probabilities()
            .map(f64::from)
            .map(|probability| probability * (1.0 - probability))
            .sum();
        Self {
            answers: answers.len(),
            lowest: probabilities().fold(f32::INFINITY, f32::min),
            highest: probabilities().fold(f32::NEG_INFINITY, f32::max),
            confidence: probabilities().map(f64::from).sum::<f64>() / count,
            accuracy: right as f64 / count,
            by_chance: libm::sqrt(core::f64::consts::FRAC_2_PI * variance) / count,
        }
    }
}

/// `answers`, each with its probability and whether it was right, in up to `bins` bins with the
/// smallest probabilities first.
///
/// # Errors
/// No answers or no bins; a probability that is not within 0…1.
pub fn reliability_bins(
    answers: &[(f32, bool)],
    binning: Binning,
    bins: usize,
) -> Result<Vec<ReliabilityBin>, MetricsError> {
    check(answers, bins)?;
    let mut sorted = answers.to_vec();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut binned = Vec::with_capacity(sorted.len());
    let mut before = 0;
    for equals in sorted.chunk_by(|a, b| a.0 == b.0) {
        let bin = match binning {
            // The bin that the middle one of the equals falls in.
            Binning::EqualMass => (2 * before + equals.len() - 1) * bins / (2 * sorted.len()),
            Binning::EqualWidth => width_bin(equals[0].0, bins),
        };
        let equals_in_bin = equals
            .iter()
            .map(|&(probability, right)| (bin, probability, right));
        binned.extend(equals_in_bin);
        before += equals.len();
    }
    let bins = binned.chunk_by(|a, b| a.0 == b.0);
    Ok(bins.map(ReliabilityBin::of).collect())
}

fn width_bin(probability: f32, bins: usize) -> usize {
    let end = libm::ceil(f64::from(probability) * bins as f64) as usize;
    end.saturating_sub(1).min(bins - 1)
}

fn check(answers: &[(f32, bool)], bins: usize) -> Result<(), MetricsError> {
    if answers.is_empty() {
        return Err(MetricsError::Nothing { what: "answer" });
    }
    if bins == 0 {
        return Err(MetricsError::Nothing { what: "bin" });
    }
    let is_none = |&(probability, _): &(f32, bool)| !(0.0..=1.0).contains(&probability);
    match answers.iter().position(is_none) {
        Some(position) => Err(MetricsError::NotAProbability {
            position,
            value: answers[position].0,
        }),
        None => Ok(()),
    }
}

/// The expected calibration error: the mean over the answers of |accuracy − confidence| of the bin
/// they are in. 0 where every bin is right as often as it claims, 1 at worst.
///
/// # Errors
/// As [`reliability_bins`].
pub fn expected_calibration_error(
    answers: &[(f32, bool)],
    binning: Binning,
    bins: usize,
) -> Result<f64, MetricsError> {
    let bins = reliability_bins(answers, binning, bins)?;
    Ok(mean(&bins, |bin| libm::fabs(bin.accuracy - bin.confidence)))
}

/// The expected calibration error that is reported: [`BINS`] bins of equal mass, by the probability
/// of the first answer.
///
/// It is never 0 on few photos, however good the probabilities are; [`ece_by_chance`] says what to
/// expect.
///
/// # Errors
/// As [`reliability_bins`].
pub fn ece(answers: &[(f32, bool)]) -> Result<f64, MetricsError> {
    expected_calibration_error(answers, Binning::EqualMass, BINS)
}

/// What [`ece`] would be on average if every answer was right with exactly the probability that it
/// claims: what is left of an `ece` as low as this is chance. Whether the answers are right is not
/// looked at.
///
/// # Errors
/// As [`reliability_bins`].
pub fn ece_by_chance(answers: &[(f32, bool)]) -> Result<f64, MetricsError> {
    let bins = reliability_bins(answers, Binning::EqualMass, BINS)?;
    Ok(mean(&bins, |bin| bin.by_chance))
}

/// The mean over the answers of (accuracy − confidence)² of the bin they are in, less what chance adds
/// to it on average, by how much the answers of a bin differ in being right (Bröcker, 2012; Kumar et al.,
/// 2019): its mean over many sets of photos is the same however few photos each has. Below 0 where
/// the bins are nearer their claims than chance lets expect. The root is a distance, as [`ece`] is.
///
/// [`BINS`] bins of equal mass; a bin of one answer says nothing of chance and is left out.
///
/// # Errors
/// As [`reliability_bins`].
pub fn squared_error_beyond_chance(answers: &[(f32, bool)]) -> Result<f64, MetricsError> {
    let mut bins = reliability_bins(answers, Binning::EqualMass, BINS)?;
    bins.retain(|bin| bin.answers > 1);
    if bins.is_empty() {
        return Ok(0.0);
    }
    Ok(mean(&bins, |bin| {
        let distance = bin.accuracy - bin.confidence;
        let chance = bin.accuracy * (1.0 - bin.accuracy) / (bin.answers as f64 - 1.0);
        distance * distance - chance
    }))
}

/// The mean over the answers of a value that their bin has.
fn mean(bins: &[ReliabilityBin], value: impl Fn(&ReliabilityBin) -> f64) -> f64 {
    let answers: usize = bins.iter().map(|bin| bin.answers).sum();
    let sum: f64 = bins.iter().map(|bin| bin.answers as f64 * value(bin)).sum();
    sum / answers as f64
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    /// Two bins: 0.1, 0.2 and 0.3 with one right, 0.6, 0.8 with both right.
    #[test]
    fn the_error_is_the_mean_distance_by_hand() {
        let answers = [
            (0.8, true),
            (0.1, false),
            (0.3, true),
            (0.6, true),
            (0.2, false),
        ];
        let bins = reliability_bins(&answers, Binning::EqualWidth, 2).unwrap();
        let counts: Vec<usize> = bins.iter().map(|bin| bin.answers).collect();
        assert_eq!(counts, [3, 2]);
        assert_eq!((bins[0].lowest, bins[0].highest), (0.1, 0.3));
        assert!((bins[0].confidence - 0.2).abs() < 1e-7);
        assert_eq!((bins[0].accuracy, bins[1].accuracy), (1.0 / 3.0, 1.0));
        // Variances 0.09 + 0.16 + 0.21.
        let by_chance = (2.0 * 0.46 / core::f64::consts::PI).sqrt() / 3.0;
        assert!((bins[0].by_chance - by_chance).abs() < 1e-7);
        let by_hand = 0.6 * (1.0 / 3.0 - 0.2) + 0.4 * (1.0 - 0.7);
        for binning in [Binning::EqualWidth, Binning::EqualMass] {
            let error = expected_calibration_error(&answers, binning, 2).unwrap();
            assert!((error - by_hand).abs() < 1e-7, "{error} and not {by_hand}");
        }
    }

    /// numpy 2.4:
    /// ```python
    /// import numpy as np
    /// i = np.arange(40); c = ((i * 37 % 101 + 1) / 103).astype("f4"); h = i * i % 7 < 3
    /// def ece(bin):
    ///     of = [(bin == b) for b in np.unique(bin)]
    ///     return sum(m.mean() * abs(h[m].mean() - c[m].mean(dtype="f8")) for m in of)
    /// place = np.argsort(np.argsort(c))
    /// print(ece(place * 15 // 40), ece(np.ceil(c.astype("f8") * 10).astype(int)))
    /// # 0.429368932 0.400242719
    /// ```
    #[test]
    fn agrees_with_numpy() {
        let answers: Vec<(f32, bool)> = (0..40_u16)
            .map(|i| (f32::from(i * 37 % 101 + 1) / 103.0, i * i % 7 < 3))
            .collect();
        let error = ece(&answers).unwrap();
        assert!((error - 0.429_368_932).abs() < 1e-7, "{error}");
        let error = expected_calibration_error(&answers, Binning::EqualWidth, 10).unwrap();
        assert!((error - 0.400_242_719).abs() < 1e-7, "{error}");
    }

    /// numpy 2.4, `c` and `h` of above:
    /// ```python
    /// bin = place * 15 // 40
    /// of = [bin == b for b in np.unique(bin)]
    /// d = lambda m: (h[m].mean() - c[m].mean(dtype="f8")) ** 2 - h[m].var() / (m.sum() - 1)
    /// print(sum(m.mean() * d(m) for m in of))
    /// # 0.219739137
    /// ```
    #[test]
    fn the_error_beyond_chance_agrees_with_numpy() {
        let answers: Vec<(f32, bool)> = (0..40_u16)
            .map(|i| (f32::from(i * 37 % 101 + 1) / 103.0, i * i % 7 < 3))
            .collect();
        let error = squared_error_beyond_chance(&answers).unwrap();
        assert!((error - 0.219_739_137).abs() < 1e-7, "{error}");
        assert_eq!(squared_error_beyond_chance(&[(1.0, false)]), Ok(0.0));
    }

    /// What [`ece`] is not: all 2^16 ways in which 16 answers at 1/4 and 3/4 can come out, each with its
    /// probability, have nothing beyond chance on average.
    #[test]
    fn right_probabilities_have_no_error_beyond_chance_on_average() {
        let claims: Vec<f32> = (0..16).map(|i| if i < 8 { 0.25 } else { 0.75 }).collect();
        let mut expected = 0.0;
        for outcome in 0_u32..1 << 16 {
            let answers: Vec<(f32, bool)> = claims
                .iter()
                .enumerate()
                .map(|(i, &claim)| (claim, outcome >> i & 1 == 1))
                .collect();
            let likely: f64 = answers
                .iter()
                .map(|&(claim, right)| f64::from(if right { claim } else { 1.0 - claim }))
                .product();
            expected += likely * squared_error_beyond_chance(&answers).unwrap();
        }
        assert!(expected.abs() < 1e-12, "{expected}");
    }

    #[test]
    fn equal_probabilities_are_one_bin_whatever_is_right() {
        let answers: Vec<(f32, bool)> = (0..100).map(|i| (0.5, i < 50)).collect();
        assert_eq!(ece(&answers), Ok(0.0));
        assert_eq!(ece(&[(1.0, false)]), Ok(1.0));
        assert_eq!(ece_by_chance(&[(1.0, false), (0.0, false)]), Ok(0.0));
    }

    #[test]
    fn the_ends_are_probabilities_and_nothing_beyond() {
        for binning in [Binning::EqualWidth, Binning::EqualMass] {
            let bins = reliability_bins(&[(0.0, false), (1.0, true)], binning, 15).unwrap();
            assert_eq!(bins.len(), 2);
        }
        let refused = |value| ece(&[(0.5, true), (value, true)]).unwrap_err().to_string();
        assert_eq!(
            refused(1.5),
            "probability 1 is 1.5, it must be between 0 and 1"
        );
        assert_eq!(
            refused(f32::NAN),
            "probability 1 is NaN, it must be between 0 and 1"
        );
        let nothing = |what| Err(MetricsError::Nothing { what });
        assert_eq!(ece(&[]), nothing("answer"));
        let no_bins = expected_calibration_error(&[(0.5, true)], Binning::EqualWidth, 0);
        assert_eq!(no_bins, nothing("bin"));
    }

    fn answers() -> impl Strategy<Value = Vec<(f32, bool)>> {
        let answer = ((0_u8..=50).prop_map(|x| f32::from(x) / 50.0), any::<bool>());
        prop::collection::vec(answer, 1..60)
    }

    proptest! {
        #[test]
        fn bins_part_the_answers_in_order(answers in answers(), bins in 1_usize..20) {
            for binning in [Binning::EqualWidth, Binning::EqualMass] {
                let found = reliability_bins(&answers, binning, bins).unwrap();
                prop_assert!(found.len() <= bins);
                prop_assert_eq!(found.iter().map(|bin| bin.answers).sum::<usize>(), answers.len());
                prop_assert!(found.windows(2).all(|pair| pair[0].highest < pair[1].lowest));
            }
        }

        /// By the triangle inequality, and 1 at most.
        #[test]
        fn no_binning_errs_less_than_the_means_do(answers in answers(), bins in 1_usize..20) {
            let count = answers.len() as f64;
            let claimed = answers.iter().map(|answer| f64::from(answer.0)).sum::<f64>() / count;
            let right = answers.iter().filter(|answer| answer.1).count() as f64 / count;
            for binning in [Binning::EqualWidth, Binning::EqualMass] {
                let error = expected_calibration_error(&answers, binning, bins).unwrap();
                prop_assert!(error >= (claimed - right).abs() - 1e-9);
                prop_assert!(error <= 1.0);
            }
        }

        #[test]
        fn the_order_of_the_answers_does_not_matter(
            (answers, shuffled) in answers()
                .prop_flat_map(|answers| (Just(answers.clone()), Just(answers).prop_shuffle())),
        ) {
            prop_assert_eq!(ece(&answers), ece(&shuffled));
            prop_assert_eq!(ece_by_chance(&answers), ece_by_chance(&shuffled));
        }

        #[test]
        fn without_ties_equal_mass_is_equal_but_for_one(count in 15_u16..200) {
            let answers: Vec<(f32, bool)> =
                (0..count).map(|i| (f32::from(i) / f32::from(count), false)).collect();
            let bins = reliability_bins(&answers, Binning::EqualMass, BINS).unwrap();
            let sizes = || bins.iter().map(|bin| bin.answers);
            prop_assert_eq!(bins.len(), BINS);
            prop_assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
        }
    }
}
