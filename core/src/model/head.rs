//! From a stripe's pooled vector to the stripe's feature (spec, *Network*).

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

use super::layer::scale_and_shift;

/// Batch norm, dropout 0.3, linear, CELU, batch norm.
#[derive(Module, Debug)]
pub struct StripeHead {
    input_norm: Option<BatchNorm>,
    dropout: Dropout,
    linear: Linear,
    output_norm: BatchNorm,
}

impl StripeHead {
    /// A head that reads `channels` values and writes `width` of them.
    pub fn new(channels: usize, width: usize, device: &Device) -> Self {
        Self {
            input_norm: Some(BatchNormConfig::new(channels).init(device)),
            dropout: DropoutConfig::new(0.3).init(),
            linear: LinearConfig::new(channels, width).init(device),
            output_norm: BatchNormConfig::new(width).init(device),
        }
    }

    /// Leaves another share of the pooled values out while training.
    pub(super) fn set_dropout(&mut self, share: f64) {
        self.dropout = DropoutConfig::new(share).init();
    }

    /// `[batch, channels]` to `[batch, width]`.
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let x = match &self.input_norm {
            Some(norm) => norm.forward(pooled),
            None => pooled,
        };
        let x = self.linear.forward(self.dropout.forward(x));
        self.output_norm.forward(activation::celu(x, 1.0))
    }

    /// The same function in evaluation, with the first batch norm moved into the linear layer.
    #[must_use]
    pub fn fold(mut self) -> Self {
        let Some(norm) = self.input_norm.take() else {
            return self;
        };
        let (scale, shift) = scale_and_shift(&norm);
        let channels = scale.dims()[0];
        let weight = self.linear.weight.val().detach();
        let moved = shift.reshape([1, channels]).matmul(weight.clone());
        let width = moved.dims()[1];
        let bias = moved.reshape([width]);
        let bias = match &self.linear.bias {
            Some(old) => bias + old.val().detach(),
            None => bias,
        };
        self.linear.weight = Param::from_tensor(weight * scale.reshape([channels, 1]));
        self.linear.bias = Some(Param::from_tensor(bias));
        self
    }
}
