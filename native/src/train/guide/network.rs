//! The guide as burn trains it: the layers of [`LAYERS`], by their names.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor};
use flukeprint_core::evidence::edge::guide::{COLUMNS, LAYERS, ROWS};

/// The size of the last layer's weights beside those of the others: it begins with little to say.
const LAST: f64 = 0.1;

/// The guide; a field is called as its layer.
#[derive(Module, Debug)]
pub(super) struct GuideNetwork {
    whole: Conv2d,
    to_half: Conv2d,
    half: Conv2d,
    to_quarter: Conv2d,
    quarter: Conv2d,
    to_eighth: Conv2d,
    eighth: Conv2d,
    around: Conv2d,
    up_to_quarter: Conv2d,
    up_to_half: Conv2d,
    up_to_whole: Conv2d,
    likely: Conv2d,
}

impl GuideNetwork {
    /// Fresh weights, drawn from the device's seed for rectified activations (He et al., 2015).
    pub(super) fn init(device: &Device) -> Self {
        let [
            whole,
            to_half,
            half,
            to_quarter,
            quarter,
            to_eighth,
            eighth,
            around,
            up_to_quarter,
            up_to_half,
            up_to_whole,
            likely,
        ] = LAYERS.map(|layer| {
            let is_last = layer.output == 1;
            let around = layer.dilation;
            Conv2dConfig::new([layer.input, layer.output], [3, 3])
                .with_stride([layer.stride; 2])
                .with_dilation([layer.dilation; 2])
                .with_padding(PaddingConfig2d::Explicit(around, around, around, around))
                .with_initializer(Initializer::KaimingNormal {
                    gain: if is_last { LAST } else { 1.0 } * std::f64::consts::SQRT_2,
                    fan_out_only: false,
                })
                .init(device)
        });
        Self {
            whole,
            to_half,
            half,
            to_quarter,
            quarter,
            to_eighth,
            eighth,
            around,
            up_to_quarter,
            up_to_half,
            up_to_whole,
            likely,
        }
    }

    /// `[batch, 3, 64, 128]` to the logarithm of how likely the edge runs through each pixel of its column, `[batch, 64, 128]`.
    pub(super) fn forward(&self, input: Tensor<4>) -> Tensor<3> {
        let of = |layer: &Conv2d, x: Tensor<4>| relu(layer.forward(x));
        let up = |layer: &Conv2d, x: Tensor<4>, beside: Tensor<4>| {
            of(layer, Tensor::cat(vec![doubled(x), beside], 1))
        };
        let whole = of(&self.whole, input);
        let half = of(&self.half, of(&self.to_half, whole.clone()));
        let quarter = of(&self.quarter, of(&self.to_quarter, half.clone()));
        let eighth = of(&self.eighth, of(&self.to_eighth, quarter.clone()));
        let quarter = up(&self.up_to_quarter, of(&self.around, eighth), quarter);
        let half = up(&self.up_to_half, quarter, half);
        let whole = up(&self.up_to_whole, half, whole);
        let batch = whole.dims()[0];
        let likely = self.likely.forward(whole).reshape([batch, ROWS, COLUMNS]);
        log_softmax(likely, 1)
    }
}

/// Twice as large, every pixel four.
fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, rows, columns] = x.dims();
    x.reshape([batch, channels, rows, 1, columns, 1])
        .expand([batch, channels, rows, 2, columns, 2])
        .reshape([batch, channels, 2 * rows, 2 * columns])
}

/// Cross-entropy of what is held for likely with where the line runs, the mean over all columns that have a line, `[1]`. Both are
/// `[batch, 64, 128]`; a column of `target` is zeros or sums to 1.
pub(super) fn loss(likely: Tensor<3>, target: Tensor<3>) -> Tensor<1> {
    let columns = target.clone().sum().clamp_min(1.0);
    (likely * target).sum().neg() / columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};
    use flukeprint_core::bundle::weights;
    use flukeprint_core::evidence::edge::guide::{Guide, input};
    use flukeprint_core::model::named;

    /// burn's convolutions are the reference for the plain ones that trace in a browser.
    #[test]
    fn plain_loops_compute_what_burn_trained() {
        let device = Device::flex();
        device.seed(3);
        let network = GuideNetwork::init(&device);
        let bytes = weights::encode(&named::read(&network).unwrap()).unwrap();
        // As both read it: 8 bits a weight.
        let kept = weights::decode("guide", &bytes).unwrap();
        let network = named::write(network, kept, "guide").unwrap();
        let guide = Guide::read("guide", &bytes).unwrap();
        let wave = |place: usize| ((place * place) as f32 * 0.37).sin();
        let picture: Vec<f32> = (0..ROWS * COLUMNS).map(wave).collect();
        let data = TensorData::new(input(&picture), [1, 3, ROWS, COLUMNS]);
        let expected = network.forward(Tensor::from_data(data, &device));
        let plain = TensorData::new(guide.likely(&picture), [1, ROWS, COLUMNS]);
        let tolerance = Tolerance::<f32>::absolute(1e-3);
        plain.assert_approx_eq::<f32>(&expected.into_data(), tolerance);
    }

    #[test]
    fn only_columns_with_a_line_are_learnt() {
        let device = Device::flex();
        let likely = TensorData::from([[[-1.0, -3.0], [-2.0, -0.5]]]);
        let target = TensorData::from([[[0.25, 0.0], [0.75, 0.0]]]);
        let [likely, target] = [likely, target].map(|data| Tensor::from_data(data, &device));
        // 0.25 of 1 and 0.75 of 2; the second column has no line.
        let loss = loss(likely, target).into_scalar::<f32>();
        assert!((loss - 1.75).abs() < 1e-6, "{loss}");
    }
}
