//! Small folders of photos for the tests of this room.

use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A gray gradient.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = GrayImage::from_fn(width, height, |x, y| Luma([(x * 5 + y * 9) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    // The WebP encoder takes no gray.
    let image = image::DynamicImage::ImageLuma8(image).into_rgb8();
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG with an APP1 segment of `content` after its first marker.
pub fn with_exif(jpeg: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, content, &jpeg[2..]].concat()
}

/// A folder in Kaggle's layout.
pub struct Folder(TempDir);

impl Folder {
    /// With the photos of `rows`, each 40 x 20 pixels, and a `train.csv` of them.
    pub fn with(rows: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("train")).unwrap();
        for (image, _) in rows {
            folder.photo(image, &picture(40, 20, ImageFormat::Jpeg));
        }
        let lines: String = rows
            .iter()
            .map(|(image, id)| format!("{image},{id}\n"))
            .collect();
        folder.table("train.csv", &format!("Image,Id\n{lines}"));
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a photo's file.
    pub fn photo(&self, image: &str, bytes: &[u8]) {
        std::fs::write(self.path().join("train").join(image), bytes).unwrap();
    }

    /// Writes a table.
    pub fn table(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The names of all files, to see that nothing was left behind.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
