//! The whole path for one photo and one loaded bundle, in order.

mod edge;
mod encounter;
mod search;
mod verify;

use alloc::format;
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use crate::bundle::{Bundle, GalleryPhoto, Manifest, MergedColumn};
use crate::decision::{self, Answer, OperatingPoint};
use crate::evidence::edge::Edges;
use crate::gallery::{Gallery, Label, NEW_WHALE, normalized};
use crate::members::{Members, read};
use crate::model::{Finder, FinderConfig, LOOKS, named};
use crate::photo::{Photo, Region};
use crate::{Error, Result};

pub use crate::embedding::{Embedding, Fuse};
pub use encounter::EncounterPhoto;
pub use verify::{Compared, Fetched, Missing, Pair, Says, VerifiedAnswer};

/// A step of the path, named when it begins, so that the caller can show progress and time it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes to upright pixels.
    Decode,
    /// Where in the photo the fluke is.
    Find,
    /// Crop, gray, resize, normalise; trace the edge and lay it on the gallery's.
    Prepare,
    /// Input to embedding and logits.
    Embed,
    /// Gallery search, fusion, calibration, ranking.
    Decide,
}

impl Stage {
    /// Its name, as reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Find => "find",
            Self::Prepare => "prepare",
            Self::Embed => "embed",
            Self::Decide => "decide",
        }
    }
}

/// Where the region of an [`Identification`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionSource {
    /// The caller gave it.
    Given,
    /// The fluke finder found it.
    Found,
    /// It is the whole photo: there is no finder, or it found nothing.
    Whole,
}

/// What is said of one photo.
#[derive(Clone, Debug, Serialize)]
pub struct Identification {
    /// Width of the upright photo, pixels.
    pub width: u32,
    /// Height of the upright photo, pixels.
    pub height: u32,
    /// Where the fluke is.
    pub region: Region,
    /// Who says so.
    pub region_source: RegionSource,
    /// The ranked answer.
    pub answer: Answer,
    /// What the networks say of the photo: what [`Identifier::decide`] takes when it is one of several
    /// of the same animal.
    pub embedding: Embedding,
}

/// A bundle on a device, ready for photos.
#[derive(Clone, Debug)]
pub struct Identifier {
    manifest: Manifest,
    members: Members,
    finder: Option<(FinderConfig, Finder)>,
    gallery: Gallery,
    photos: Vec<GalleryPhoto>,
    /// Those of the photos, where the bundle says how they count.
    edges: Option<Edges>,
    point: OperatingPoint,
    merged: Vec<MergedColumn>,
    device: Device,
}

impl Identifier {
    /// Puts the bundle's networks on `device`.
    ///
    /// # Errors
    /// [`Error::Tensor`] when the weights are not those of the manifest's model,
    /// [`Error::Decision`] when the classifier knows more whales than the gallery. Of an ensemble's
    /// member both name the member, the second in an [`Error::Bundle`].
    pub fn new(bundle: Bundle, device: &Device) -> Result<Self> {
        let Bundle {
            manifest,
            networks,
            finder,
            gallery,
            photos,
            merged,
        } = bundle;
        let file = &manifest.files.weights.path;
        let known = gallery.individuals().len();
        let members = Members::new(&manifest, networks, known, &merged, device)?;
        let edges = photos.iter().map(|photo| photo.edge.as_ref());
        let edges = match manifest.edges {
            Some(_) => Some(Edges::of(edges)?),
            None => None,
        };
        let finder = match &manifest.model.finder {
            Some(config) => Some((
                config.clone(),
                named::write(config.init(device).fold(), finder, file)?,
            )),
            None => None,
        };
        Ok(Self {
            manifest,
            members,
            finder,
            gallery,
            photos,
            edges,
            point: OperatingPoint::default(),
            merged,
            device: device.clone(),
        })
    }

