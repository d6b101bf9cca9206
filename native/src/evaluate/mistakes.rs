//! The mistakes that were made with most certainty, with what is needed to look at them.

use super::answered::Answered;
use crate::Result;
use crate::data::PhotoEntry;
use flukeprint_core::gallery::{Gallery, GalleryError, Label, Nearest};
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::path::PathBuf;

/// How many are kept.
pub const MISTAKES: usize = 12;

/// A photo whose first answer is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// The photo.
    pub photo: Shown,
    /// The whale that it shows; `None` for one that the gallery does not know.
    pub shows: Option<String>,
    /// The whale that it was taken for; `None` for a new one.
    pub taken_for: Option<String>,
    /// The probability of that answer.
    pub probability: f32,
    /// The place of the right answer, from 1.
    pub rank: usize,
    /// The gallery's nearest photo of what it was taken for, if there is one.
    pub like: Option<Shown>,
    /// The gallery's nearest photo of the whale that it shows, if there is one.
    pub right: Option<Shown>,
}

/// A photo that can be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Its name in its table.
    pub file: String,
    /// Where it, or a small picture of it, may be on this disk.
    #[serde(skip)]
    pub path: Option<PathBuf>,
    /// Where the fluke is in that picture; the whole of it where nothing is said.
    #[serde(skip)]
    pub region: Option<Region>,
}

impl Shown {
    /// A photo of a catalogue.
    pub(super) fn of(entry: &PhotoEntry) -> Self {
        Self {
            file: entry.file.clone(),
            path: Some(entry.path.clone()),
            region: entry.region,
        }
    }
}

/// What mistakes are told with.
pub(super) struct Teller<'a> {
    /// The gallery that the queries were looked up in.
    pub gallery: &'a Gallery,
    /// The queries' features, one after another.
    pub features: &'a [f32],
    /// The photo of a query, by its number.
    pub query: &'a dyn Fn(usize) -> Shown,
    /// The photo of a row of the gallery.
    pub row: &'a dyn Fn(u32) -> Shown,
}

impl Teller<'_> {
    /// The [`MISTAKES`] with the most probable wrong answers, the worst first.
    ///
    /// # Errors
    /// A feature that the gallery cannot compare.
    pub(super) fn worst(&self, answers: &[Answered]) -> Result<Vec<Mistake>> {
        let wrong = answers
            .iter()
            .enumerate()
            .filter(|(_, answer)| !answer.right());
        let mut wrong: Vec<(usize, &Answered)> = wrong.collect();
        // A stable sort: of equal ones the first comes first.
        wrong.sort_by(|a, b| b.1.probability.total_cmp(&a.1.probability));
        wrong.truncate(MISTAKES);
        wrong
            .into_iter()
            .map(|(query, answer)| {
                Ok(self
                    .tell(query, answer)
                    .map_err(flukeprint_core::Error::from)?)
            })
            .collect()
    }

    fn tell(&self, query: usize, answer: &Answered) -> std::result::Result<Mistake, GalleryError> {
        let dimension = self.gallery.features().dimension();
        let feature = &self.features[query * dimension..(query + 1) * dimension];
        let nearest = self.gallery.nearest_per_label(feature)?;
        let photo = |label: Label| {
            let of_label: Option<Nearest> = nearest[label.slot(nearest.len() - 1)];
            of_label.map(|nearest| (self.row)(nearest.row))
        };
        Ok(Mistake {
            photo: (self.query)(query),
            shows: self.name(answer.truth),
            taken_for: self.name(answer.first),
            probability: answer.probability,
            rank: answer.rank,
            like: photo(answer.first),
            // The nearest photo of a new whale shows some other new whale.
            right: (answer.truth != Label::New)
                .then(|| photo(answer.truth))
                .flatten(),
        })
    }

    fn name(&self, label: Label) -> Option<String> {
        match label {
            Label::Individual(whale) => {
                let whale = self.gallery.individuals().get(whale as usize)?;
                Some(whale.name.clone())
            }
            Label::New => None,
        }
    }
}
