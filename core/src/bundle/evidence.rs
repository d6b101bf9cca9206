//! What a bundle says of local features.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::manifest::FileEntry;
use super::write::StaticFile;
use crate::decision::EvidenceParameters;
use crate::evidence::file::ENDING;
use crate::evidence::verify::CompareOptions;
use crate::evidence::vote::{IndexOptions, VoteOptions};
use crate::evidence::{Chip, DescriptorKind, Options};
use crate::{Error, Result};

/// How local features were found in the gallery's photos, are to be found in a query, are compared, and
/// how they count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceFacts {
    /// Which part of a photo is looked at.
    pub chip: Chip,
    /// How features are found there.
    pub options: Options,
    /// How two photos are compared.
    pub compare: CompareOptions,
    /// How much a match counts where the first whales are verified.
    pub parameters: EvidenceParameters,
    /// How the whole gallery votes; absent where that was not tuned. A program that does not know of it
    /// verifies the first whales, which needs nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchFacts>,
}

/// How all of the gallery's photos vote for a query, and how that and a match count then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchFacts {
    /// How their descriptors are sorted.
    pub index: IndexOptions,
    /// How they vote.
    pub vote: VoteOptions,
    /// How much votes and matches count.
    pub parameters: EvidenceParameters,
}

/// How trailing edges count, which every gallery photo has then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeFacts {
    /// How much a fit counts beside the networks, where nothing else is compared.
    pub parameters: EvidenceParameters,
}

impl EdgeFacts {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Decision`].
    pub fn validate(&self) -> Result<()> {
        Ok(self.parameters.validate()?)
    }
}

impl SearchFacts {
    fn validate(&self) -> Result<()> {
        self.index.validate()?;
        self.vote.validate()?;
        Ok(self.parameters.validate()?)
    }
}

impl EvidenceFacts {
    /// Checks every range, and that no network is called for: a bundle carries none for local features.
    ///
    /// # Errors
    /// [`Error::Features`], [`Error::Decision`] or [`Error::Bundle`].
    pub fn validate(&self) -> Result<()> {
        self.chip.validate()?;
        self.options.validate()?;
        self.compare.validate()?;
        self.parameters.validate()?;
        self.search.as_ref().map_or(Ok(()), SearchFacts::validate)?;
        let Options {
            upright,
            affine,
            descriptor,
            ..
        } = self.options;
        match upright && !affine && descriptor == DescriptorKind::RootSift {
            true => Ok(()),
            false => Err(Error::Bundle {
                file: "bundle.json".to_string(),
                reason:
                    "its local features need a network that it does not carry; update the program"
                        .to_string(),
            }),
        }
    }
}

impl FileEntry {
    /// The file of a photo's features, as [`encode`](crate::evidence::file::encode) makes it, under the
    /// name that a bundle gives it.
    pub fn of_keypoints(bytes: Vec<u8>) -> (Self, StaticFile) {
        let mut entry = Self::of("", ENDING, &bytes);
        entry.path = format!("{KEYPOINTS}/{}.{ENDING}", &entry.sha256[..16]);
        let path = entry.path.clone();
        (entry, StaticFile { path, bytes })
    }
}

/// The folder of the files of keypoints.
pub const KEYPOINTS: &str = "keypoints";
