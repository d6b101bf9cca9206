//! `flukeprint identify`.

use super::beside::BesideArgs;
use super::devices::DeviceArgs;
use super::operating::OperatingArgs;
use super::out::say;
use crate::export::open_bundle;
use crate::identify::{
    Beside, EncounterAnswer, Encounters, Evidence, Found, Named, Names, PhotoAnswer, Search,
    SearchedPhotos, answer_encounters, answer_photo, find_photos, sheet,
};
use crate::progress::Progress;
use crate::{Error, Result};
use clap::Args;
use flukeprint_core::decision::{DecisionParameters, OperatingPoint};
use flukeprint_core::identify::{Identifier, Says};
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Name the whales in photos, or in all photos of a folder.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint identify --bundle site/models/mine tail1.jpg tail2.jpg\n  \
    flukeprint identify --bundle site/models/mine --csv answers.csv season/\n  \
    flukeprint identify --bundle site/models/mine --verify tail1.jpg\n  \
    flukeprint identify --bundle site/models/mine --search --csv answers.csv season/\n  \
    flukeprint identify --bundle site/models/mine --encounters encounters.csv --csv answers.csv season/\n\n\
    The table has a row a photo with its first candidates, and a row an encounter; a photo that could not be answered has a row that says why. The same photos and bundle give the same table, and the same JSON\n\
    but for `time` and `stages`."
)]
pub struct Identify {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Table Image,x0,y0,x1,y1 with the fluke's box in some of the photos, by file name or by path in
    /// the folder given.
    #[arg(long)]
    boxes: Option<PathBuf>,
    /// Table Image,Encounter: photos of the same encounter show one animal, which gets one answer too.
    #[arg(long)]
    encounters: Option<PathBuf>,
    /// Candidates a photo.
    #[arg(long, default_value_t = 5)]
    count: usize,
    #[command(flatten)]
    beside: BesideArgs,
    #[command(flatten)]
    point: OperatingArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Write a table for a spreadsheet.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// JPEG, PNG or WebP files, or folders of them.
    #[arg(required = true)]
    photos: Vec<PathBuf>,
}

/// All that is needed to give the same answers again, and the answers.
#[derive(Debug, Serialize)]
struct Answers<'a> {
    program: &'static str,
    program_version: &'static str,
    catalogue: &'a str,
    catalogue_date: &'a str,
    /// What was left out of the catalogue, in words.
    catalogue_filters: &'a [String],
    individuals: usize,
    gallery_photos: usize,
    gallery_new_photos: usize,
    model_sha256: &'a str,
    index_sha256: &'a str,
    decision: &'a DecisionParameters,
    /// What the person who asked expects and fears.
    operating_point: OperatingPoint,
    device: String,
    count: usize,
    /// Who votes, where all photos of the gallery do.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<&'a SearchedPhotos>,
    /// Files in the folders that are no photos by their names.
    other_files: usize,
    photos: Vec<PhotoAnswer>,
    encounters: Vec<EncounterAnswer>,
    time: Time,
}

