//! The network of backgrounds as burn trains it; a field is called as the file's tensors.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use flukeprint_core::evidence::edge::background::{HIDDEN, INPUTS};

#[derive(Module, Debug)]
pub(super) struct BackgroundNetwork {
    hidden: Linear,
    output: Linear,
}

impl BackgroundNetwork {
    /// Fresh weights, drawn from the device's seed.
    pub(super) fn init(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(INPUTS, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, 1).init(device),
        }
    }

    /// `[batch, 76]` to distances, `[batch, 1]`.
    pub(super) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(input)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};
    use flukeprint_core::bundle::weights;
    use flukeprint_core::evidence::edge::background::Background;
    use flukeprint_core::model::named;

    /// burn's linear layers are the reference for the plain loops that a browser runs.
    #[test]
    fn plain_loops_compute_what_burn_trained() {
        let device = Device::flex();
        device.seed(4);
        let network = BackgroundNetwork::init(&device);
        let bytes = weights::encode(&named::read(&network).unwrap()).unwrap();
        // As both read it: 8 bits a weight.
        let kept = weights::decode("background", &bytes).unwrap();
        let network = named::write(network, kept, "background").unwrap();
        let background = Background::read("background", &bytes).unwrap();
        let input: [f32; INPUTS] = std::array::from_fn(|place| (place as f32 * 0.37).sin());
        let data = TensorData::new(input.to_vec(), [1, INPUTS]);
        let expected = network.forward(Tensor::from_data(data, &device));
        let plain = TensorData::new(vec![background.of(&input)], [1, 1]);
        plain.assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
    }
}
