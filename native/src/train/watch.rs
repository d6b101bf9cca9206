//! How well the network names held-out photos while it is still training.

use super::course::device_of;
use super::metric::embed;
use super::network::TrainingNetwork;
use super::read::values;
use super::samples::Samples;
use crate::Result;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use flukeprint_core::metrics::RankCounts;
use std::collections::BTreeMap;

/// Photos to look at now and then. It decides nothing: no weights are chosen by it.
pub(super) struct Watch {
    samples: Samples,
    /// Held-out photos of known whales.
    queries: Vec<usize>,
    /// Epochs from one look to the next; 0 never looks.
    every: usize,
}

impl Watch {
    /// Looks at `queries`, places in the catalogue, every so many epochs and after the last; those of
    /// new whales are left out.
    pub(super) fn new(samples: &Samples, queries: &[usize], every: usize) -> Self {
        let is_known = |&&photo: &&usize| samples.class(photo).is_some();
        Self {
            samples: samples.clone(),
            queries: queries.iter().filter(is_known).copied().collect(),
            every,
        }
    }

    /// MAP@5 of the nearest training photo, known whales' photos among known whales; `None` where it
    /// does not look after this epoch (from 1).
    pub(super) fn look(
        &self,
        network: &TrainingNetwork,
        epoch: usize,
        epochs: usize,
    ) -> Result<Option<f64>> {
        let looks = self.every > 0 && (epoch.is_multiple_of(self.every) || epoch == epochs);
        let gallery = self.samples.photos();
        if !looks || self.queries.is_empty() || gallery.is_empty() {
            return Ok(None);
        }
        let network = network.valid();
        let near = self.embed(&network, &gallery)?;
        let asked = self.embed(&network, &self.queries)?;
        let cosines = values(asked.matmul(near.transpose()))?;
        let mut counts = RankCounts::default();
        for (row, &query) in cosines.chunks_exact(gallery.len()).zip(&self.queries) {
            let classes = gallery
                .iter()
                .filter_map(|&photo| self.samples.class(photo));
            counts.record(rank(row, classes, self.samples.class(query)));
        }
        Ok(counts.map5())
    }

    /// `[photos, width]`, unit length.
    fn embed(&self, network: &TrainingNetwork, photos: &[usize]) -> Result<Tensor<2>> {
        let embedder = &network.network.embedder;
        let features = embed(&self.samples, embedder, photos.to_vec())?;
        let shape = [photos.len(), features.len() / photos.len()];
        let data = TensorData::new(features, shape);
        Ok(Tensor::from_data(data, &device_of(network)))
    }
}

/// The rank, from 1, of class `truth` by the highest of `cosines` of each class.
fn rank(cosines: &[f32], classes: impl Iterator<Item = u32>, truth: Option<u32>) -> Option<usize> {
    let mut best: BTreeMap<u32, f32> = BTreeMap::new();
    for (class, &cosine) in classes.zip(cosines) {
        let highest = best.entry(class).or_insert(f32::NEG_INFINITY);
        *highest = highest.max(cosine);
    }
    let own = *best.get(&truth?)?;
    Some(1 + best.values().filter(|&&cosine| cosine > own).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whale_ranks_by_its_nearest_photo() {
        let classes = [3, 1, 3, 2];
        let cosines = [0.1, 0.5, 0.7, 0.6];
        let rank_of = |truth| rank(&cosines, classes.into_iter(), truth);
        assert_eq!(rank_of(Some(3)), Some(1));
        assert_eq!(rank_of(Some(2)), Some(2));
        assert_eq!(rank_of(Some(1)), Some(3));
        assert_eq!(rank_of(Some(9)), None);
        assert_eq!(rank_of(None), None);
    }
}
