//! The weights that a training begins with: published ones for the backbone, or everything that
//! another run has learned.

use super::imprint::imprint;
use super::network::TrainingNetwork;
use super::samples::Samples;
use super::taken::Taken;
use super::weights::load_weights;
use super::{ClassifierKind, Recipe, Run};
use crate::progress::Progress;
use crate::{Error, Result, import};
use flukeprint_core::model::named::{self, Named, Values};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// `network` with the weights at `path`: a run's folder or a bundle's, a file of what a run has learned
/// ([`Run::save_start`]), or a file of backbone weights (see [`import`]). A bundle's network has its batch norms folded
/// in, and stays as it is. `classes` has the names of the
/// network's classes.
///
/// From a run come backbone and heads, which must be of the same shape, and what its classifiers know
/// of the classes that both have; a classifier by cosines begins with what the `samples` of the others
/// look like to the network (see [`imprint`]).
///
/// # Errors
/// When there is neither, or its tensors are another network's; a photo that cannot be read any more.
pub(super) fn begin(
    mut network: TrainingNetwork,
    path: &Path,
    recipe: &Recipe,
    samples: &Samples,
    classes: &[String],
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let Some(start) = Start::read(path)? else {
        let embedder = &mut network.network.embedder;
        let (name, fresh) = (recipe.model.backbone, embedder.backbone.clone());
        embedder.backbone = import::start_backbone(name, fresh, path)?;
        return Ok(network);
    };
    let named = Classes::new(classes, &start.classes);
    if is_folded(&start.tensors) && recipe.tells_whales_apart() {
        return Err(Error::Recipe {
            recipe: recipe.name.clone(),
            reason: format!(
                "trains a network, but that of {} has its batch norms folded in, as bundles have them, and can only be \
                 taken as it is: give no --recipe, or one whose stages have 0 epochs, or begin with a run that was \
                 trained or with what `flukeprint weights` kept of one",
                path.display()
            ),
        });
    }
    let network = network.in_form_of(&start.tensors);
    let ours = named::read(&network)?;
    let tensors =
        ours.into_iter()
            .map(|(name, own)| {
                let taken = named.take(&name, own, start.tensors.get(&name));
                taken.map(|values| (name.clone(), values)).map_err(|reason| Error::Weights {
                path: start.file.clone(),
                reason: format!(
                    "`{name}` {reason}; a run can begin with another's weights only where both \
                     recipes have the same [model]"
                ),
            })
            })
            .collect::<Result<Named>>()?;
    progress.note(&match Taken::is_in(path) {
        true => format!("takes the network of {} as it is", path.display()),
        false => format!(
            "begins with {}: {} of {} classes are known there",
            path.display(),
            named.known(),
            classes.len()
        ),
    });
    let network = named::write(network, tensors, &path.display().to_string())?;
    match recipe.classifier.kind {
        ClassifierKind::Arcface | ClassifierKind::Cosface => {
            imprint(network, samples, &named.unknown())
        }
        _ => Ok(network),
    }
}

/// The file of the weights at `path`, which is what [`begin`] takes.
pub(super) fn file(path: &Path) -> Result<PathBuf> {
    match path.is_dir() {
        true if Taken::is_in(path) => Ok(Taken::open(path)?.file()),
        true => Ok(Run::open(path)?.training_weights()),
        false => Ok(path.to_owned()),
    }
}

/// What tensors of backbone and heads are called in a training's weights.
pub(super) const LEARNED: &str = "network.embedder.";

/// Whether the batch norms of a network with these weights are folded in.
pub(super) fn is_folded(named: &Named) -> bool {
    let has = |name: &str| named.contains_key(&format!("{LEARNED}heads.0.{name}"));
    has("linear.weight") && !has("input_norm.gamma")
}

/// What a whole network has learned.
struct Start {
    file: PathBuf,
    tensors: Named,
    /// The classes of its classifiers, none where it has none.
    classes: Vec<String>,
}

impl Start {
    /// Of a run's folder, or of a file that [`Run::save_start`] wrote; `None` where `path` is neither.
    fn read(path: &Path) -> Result<Option<Self>> {
        if Taken::is_in(path) {
            let taken = Taken::open(path)?;
            return Ok(Some(Self {
                file: taken.file(),
                tensors: taken.learned(),
                classes: Vec::new(),
            }));
        }
        if path.is_dir() {
            let run = Run::open(path)?;
            let file = run.training_weights();
            return Ok(Some(Self {
                tensors: load_weights(&file)?,
                classes: run.classes(),
                file,
            }));
        }
        // Anything else is told what is wrong with it where backbones are read.
        let tensors = load_weights(path).unwrap_or_default();
        let is_whole = tensors.keys().any(|name| name.starts_with(LEARNED));
        Ok(is_whole.then(|| Self {
            file: path.to_owned(),
            tensors,
            classes: Vec::new(),
        }))
    }
}

/// For each of our classes its place among theirs.
struct Classes {
    places: Vec<Option<usize>>,
    theirs: usize,
}

/// How a tensor is laid out by class.
enum Layout {
    /// `[…, classes]`.
    Columns,
    /// `[classes, …]`.
    Rows,
}

impl Classes {
    fn new(ours: &[String], theirs: &[String]) -> Self {
        let places: HashMap<&String, usize> = theirs.iter().zip(0..).collect();
        Self {
            places: ours.iter().map(|name| places.get(name).copied()).collect(),
            theirs: theirs.len(),
        }
    }

