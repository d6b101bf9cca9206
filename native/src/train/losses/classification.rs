//! Losses of logits, `[batch, classes]`, each the mean over the batch, `[1]`.

use burn::tensor::{Device, Int, Tensor, activation};

/// Whom the photos of a batch show.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The class of each photo, `[batch]`; any where `known` is 0.
    pub labels: Tensor<1, Int>,
    /// 1 where a photo shows a whale of the classes, 0 where it shows none of them, `[batch]`; without
    /// it all show one.
    pub known: Option<Tensor<1>>,
}

impl Targets {
    /// One class a photo, `None` for a photo of none of them.
    pub fn new(classes: &[Option<u32>], device: &Device) -> Self {
        let labels: Vec<i64> = classes
            .iter()
            .map(|class| i64::from(class.unwrap_or(0)))
            .collect();
        let known: Vec<f32> = classes
            .iter()
            .map(|class| f32::from(u8::from(class.is_some())))
            .collect();
        let all = classes.iter().all(Option::is_some);
        Self {
            labels: Tensor::from_data(labels.as_slice(), device),
            known: (!all).then(|| Tensor::from_data(known.as_slice(), device)),
        }
    }

    /// 1 at each photo's own class and 0 elsewhere, `[batch, classes]`.
    pub(super) fn one_hot(&self, classes: usize) -> Tensor<2> {
        let ones = self.labels.clone().one_hot::<2>(classes).float();
        match &self.known {
            Some(known) => ones * known.clone().unsqueeze_dim::<2>(1),
            None => ones,
        }
    }

    /// The value of each photo's own class, `[batch]`.
    fn own(&self, values: Tensor<2>) -> Tensor<1> {
        let [batch, _] = values.dims();
        let labels = self.labels.clone().reshape([batch, 1]);
        values.gather(1, labels).reshape([batch])
    }

    /// The mean over the batch of `of_known` where the whale is known and of `of_none` elsewhere.
    fn mean(&self, of_known: Tensor<1>, of_none: impl FnOnce() -> Tensor<1>) -> Tensor<1> {
        match &self.known {
            Some(known) => {
                let none = known.clone() * -1.0 + 1.0;
                (of_known * known.clone() + of_none() * none).mean()
            }
            None => of_known.mean(),
        }
    }
}

/// Cross-entropy. A photo of none of the classes should find all of them equally likely (Hendrycks et
/// al., 2019).
pub fn cross_entropy(logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
    focal(logits, targets, 0.0)
}

/// Focal loss (Lin et al., 2017): cross-entropy times (1 − p)^`gamma` for the probability p of the
/// photo's class; a photo of none of the classes counts as in [`cross_entropy`].
pub fn focal(logits: Tensor<2>, targets: &Targets, gamma: f64) -> Tensor<1> {
    let log_probabilities = activation::log_softmax(logits, 1);
    let own = targets.own(log_probabilities.clone());
    let weighted = if gamma == 0.0 {
        own.neg()
    } else {
        let missed = (own.clone().exp() * -1.0 + 1.0).clamp_min(1e-12);
        missed.powf_scalar(gamma) * own.neg()
    };
    targets.mean(weighted, || {
        let [batch, _] = log_probabilities.dims();
        log_probabilities.mean_dim(1).reshape([batch]).neg()
    })
}

/// Binary cross-entropy of the photo's own class and the mean of it over the `hardest` most likely
/// others (the 1st place of the competition took 30); a photo of none of the classes has only others.
pub fn hard_binary(logits: Tensor<2>, targets: &Targets, hardest: usize) -> Tensor<1> {
    let [_, classes] = logits.dims();
    let own = softplus(targets.own(logits.clone()).neg());
    // The own class is the last to be taken for another.
    let others = logits.clone().detach() - targets.one_hot(classes) * 1e6;
    let negatives = |among: Tensor<2>, count: usize| {
        let [batch, _] = among.dims();
        let places = among.argsort_descending(1).narrow(1, 0, count);
        let hardest = logits.clone().gather(1, places);
        softplus(hardest).mean_dim(1).reshape([batch])
    };
    let others = negatives(others, hardest.min(classes - 1).max(1));
    targets.mean(own + others.clone(), || others)
}

/// ln(1 + eˣ), without overflow.
fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let rest = (x.clone().abs().neg().exp() + 1.0).log();
    x.clamp_min(0.0) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_a_hand_calculated_batch() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_data([[0.0f32, 3.0f32.ln()], [0.0, 0.0]], &device);
        let targets = Targets::new(&[Some(1), Some(0)], &device);
        let loss: f32 = cross_entropy(logits, &targets).into_scalar();
        // -(ln(3/4) + ln(1/2)) / 2
        assert!((loss - 0.490_415).abs() < 1e-5, "{loss}");
    }

    #[test]
    fn a_photo_of_none_of_the_classes_wants_them_equally_likely() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_data([[0.0f32, 3.0f32.ln()], [0.0, 0.0]], &device);
        let targets = Targets::new(&[None, Some(0)], &device);
        let loss: f32 = cross_entropy(logits, &targets).into_scalar();
        // -((ln(1/4) + ln(3/4)) / 2 + ln(1/2)) / 2
        assert!((loss - 0.765_072).abs() < 1e-5, "{loss}");
    }
}
