//! Draws every photo and writes the folder.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageError};
use rayon::prelude::*;

use super::dice::{Dice, Stream};
use super::photo::{self, Bounds, Shot};
use super::plan::{self, Counts, Planned, Set, Subject};
use super::whale::Whale;
use super::{NEW_WHALE, Summary, SynthConfig, SynthError};

/// Draws the catalogue of `config` into the folder `out`, which must not exist or be empty.
///
/// `on_photo` hears after every photo how many are done, and how many there will be; it is called
/// from several threads. Everything is written beside `out` first and moved there at the end.
///
/// # Errors
/// A setting out of range, a folder that is not empty, or a file that cannot be written.
pub fn write_catalogue(
    config: &SynthConfig,
    out: &Path,
    on_photo: &(dyn Fn(usize, usize) + Sync),
) -> Result<Summary, SynthError> {
    check(config)?;
    refuse_unless_empty(out)?;
    let parent = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(at(parent))?;
    let staging = tempfile::Builder::new()
        .prefix(".synth-")
        .tempdir_in(parent)
        .map_err(at(parent))?;
    let folder = staging.path().join("catalogue");
    for part in [Set::Train, Set::Test].map(Set::folder) {
        let part = folder.join(part);
        fs::create_dir_all(&part).map_err(at(&part))?;
    }
    let subjects = plan::subjects(config);
    let photos = draw_all(config, &subjects, &folder, on_photo)?;
    write_tables(&folder, photos)?;
    write_config(&folder, config)?;
    if out.exists() {
        fs::remove_dir(out).map_err(at(out))?;
    }
    fs::rename(&folder, out).map_err(at(out))?;
    Ok(summary(&subjects))
}

fn check(config: &SynthConfig) -> Result<(), SynthError> {
    let wrong = |setting, value, wanted| {
        Err(SynthError::Setting {
            setting,
            value,
            wanted,
        })
    };
    if config.individuals == 0 {
        return wrong("individuals", 0, "1 or more");
    }
    if config.photos_per_individual == Counts::Each(0) {
        return wrong("photos_per_individual", 0, "1 or more");
    }
    if config.pose_percent > 100 {
        return wrong("pose_percent", config.pose_percent, "between 0 and 100");
    }
    if !(64..=4096).contains(&config.photo_width) {
        return wrong(
            "photo_width",
            config.photo_width,
            "between 64 and 4096 pixels",
        );
    }
    Ok(())
}

fn refuse_unless_empty(out: &Path) -> Result<(), SynthError> {
    if !out.exists() {
        return Ok(());
    }
    let not_empty = || SynthError::NotEmpty {
        path: out.to_owned(),
    };
    if !out.is_dir() {
        return Err(not_empty());
    }
    let mut entries = fs::read_dir(out).map_err(at(out))?;
    if entries.next().is_some() {
        Err(not_empty())
    } else {
        Ok(())
    }
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> SynthError + '_ {
    move |source| SynthError::Write {
        path: path.to_owned(),
        source,
    }
}

