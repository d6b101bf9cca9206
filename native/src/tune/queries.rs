//! Photos whose whale is known to us, and what model and gallery say about them.

use flukeprint_core::decision::{
    Columns, DecisionError, DecisionParameters, similarity, whale_similarity,
};
use flukeprint_core::gallery::{Closeness, Gallery, Label, normalized};
use rayon::prelude::*;
use std::borrow::Cow;

use super::TuneError;

#[cfg(test)]
mod tests;

/// Queries that search the gallery together: their features fit the second-level cache.
const SEARCHED_TOGETHER: usize = 32;

/// Held-out photos with their true labels, logits and similarities, checked: shapes fit and every
/// value is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledQueries {
    individuals: usize,
    classified: usize,
    truths: Vec<Label>,
    logits: Vec<f32>,
    /// To each label's nearest photo.
    nearest: Vec<f32>,
    /// The cosine to each label's centre; 0 for a label without a photo. `None` where no gallery is known.
    centres: Option<Vec<f32>>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct LabelledQuery<'a> {
    /// Whom the photo shows.
    pub truth: Label,
    /// `[individuals the classifier was trained on]`.
    pub logits: &'a [f32],
    /// Similarity to each label's nearest photo, `[individuals + 1]`, `New` last.
    pub nearest: &'a [f32],
    /// The cosine to each label's centre, as `nearest`.
    centres: Option<&'a [f32]>,
}

impl<'a> LabelledQuery<'a> {
    /// Of which nothing is known but the nearest photos.
    #[cfg(test)]
    pub(super) fn of_nearest(truth: Label, logits: &'a [f32], nearest: &'a [f32]) -> Self {
        Self {
            truth,
            logits,
            nearest,
            centres: None,
        }
    }

    /// Similarity to each label's photos (step 3 of the decision), `[individuals + 1]`, `New` last.
    /// Where nothing is known but the nearest photos, it is these.
    pub fn similarity(&self, parameters: &DecisionParameters) -> Cow<'a, [f32]> {
        let share = parameters.centre_share;
        let Some(centres) = self.centres.filter(|_| share != 0.0) else {
            return Cow::Borrowed(self.nearest);
        };
        let whales = self.nearest.len() - 1;
        let mut column = self.nearest.to_vec();
        for (similarity, &centre) in column[..whales].iter_mut().zip(centres) {
            *similarity = whale_similarity(*similarity, centre, share);
        }
        Cow::Owned(column)
    }

    /// Every score that goes into the decision about it (steps 1 to 5).
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn columns(&self, parameters: &DecisionParameters) -> Result<Columns, DecisionError> {
        let similarity = self.similarity(parameters).into_owned();
        Columns::new(self.logits, similarity, parameters)
    }
}

impl LabelledQueries {
    /// Takes `logits`, `[queries, classified]` with any `classified` up to `individuals` (0 for no
    /// classifier), and `similarities`, `[queries, individuals + 1]`, row by row.
    ///
    /// # Errors
    /// No queries, no individuals, a shape that does not fit, a value that is not finite, or a
    /// true label beyond the individuals. The message names the query.
    pub fn new(
        individuals: usize,
        truths: Vec<Label>,
        logits: Vec<f32>,
        similarities: Vec<f32>,
    ) -> Result<Self, TuneError> {
        let count = truths.len();
        if count == 0 {
            return Err(TuneError::NoQueries);
        }
        if individuals == 0 {
            return Err(TuneError::NoIndividuals);
        }
        let classified = logits.len() / count;
        if logits.len() != classified * count || classified > individuals {
            let wanted = format!("at most {individuals} a query are needed, as many for each");
            return Err(shape("logits", logits.len(), count, wanted));
        }
        let labels = individuals + 1;
        if similarities.len() != labels * count {
            let wanted = format!("{labels} a query are needed");
            return Err(shape("similarities", similarities.len(), count, wanted));
        }
        check_truths(&truths, individuals)?;
        check_finite("logit", &logits, classified)?;
        check_finite("similarity", &similarities, labels)?;
        Ok(Self {
            individuals,
            classified,
            truths,
            logits,
            nearest: similarities,
            centres: None,
        })
    }

    /// As [`Self::new`], with the similarities searched in `gallery` for `features`,
    /// `[queries, dimension]`, row by row. The gallery must not hold the queries' own photos.
    ///
    /// # Errors
    /// As [`Self::new`]; an empty gallery; a feature it cannot compare.
    pub fn in_gallery(
        gallery: &Gallery,
        truths: Vec<Label>,
        logits: Vec<f32>,
        features: &[f32],
    ) -> Result<Self, TuneError> {
        let dimension = gallery.features().dimension();
        if features.len() != dimension * truths.len() {
            let wanted = format!("{dimension} a query are needed");
            return Err(shape(
                "feature values",
                features.len(),
                truths.len(),
                wanted,
            ));
        }
        let features: Vec<&[f32]> = features.chunks_exact(dimension).collect();
        for (query, feature) in features.iter().enumerate() {
            normalized(feature, dimension)
                .map_err(|problem| TuneError::Feature { query, problem })?;
        }
        let closeness: Vec<Vec<Option<Closeness>>> = features
            .par_chunks(SEARCHED_TOGETHER)
            .map(|features| gallery.closeness_per_label_of_each(features))
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        let of_each = |value: fn(&Closeness) -> f32| -> Vec<f32> {
            let labels = closeness.iter().flatten();
            labels.map(|one| one.as_ref().map_or(0.0, value)).collect()
        };
        let centres = of_each(|one| one.centre);
        let nearest = of_each(|one| similarity(one.nearest.distance));
        let individuals = gallery.individuals().len();
        Ok(Self {
            centres: Some(centres),
            ..Self::new(individuals, truths, logits, nearest)?
        })
    }