/// With the photos' `stages`, all that another run may give otherwise.
#[derive(Debug, Serialize)]
struct Time {
    /// Seconds since 1970-01-01 00:00 UTC.
    began_unix: u64,
    seconds: f64,
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
        let began = (SystemTime::now(), Instant::now());
        let found = find_photos(&self.photos)?;
        let (regions, encounters) = self.tables(&found)?;
        let mut identifier = open_bundle(&self.bundle, &self.device.open()?)?;
        identifier.set_operating_point(self.point.point())?;
        let search = self.beside.open(&identifier, &self.bundle, progress)?;
        tell_of(&found, &encounters, progress);
        let beside = self.beside.beside(&self.bundle, search.as_ref());
        let asked = (&regions[..], beside);
        let photos = self.answer(&identifier, &found, asked, &encounters, progress);
        let of_encounters =
            answer_encounters(&identifier, &encounters.encounters, &photos, self.count);
        let mut answers = self.answers(&identifier, &found, photos, of_encounters, began);
        answers.search = search.as_ref().map(Search::facts);
        let failed = answers.photos.iter().filter(|p| p.error.is_some()).count();
        self.give(&answers, &encounters)?;
        match failed {
            0 => Ok(()),
            failed => Err(Error::Unanswered {
                failed,
                photos: answers.photos.len(),
            }),
        }
    }

    /// What the tables say of the photos, before anything is computed.
    fn tables(&self, found: &Found) -> Result<(Vec<Option<Region>>, Encounters)> {
        let names = Names::new(&found.photos);
        let regions = match &self.boxes {
            Some(table) => names.boxes(table)?,
            None => vec![None; found.photos.len()],
        };
        let encounters = match &self.encounters {
            Some(table) => Encounters::read(table, &names)?,
            None => Encounters::default(),
        };
        Ok((regions, encounters))
    }

    fn answer(
        &self,
        identifier: &Identifier,
        found: &Found,
        (regions, beside): (&[Option<Region>], Beside<'_>),
        encounters: &Encounters,
        progress: &dyn Progress,
    ) -> Vec<PhotoAnswer> {
        let mut needed = vec![false; found.photos.len()];
        for encounter in &encounters.encounters {
            encounter
                .photos
                .iter()
                .for_each(|&photo| needed[photo] = true);
        }
        progress.begin("naming photos", found.photos.len());
        let mut answers = Vec::with_capacity(found.photos.len());
        for (number, photo) in found.photos.iter().enumerate() {
            let region = regions[number];
            let mut answer = answer_photo(identifier, photo, region, self.count, beside);
            if !needed[number] {
                answer.said = None; // of thousands they would fill the memory
            }
            answers.push(answer);
            progress.advance(number + 1);
        }
        answers
    }

    fn answers<'a>(
        &self,
        identifier: &'a Identifier,
        found: &Found,
        photos: Vec<PhotoAnswer>,
        encounters: Vec<EncounterAnswer>,
        (began, clock): (SystemTime, Instant),
    ) -> Answers<'a> {
        let manifest = identifier.manifest();
        let since_1970 = began.duration_since(UNIX_EPOCH).unwrap_or_default();
        Answers {
            program: "flukeprint",
            program_version: env!("CARGO_PKG_VERSION"),
            catalogue: &manifest.title,
            catalogue_date: &manifest.catalogue.date,
            catalogue_filters: &manifest.catalogue.filters,
            individuals: manifest.catalogue.individuals,
            gallery_photos: manifest.catalogue.photos,
            gallery_new_photos: manifest.catalogue.new_photos,
            model_sha256: &manifest.files.weights.sha256,
            index_sha256: &manifest.files.index.sha256,
            decision: &manifest.decision,
            operating_point: self.point.point(),
            device: self.device.name(),
            count: self.count,
            search: None,
            other_files: found.others,
            photos,
            encounters,
            time: Time {
                began_unix: since_1970.as_secs(),
                seconds: clock.elapsed().as_secs_f64(),
            },
        }
    }

    fn give(&self, answers: &Answers<'_>, encounters: &Encounters) -> Result<()> {
        if let Some(path) = &self.csv {
            let mut encounter_of = vec![String::new(); answers.photos.len()];
            for encounter in &encounters.encounters {
                for &photo in &encounter.photos {
                    encounter_of[photo].clone_from(&encounter.name);
                }
            }
            let (photos, together) = (&answers.photos, &answers.encounters);
            let count = self.count.min(answers.individuals + 1);
            let columns = sheet::Columns {
                candidates: count,
                edges: answers.photos.iter().any(has_edge),
                evidence: self.beside.any(),
                not_voting: answers.search.map(|search| search.not_voting.len()),
            };
            sheet::write(path, photos, &encounter_of, together, columns)?;
        }
        match (self.json, &self.csv) {
            (true, _) => super::print_json(answers)?,
            (false, Some(path)) => say!(
                "{}: {} photos and {} encounters",
                path.display(),
                answers.photos.len(),
                answers.encounters.len()
            ),
            (false, None) => {
                answers.photos.iter().for_each(print_photo);
                answers.encounters.iter().for_each(print_encounter);
            }
        }
        Ok(())
    }
}

/// What was given and is not answered.
fn tell_of(found: &Found, encounters: &Encounters, progress: &dyn Progress) {
    let all = found.photos.len();
    if found.others > 0 {
        progress.note(&format!(
            "{all} photos; {} other files are left out (.jpg, .jpeg, .png and .webp are photos)",
            found.others
        ));
    }
    if found.repeated > 0 {
        progress.note(&format!(
            "{} photos were given more than once; each is answered once",
            found.repeated
        ));
    }
    if encounters.elsewhere > 0 {
        progress.note(&format!(
            "{} rows of the encounters are about photos that were not given",
            encounters.elsewhere
        ));
    }
}

fn print_photo(answer: &PhotoAnswer) {
    let total: f64 = answer.stages.iter().map(|stage| stage.milliseconds).sum();
    match &answer.error {
        Some(error) => say!("{}: {error}", answer.photo),
        None => say!("{} ({total:.0} ms)", answer.photo),
    }
    print_candidates(&answer.candidates);
    for one in &answer.not_compared {
        say!("  not compared with {}: {}", one.photo, one.reason);
    }
}

fn print_encounter(answer: &EncounterAnswer) {
    let (name, photos) = (&answer.encounter, answer.photos.len());
    match &answer.error {
        Some(error) => say!("encounter {name}: {error}"),
        None if answer.answered == photos => say!("encounter {name} ({photos} photos)"),
        None => say!("encounter {name} ({} of {photos} photos)", answer.answered),
    }
    print_candidates(&answer.candidates);
}

fn print_candidates(candidates: &[Named]) {
    for (rank, candidate) in candidates.iter().enumerate() {
        let nearest = candidate
            .nearest_photo
            .as_deref()
            .map_or_else(String::new, |photo| format!("  like {photo}"));
        let edge = candidate
            .edge
            .map_or_else(String::new, |fit| format!("  edge {fit:.1}"));
        say!(
            "  {}. {:<12} {:>5.1} %  score {:.3}{edge}{nearest}{}",
            rank + 1,
            candidate.name,
            candidate.probability * 100.0,
            candidate.score,
            candidate
                .evidence
                .as_ref()
                .map_or_else(String::new, evidence)
        );
    }
}

/// Few inliers come by chance, and say nothing.
fn evidence(evidence: &Evidence) -> String {
    let photo = &evidence.photo;
    match evidence.says {
        _ if evidence.duplicate => format!("  the same photo as {photo}"),
        Says::Verified => format!("  verified by {} inliers with {photo}", evidence.inliers),
        Says::Likely => format!("  {} inliers with {photo} speak for it", evidence.inliers),
        Says::Little => format!("  {} inliers", evidence.inliers),
    }
}

/// Whether a candidate's trailing edge was compared with the photo's.
fn has_edge(photo: &PhotoAnswer) -> bool {
    photo.candidates.iter().any(|one| one.edge.is_some())
}
