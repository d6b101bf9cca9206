//! What a network costs, read off its layers' shapes: no weight is read or drawn, nothing runs.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

/// A map's size on its way through layers, and the multiply-adds of the convolutions behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// Height and width.
    pub size: [usize; 2],
    pub multiply_adds: u64,
}

impl Trace {
    /// A map of `size` that has cost nothing yet.
    pub fn new(size: [usize; 2]) -> Self {
        Self {
            size,
            multiply_adds: 0,
        }
    }

    /// Through a convolution.
    pub fn convolution(self, conv: &Conv2d) -> Self {
        let [outputs, inputs, height, width] = conv.weight.lazy_shape().dims();
        let padding = match conv.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top + bottom, left + right],
            PaddingConfig2d::Same => [height - 1, width - 1],
            PaddingConfig2d::Valid => [0; 2],
        };
        let side = |axis: usize, kernel: usize| {
            (self.size[axis] + padding[axis]).saturating_sub(kernel) / conv.stride[axis] + 1
        };
        let size = [side(0, height), side(1, width)];
        let factors = [outputs, inputs, height, width, size[0], size[1]];
        let spent: u64 = factors.into_iter().map(|factor| factor as u64).product();
        Self {
            size,
            multiply_adds: self.multiply_adds + spent,
        }
    }

    /// Through what changes the size at no cost that counts.
    pub fn resized(self, side: impl Fn(usize) -> usize) -> Self {
        Self {
            size: self.size.map(side),
            ..self
        }
    }

    /// The same map as the beginning of a branch.
    pub fn branch(self) -> Self {
        Self::new(self.size)
    }

    /// This map with a branch's cost added.
    pub fn joined(self, branch: Self) -> Self {
        Self {
            multiply_adds: self.multiply_adds + branch.multiply_adds,
            ..self
        }
    }
}

/// Values of all parameters of `module`; running statistics are none.
pub(super) fn parameters<M: Module>(module: &M) -> u64 {
    let mut counter = Counter {
        in_statistics: false,
        count: 0,
    };
    module.visit(&mut counter);
    counter.count
}

struct Counter {
    in_statistics: bool,
    count: u64,
}

/// Whether a batch norm's field of this name holds running statistics.
fn is_statistics(name: &str) -> bool {
    name.starts_with("running_")
}

impl ModuleVisitor for Counter {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.in_statistics |= is_statistics(name);
    }

    fn exit_module(&mut self, name: &str, _container: &str) {
        self.in_statistics &= !is_statistics(name);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.in_statistics {
            self.count += param.lazy_shape().num_elements() as u64;
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use crate::model::backbone::{Backbone, BackboneName, NARROWINGS};
    use crate::model::trace::Trace;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Tensor};

    #[test]
    fn a_traced_map_has_the_stated_size() {
        for &name in BackboneName::ALL {
            let (backbone, facts) = (Backbone::new(name, &Device::flex()), name.facts());
            for size in [[384, 384], [224, 299], [70, 50], [facts.stride, 97]] {
                let traced = backbone.trace(Trace::new(size)).size;
                assert_eq!(traced, size.map(facts.map_side), "{name:?} {size:?}");
            }
        }
    }

    /// Kernels that have been initialised.
    struct Initialised(usize);

    impl ModuleVisitor for Initialised {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // A norm's vectors are small, and its running statistics always there.
            self.0 += usize::from(D == 4 && param.is_initialized());
        }
    }

    #[test]
    fn counting_initialises_nothing() {
        for &name in BackboneName::ALL {
            for narrow in NARROWINGS {
                let backbone = Backbone::narrowed(name, narrow, &Device::flex());
                assert!(backbone.multiply_adds(64, 64) > 0);
                assert!(backbone.parameters() > 0);
                let mut initialised = Initialised(0);
                backbone.visit(&mut initialised);
                assert_eq!(initialised.0, 0, "{name:?} {narrow}");
            }
        }
    }
}
