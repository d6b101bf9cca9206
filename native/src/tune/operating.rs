//! What each operating point costs, on labelled photos.

use flukeprint_core::decision::{
    DecisionParameters, OperatingPoint, OperatingRates, probabilities,
};

/// The final scores of photos, raised or not, with the slots of their true labels, and by what they are answered.
pub type Answered = (Vec<(Vec<f32>, usize)>, DecisionParameters);

/// The expected shares of new whales that are measured, beside the one that was fitted to.
pub const NEW_SHARES: [f32; 6] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9];

/// The costs of a missed match that are measured, in false matches.
pub const MISSED_COSTS: [f32; 11] = [0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 5.0, 10.0];

/// Every share with every cost, the `fitted` share first: how often the verdict is wrong on photos, each
/// part of them answered by its parameters. Empty where there are only known or only new whales among them,
/// or no share was fitted to.
pub fn operating_rates(parts: &[Answered], fitted: Option<f32>) -> Vec<OperatingRates> {
    let of_part = |(scored, parameters)| {
        let scored: &Vec<(Vec<f32>, usize)> = scored;
        scored
            .iter()
            .filter_map(move |(scores, slot)| Answer::of(scores, *slot, parameters))
    };
    let answers: Vec<Answer<'_>> = parts
        .iter()
        .flat_map(|(scored, by)| of_part((scored, by)))
        .collect();
    let known = answers.iter().filter(|one| one.known).count();
    let (Some(fitted), true) = (fitted, (1..answers.len()).contains(&known)) else {
        return Vec::new();
    };
    let shares = [fitted].into_iter().chain(NEW_SHARES);
    let points = shares.flat_map(|share| MISSED_COSTS.map(|cost| (share, cost)));
    let rates = |(new_share, missed_cost)| {
        let point = OperatingPoint {
            new_share: Some(new_share),
            missed_cost,
        };
        let share = |of: usize, wrong: &dyn Fn(&Answer<'_>, bool) -> bool| {
            let says_new = |one: &Answer<'_>| point.says_new(one.new, one.whale, one.parameters);
            let wrong = answers.iter().filter(|one| wrong(one, says_new(one)));
            wrong.count() as f32 / of as f32
        };
        OperatingRates {
            new_share,
            missed_cost,
            missed: share(known, &|one, says_new| one.known && says_new),
            mistaken: share(known, &|one, says_new| one.known && !says_new && !one.right),
            false_match: share(answers.len() - known, &|one, says_new| {
                !one.known && !says_new
            }),
        }
    };
    points.map(rates).collect()
}

/// One photo: what counts for the verdict, and what is true.
#[derive(Clone, Copy)]
struct Answer<'a> {
    /// What it was answered by.
    parameters: &'a DecisionParameters,
    new: f32,
    whale: f32,
    known: bool,
    /// Whether the best whale is the photo's.
    right: bool,
}

impl<'a> Answer<'a> {
    /// `None` where no whale is known.
    fn of(scores: &[f32], slot: usize, parameters: &'a DecisionParameters) -> Option<Self> {
        let probabilities = probabilities(scores, parameters);
        let (&new, whales) = probabilities.split_last()?;
        let higher = |best: usize, whale: usize| {
            if scores[whale] > scores[best] {
                whale
            } else {
                best
            }
        };
        let best = (0..whales.len()).reduce(higher)?;
        Some(Self {
            parameters,
            new,
            whale: whales[best],
            known: slot < whales.len(),
            right: slot == best,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::{LabelledQueries, final_scores};
    use flukeprint_core::gallery::Label::{Individual as Whale, New};

    /// Four photos by the nearest photo alone: a sure match, a doubtful one, a stranger who looks a
    /// little like whale 0, and one who does not.
    fn rates() -> Vec<OperatingRates> {
        let similarities = [
            [0.9, 0.1, 0.0],
            [0.1, 0.52, 0.0],
            [0.48, 0.1, 0.0],
            [0.2, 0.1, 0.0],
        ];
        let truths = vec![Whale(0), Whale(1), New, New];
        let queries = LabelledQueries::new(2, truths, vec![], similarities.concat()).unwrap();
        let parameters = DecisionParameters {
            new_similarity: 0.5,
            new_share: Some(0.5),
            ..DecisionParameters::default()
        };
        let scored = final_scores(&queries, &parameters).unwrap();
        operating_rates(&[(scored, parameters)], parameters.new_share)
    }

    #[test]
    fn dearer_misses_are_rarer_and_cost_false_matches() {
        let rates = rates();
        assert_eq!(rates.len(), (1 + NEW_SHARES.len()) * MISSED_COSTS.len());
        let at = |cost: f32| rates.iter().find(|one| one.missed_cost == cost).unwrap();
        // The thresholds by hand: whales and New are 10 · (difference of similarities) apart in log
        // odds, 0.2 for the doubtful match and -0.2 for the likeness.
        assert_eq!(
            [at(1.0).missed, at(1.0).mistaken, at(1.0).false_match],
            [0.0, 0.0, 0.0]
        );
        assert_eq!([at(10.0).missed, at(10.0).false_match], [0.0, 0.5]);
        assert_eq!([at(0.1).missed, at(0.1).false_match], [0.5, 0.0]);
        for share in rates.chunks(MISSED_COSTS.len()) {
            assert!(share.is_sorted_by(|a, b| a.missed >= b.missed));
            assert!(share.is_sorted_by(|a, b| a.false_match <= b.false_match));
        }
        // Where nearly all whales are new, doubt is enough to call one new.
        let last = rates.last().unwrap();
        assert_eq!(last.new_share, 0.9);
        let sober = rates
            .iter()
            .find(|one| one.new_share == 0.9 && one.missed_cost == 1.0);
        assert_eq!(sober.unwrap().missed, 0.5);
    }

    #[test]
    fn one_kind_of_photos_has_no_curve() {
        let queries = LabelledQueries::new(1, vec![New], vec![], vec![0.1, 0.0]).unwrap();
        let parameters = DecisionParameters {
            new_share: Some(0.5),
            ..DecisionParameters::default()
        };
        let scored = final_scores(&queries, &parameters).unwrap();
        let rates = operating_rates(&[(scored, parameters)], parameters.new_share);
        assert_eq!(rates, vec![]);
    }
}
