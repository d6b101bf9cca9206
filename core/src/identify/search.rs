//! After an answer: the gallery's photos vote, their trailing edges are laid on the query's, and the first whales by
//! score, by votes and by edge are compared with it.
//!
//! For whoever has all files of keypoints at hand. [`Identifier::to_search`] says which these are, their
//! descriptors become an [`Index`] and their edges [`Edges`], whose photos are the gallery's rows (a photo whose
//! file cannot be had has none, and takes part like one that shows nothing), and [`Identifier::search`] answers.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::verify::Comparing;
use super::{Embedding, Fetched, Identifier, VerifiedAnswer};
use crate::bundle::{FileEntry, SearchFacts};
use crate::decision::{Findings, ShortlistSize, first_by_votes};
use crate::evidence::edge::Edges;
use crate::evidence::vote::{Index, LabelVotes};
use crate::photo::{Photo, Region};
use crate::{Error, Result};

impl Identifier {
    /// What the bundle says of a search of the whole gallery, if that was tuned.
    ///
    /// # Errors
    /// [`Error::Bundle`] when it was not, or the bundle has no keypoints.
    pub fn search_facts(&self) -> Result<&SearchFacts> {
        let search = self.evidence()?.search.as_ref();
        search.ok_or_else(|| refuse("this bundle does not say how all of its photos vote; run `flukeprint tune --evidence` on its run and export it with --keypoints again"))
    }

    /// The file of keypoints of every row of the gallery, if it has one.
    pub fn to_search(&self) -> impl ExactSizeIterator<Item = Option<&FileEntry>> {
        self.photos.iter().map(|photo| photo.keypoints.as_ref())
    }

    /// Lets all photos of the gallery vote for the fluke in `region` of a photo and fits their edges to it, compares
    /// it with those of the first whales by score, by votes and by edge, whose files `fetch` brings, and answers anew: the
    /// first `count` labels. `embedding` is the photo's, `index` and `edges` are the gallery's. Where nobody can
    /// vote, no edge be laid on it and none be compared with, the answer is what it was.
    ///
    /// # Errors
    /// A bundle that does not say how, an index of another gallery, [`Error::Region`] when the region does
    /// not lie in the photo, and as [`Identifier::decide`].
    pub async fn search(
        &self,
        (index, edges): (&Index, &Edges),
        (photo, region): (&Photo, Region),
        embedding: &Embedding,
        mut fetch: impl FnMut(&FileEntry) -> core::result::Result<Vec<u8>, String>,
        count: usize,
    ) -> Result<VerifiedAnswer> {
        let facts = self.search_facts()?;
        let rows = self.gallery.rows();
        if [index.photos(), edges.photos()] != [rows.len(); 2] {
            return Err(refuse("the index is of another gallery; build it anew"));
        }
        let looked = self.looked(photo, region).await?;
        let votes = index.vote(&looked.features, &facts.vote);
        let of_labels = |values: &[f32]| {
            let labels = rows.iter().map(|row| row.label);
            LabelVotes::of(values, labels, self.gallery.individuals().len())
        };
        let votes = of_labels(&votes);
        let fits = match facts.parameters.edge_weight > 0.0 {
            true => edges.fit(looked.features.edge.as_ref()),
            false => Vec::new(),
        };
        let fits = of_labels(&fits);
        let size = ShortlistSize::of(&facts.parameters);
        let mut listed = self.first_whales(embedding, &facts.parameters)?;
        for heard in [&votes, &fits] {
            listed.extend(first_by_votes(
                heard,
                &self.gallery,
                &embedding.feature,
                size,
            )?);
        }
        let fetched: Vec<Fetched> = self
            .files_of(listed)
            .into_iter()
            .map(|(row, file)| (row, fetch(file)))
            .collect();
        let comparing = Comparing {
            looked: &looked,
            heard: Findings {
                votes: votes.votes,
                edges: fits.votes,
                ..Findings::default()
            },
            parameters: &facts.parameters,
        };
        self.answer_by(comparing, embedding, &fetched, count, |_| ())
    }
}

fn refuse(reason: &str) -> Error {
    Error::Bundle {
        file: "bundle.json".to_string(),
        reason: reason.to_string(),
    }
}
