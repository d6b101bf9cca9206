//! `flukeprint verify`.

use super::out::say;
use crate::data::Boxes;
use crate::device::DeviceChoice;
use crate::evidence::{Fluke, Verification, check_name, draw, is_keypoint_file, verify};
use crate::export::open_bundle;
use crate::{Error, Result};
use burn::tensor::Device;
use clap::Args;
use flukeprint_core::evidence::file;
use flukeprint_core::identify::Identifier;
use flukeprint_core::photo::{Photo, Region};
use std::path::{Path, PathBuf};

/// Show what speaks for one whale on two photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint verify tail1.jpg tail2.jpg --picture matches.png\n\nMany \
    inliers say that it is one whale; few say nothing."
)]
pub struct Verify {
    /// A JPEG, PNG or WebP, or a file of keypoints from a bundle.
    a: PathBuf,
    /// Another.
    b: PathBuf,
    /// Table Image,x0,y0,x1,y1 with the fluke's box in the photos, by file name.
    #[arg(long)]
    boxes: Option<PathBuf>,
    /// Folder of a bundle whose finder looks for the fluke where no box is given. Without either the
    /// fluke should fill the photo.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Write both photos side by side with lines between what agrees, as PNG or JPEG.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(&self) -> Result<()> {
        if let Some(picture) = &self.picture {
            check_name(picture)?;
        }
        let device = DeviceChoice::default().open()?;
        let boxes = self.boxes.as_deref().map(Boxes::read).transpose()?;
        let open = |folder: &PathBuf| open_bundle(folder, &device);
        let identifier = self.bundle.as_ref().map(open).transpose()?;
        let look = |path: &Path| look(path, boxes.as_ref(), identifier.as_ref(), &device);
        let flukes = [look(&self.a)?, look(&self.b)?];
        let names = [&self.a, &self.b].map(|path| path.display().to_string());
        let verification = pollster::block_on(verify(&flukes, names, &device))?;
        if let Some(path) = &self.picture {
            let [Some(a), Some(b)] = flukes.each_ref().map(Fluke::photo) else {
                return Err(Error::Setting {
                    name: "--picture",
                    value: path.display().to_string(),
                    wanted: "asked for with two photos; a file of keypoints has no picture",
                });
            };
            draw([a, b], &verification.points(), path)?;
        }
        if self.json {
            super::print_json(&verification)
        } else {
            print(&verification);
            Ok(())
        }
    }
}

/// The features of a photo, or those that were kept of one.
fn look(
    path: &Path,
    boxes: Option<&Boxes>,
    identifier: Option<&Identifier>,
    device: &Device,
) -> Result<Fluke> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    if is_keypoint_file(path, &bytes) {
        let features = file::decode(&path.display().to_string(), &bytes)?;
        return Ok(Fluke::kept(features));
    }
    let unusable = |error: flukeprint_core::Error| Error::Photo {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let photo = Photo::decode(&bytes).map_err(unusable)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let given = boxes.and_then(|boxes| boxes.region(name?));
    let found = match (given, identifier) {
        (Some(region), _) => Some(region),
        (None, Some(identifier)) => {
            pollster::block_on(identifier.find(&photo)).map_err(unusable)?
        }
        (None, None) => None,
    };
    let region = found.unwrap_or_else(|| Region::whole(photo.width, photo.height));
    pollster::block_on(Fluke::look(photo, region, device)).map_err(unusable)
}

fn print(verification: &Verification) {
    let [a, b] = &verification.photos;
    let [of_a, of_b] = verification.keypoints;
    say!("A  {a}: {of_a} keypoints");
    say!("B  {b}: {of_b} keypoints");
    say!(
        "{} matches, {} inliers: one whale with {:.1} %",
        verification.matches,
        verification.inliers,
        verification.probability * 100.0
    );
    for note in &verification.notes {
        say!("{note}");
    }
}
