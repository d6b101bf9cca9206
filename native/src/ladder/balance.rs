//! Class balance, as a rival of the original documented it (spec, *Deciding* 8): when the first two
//! whales of a photo are close and the first answers other photos too, an unused second is preferred.
//! It looks at all photos at once, so it helps where each whale is asked for about once, as in the
//! competition, and is no part of what a bundle answers.

use crate::evaluate::scores::{ScoreRow, row_of_columns};
use crate::tune::{LabelledQueries, TuneError};
use flukeprint_core::decision::DecisionParameters;

/// How close the first two final scores must be.
const CLOSE: f32 = 0.3;

/// The whole decision for all queries, then balanced.
pub(super) fn balanced_row(
    queries: &LabelledQueries,
    parameters: &DecisionParameters,
) -> Result<ScoreRow, TuneError> {
    let mut columns: Vec<Vec<f32>> = queries
        .iter()
        .map(|query| {
            let columns = query.columns(parameters)?;
            Ok(columns.fused)
        })
        .collect::<Result<_, TuneError>>()?;
    balance(&mut columns);
    let truths = queries.iter().map(|query| query.truth);
    let answered = columns.iter().map(Vec::as_slice).zip(truths);
    row_of_columns("all, balanced", answered).ok_or(TuneError::NoQueries)
}

/// Exchanges the first two whales' scores where they are close, the first is in use more than once
/// and the second not at all. The closest photos come first. Columns have `New` last; it is neither
/// used up nor preferred.
fn balance(columns: &mut [Vec<f32>]) {
    let whales = columns.first().map_or(0, |column| column.len() - 1);
    let mut used = vec![0_usize; whales + 1];
    let mut close = Vec::new();
    for (query, column) in columns.iter().enumerate() {
        let [first, second] = first_two(column);
        used[first] += 1;
        let gap = column[first] - column[second];
        if gap <= CLOSE && first != whales && second != whales {
            close.push((gap, query, first, second));
        }
    }
    close.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (_, query, first, second) in close {
        if used[first] > 1 && used[second] == 0 {
            columns[query].swap(first, second);
            used[first] -= 1;
            used[second] += 1;
        }
    }
}

/// The slots of the two best scores; the same one twice where there is one only.
fn first_two(column: &[f32]) -> [usize; 2] {
    let mut best = [0; 2];
    for slot in 1..column.len() {
        if column[slot] > column[best[0]] {
            best = [slot, best[0]];
        } else if best[0] == best[1] || column[slot] > column[best[1]] {
            best[1] = slot;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_second_is_preferred_to_an_over_used_first() {
        let mut columns = vec![
            vec![2.0, 1.0, 0.0, 0.5],  // whale 0, clearly
            vec![1.5, 1.4, 0.0, 0.5],  // whale 0, closely before whale 1
            vec![0.0, 0.1, 0.05, 0.9], // new
        ];
        balance(&mut columns);
        assert_eq!(columns[0], [2.0, 1.0, 0.0, 0.5]);
        assert_eq!(columns[1], [1.4, 1.5, 0.0, 0.5]);
        assert_eq!(columns[2], [0.0, 0.1, 0.05, 0.9]);
    }

    #[test]
    fn a_whale_in_use_once_or_a_used_second_stays() {
        let alone = vec![vec![1.5, 1.4, 0.0]];
        let mut columns = alone.clone();
        balance(&mut columns);
        assert_eq!(columns, alone);
        let both = vec![
            vec![1.5, 1.4, 0.0],
            vec![1.5, 1.0, 0.0],
            vec![1.0, 1.5, 0.0],
        ];
        let mut columns = both.clone();
        balance(&mut columns);
        assert_eq!(columns, both);
    }

    #[test]
    fn the_first_two_slots_are_found_wherever_they_stand() {
        assert_eq!(first_two(&[0.0, 2.0, 1.0]), [1, 2]);
        assert_eq!(first_two(&[3.0, 2.0, 2.5]), [0, 2]);
        assert_eq!(first_two(&[1.0]), [0, 0]);
    }
}
