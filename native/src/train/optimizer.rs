//! Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as the spec's *Training* has it:
//! momentum that runs with the one-cycle policy, a rate for each group of parameters, the norm of
//! all gradients together clipped. burn's own AdamW has a fixed momentum and clips each parameter
//! by itself.

use super::read::values;
use crate::Result;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::model::named::{Named, Values};
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

    /// One step. Parameters without a gradient stay as they are. Returns the module and the norm,
    /// `[1]`, that the gradients had before clipping; `None` when there was no gradient at all.
    ///
    /// Nothing is read from the device, so a GPU need not wait.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        pace: Pace<'_>,
    ) -> (M, Option<Tensor<1>>) {
        let Some(norm) = joint_norm(&module, &gradients) else {
            return (module, None);
        };
        self.time += 1;
        let scale = (norm.clone().recip() * self.clip).clamp_max(1.0);
        let mut update = Update {
            optimizer: self,
            gradients,
            pace,
            scale,
            path: Vec::new(),
        };
        (module.map(&mut update), Some(norm))
    }

    /// What it remembers of the parameters of `module`: both moments by path, and the steps taken.
    ///
    /// # Errors
    /// When a moment cannot be read from its device.
    pub fn memory<M: Module>(&self, module: &M) -> Result<Memory> {
        let mut moments = Named::new();
        for Place { id, path, .. } in places(module) {
            if let Some(pair) = self.moments.get(&id) {
                for (prefix, moment) in PREFIXES.into_iter().zip(pair) {
                    let values = values(moment.clone())?;
                    let shape = vec![values.len()];
                    let name = format!("{prefix}{path}");
                    moments.insert(name, Values { shape, values });
                }
            }
        }
        let steps = self.time;
        Ok(Memory { moments, steps })
    }

    /// The optimizer as it was when [`Self::memory`] was taken of `module`.
    ///
    /// # Errors
    /// When a moment has not as many values as its parameter.
    pub fn remembering<M: Module>(mut self, module: &M, mut memory: Memory) -> Result<Self> {
        let device = module.devices().into_iter().next().unwrap_or_default();
        let device = device.inner();
        self.time = memory.steps;
        for Place { id, path, count } in places(module) {
            let mut take = |prefix: &str| memory.moments.remove(&format!("{prefix}{path}"));
            let [first, second] = PREFIXES;
            if let (Some(first), Some(second)) = (take(first), take(second)) {
                let moments = [
                    moment(first, count, &path, &device)?,
                    moment(second, count, &path, &device)?,
                ];
                self.moments.insert(id, moments);
            }
        }
        Ok(self)
    }
}

/// What stands before a parameter's path where its moments are kept.
const PREFIXES: [&str; 2] = ["first.", "second."];

/// What an optimizer remembers, apart from any device.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Moments, `first.PATH` and `second.PATH`, `[values]` each.
    pub moments: Named,
    /// Steps taken.
    pub steps: i32,
}

/// A moment on the device; `path` is its parameter's, for messages.
pub(super) fn moment(
    moment: Values,
    count: usize,
    path: &str,
    device: &Device,
) -> Result<Tensor<1>> {
    if moment.values.len() != count {
        return Err(flukeprint_core::Error::Tensor {
            file: "the checkpoint".to_owned(),
            name: path.to_owned(),
            reason: format!("has moments of {} values, not {count}", moment.values.len()),
        }
        .into());
    }
    let data = TensorData::new(moment.values, [count]);
    Ok(Tensor::from_data(data, device))
}

/// A parameter, where it is in the module, and its number of values.
pub(super) struct Place {
    pub(super) id: ParamId,
    pub(super) path: String,
    pub(super) count: usize,
}

/// Every parameter's place.
pub(super) fn places<M: Module>(module: &M) -> Vec<Place> {
    let mut places = Places::default();
    module.visit(&mut places);
    places.found
}

#[derive(Default)]
struct Places {
    path: Vec<String>,
    found: Vec<Place>,
}

impl ModuleVisitor for Places {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push(Place {
            id: param.id,
            path: self.path.join("."),
            count: param.lazy_shape().num_elements(),
        });
    }
}

/// The norm of all gradients together, `[1]`; `None` without any.
pub(super) fn joint_norm<M: Module>(module: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
    let mut squares = Squares {
        gradients,
        sums: Vec::new(),
    };
    module.visit(&mut squares);
    let any = !squares.sums.is_empty();
    any.then(|| Tensor::cat(squares.sums, 0).sum().sqrt())
}

/// The sums of the squares of every gradient, `[1]` each.
struct Squares<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id);
        self.sums
            .extend(gradient.map(|gradient| gradient.square().sum()));
    }
}

struct Update<'a> {
    optimizer: &'a mut AdamW,
    gradients: GradientsParams,
    pace: Pace<'a>,
    /// What the gradients are multiplied with, `[1]`.
    scale: Tensor<1>,
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
        let gradient = gradient.reshape([count]) * self.scale.clone();
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
        assert!((norm.unwrap().into_scalar::<f32>() - 5.0).abs() < 1e-5);
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
