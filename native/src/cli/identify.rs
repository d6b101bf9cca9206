//! `flukeprint identify`.

use super::devices::DeviceArgs;
use super::operating::OperatingArgs;
use crate::data::Boxes;
use crate::export::open_bundle;
use crate::progress::Progress;
use crate::{Error, Result};
use clap::Args;
use flukeprint_core::decision::Candidate;
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Identification, Identifier, RegionSource, Stage};
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name the whales in photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint identify --bundle site/models/mine tail1.jpg tail2.jpg"
)]
pub struct Identify {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Table Image,x0,y0,x1,y1 with the fluke's box in some of the photos, by file name.
    #[arg(long)]
    boxes: Option<PathBuf>,
    /// Candidates a photo.
    #[arg(long, default_value_t = 5)]
    count: usize,
    #[command(flatten)]
    point: OperatingArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// JPEG, PNG or WebP files.
    #[arg(required = true)]
    photos: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Answers {
    catalogue: String,
    individuals: usize,
    gallery_photos: usize,
    model_sha256: String,
    photos: Vec<Answer>,
}

#[derive(Debug, Serialize)]
struct Answer {
    photo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_source: Option<RegionSource>,
    candidates: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_probability: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Named>,
    stages: Vec<Timed>,
}

#[derive(Debug, Serialize)]
struct Named {
    kind: &'static str,
    name: String,
    score: f32,
    probability: f32,
    nearest_photo: Option<String>,
}

#[derive(Debug, Serialize)]
struct Timed {
    name: &'static str,
    milliseconds: f64,
}

impl Identify {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        if self.count == 0 {
            return Err(Error::Setting {
                name: "--count",
                value: "0".to_owned(),
                wanted: "at least 1",
            });
        }
        let mut identifier = open_bundle(&self.bundle, &self.device.open()?)?;
        identifier.set_operating_point(self.point.point())?;
        let boxes = self.boxes.as_deref().map(Boxes::read).transpose()?;
        progress.begin("naming photos", self.photos.len());
        let photos = self.photos.iter().enumerate().map(|(done, path)| {
            let answer = self.answer(&identifier, path, boxes.as_ref());
            progress.advance(done + 1);
            answer
        });
        let answers = Answers {
            catalogue: identifier.manifest().title.clone(),
            individuals: identifier.manifest().catalogue.individuals,
            gallery_photos: identifier.manifest().catalogue.photos,
            model_sha256: identifier.manifest().files.weights.sha256.clone(),
            photos: photos.collect(),
        };
        if self.json {
            super::print_json(&answers)?;
        } else {
            answers.photos.iter().for_each(print);
        }
        match answers
            .photos
            .iter()
            .filter(|photo| photo.error.is_some())
            .count()
        {
            0 => Ok(()),
            failed => Err(Error::Unanswered {
                failed,
                photos: answers.photos.len(),
            }),
        }
    }

    fn answer(&self, identifier: &Identifier, path: &Path, boxes: Option<&Boxes>) -> Answer {
        let photo = path.display().to_string();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let region = boxes.and_then(|boxes| boxes.region(name));
        let mut begun: Vec<(&'static str, Instant)> = Vec::new();
        let identified = std::fs::read(path)
            .map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })
            .and_then(|bytes| {
                let on_stage = |stage: Stage| begun.push((stage.name(), Instant::now()));
                Ok(pollster::block_on(
                    identifier.identify(&bytes, region, self.count, on_stage),
                )?)
            });
        let stages = timed(&begun);
        match identified {
            Ok(identified) => answered(identifier, photo, &identified, stages),
            Err(error) => Answer {
                photo,
                error: Some(error.to_string()),
                region: None,
                region_source: None,
                candidates: Vec::new(),
                new_probability: None,
                verdict: None,
                stages,
            },
        }
    }
}

fn timed(begun: &[(&'static str, Instant)]) -> Vec<Timed> {
    let ends = begun
        .iter()
        .skip(1)
        .map(|(_, begin)| *begin)
        .chain([Instant::now()]);
    let milliseconds = |begin: Instant, end: Instant| end.duration_since(begin).as_secs_f64() * 1e3;
    begun
        .iter()
        .zip(ends)
        .map(|(&(name, begin), end)| Timed {
            name,
            milliseconds: milliseconds(begin, end),
        })
        .collect()
}

fn answered(
    identifier: &Identifier,
    photo: String,
    identified: &Identification,
    stages: Vec<Timed>,
) -> Answer {
    let named = |candidate: &Candidate| Named {
        kind: match candidate.label {
            Label::Individual(_) => "individual",
            Label::New => "new",
        },
        name: identifier.name(candidate.label).to_owned(),
        score: candidate.score,
        probability: candidate.probability,
        nearest_photo: candidate
            .nearest
            .map(|nearest| identifier.photos()[nearest.row as usize].file.clone()),
    };
    Answer {
        photo,
        error: None,
        region: Some(identified.region),
        region_source: Some(identified.region_source),
        candidates: identified.answer.candidates.iter().map(named).collect(),
        new_probability: Some(identified.answer.new.probability),
        verdict: Some(named(&identified.answer.verdict)),
        stages,
    }
}

fn print(answer: &Answer) {
    let total: f64 = answer.stages.iter().map(|stage| stage.milliseconds).sum();
    match &answer.error {
        Some(error) => println!("{}: {error}", answer.photo),
        None => println!("{} ({total:.0} ms)", answer.photo),
    }
    for (rank, candidate) in answer.candidates.iter().enumerate() {
        let nearest = candidate
            .nearest_photo
            .as_deref()
            .map_or_else(String::new, |photo| format!("  like {photo}"));
        println!(
            "  {}. {:<12} {:>5.1} %  score {:.3}{nearest}",
            rank + 1,
            candidate.name,
            candidate.probability * 100.0,
            candidate.score
        );
    }
}
