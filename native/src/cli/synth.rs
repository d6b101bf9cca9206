//! `flukeprint synth`.

use crate::progress::Progress;
use crate::synth::{SynthConfig, write_catalogue};
use clap::Args;
use std::path::PathBuf;
use std::sync::Once;

/// Draw a catalogue of flukes that no whale has, in Kaggle's layout.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint synth --out catalogue --individuals 200 --seed 7")]
pub struct Synth {
    /// Folder to make; it must not hold anything yet.
    #[arg(long)]
    out: PathBuf,
    /// The same seed draws the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Known whales.
    #[arg(long, default_value_t = 200)]
    individuals: u32,
    /// Photos of whales without a name [default: in the competition's proportion].
    #[arg(long)]
    new_photos: Option<u32>,
    /// Photos to name afterwards [default: in the competition's proportion].
    #[arg(long)]
    test_photos: Option<u32>,
    /// Median width of a photo, pixels.
    #[arg(long, default_value_t = 640)]
    photo_width: u32,
    /// How much the pose varies from photo to photo, percent of the natural spread.
    #[arg(long, default_value_t = 100)]
    pose_percent: u32,
}

impl Synth {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let proportions = SynthConfig::like_the_competition(self.individuals);
        let config = SynthConfig {
            seed: self.seed,
            new_photos: self.new_photos.unwrap_or(proportions.new_photos),
            test_photos: self.test_photos.unwrap_or(proportions.test_photos),
            photo_width: self.photo_width,
            pose_percent: self.pose_percent,
            ..proportions
        };
        let begun = Once::new();
        let drawn = write_catalogue(&config, &self.out, &|done, total| {
            begun.call_once(|| progress.begin("drawing photos", total));
            progress.advance(done);
        })?;
        progress.note(&format!(
            "{}: {} photos of {} known whales ({} of them with one photo), {} of whales without a name, {} to name",
            self.out.display(),
            drawn.train_photos - drawn.new_photos,
            drawn.individuals,
            drawn.single_photo_individuals,
            drawn.new_photos,
            drawn.test_photos
        ));
        Ok(())
    }
}
