//! After an answer: the gallery's photos vote, and the first whales by score, by edge and by votes are compared
//! with the query.
//!
//! For whoever has all files of keypoints at hand. [`Identifier::to_search`] says which these are, their
//! descriptors become an [`Index`] whose photos are the gallery's rows (a photo whose file cannot be had
//! has none, and takes part in the vote like one that shows nothing), and [`Identifier::search`] answers.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::verify::Comparing;
use super::{Embedding, Fetched, Identifier, VerifiedAnswer};
use crate::bundle::{FileEntry, SearchFacts};
use crate::decision::{ShortlistSize, first_by_votes};
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

    /// Lets all photos of the gallery vote for the fluke in `region` of a photo, compares it with those of
    /// the first whales by score and by votes, whose files `fetch` brings, and answers anew: the first
    /// `count` labels. `embedding` is the photo's, `index` that of the gallery. Where nobody can vote and
    /// none could be compared with, or the photo has no keypoints, the answer is what it was.
    ///
    /// # Errors
    /// A bundle that does not say how, an index of another gallery, [`Error::Region`] when the region does
    /// not lie in the photo, and as [`Identifier::decide`].
    pub async fn search(
        &self,
        index: &Index,
        (photo, region): (&Photo, Region),
        embedding: &Embedding,
        mut fetch: impl FnMut(&FileEntry) -> core::result::Result<Vec<u8>, String>,
        count: usize,
    ) -> Result<VerifiedAnswer> {
        let facts = self.search_facts()?;
        let rows = self.gallery.rows();
        if index.photos() != rows.len() {
            return Err(refuse("the index is of another gallery; build it anew"));
        }
        let looked = self.looked(photo, region).await?;
        let votes = index.vote(&looked.features, &facts.vote);
        let labels = rows.iter().map(|row| row.label);
        let votes = LabelVotes::of(&votes, labels, self.gallery.individuals().len());
        let size = ShortlistSize::of(&facts.parameters);
        let mut listed = self.first_whales(embedding, &facts.parameters)?;
        let voted = first_by_votes(&votes, &self.gallery, &embedding.feature, size)?;
        listed.extend(voted);
        let fetched: Vec<Fetched> = self
            .files_of(listed)
            .into_iter()
            .map(|(row, file)| (row, fetch(file)))
            .collect();
        let comparing = Comparing {
            looked: &looked,
            votes: votes.votes,
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
