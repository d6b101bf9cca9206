//! A batch through the network as it ships: batch norms folded.

use super::Workload;
use super::measure::Work;
use crate::Result;
use crate::train::Recipe;
use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::{Network, Precision};

pub(super) struct Inference {
    network: Network,
    precision: Precision,
    input: Tensor<4>,
    /// What the last step gave: nobody reads it, but it must be computed.
    output: Option<(Tensor<2>, Tensor<2>)>,
}

impl Inference {
    pub(super) fn new(workload: &Workload, recipe: &Recipe, device: &Device) -> Self {
        let shape = [workload.batch, 3, workload.height, workload.width];
        Self {
            network: Network::new(&recipe.model, workload.individuals, device).fold(),
            precision: recipe.precision,
            input: Tensor::random(shape, Distribution::Default, device),
            output: None,
        }
    }
}

impl Work for Inference {
    fn step(mut self, after: &mut dyn FnMut(&'static str) -> Result<()>) -> Result<Self> {
        let backbone = &self.network.embedder.backbone;
        let input = self.input.clone();
        let map = self
            .precision
            .through(input, |input| backbone.forward(input));
        self.output = Some(self.network.forward_map(map));
        after("forward")?;
        Ok(self)
    }
}
