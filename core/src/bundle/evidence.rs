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
    /// How much a match counts.
    pub parameters: EvidenceParameters,
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
