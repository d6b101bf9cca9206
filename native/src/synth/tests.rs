//! What a user of the catalogue relies on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::dice::{Dice, Stream};
use super::photo::{self, Shot};
use super::whale::Whale;
use super::{Counts, NEW_WHALE, Summary, SynthConfig, SynthError, write_catalogue};

fn small() -> SynthConfig {
    SynthConfig {
        seed: 7,
        individuals: 4,
        new_photos: 3,
        test_photos: 4,
        photo_width: 72,
        pose_percent: 100,
        photos_per_individual: Counts::Each(2),
    }
}

fn write(config: &SynthConfig, out: &Path) -> Result<Summary, SynthError> {
    write_catalogue(config, out, &|_, _| ())
}

/// Every file of a folder by its path inside it.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for part in [".", "train", "test"] {
        for entry in fs::read_dir(root.join(part)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                let name = format!("{part}/{}", entry.file_name().to_string_lossy());
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn drawn(config: &SynthConfig, threads: usize) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("catalogue");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| write(config, &out)).unwrap();
    files(&out)
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut table = csv::Reader::from_path(path).unwrap();
    table
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn a_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let once = drawn(&small(), 1);
    assert_eq!(once.len(), 4 * 2 + 3 + 4 + 4);
    assert!(once == drawn(&small(), 3));
}

#[test]
fn another_seed_gives_other_whales_and_names() {
    let other = drawn(&SynthConfig { seed: 8, ..small() }, 2);
    let photos = |files: BTreeMap<String, Vec<u8>>| -> (BTreeSet<String>, BTreeSet<Vec<u8>>) {
        files
            .into_iter()
            .filter(|(name, _)| name.ends_with(".jpg"))
            .unzip()
    };
    let (names, bytes) = photos(drawn(&small(), 2));
    let (other_names, other_bytes) = photos(other);
    assert!(names.is_disjoint(&other_names));
    assert!(bytes.is_disjoint(&other_bytes));
}

#[test]
fn every_photo_has_a_row_and_a_box_inside_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("catalogue");
    let summary = write(&small(), &out).unwrap();
    let wanted = Summary {
        individuals: 4,
        single_photo_individuals: 0,
        train_photos: 11,
        new_photos: 3,
        test_photos: 4,
    };
    assert_eq!(summary, wanted);
    let boxes: BTreeMap<String, Vec<u32>> = rows(&out.join("bounding_boxes.csv"))
        .into_iter()
        .map(|row| {
            (
                row[0].clone(),
                row[1..].iter().map(|n| n.parse().unwrap()).collect(),
            )
        })
        .collect();
    let mut seen = BTreeSet::new();
    for set in ["train", "test"] {
        let labels = rows(&out.join(format!("{set}.csv")));
        assert_eq!(labels.len(), fs::read_dir(out.join(set)).unwrap().count());
        for row in labels {
            let photo = image::open(out.join(set).join(&row[0])).unwrap();
            let [x0, y0, x1, y1] = boxes[&row[0]][..] else {
                unreachable!()
            };
            assert!(x0 < x1 && x1 <= photo.width(), "{row:?}");
            assert!(y0 < y1 && y1 <= photo.height(), "{row:?}");
            assert!(seen.insert(row[0].clone()), "{} has two rows", row[0]);
        }
    }
    assert_eq!(seen.len(), boxes.len());
    let read: SynthConfig =
        serde_json::from_slice(&fs::read(out.join("synth.json")).unwrap()).unwrap();
    assert_eq!(read, small());
}

