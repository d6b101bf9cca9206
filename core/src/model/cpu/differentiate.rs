//! The two layers as steps of burn's backward pass.

use super::TrainingLayers;
use super::convolution::Convolution;
use super::norm::NormActivation;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex, tensor::FloatTensor};

impl<C: CheckpointStrategy> TrainingLayers for Autodiff<Flex, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: Convolution,
    ) -> FloatTensor<Self> {
        match shape
            .prepare::<C>([x.node(), weight.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prepared) => {
                let state = [prepared.checkpoint(&x), prepared.checkpoint(&weight)];
                let output = shape.forward(x.into_primitive(), weight.into_primitive());
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(shape.forward(x.into_primitive(), weight.into_primitive()))
            }
        }
    }

    fn moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(super::norm::moments(x.primitive()))
    }

    fn norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        settings: NormActivation,
    ) -> FloatTensor<Self> {
        match settings
            .prepare::<C>([x.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prepared) => {
                let state = NormState {
                    x: prepared.checkpoint(&x),
                    gamma: gamma.into_primitive(),
                    beta: beta.into_primitive(),
                    moments: moments.into_primitive(),
                };
                let x = x.into_primitive();
                let output = settings.forward(x, &state.gamma, &state.beta, &state.moments);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(settings.forward(
                x.into_primitive(),
                gamma.primitive(),
                beta.primitive(),
                moments.primitive(),
            )),
        }
    }
}

impl Backward<Flex, 2> for Convolution {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [x_node, weight_node] = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [x, weight] = ops
            .state
            .map(|node| checkpointer.retrieve_node_output::<FloatTensor<Flex>>(node));
        let parents = [x_node, weight_node];
        let wanted = parents.each_ref().map(Option::is_some);
        let found = self.gradients(&x, &weight, gradient, wanted);
        for (node, gradient) in parents.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// What the norm's backward step needs.
#[derive(Clone, Debug)]
pub(super) struct NormState {
    x: NodeId,
    gamma: FloatTensor<Flex>,
    beta: FloatTensor<Flex>,
    moments: FloatTensor<Flex>,
}

impl Backward<Flex, 3> for NormActivation {
    type State = NormState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let NormState {
            x,
            gamma,
            beta,
            moments,
        } = ops.state;
        let x = checkpointer.retrieve_node_output::<FloatTensor<Flex>>(x);
        let result = NormActivation::backward(self, &x, &gamma, &beta, &moments, gradient);
        let of = [result.x, result.gamma, result.beta];
        for (node, gradient) in ops.parents.into_iter().zip(of) {
            if let Some(node) = node {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}
