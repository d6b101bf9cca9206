//! The loss of descriptors.

use burn::tensor::{Tensor, activation};

/// Added below the root, so that it has a slope everywhere, and beside it.
const EPSILON: [f64; 2] = [1e-6, 1e-8];
/// Two patches this near each other show one place: neither is the other's negative.
const SAME_PLACE: f64 = 0.008;
/// What keeps a distance from being the least.
const FAR: f64 = 10.0;

/// What a batch of pairs comes to.
#[derive(Clone, Debug)]
pub struct Hardest {
    /// The mean of max(0, 1 + d - n), `[1]`.
    pub loss: Tensor<1>,
    /// The share of pairs that are nearer each other than to anything else, `[1]`, without a gradient.
    pub right: Tensor<1>,
}

/// HardNet's loss (Mishchuk et al., 2017, formula 3; spec-local, *Training HardNet*) of descriptors of
/// unit length, two of each place, both `[places, 128]`: a pair's distance d, and n, the least distance of
/// one of its two to a patch of another place on the other side.
pub fn hardest(anchors: Tensor<2>, positives: Tensor<2>) -> Hardest {
    let places = anchors.dims()[0];
    let cosines = anchors.matmul(positives.transpose());
    let distances = (cosines * -2.0 + (2.0 + EPSILON[0])).sqrt() + EPSILON[1];
    let diagonal = Tensor::<2>::eye(places, &distances.device());
    let own = (distances.clone() * diagonal.clone()).sum_dim(1);
    let others = distances + diagonal * FAR;
    let same = others.clone().detach().lower_elem(SAME_PLACE).float() * FAR;
    let others = others + same;
    let rows = others.clone().min_dim(1);
    let columns = others.min_dim(0).transpose();
    let negative = rows.min_pair(columns);
    let right = negative.clone().detach().greater(own.clone().detach());
    Hardest {
        loss: activation::relu(own - negative + 1.0).mean(),
        right: right.float().mean(),
    }
}