    /// What several networks say of the same photos, averaged: logits and similarities (spec,
    /// *Deciding* 8).
    ///
    /// # Errors
    /// There is none, or they are not of the same photos and individuals.
    pub fn average(members: &[Self]) -> Result<Self, TuneError> {
        let Some((first, others)) = members.split_first() else {
            return Err(TuneError::NoQueries);
        };
        let mut mean = first.clone();
        for other in others {
            let same = other.truths == mean.truths
                && other.individuals == mean.individuals
                && other.classified == mean.classified
                && other.centres.is_some() == mean.centres.is_some();
            if !same {
                return Err(TuneError::OtherQueries);
            }
            let pairs = mean.logits.iter_mut().zip(&other.logits);
            let pairs = pairs.chain(mean.nearest.iter_mut().zip(&other.nearest));
            let centres = mean.centres.iter_mut().zip(&other.centres);
            let centres = centres.flat_map(|(mean, other)| mean.iter_mut().zip(other));
            pairs.chain(centres).for_each(|(sum, value)| *sum += value);
        }
        let share = 1.0 / members.len() as f32;
        let centres = mean.centres.iter_mut().flatten();
        let values = mean.logits.iter_mut().chain(&mut mean.nearest);
        values.chain(centres).for_each(|value| *value *= share);
        Ok(mean)
    }

    /// Those with these numbers, in their order.
    ///
    /// # Errors
    /// [`TuneError::NoQueries`] when there is none. A number beyond the queries panics.
    pub(crate) fn pick(&self, numbers: &[usize]) -> Result<Self, TuneError> {
        let picked = numbers.iter().map(|&number| self.query(number));
        let picked: Vec<LabelledQuery<'_>> = picked.collect();
        let each = || picked.iter();
        let logits: Vec<&[f32]> = each().map(|query| query.logits).collect();
        let nearest: Vec<&[f32]> = each().map(|query| query.nearest).collect();
        let centres: Option<Vec<&[f32]>> = each().map(|query| query.centres).collect();
        let truths = each().map(|query| query.truth).collect();
        Ok(Self {
            centres: centres.map(|rows| rows.concat()),
            ..Self::new(self.individuals, truths, logits.concat(), nearest.concat())?
        })
    }

    /// All queries, in order.
    pub fn iter(&self) -> impl Iterator<Item = LabelledQuery<'_>> {
        (0..self.len()).map(|number| self.query(number))
    }

    /// How many queries.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// How many of them show a known whale.
    pub fn known(&self) -> usize {
        self.truths
            .iter()
            .filter(|&&truth| truth != Label::New)
            .count()
    }

    /// Known whales in the catalogue.
    pub fn individuals(&self) -> usize {
        self.individuals
    }

    /// Known whales that the classifier has a logit for.
    pub fn classified(&self) -> usize {
        self.classified
    }

    /// All queries, in order, for work in parallel.
    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = LabelledQuery<'_>> {
        (0..self.len())
            .into_par_iter()
            .map(|number| self.query(number))
    }

    fn query(&self, number: usize) -> LabelledQuery<'_> {
        let row = |width: usize| number * width..(number + 1) * width;
        LabelledQuery {
            truth: self.truths[number],
            logits: &self.logits[row(self.classified)],
            nearest: &self.nearest[row(self.individuals + 1)],
            centres: self
                .centres
                .as_ref()
                .map(|centres| &centres[row(self.individuals + 1)]),
        }
    }

    /// Whether more is known of the gallery than each label's nearest photo.
    pub(super) fn have_centres(&self) -> bool {
        self.centres.is_some()
    }
}

fn shape(what: &'static str, found: usize, queries: usize, wanted: String) -> TuneError {
    TuneError::Shape {
        what,
        found,
        queries,
        wanted,
    }
}

fn check_truths(truths: &[Label], individuals: usize) -> Result<(), TuneError> {
    for (query, &truth) in truths.iter().enumerate() {
        if let Label::Individual(number) = truth
            && truth.slot(individuals) >= individuals
        {
            return Err(TuneError::UnknownIndividual {
                query,
                number,
                individuals,
            });
        }
    }
    Ok(())
}

fn check_finite(what: &'static str, values: &[f32], width: usize) -> Result<(), TuneError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(TuneError::NotFinite {
            query: at / width,
            what,
            position: at % width,
            value: values[at],
        }),
        None => Ok(()),
    }
}