impl Set {
    fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// A photo that has been written.
#[derive(Debug)]
struct Written {
    name: String,
    id: String,
    set: Set,
    bounds: Bounds,
}

fn draw_all(
    config: &SynthConfig,
    subjects: &[Subject],
    folder: &Path,
    on_photo: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Written>, SynthError> {
    let total = subjects.iter().map(|subject| subject.photos.len()).sum();
    let done = AtomicUsize::new(0);
    let drawn: Result<Vec<Vec<Written>>, SynthError> = subjects
        .par_iter()
        .map(|subject| {
            // One painting of each whale serves all its photos.
            let whale = Whale::new(config.seed, subject.whale, texels(config));
            let one = |planned: &Planned| {
                let bounds = draw(config, &whale, planned, folder)?;
                on_photo(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok(Written {
                    name: planned.name.clone(),
                    id: subject.id.clone(),
                    set: planned.set,
                    bounds,
                })
            };
            subject.photos.par_iter().map(one).collect()
        })
        .collect();
    Ok(drawn?.into_iter().flatten().collect())
}

/// About a texel for each pixel of a fluke that fills a photo, in a number that halves well.
fn texels(config: &SynthConfig) -> usize {
    (config.photo_width as usize).next_multiple_of(64).max(256)
}

fn draw(
    config: &SynthConfig,
    whale: &Whale,
    planned: &Planned,
    folder: &Path,
) -> Result<Bounds, SynthError> {
    let mut dice = Dice::new(config.seed, Stream::Photo(planned.number));
    let shot = photo::take(
        whale,
        &mut dice,
        config.photo_width,
        config.pose_percent as f32 / 100.0,
    );
    let path = folder.join(planned.set.folder()).join(&planned.name);
    let bounds = shot.bounds;
    let file = jpeg(shot).map_err(|source| SynthError::Encode {
        path: path.clone(),
        source,
    })?;
    fs::write(&path, file).map_err(at(&path))?;
    Ok(bounds)
}

fn jpeg(shot: Shot) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::new();
    let picture = DynamicImage::ImageRgb8(shot.pixels);
    let picture = if shot.gray {
        DynamicImage::ImageLuma8(picture.into_luma8())
    } else {
        picture
    };
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut file, shot.quality))?;
    Ok(file)
}

/// `train.csv`, `test.csv` and `bounding_boxes.csv`, each sorted by photo.
fn write_tables(folder: &Path, mut photos: Vec<Written>) -> Result<(), SynthError> {
    photos.sort_by(|a, b| a.name.cmp(&b.name));
    for set in [Set::Train, Set::Test] {
        let rows = photos.iter().filter(|photo| photo.set == set);
        let rows = rows.map(|photo| [photo.name.clone(), photo.id.clone()]);
        write_table(
            &folder.join(format!("{}.csv", set.folder())),
            ["Image", "Id"],
            rows,
        )?;
    }
    let boxes = photos.iter().map(
        |Written {
             name,
             bounds: Bounds { x0, y0, x1, y1 },
             ..
         }| {
            [
                name.clone(),
                x0.to_string(),
                y0.to_string(),
                x1.to_string(),
                y1.to_string(),
            ]
        },
    );
    write_table(
        &folder.join("bounding_boxes.csv"),
        ["Image", "x0", "y0", "x1", "y1"],
        boxes,
    )
}

fn write_table<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), SynthError> {
    let failed = |source| SynthError::Table {
        path: path.to_owned(),
        source,
    };
    let mut table = csv::Writer::from_path(path).map_err(failed)?;
    table.write_record(header).map_err(failed)?;
    for row in rows {
        table.write_record(&row).map_err(failed)?;
    }
    table.flush().map_err(at(path))
}

fn write_config(folder: &Path, config: &SynthConfig) -> Result<(), SynthError> {
    let path = folder.join("synth.json");
    let text = serde_json::to_string_pretty(config).map_err(|error| at(&path)(error.into()))?;
    fs::write(&path, text + "\n").map_err(at(&path))
}

fn summary(subjects: &[Subject]) -> Summary {
    let in_train = |subject: &Subject| {
        subject
            .photos
            .iter()
            .filter(|photo| photo.set == Set::Train)
            .count()
    };
    let (new, known): (Vec<&Subject>, Vec<&Subject>) =
        subjects.iter().partition(|subject| subject.id == NEW_WHALE);
    let new_photos: usize = new.iter().map(|subject| in_train(subject)).sum();
    Summary {
        individuals: known.len(),
        single_photo_individuals: known
            .iter()
            .filter(|subject| in_train(subject) == 1)
            .count(),
        train_photos: new_photos + known.iter().map(|subject| in_train(subject)).sum::<usize>(),
        new_photos,
        test_photos: subjects
            .iter()
            .flat_map(|subject| &subject.photos)
            .filter(|photo| photo.set == Set::Test)
            .count(),
    }
}
