//! Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as the spec's *Training* has it:
//! momentum that runs with the one-cycle policy, a rate for each group of parameters, the norm of
//! all gradients together clipped. burn's own AdamW has a fixed momentum and clips each parameter
//! by itself.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::collections::HashMap;

/// Adam's β₂.
const BETA_2: f64 = 0.99;
/// Added to the root of the second moment.
const EPSILON: f64 = 1e-5;

/// The optimizer and its memory of every parameter.
#[derive(Debug)]
pub struct AdamW {
    weight_decay: f64,
    clip: f64,
    time: i32,
    moments: HashMap<ParamId, [Tensor<1>; 2]>,
}

/// What changes from step to step.
#[derive(Clone, Copy)]
pub struct Pace<'a> {
    /// Rate of the parameter at a path such as `network.embedder.heads.0.linear.weight`.
    pub rate: &'a dyn Fn(&str) -> f64,
    /// Adam's β₁.
    pub momentum: f64,
}

impl std::fmt::Debug for Pace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace")
            .field("momentum", &self.momentum)
            .finish_non_exhaustive()
    }
}

impl AdamW {
    /// `weight_decay` as a share of the rate; gradients are scaled down to a joint norm of `clip`.
    pub fn new(weight_decay: f64, clip: f64) -> Self {
        Self {
            weight_decay,
            clip,
            time: 0,
            moments: HashMap::new(),
        }
    }

    /// One step. Parameters without a gradient stay as they are. Returns the module and the norm
    /// that the gradients had before clipping.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        pace: Pace<'_>,
    ) -> (M, f64) {
        let mut norm = SquaredNorm {
            gradients: &gradients,
            sum: 0.0,
        };
        module.visit(&mut norm);
        let norm = norm.sum.sqrt();
        self.time += 1;
        let scale = if norm > self.clip {
            self.clip / norm
        } else {
            1.0
        };
        let mut update = Update {
            optimizer: self,
            gradients,
            pace,
            scale,
            path: Vec::new(),
        };
        (module.map(&mut update), norm)
    }
}

struct SquaredNorm<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let squares: f32 = gradient.square().sum().into_scalar();
            self.sum += f64::from(squares);
        }
    }
}

struct Update<'a> {
    optimizer: &'a mut AdamW,
    gradients: GradientsParams,
    pace: Pace<'a>,
    scale: f64,
    path: Vec<String>,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.dims();
        let count = shape.iter().product::<usize>();
        let gradient = gradient.reshape([count]) * self.scale;
        let rate = (self.pace.rate)(&self.path.join("."));
        let delta = self.optimizer.direction(id, gradient, self.pace.momentum) * rate;
        let kept = 1.0 - rate * self.optimizer.weight_decay;
        let updated = tensor.inner() * kept - delta.reshape(shape);
        Param::from_mapped_value(id, Tensor::from_inner(updated).require_grad(), mapper)
    }
}

impl AdamW {
    /// m̂ / (√v̂ + ε) after taking `gradient` in.
    fn direction(&mut self, id: ParamId, gradient: Tensor<1>, beta_1: f64) -> Tensor<1> {
        let squared = gradient.clone().square();
        let [first, second] = match self.moments.remove(&id) {
            Some([first, second]) => [
                first * beta_1 + gradient * (1.0 - beta_1),
                second * BETA_2 + squared * (1.0 - BETA_2),
            ],
            None => [gradient * (1.0 - beta_1), squared * (1.0 - BETA_2)],
        };
        self.moments.insert(id, [first.clone(), second.clone()]);
        let (unbias_1, unbias_2) = (1.0 - beta_1.powi(self.time), 1.0 - BETA_2.powi(self.time));
        (first / unbias_1) / ((second / unbias_2).sqrt() + EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct One {
        weight: Param<Tensor<1>>,
    }

    /// Two steps on f(w) = sum(w²)/2 from (1, -2), against PyTorch:
    /// torch.optim.AdamW([w], lr=0.1, betas=(0.9, 0.99), eps=1e-5, weight_decay=0.01).
    #[test]
    fn two_steps_are_pytorchs() {
        let device = Device::flex().autodiff();
        let mut module = One {
            weight: Param::from_data([1.0f32, -2.0], &device),
        };
        let mut optimizer = AdamW::new(0.01, f64::INFINITY);
        for _ in 0..2 {
            let weight = module.weight.val();
            let gradients = (weight.clone() * weight).sum().div_scalar(2.0).backward();
            let gradients = GradientsParams::from_grads(gradients, &module);
            let pace = Pace {
                rate: &|_| 0.1,
                momentum: 0.9,
            };
            module = optimizer.step(module, gradients, pace).0;
        }
        let weight: Vec<f32> = module.weight.val().into_data().try_into_vec().unwrap();
        for (found, expected) in weight.iter().zip([0.798_497, -1.796_262]) {
            assert!((found - expected).abs() < 2e-5, "{found} {expected}");
        }
    }

    #[test]
    fn the_joint_norm_is_clipped() {
        let device = Device::flex().autodiff();
        let module = One {
            weight: Param::from_data([3.0f32, 4.0], &device),
        };
        let weight = module.weight.val();
        let gradients = (weight.clone() * weight).sum().div_scalar(2.0).backward();
        let gradients = GradientsParams::from_grads(gradients, &module);
        let pace = Pace {
            rate: &|_| 0.0,
            momentum: 0.9,
        };
        let mut optimizer = AdamW::new(0.0, 0.1);
        let (module, norm) = optimizer.step(module, gradients, pace);
        assert!((norm - 5.0).abs() < 1e-5);
        let first: Vec<f32> = optimizer.moments[&module.weight.id][0]
            .to_data()
            .try_into_vec()
            .unwrap();
        // (1 - β₁) · gradient · 0.1 / 5
        assert!(
            (first[0] - 0.1 * 3.0 * 0.02).abs() < 1e-6
                && (first[1] - 0.1 * 4.0 * 0.02).abs() < 1e-6
        );
    }
}