#[test]
fn ids_look_like_the_competitions_and_new_whales_share_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("catalogue");
    write(&small(), &out).unwrap();
    let mut photos = BTreeMap::<String, usize>::new();
    for row in rows(&out.join("train.csv")) {
        *photos.entry(row[1].clone()).or_default() += 1;
    }
    assert_eq!(photos.remove(NEW_WHALE), Some(3));
    assert_eq!(photos.len(), 4);
    for (id, count) in photos {
        let hash = id.strip_prefix("w_").unwrap();
        assert!(
            hash.len() == 7 && hash.chars().all(|c| c.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(count, 2, "{id}");
    }
}

/// The competition: 5,004 whales, 15,697 photos of them, 2,073 with one photo, the most 73;
/// 9,664 more photos of unnamed whales, 7,960 in the test set.
#[test]
fn the_counts_follow_the_competition() {
    let counts = Counts::Competition.of(5004);
    let total: u32 = counts.iter().sum();
    assert_eq!(counts.iter().filter(|&&count| count == 1).count(), 2073);
    assert!(total.abs_diff(15_697) < 100, "{total} photos");
    assert!((50..=73).contains(counts.last().unwrap()));
    let config = SynthConfig::like_the_competition(5004);
    assert!(
        config.new_photos.abs_diff(9664) < 70,
        "{}",
        config.new_photos
    );
    assert!(
        config.test_photos.abs_diff(7960) < 70,
        "{}",
        config.test_photos
    );
}

#[test]
fn small_catalogues_have_the_same_shape() {
    for individuals in [50_u32, 120, 300, 1000] {
        let counts = Counts::Competition.of(individuals);
        let mean = f64::from(counts.iter().sum::<u32>()) / f64::from(individuals);
        let singles =
            counts.iter().filter(|&&count| count == 1).count() as f64 / f64::from(individuals);
        assert!(
            (2.8..3.3).contains(&mean),
            "{individuals} whales: {mean} photos each"
        );
        assert!(
            (0.39..0.44).contains(&singles),
            "{individuals} whales: {singles} with one photo"
        );
    }
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note.txt");
    fs::write(&note, "mine").unwrap();
    for path in [folder.path(), &note] {
        let error = write(&small(), path).unwrap_err();
        assert!(matches!(error, SynthError::NotEmpty { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&note).unwrap(), "mine");
}

#[test]
fn an_empty_folder_is_filled_and_nothing_else_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("catalogue");
    fs::create_dir(&out).unwrap();
    write(&small(), &out).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 6);
}

#[test]
fn settings_out_of_range_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        (
            "individuals",
            SynthConfig {
                individuals: 0,
                ..small()
            },
        ),
        (
            "photo_width",
            SynthConfig {
                photo_width: 8,
                ..small()
            },
        ),
        (
            "pose_percent",
            SynthConfig {
                pose_percent: 101,
                ..small()
            },
        ),
        (
            "photos_per_individual",
            SynthConfig {
                photos_per_individual: Counts::Each(0),
                ..small()
            },
        ),
    ];
    for (name, config) in wrong {
        let error = write(&config, &folder.path().join("catalogue")).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn progress_counts_every_photo_once() {
    let folder = tempfile::tempdir().unwrap();
    let heard = std::sync::Mutex::new(BTreeSet::new());
    let note = |done, total| {
        assert_eq!(total, 15);
        assert!(heard.lock().unwrap().insert(done));
    };
    write_catalogue(&small(), &folder.path().join("catalogue"), &note).unwrap();
    assert_eq!(heard.into_inner().unwrap(), (1..=15).collect());
}

/// The photo's brightness at the places where the camera sees a grid of points of the fluke, less
/// its mean over each lobe: what is left of pose and placement is gone, the pattern stays.
fn unwrapped(shot: &Shot, whale: &Whale) -> Vec<f32> {
    let mut pattern = Vec::new();
    for lobe in [-1.0_f32, 1.0] {
        let mut values = Vec::new();
        for across in 2..18_u8 {
            let u = lobe * f32::from(across) / 20.0;
            let (low, high) = (whale.outline.leading(u), whale.outline.trailing(u));
            for up in 8..20_u8 {
                let seen = shot
                    .view
                    .project(u, low + (high - low) * f32::from(up) / 21.0);
                let pixel = shot
                    .pixels
                    .get_pixel_checked(seen.x.max(0.0) as u32, seen.y.max(0.0) as u32);
                values.push(pixel.map_or(f32::NAN, |pixel| f32::from(pixel.0[1])));
            }
        }
        let known: Vec<f32> = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        let mean = known.iter().sum::<f32>() / known.len().max(1) as f32;
        pattern.extend(
            values
                .iter()
                .map(|value| if value.is_finite() { value - mean } else { 0.0 }),
        );
    }
    pattern
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt().max(1e-9)
}

/// Whoever undoes the pose can tell eight whales apart by brightness alone, although light, water
/// and blur stay in. By chance one in eight would be right.
#[test]
fn a_whale_keeps_its_pattern_from_photo_to_photo() {
    const WHALES: u32 = 8;
    let patterns: Vec<Vec<Vec<f32>>> = (0..WHALES)
        .map(|number| {
            let whale = Whale::new(3, number, 256);
            let photo = |of: u32| {
                photo::take(
                    &whale,
                    &mut Dice::new(3, Stream::Photo(4 * number + of)),
                    240,
                    1.0,
                )
            };
            (0..4).map(|of| unwrapped(&photo(of), &whale)).collect()
        })
        .collect();
    let mut right = 0;
    for (number, mine) in patterns.iter().enumerate() {
        for query in &mine[1..] {
            let likeness = |whale: &usize| correlation(&patterns[*whale][0], query);
            let best = (0..patterns.len()).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            right += usize::from(best == Some(number));
        }
    }
    assert!(right >= 12, "{right} of 24 are named rightly");
}

#[test]
fn a_whale_is_the_same_at_every_size_of_its_painting() {
    let (coarse, fine) = (Whale::new(3, 5, 512), Whale::new(3, 5, 1024));
    let (mut apart, mut points) = (0.0, 0.0);
    for step in -90..=90_i16 {
        let u = f32::from(step) / 100.0;
        assert_eq!(
            coarse.outline.trailing(u).to_bits(),
            fine.outline.trailing(u).to_bits()
        );
        let v = 0.5 * (coarse.outline.trailing(u) + coarse.outline.leading(u).max(-0.5));
        apart += (coarse.skin(u, v, 0.01).white - fine.skin(u, v, 0.01).white).abs();
        points += 1.0;
    }
    assert!(apart / points < 0.03, "mean difference {}", apart / points);
}