    /// The same bundle on another device.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        Self {
            members: self.members.moved_to(device),
            finder: self
                .finder
                .map(|(config, finder)| (config, finder.to_device(device))),
            device: device.clone(),
            ..self
        }
    }

    /// The same for somebody who expects and fears what `point` says, which is asked from now on.
    ///
    /// # Errors
    /// [`Error::Decision`] when the point is out of range or this bundle cannot tell.
    pub fn set_operating_point(&mut self, point: OperatingPoint) -> Result<()> {
        point.validate(&self.manifest.decision)?;
        self.point = point;
        Ok(())
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Individuals and embeddings.
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// One a row of the gallery.
    pub fn photos(&self) -> &[GalleryPhoto] {
        &self.photos
    }

    /// The name of `label`; `new_whale` for a whale without one.
    pub fn name(&self, label: Label) -> &str {
        match label {
            Label::Individual(i) => self
                .gallery
                .individuals()
                .get(i as usize)
                .map_or("", |one| &one.name),
            Label::New => NEW_WHALE,
        }
    }

    /// Runs the known input and compares its embedding with the one that the bundle carries.
    ///
    /// A device's driver or an invalid kernel may give wrong numbers without a word; this is how
    /// one finds out before a photo is answered.
    ///
    /// # Errors
    /// [`Error::Device`] when a value differs by more than the bundle allows.
    pub async fn self_check(&self) -> Result<()> {
        let expected = &self.manifest.self_check;
        let found = self.known_embedding().await?;
        let same_length = found.len() == expected.embedding.len();
        let apart = found
            .iter()
            .zip(&expected.embedding)
            .map(|(a, b)| (a - b).abs());
        let most = apart.fold(0.0f32, |most, gap| {
            if gap > most || gap.is_nan() {
                gap
            } else {
                most
            }
        });
        if same_length && most <= expected.tolerance {
            return Ok(());
        }
        let allowed = expected.tolerance;
        let reason = format!("the known input's embedding is off by {most}, allowed is {allowed}");
        Err(Error::Device {
            device: format!("{:?}", self.device),
            reason,
        })
    }

    /// The unit-length embedding of [`SelfCheck::input`](crate::bundle::SelfCheck::input), by all
    /// networks, each with an input of its size.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails, [`Error::Gallery`] when it gives no usable numbers.
    pub async fn known_embedding(&self) -> Result<Vec<f32>> {
        let feature = self
            .members
            .embed(self.members.known_inputs())
            .await?
            .feature;
        let unit =
            normalized(&feature, feature.len()).map_err(crate::gallery::GalleryError::Query)?;
        Ok(unit)
    }

    /// Names the whale in a JPEG, PNG or WebP: the first `count` labels. Without a `region` the
    /// finder proposes one. `on_stage` hears of each [`Stage`] as it begins.
    ///
    /// # Errors
    /// What [`Photo::decode`] and [`Identifier::identify_photo`] refuse.
    #[cfg(feature = "decode")]
    pub async fn identify(
        &self,
        bytes: &[u8],
        region: Option<Region>,
        count: usize,
        mut on_stage: impl FnMut(Stage),
    ) -> Result<Identification> {
        on_stage(Stage::Decode);
        let photo = Photo::decode(bytes)?;
        self.identify_photo(&photo, region, count, on_stage).await
    }

    /// As [`Identifier::identify`], for pixels.
    ///
    /// # Errors
    /// [`Error::Region`] when the region does not lie in the photo, [`Error::Device`] when the
    /// device fails, [`Error::Decision`] when its numbers cannot be used.
    pub async fn identify_photo(
        &self,
        photo: &Photo,
        region: Option<Region>,
        count: usize,
        mut on_stage: impl FnMut(Stage),
    ) -> Result<Identification> {
        let (region, region_source, embedding) =
            self.embed_photo(photo, region, &mut on_stage).await?;
        on_stage(Stage::Decide);
        let answer = self.decide_of(&[(&embedding, None)], count)?;
        Ok(Identification {
            width: photo.width,
            height: photo.height,
            region,
            region_source,
            answer,
            embedding,
        })
    }

    /// The path up to the embedding: where the fluke is, who says so, and what the networks say
    /// of it, with one logit an individual even where it has several columns. Without a `region` the finder proposes one, and without a proposal it is the whole photo.
    ///
    /// # Errors
    /// As [`Identifier::identify_photo`].
    pub async fn embed_photo(
        &self,
        photo: &Photo,
        region: Option<Region>,
        mut on_stage: impl FnMut(Stage),
    ) -> Result<(Region, RegionSource, Embedding)> {
        on_stage(Stage::Find);
        let (region, region_source) = match region {
            Some(region) => (region, RegionSource::Given),
            None => match self.find(photo).await? {
                Some(region) => (region, RegionSource::Found),
                None => (
                    Region::whole(photo.width, photo.height),
                    RegionSource::Whole,
                ),
            },
        };
        on_stage(Stage::Prepare);
        let inputs = self.members.inputs(photo, region)?;
        let edges = self.edge_fits(photo, region)?;
        on_stage(Stage::Embed);
        let mut embedding = self.members.embed(inputs).await?;
        let temperature = self.manifest.decision.temperature;
        embedding.logits = decision::merged_logits(embedding.logits, &self.merged, temperature);
        embedding.edges = edges;
        Ok((region, region_source, embedding))
    }

    /// The finder's region, if there is a finder and it finds something.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub async fn find(&self, photo: &Photo) -> Result<Option<Region>> {
        let Some((config, finder)) = &self.finder else {
            return Ok(None);
        };
        let mut seen = Region::whole(photo.width, photo.height);
        let mut found = None;
        for _ in 0..LOOKS {
            let input = config.input(photo, seen)?;
            let data = TensorData::new(input, [1, 1, config.side, config.side]);
            let outputs = finder.forward(Tensor::from_data(data, &self.device));
            let outputs = read(outputs, &self.device).await?;
            let Some(region) = config.region(&outputs, seen) else {
                break; // what was found from farther away stands
            };
            found = Some(region);
            match FinderConfig::closer(region, seen, (photo.width, photo.height)) {
                Some(closer) => seen = closer,
                None => break,
            }
        }
        Ok(found)
    }
}
