//! The gallery itself: who is in it, which photo shows whom, and the photos' features.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    Closeness, FeatureStore, GalleryError, Individual, Label, Nearest, centre, normalized, search,
};

/// What a gallery row is besides its feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GalleryRow {
    /// Whom the photo shows.
    pub label: Label,
    /// The photo's number in the catalogue's list of file names.
    pub photo: u32,
}

/// The catalogue's photos: features, labels, individuals. Row `r` of the features belongs to
/// `rows()[r]`.
///
/// An individual need not have a photo, and there need not be photos of new whales.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    individuals: Vec<Individual>,
    rows: Vec<GalleryRow>,
    features: FeatureStore,
    /// |Σ features| of every label slot.
    lengths: Vec<f32>,
}

impl Gallery {
    /// Puts a gallery together. Every row's label must be one of `individuals` or `New`, names
    /// must differ, and there must be one row a feature. It may be empty.
    pub fn new(
        individuals: Vec<Individual>,
        rows: Vec<GalleryRow>,
        features: FeatureStore,
    ) -> Result<Self, GalleryError> {
        if rows.len() != features.rows() {
            return Err(GalleryError::RowCount {
                features: features.rows(),
                described: rows.len(),
                what: "labels",
            });
        }
        if u32::try_from(rows.len()).is_err() || u32::try_from(individuals.len()).is_err() {
            return Err(GalleryError::Full);
        }
        check_names(&individuals)?;
        for (row, described) in rows.iter().enumerate() {
            check_label(row, described.label, individuals.len())?;
        }
        let lengths = centre::lengths_of_sums(&features, &rows, individuals.len());
        Ok(Self {
            individuals,
            rows,
            features,
            lengths,
        })
    }

    /// The known whales; [`Label::Individual`] counts in this list.
    pub fn individuals(&self) -> &[Individual] {
        &self.individuals
    }

    /// Label and photo of every row.
    pub fn rows(&self) -> &[GalleryRow] {
        &self.rows
    }

    /// The features, row by row.
    pub fn features(&self) -> &FeatureStore {
        &self.features
    }

    /// Adds a whale that has no photo yet and returns its label.
    pub fn add_individual(&mut self, individual: Individual) -> Result<Label, GalleryError> {
        if self.individuals.contains(&individual) {
            return Err(GalleryError::DuplicateIndividual {
                name: individual.name,
            });
        }
        let number = u32::try_from(self.individuals.len()).map_err(|_| GalleryError::Full)?;
        self.lengths.insert(self.individuals.len(), 0.0);
        self.individuals.push(individual);
        Ok(Label::Individual(number))
    }

    /// Adds a photo with its feature (any length; it is normalized) and returns its row. On an
    /// error the gallery is as it was.
    pub fn enroll(&mut self, row: GalleryRow, feature: &[f32]) -> Result<u32, GalleryError> {
        let number = self.rows.len();
        check_label(number, row.label, self.individuals.len())?;
        let counted = u32::try_from(number).map_err(|_| GalleryError::Full)?;
        self.features
            .push(feature)
            .map_err(|problem| GalleryError::Row {
                row: number,
                problem,
            })?;
        self.rows.push(row);
        if let Some(length) = self.lengths.get_mut(row.label.slot(self.individuals.len())) {
            *length = centre::length_of_label(&self.features, &self.rows, row.label);
        }
        Ok(counted)
    }

    /// For every label slot (individuals in order, then `New`) the nearest photo, or `None` where
    /// the label has no photo. The query's feature may have any length but zero; it is normalized.
    pub fn nearest_per_label(&self, feature: &[f32]) -> Result<Vec<Option<Nearest>>, GalleryError> {
        let closeness = self.closeness_per_label(feature)?;
        let nearest = |one: Option<Closeness>| one.map(|one| one.nearest);
        Ok(closeness.into_iter().map(nearest).collect())
    }

    /// The `count` photos of `label` that are nearest to the query, nearest first; of equally near ones
    /// the first counts.
    pub fn nearest_of(
        &self,
        feature: &[f32],
        label: Label,
        count: usize,
    ) -> Result<Vec<Nearest>, GalleryError> {
        let query = normalized(feature, self.features.dimension()).map_err(GalleryError::Query)?;
        let mut nearest = search::photos_of_label(&query, &self.features, &self.rows, label);
        nearest.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        nearest.truncate(count);
        Ok(nearest)
    }

    /// As [`Self::nearest_per_label`], with all that the decision takes from a label's photos.
    pub fn closeness_per_label(
        &self,
        feature: &[f32],
    ) -> Result<Vec<Option<Closeness>>, GalleryError> {
        let mut answers = self.closeness_per_label_of_each(&[feature])?;
        answers.pop().ok_or(GalleryError::Empty)
    }

    /// [`Self::closeness_per_label`] for several queries at once: the same answers, with the gallery
    /// read from memory once for all of them. Some dozens at a time is best.
    pub fn closeness_per_label_of_each(
        &self,
        features: &[&[f32]],
    ) -> Result<Vec<Vec<Option<Closeness>>>, GalleryError> {
        if self.rows.is_empty() {
            return Err(GalleryError::Empty);
        }
        let queries: Vec<Vec<f32>> = features
            .iter()
            .map(|feature| normalized(feature, self.features.dimension()))
            .collect::<Result<_, _>>()
            .map_err(GalleryError::Query)?;
        Ok(search::closeness_per_label(
            &queries,
            &self.features,
            &self.rows,
            &self.lengths,
        ))
    }
}

fn check_names(individuals: &[Individual]) -> Result<(), GalleryError> {
    let mut names = BTreeSet::new();
    match individuals.iter().find(|one| !names.insert(&one.name)) {
        Some(twice) => Err(GalleryError::DuplicateIndividual {
            name: twice.name.clone(),
        }),
        None => Ok(()),
    }
}

fn check_label(row: usize, label: Label, individuals: usize) -> Result<(), GalleryError> {
    match label {
        Label::Individual(number) if number as usize >= individuals => {
            Err(GalleryError::UnknownIndividual {
                row,
                label,
                individuals,
            })
        }
        _ => Ok(()),
    }
}
