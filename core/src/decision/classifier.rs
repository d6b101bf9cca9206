//! Steps 1 and 2: the classifier's opinion.

use alloc::vec::Vec;

use super::softmax;
use crate::bundle::MergedColumn;

/// Before step 1: one logit an individual from one a column of the classifier. The logit of an
/// individual with several columns is ln(Σ exp(T · column)) / T, so that its probability in step 1 is
/// the sum of those that its columns would have: the classifier was taught that they are different
/// whales, and whoever is one of them is the whale. `temperature` is T, above 0; `merged` is sound,
/// see [`MergedColumn`].
pub fn merged_logits(columns: Vec<f32>, merged: &[MergedColumn], temperature: f32) -> Vec<f32> {
    if merged.is_empty() {
        return columns;
    }
    let mut merged = merged.iter().peekable();
    let mut logits: Vec<f32> = Vec::with_capacity(columns.len());
    for (place, column) in columns.into_iter().enumerate() {
        let own = merged.next_if(|one| one.column as usize == place);
        let own = own.and_then(|one| logits.get_mut(one.individual as usize));
        match own {
            Some(logit) => *logit = either(*logit, column, temperature),
            None => logits.push(column),
        }
    }
    logits
}

/// ln(exp(T · a) + exp(T · b)) / T.
fn either(a: f32, b: f32, temperature: f32) -> f32 {
    let (more, less) = if a >= b { (a, b) } else { (b, a) };
    more + libm::log1pf(libm::expf(temperature * (less - more))) / temperature
}

/// Step 1: softmax(T · logits), `[individuals]`. Individuals beyond the logits were enrolled after
/// the classifier was trained and get 0.
pub fn classifier_probabilities(logits: &[f32], individuals: usize, temperature: f32) -> Vec<f32> {
    let mut probabilities = softmax(logits, temperature);
    probabilities.resize(individuals, 0.0);
    probabilities
}

/// Step 2: the probabilities with the constant p for `New` beside them, `[individuals + 1]`. p is
/// outside the softmax: it takes nothing from the others.
pub fn classifier_column(
    logits: &[f32],
    individuals: usize,
    temperature: f32,
    new_probability: f32,
) -> Vec<f32> {
    let mut column = classifier_probabilities(logits, individuals, temperature);
    column.push(new_probability);
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn a_whale_of_two_columns_has_the_sum_of_their_probabilities() {
        // Columns 0, 1 and 2 of individuals 0, 1 and again 0; T = 1 and ln 1, ln 2, ln 3.
        let merged = [MergedColumn {
            column: 2,
            individual: 0,
        }];
        let columns = vec![0.0, 2f32.ln(), 3f32.ln()];
        let logits = merged_logits(columns, &merged, 1.0);
        let found = classifier_probabilities(&logits, 3, 1.0);
        for (found, expected) in found.iter().zip([4.0 / 6.0, 2.0 / 6.0, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    proptest! {
        #[test]
        fn merging_takes_nothing_from_the_others(
            columns in prop::collection::vec(-40f32..40.0, 3..9),
            temperature in 0.05f32..4.0,
        ) {
            let last = columns.len() - 1;
            let merged = [MergedColumn { column: last as u32, individual: 0 }];
            let apart = classifier_probabilities(&columns, columns.len(), temperature);
            let logits = merged_logits(columns, &merged, temperature);
            let together = classifier_probabilities(&logits, last, temperature);
            prop_assert!((together[0] - apart[0] - apart[last]).abs() < 1e-4);
            for (together, apart) in together.iter().zip(&apart).skip(1) {
                prop_assert!((together - apart).abs() < 1e-4);
            }
        }
    }
}
