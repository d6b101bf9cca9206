//! Photos of spots, and a bundle with their keypoints.

use super::{contents, now};
use flukeprint_core::bundle::{Contents, EvidenceFacts, FileEntry, StaticFile};
use flukeprint_core::decision::EvidenceParameters;
use flukeprint_core::evidence::file::encode;
use flukeprint_core::evidence::probability::Curve;
use flukeprint_core::evidence::verify::CompareOptions;
use flukeprint_core::evidence::{Chip, Features, Networks, Options, features};
use flukeprint_core::identify::{Embedding, Identifier};
use flukeprint_core::photo::{Photo, Region};

pub const WHOLE: Region = Region {
    x0: 0.0,
    y0: 0.0,
    x1: 240.0,
    y1: 120.0,
};

/// A photo of spots; other numbers lie elsewhere.
pub fn photo(number: u32) -> Photo {
    let mut pixels = vec![120_u8; 3 * 240 * 120];
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(99);
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..90 {
        let (x, y, radius) = (draw(240) as i32, draw(120) as i32, 2 + draw(6) as i32);
        let gray = draw(256) as u8;
        for row in (y - radius).max(0)..(y + radius).min(120) {
            for column in (x - radius).max(0)..(x + radius).min(240) {
                if (row - y).pow(2) + (column - x).pow(2) < radius.pow(2) {
                    let at = 3 * (row * 240 + column) as usize;
                    pixels[at..at + 3].fill(gray);
                }
            }
        }
    }
    Photo {
        width: 240,
        height: 120,
        pixels,
    }
}

/// A photo without a spot.
pub fn gray() -> Photo {
    Photo {
        width: 240,
        height: 120,
        pixels: vec![128; 3 * 240 * 120],
    }
}

pub fn facts() -> EvidenceFacts {
    EvidenceFacts {
        chip: Chip {
            width: 160,
            margin: 0.0,
        },
        options: Options::default(),
        compare: CompareOptions::default(),
        parameters: EvidenceParameters {
            whales: 3,
            photos: 1,
            worth: Curve::new(vec![[4.0, 0.0], [12.0, 1.0]]).unwrap(),
            odds_weight: 0.25,
            votes_weight: 0.0,
            edge_weight: 0.0,
            clear_edge_weight: 0.0,
            new_raise: 0.0,
            new_fall: 0.0,
            sharpness: 4.0,
            first_slope: 1.0,
            first_offset: 0.0,
            new_first: None,
        },
        search: None,
    }
}

pub fn look(photo: &Photo) -> Features {
    let facts = facts();
    let image = facts.chip.image(photo, WHOLE).unwrap();
    let device = burn::tensor::Device::flex();
    now(features(
        &image,
        &facts.options,
        &Networks::default(),
        &device,
    ))
    .unwrap()
}

/// Whale i is on photo i.
pub fn with_keypoints() -> (Contents, Vec<StaticFile>) {
    let mut contents = contents();
    contents.evidence = Some(facts());
    let mut files = Vec::new();
    for (number, row) in (0..).zip(&mut contents.photos) {
        let (entry, file) = FileEntry::of_keypoints(encode(&look(&photo(number))));
        row.keypoints = Some(entry);
        files.push(file);
    }
    (contents, files)
}

pub fn bytes_of(files: &[StaticFile], path: &str) -> Vec<u8> {
    let file = files.iter().find(|file| file.path == path);
    file.unwrap().bytes.clone()
}

pub fn embed(identifier: &Identifier, photo: &Photo) -> Embedding {
    let embedded = identifier.embed_photo(photo, Some(WHOLE), |_| ());
    now(embedded).unwrap().2
}