    fn known(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Our classes that they have not.
    fn unknown(&self) -> BTreeSet<u32> {
        let classes = (0..).zip(&self.places);
        classes
            .filter_map(|(class, place)| place.is_none().then_some(class))
            .collect()
    }

    /// Their values of the tensor `name`, with ours where they have none for a class.
    fn take(
        &self,
        name: &str,
        own: Values,
        their: Option<&Values>,
    ) -> std::result::Result<Values, String> {
        let layout = match name {
            _ if name.starts_with("network.total.") => Some(Layout::Columns),
            _ if name.starts_with("classifiers.") => Some(Layout::Columns),
            _ if name.starts_with("centers.") => Some(Layout::Rows),
            _ => None,
        };
        match (layout, their) {
            (Some(layout), Some(their)) => Ok(self.by_class(&layout, own, their)),
            // What only a loss needs may be missing, and learns anew.
            (Some(_), None) => Ok(own),
            (None, None) if name.starts_with("radii") => Ok(own),
            (None, None) => Err("is missing".to_owned()),
            (None, Some(their)) if their.shape == own.shape => Ok(their.clone()),
            (None, Some(_)) if name.starts_with("radii") => Ok(own),
            (None, Some(their)) => Err(format!(
                "has shape {:?} there, {:?} here",
                their.shape, own.shape
            )),
        }
    }

    fn by_class(&self, layout: &Layout, mut own: Values, their: &Values) -> Values {
        let same = |values: &Values, classes: usize| match layout {
            Layout::Columns => values.shape.last() == Some(&classes),
            Layout::Rows => values.shape.first() == Some(&classes),
        };
        let rest = |values: &Values, classes: usize| values.values.len() / classes.max(1);
        let (ours, theirs) = (self.places.len(), self.theirs);
        let all_the_same = self.places.iter().copied().eq((0..theirs).map(Some));
        if all_the_same && own.shape == their.shape {
            return their.clone();
        }
        let width = rest(&own, ours);
        // Several centers a class, or another width: it learns anew.
        if !same(&own, ours) || !same(their, theirs) || rest(their, theirs) != width {
            return own;
        }
        for (class, place) in self.places.iter().enumerate() {
            let Some(place) = *place else { continue };
            for value in 0..width {
                let (to, from) = match layout {
                    Layout::Columns => (value * ours + class, value * theirs + place),
                    Layout::Rows => (class * width + value, place * width + value),
                };
                own.values[to] = their.values[from];
            }
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(ours: &[&str], theirs: &[&str]) -> Classes {
        let named = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Classes::new(&named(ours), &named(theirs))
    }

    fn values(shape: &[usize], values: &[f32]) -> Values {
        Values {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_classifier_keeps_what_it_knows_of_the_whales_that_both_have() {
        let classes = classes(&["b", "new", "a"], &["a", "b"]);
        let own = || values(&[2, 3], &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        let theirs = values(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
        let taken = classes.take("network.total.weight", own(), Some(&theirs));
        let expected = [2.0, 0.2, 1.0, 4.0, 0.5, 3.0];
        assert_eq!(taken.unwrap().values, expected);
        let bias = classes.take(
            "classifiers.0.bias",
            values(&[3], &[0.1, 0.2, 0.3]),
            Some(&values(&[2], &[1.0, 2.0])),
        );
        assert_eq!(bias.unwrap().values, [2.0, 0.2, 1.0]);
        let centers = classes.take(
            "centers.1",
            values(&[3, 2], &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
            Some(&theirs),
        );
        assert_eq!(centers.unwrap().values, [3.0, 4.0, 0.3, 0.4, 1.0, 2.0]);
        assert_eq!(classes.known(), 2);
        assert_eq!(classes.unknown(), BTreeSet::from([1]));
    }

    #[test]
    fn the_weights_that_come_along_fit_the_recipe_that_they_are_of() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("starts/humpback.safetensors");
        let start = Start::read(&path).unwrap().unwrap();
        assert!(start.classes.is_empty());
        let recipe = Recipe::load("humpback-mirrored").unwrap();
        let device = burn::tensor::Device::flex().autodiff();
        let network = TrainingNetwork::new(&recipe, &[1, 1], &device);
        let shapes = |named: &Named| -> Vec<(String, Vec<usize>)> {
            let learned = named.iter().filter(|(name, _)| name.starts_with(LEARNED));
            learned
                .map(|(name, values)| (name.clone(), values.shape.clone()))
                .collect()
        };
        let own = named::read(&network).unwrap();
        assert_eq!(shapes(&start.tensors), shapes(&own));
        assert_eq!(start.tensors.len(), shapes(&own).len());
        let values = start.tensors.values().flat_map(|one| &one.values);
        assert!(values.into_iter().all(|value| value.is_finite()));
    }

    #[test]
    fn another_backbone_is_refused_and_a_loss_of_ones_own_learns_anew() {
        let classes = classes(&["a"], &["a"]);
        let own = values(&[1, 2], &[0.1, 0.2]);
        let name = "network.embedder.heads.0.linear.weight";
        let other = values(&[2, 1], &[1.0, 2.0]);
        let error = classes.take(name, own.clone(), Some(&other)).unwrap_err();
        assert!(error.contains("[2, 1]"), "{error}");
        assert!(classes.take(name, own.clone(), None).is_err());
        assert_eq!(classes.take("centers.0", own.clone(), None), Ok(own));
    }
}
