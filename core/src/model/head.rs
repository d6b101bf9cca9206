//! From a pooled vector to a head's feature (spec, *Network*).

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

use super::layer::scale_and_shift;
use serde::{Deserialize, Serialize};

/// What follows a head's linear layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadActivation {
    /// x above 0, eˣ − 1 below (Barron, 2017).
    #[default]
    Celu,
    /// max(0, x); the original's earlier form.
    Relu,
}

/// Batch norm, dropout 0.3, linear, CELU or ReLU, batch norm.
#[derive(Module, Debug)]
pub struct Head {
    input_norm: Option<BatchNorm>,
    dropout: Dropout,
    linear: Linear,
    output_norm: BatchNorm,
    #[module(skip)]
    activation: HeadActivation,
}

impl Head {
    /// A head that reads `channels` values and writes `width` of them.
    pub fn new(channels: usize, width: usize, activation: HeadActivation, device: &Device) -> Self {
        Self {
            input_norm: Some(BatchNormConfig::new(channels).init(device)),
            dropout: DropoutConfig::new(0.3).init(),
            linear: LinearConfig::new(channels, width).init(device),
            output_norm: BatchNormConfig::new(width).init(device),
            activation,
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
        let x = match self.activation {
            HeadActivation::Celu => activation::celu(x, 1.0),
            HeadActivation::Relu => activation::relu(x),
        };
        self.output_norm.forward(x)
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
