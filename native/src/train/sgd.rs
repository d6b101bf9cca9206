//! Stochastic gradient descent as PyTorch has it, with which HardNet is trained. burn's own remembers by
//! identifiers that a new process does not have; this one's memory is by path, so that a checkpoint
//! can hold it.

use super::optimizer::{Memory, Place, joint_norm, moment, places};
use super::read::values;
use crate::Result;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use flukeprint_core::model::named::{Named, Values};
use std::collections::HashMap;

/// What stands before a parameter's path where its velocity is kept.
const PREFIX: &str = "velocity.";

/// What a descent is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How much of the velocity is left after a step.
    pub momentum: f64,
    /// How much of a gradient does not enter the velocity, except the first.
    pub dampening: f64,
    /// So much of every parameter is added to its gradient.
    pub weight_decay: f64,
}

/// The optimizer and its memory of every parameter: g + decay · w enters the velocity, v ← momentum · v +
/// (1 - dampening) · g, and the parameter loses rate · v. The first gradient is the velocity undamped.
#[derive(Debug)]
pub struct Sgd {
    settings: Settings,
    steps: i32,
    velocities: HashMap<ParamId, Tensor<1>>,
}

impl Sgd {
    /// An optimizer that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            steps: 0,
            velocities: HashMap::new(),
        }
    }

    /// One step. Parameters without a gradient stay as they are. Returns the module and the joint norm
    /// of the gradients, `[1]`; `None` when there was no gradient at all.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        rate: f64,
    ) -> (M, Option<Tensor<1>>) {
        let norm = joint_norm(&module, &gradients);
        self.steps += 1;
        let mut update = Update {
            optimizer: self,
            gradients,
            rate,
        };
        (module.map(&mut update), norm)
    }

    /// What it remembers of the parameters of `module`: velocities by path, and the steps taken.
    ///
    /// # Errors
    /// When a velocity cannot be read from its device.
    pub fn memory<M: Module>(&self, module: &M) -> Result<Memory> {
        let mut moments = Named::new();
        for Place { id, path, .. } in places(module) {
            if let Some(velocity) = self.velocities.get(&id) {
                let values = values(velocity.clone())?;
                let shape = vec![values.len()];
                moments.insert(format!("{PREFIX}{path}"), Values { shape, values });
            }
        }
        let steps = self.steps;
        Ok(Memory { moments, steps })
    }

    /// The optimizer as it was when [`Self::memory`] was taken of `module`.
    ///
    /// # Errors
    /// When a velocity has not as many values as its parameter.
    pub fn remembering<M: Module>(mut self, module: &M, mut memory: Memory) -> Result<Self> {
        let device = module.devices().into_iter().next().unwrap_or_default();
        let device = device.inner();
        self.steps = memory.steps;
        for Place { id, path, count } in places(module) {
            if let Some(velocity) = memory.moments.remove(&format!("{PREFIX}{path}")) {
                let velocity = moment(velocity, count, &path, &device)?;
                self.velocities.insert(id, velocity);
            }
        }
        Ok(self)
    }

    fn velocity(&mut self, id: ParamId, gradient: Tensor<1>) -> Tensor<1> {
        let Settings {
            momentum,
            dampening,
            ..
        } = self.settings;
        let velocity = match self.velocities.remove(&id) {
            Some(velocity) => velocity * momentum + gradient * (1.0 - dampening),
            None => gradient,
        };
        self.velocities.insert(id, velocity.clone());
        velocity
    }
}

struct Update<'a> {
    optimizer: &'a mut Sgd,
    gradients: GradientsParams,
    rate: f64,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let tensor = tensor.inner();
        let shape = tensor.dims();
        let decay = tensor.clone() * self.optimizer.settings.weight_decay;
        let gradient = (gradient + decay).reshape([shape.iter().product::<usize>()]);
        let velocity = self.optimizer.velocity(id, gradient) * self.rate;
        let updated = tensor - velocity.reshape(shape);
        Param::from_mapped_value(id, Tensor::from_inner(updated).require_grad(), mapper)
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

    const SETTINGS: Settings = Settings {
        momentum: 0.9,
        dampening: 0.9,
        weight_decay: 1e-2,
    };

    fn step(module: One, optimizer: &mut Sgd, rate: f64) -> One {
        let weight = module.weight.val();
        let gradients = (weight.clone() * weight).sum().div_scalar(2.0).backward();
        let gradients = GradientsParams::from_grads(gradients, &module);
        optimizer.step(module, gradients, rate).0
    }

    fn one() -> One {
        One {
            weight: Param::from_data([1.0f32, -2.0], &Device::flex().autodiff()),
        }
    }

    fn weight(module: &One) -> Vec<f32> {
        module.weight.val().into_data().try_into_vec().unwrap()
    }

    /// Three steps on f(w) = sum(w²)/2 from (1, -2) at rates 0.3, 0.2 and 0.1, against PyTorch:
    /// torch.optim.SGD([w], lr, momentum=0.9, dampening=0.9, weight_decay=1e-2).
    #[test]
    fn three_steps_are_pytorchs() {
        let (mut module, mut optimizer) = (one(), Sgd::new(SETTINGS));
        for rate in [0.3, 0.2, 0.1] {
            module = step(module, &mut optimizer, rate);
        }
        for (found, expected) in weight(&module).iter().zip(PYTORCH) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    const PYTORCH: [f32; 2] = [0.407_913_6, -0.815_827_1];

    #[test]
    fn what_it_remembers_is_all_that_it_needs() {
        let (mut module, mut optimizer) = (one(), Sgd::new(SETTINGS));
        module = step(module, &mut optimizer, 0.3);
        let memory = optimizer.memory(&module).unwrap();
        assert_eq!(memory.moments["velocity.weight"].values.len(), 2);
        let mut again = Sgd::new(SETTINGS).remembering(&module, memory).unwrap();
        let twin = step(module.clone(), &mut again, 0.2);
        module = step(module, &mut optimizer, 0.2);
        assert_eq!(weight(&twin), weight(&module));
    }
}
