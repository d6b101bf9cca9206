//! The networks of a bundle on a device: from a photo's region to one embedding.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::bundle::{Manifest, Member, MergedColumn, SelfCheck};
use crate::decision::DecisionError;
use crate::embedding::{Embedding, Fuse};
use crate::model::Answering;
use crate::model::named::{self, Named};
use crate::photo::{Photo, Preprocessing, Region};
use crate::{Error, Result};

/// One network or several that answer together.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    networks: Vec<Reader>,
    fuse: Fuse,
    device: Device,
}

/// A network and what it reads.
#[derive(Clone, Debug)]
struct Reader {
    network: Answering,
    preprocessing: Preprocessing,
    /// Values in its feature.
    width: usize,
}

/// The inputs of one photo: for every network those of all its views, `[3, height, width]` each.
pub(crate) type Inputs = Vec<Vec<Vec<f32>>>;

impl Members {
    /// Puts the manifest's networks on `device`; the gallery has `known` individuals, and of the
    /// classifiers' columns some are `merged`.
    pub(crate) fn new(
        manifest: &Manifest,
        networks: Vec<Named>,
        known: usize,
        merged: &[MergedColumn],
        device: &Device,
    ) -> Result<Self> {
        let file = &manifest.files.weights.path;
        let mut networks = networks.into_iter();
        let mut logits_of_first = None;
        let mut readers = Vec::new();
        for member in manifest.members() {
            let network = networks.next().unwrap_or_default();
            let logits = logits(&network, known, merged);
            let logits = logits.map_err(|error| member.name_in(file, error))?;
            if logits == 0 && manifest.decision.asks_the_classifier() {
                return Err(Error::Bundle {
                    file: member.in_file(file),
                    reason: "has no classifier, which the decision asks; export the bundle again"
                        .to_string(),
                });
            }
            let first = *logits_of_first.get_or_insert(logits);
            if logits != first {
                return Err(Error::Bundle {
                    file: member.in_file(file),
                    reason: format!(
                        "answers for {logits} individuals, the first member for {first}; export \
                         the bundle again"
                    ),
                });
            }
            readers.push(Reader::new(&member, network, logits, file, device)?);
        }
        Ok(Self {
            networks: readers,
            fuse: manifest.fuse(),
            device: device.clone(),
        })
    }

    /// The same networks on another device.
    pub(crate) fn moved_to(self, device: &Device) -> Self {
        let moved = self.networks.into_iter().map(|reader| Reader {
            network: reader.network.to_device(device),
            ..reader
        });
        Self {
            networks: moved.collect(),
            fuse: self.fuse,
            device: device.clone(),
        }
    }

    /// What the networks read of the fluke in `region`.
    pub(crate) fn inputs(&self, photo: &Photo, region: Region) -> Result<Inputs> {
        let readers = self.networks.iter();
        readers
            .map(|reader| reader.preprocessing.inputs(photo, region))
            .collect()
    }

    /// What the networks read for the self-check: one view each, of their own size.
    pub(crate) fn known_inputs(&self) -> Inputs {
        let readers = self.networks.iter().map(|reader| &reader.preprocessing);
        readers
            .map(|one| vec![SelfCheck::input(one.height, one.width)])
            .collect()
    }

    /// Runs every network on every view of its inputs.
    ///
    /// One after another, as the self-check's input: a batch of another size may run kernels that
    /// the self-check has not seen.
    pub(crate) async fn embed(&self, inputs: Inputs) -> Result<Embedding> {
        let mut members = Vec::with_capacity(self.networks.len());
        for (reader, inputs) in self.networks.iter().zip(inputs) {
            let mut views = Vec::with_capacity(inputs.len());
            for input in inputs {
                views.push(reader.embed(input, &self.device).await?);
            }
            members.push(Embedding::of_views(views)?);
        }
        Embedding::of_members(members, self.fuse)
    }
}

/// How many columns a network's classifier has, for at most as many individuals as are known; 0 without one.
fn logits(network: &Named, known: usize, merged: &[MergedColumn]) -> Result<usize> {
    let bias = network.get("total.bias");
    let logits = bias.map_or(0, |bias| bias.values.len());
    let beyond = merged
        .last()
        .is_some_and(|last| last.column as usize >= logits);
    if beyond || logits - merged.len() > known {
        return Err(DecisionError::TooManyLogits {
            logits,
            individuals: known,
        }
        .into());
    }
    Ok(logits)
}

impl Reader {
    fn new(
        member: &Member<'_>,
        network: Named,
        logits: usize,
        file: &str,
        device: &Device,
    ) -> Result<Self> {
        let empty = Answering::new(member.embedder, logits, device);
        Ok(Self {
            network: named::write(empty, network, &member.in_file(file))?,
            preprocessing: member.preprocessing.clone(),
            width: member.embedder.feature_width(),
        })
    }

    /// Runs the network on one input, `[3, height, width]`.
    async fn embed(&self, input: Vec<f32>, device: &Device) -> Result<Embedding> {
        let shape = [1, 3, self.preprocessing.height, self.preprocessing.width];
        let input = Tensor::from_data(TensorData::new(input, shape), device);
        // One tensor, so that a GPU is read back once.
        let mut feature = read(self.network.forward(input), device).await?;
        if feature.len() < self.width {
            return Err(failed(device, "it returned too few values".to_string()));
        }
        let logits = feature.split_off(self.width);
        Ok(Embedding {
            feature,
            logits,
            edges: Vec::new(),
        })
    }
}

/// The values of a tensor on `device`.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn read(tensor: Tensor<2>, device: &Device) -> Result<Vec<f32>> {
    let data = tensor
        .into_data_async()
        .await
        .map_err(|error| failed(device, format!("{error:?}")))?;
    data.convert::<f32>()
        .try_into_vec()
        .map_err(|error| failed(device, format!("{error:?}")))
}

/// What went wrong on `device`.
fn failed(device: &Device, reason: String) -> Error {
    Error::Device {
        device: format!("{device:?}"),
        reason,
    }
}
