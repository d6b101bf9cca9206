//! A network's tensors by name: the form in which weights leave and enter a network.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::{Error, Result};

/// A tensor's shape and values, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// As many values as the shape has room for.
    pub values: Vec<f32>,
}

/// Tensors by name, such as `embedder.heads.0.linear.weight`.
pub type Named = BTreeMap<String, Values>;

/// All float tensors of `module`, running statistics included.
///
/// # Errors
/// [`Error::Tensor`] when a tensor cannot be read from its device.
pub fn read<M: Module>(module: &M) -> Result<Named> {
    let mut reader = Reader {
        path: Vec::new(),
        named: Ok(Named::new()),
    };
    // `valid` also brings pending updates of the running statistics in.
    module.valid().visit(&mut reader);
    reader.named
}

/// The values of a tensor of `named`, which come from `file` (for messages), taken out.
///
/// # Errors
/// [`Error::Tensor`] when it is missing or has another shape.
pub(crate) fn take(named: &mut Named, file: &str, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let refuse = |reason: String| Error::Tensor {
        file: file.to_string(),
        name: name.to_string(),
        reason,
    };
    match named.remove(name) {
        Some(Values { shape: has, values }) if has == shape => Ok(values),
        Some(Values { shape: has, .. }) => {
            Err(refuse(format!("has shape {has:?}, expected {shape:?}")))
        }
        None => Err(refuse("is missing".to_string())),
    }
}

/// Whether `named` lacks a tensor of `module`, as weights do whose batch norms have been folded in.
///
/// # Errors
/// As [`read`].
pub fn lacks<M: Module>(module: &M, named: &Named) -> Result<bool> {
    Ok(read(module)?.keys().any(|name| !named.contains_key(name)))
}

/// `module` with the tensors of `named`, which come from `file` (for messages).
///
/// # Errors
/// [`Error::Tensor`] for the first tensor that is missing, left over or of another shape.
pub fn write<M: Module>(module: M, named: Named, file: &str) -> Result<M> {
    let mut writer = Writer {
        path: Vec::new(),
        named,
        file,
        error: None,
    };
    let module = module.map(&mut writer);
    if let Some(error) = writer.error {
        return Err(error);
    }
    match writer.named.into_keys().next() {
        Some(name) => Err(refuse(file, &name, "the model has no such tensor")),
        None => Ok(module),
    }
}

fn refuse(file: &str, name: &str, reason: impl ToString) -> Error {
    Error::Tensor {
        file: file.to_string(),
        name: name.to_string(),
        reason: reason.to_string(),
    }
}

struct Reader {
    path: Vec<String>,
    named: Result<Named>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(named) = &mut self.named else { return };
        let name = self.path.join(".");
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        match tensor
            .try_into_data()
            .map(|data| data.convert::<f32>().try_into_vec::<f32>())
        {
            Ok(Ok(values)) => drop(named.insert(name, Values { shape, values })),
            Ok(Err(error)) => self.named = Err(refuse("the network", &name, format!("{error:?}"))),
            Err(error) => self.named = Err(refuse("the network", &name, format!("{error:?}"))),
        }
    }
}

struct Writer<'a> {
    path: Vec<String>,
    named: Named,
    file: &'a str,
    error: Option<Error>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let shape = param.lazy_shape().to_vec();
        let reason = match self.named.remove(&name) {
            None => "is missing".to_string(),
            Some(found) if found.shape != shape => {
                format!("has shape {:?}, the model wants {shape:?}", found.shape)
            }
            Some(found) => {
                let data = TensorData::new(found.values, found.shape);
                let tensor = Tensor::from_data(data, &param.lazy_device());
                let id = param.id;
                return param.transform_for_load(tensor, id);
            }
        };
        self.error
            .get_or_insert_with(|| refuse(self.file, &name, reason));
        param
    }
}
