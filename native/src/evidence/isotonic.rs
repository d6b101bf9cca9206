//! Isotonic regression: from labelled pairs to what a score is worth.

use flukeprint_core::evidence::probability::{Curve, CurveError};

/// Two photos with their score, and whether they show one whale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelledScore {
    /// Finite; higher says more.
    pub score: f64,
    /// Whether the labels say that it is one whale.
    pub same: bool,
}

/// Neighbouring scores that are worth the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The lowest score in it.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// The sum of its pairs' scores.
    sum: f64,
    /// Its pairs.
    pub pairs: usize,
    /// Those of one whale.
    pub same: usize,
}

impl Block {
    /// The share of pairs of one whale.
    pub fn worth(&self) -> f64 {
        self.same as f64 / self.pairs as f64
    }

    fn mean_score(&self) -> f64 {
        // Rounding must not leave the block.
        (self.sum / self.pairs as f64).clamp(self.lowest, self.highest)
    }

    fn joined(self, next: Self) -> Self {
        Self {
            lowest: self.lowest,
            highest: next.highest,
            sum: self.sum + next.sum,
            pairs: self.pairs + next.pairs,
            same: self.same + next.same,
        }
    }
}

/// The best monotone fit in least squares, by pooling adjacent violators (Ayer et al., 1955): blocks of
/// rising worth, by score.
pub fn blocks(pairs: &[LabelledScore]) -> Vec<Block> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    let mut blocks: Vec<Block> = Vec::new();
    for equal in sorted.chunk_by(|a, b| a.score == b.score) {
        let score = equal[0].score;
        let mut block = Block {
            lowest: score,
            highest: score,
            sum: score * equal.len() as f64,
            pairs: equal.len(),
            same: equal.iter().filter(|pair| pair.same).count(),
        };
        // Equal worth is one block too: same / pairs compared without division.
        while let Some(last) = blocks.last().copied()
            && last.same * block.pairs >= block.same * last.pairs
        {
            blocks.pop();
            block = last.joined(block);
        }
        blocks.push(block);
    }
    blocks
}

/// The curve through the blocks' mean scores, so that it rises where the blocks do. The highest block's
/// worth is (same + 1) / (pairs + 2), as long as that is not below the one before it (Laplace's rule of
/// succession): no number of right pairs makes the next one certain.
///
/// # Errors
/// When there is no pair or a score is not finite.
pub fn fit(pairs: &[LabelledScore]) -> Result<Curve, CurveError> {
    let mut knots: Vec<[f64; 2]> = Vec::new();
    let blocks = blocks(pairs);
    for (number, block) in blocks.iter().enumerate() {
        let before = knots.last().map_or(0.0, |knot| knot[1]);
        let worth = match number + 1 == blocks.len() {
            true => ((block.same + 1) as f64 / (block.pairs + 2) as f64).max(before),
            false => block.worth(),
        };
        knots.push([block.mean_score(), worth]);
    }
    Curve::new(knots)
}
