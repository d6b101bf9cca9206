//! Which photo a table means by a name.

use super::photos::PhotoFile;
use crate::data::Boxes;
use crate::{Error, Result};
use flukeprint_core::photo::Region;
use std::collections::HashMap;
use std::path::Path;

/// Photos by their names. A photo in a folder has two: its path in the folder, which comes first, and
/// its file name alone, which may not be its own.
#[derive(Debug)]
pub struct Names<'a> {
    photos: &'a [PhotoFile],
    whole: HashMap<&'a str, Vec<usize>>,
    last: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Names<'a> {
    /// The names of `photos`.
    pub fn new(photos: &'a [PhotoFile]) -> Self {
        let by = |name: fn(&PhotoFile) -> &str| {
            let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
            for (number, photo) in photos.iter().enumerate() {
                names.entry(name(photo)).or_default().push(number);
            }
            names
        };
        Self {
            photos,
            whole: by(|photo| &photo.name),
            last: by(PhotoFile::file_name),
        }
    }

    /// The place of the photo that `table` calls `name`; `None` when it is none of them.
    ///
    /// # Errors
    /// [`Error::SameName`] when it could be either of two.
    pub fn find(&self, name: &str, table: &Path) -> Result<Option<usize>> {
        let meant = self.whole.get(name).or_else(|| self.last.get(name));
        match meant.map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(Some(*one)),
            Some([one, other, ..]) => Err(Error::SameName {
                table: table.to_owned(),
                name: name.to_owned(),
                one: self.photos[*one].path.clone(),
                other: self.photos[*other].path.clone(),
            }),
        }
    }

    /// The box of every photo in a table Image,x0,y0,x1,y1, where it has one.
    ///
    /// # Errors
    /// When the table cannot be read, or [`Error::SameName`].
    pub fn boxes(&self, table: &Path) -> Result<Vec<Option<Region>>> {
        let boxes = Boxes::read(table)?;
        let of_photo = |photo: &PhotoFile| {
            for name in [photo.name.as_str(), photo.file_name()] {
                if let Some(region) = boxes.region(name) {
                    // That another photo may be meant is an error.
                    return Ok(self.find(name, table)?.map(|_| region));
                }
            }
            Ok(None)
        };
        self.photos.iter().map(of_photo).collect()
    }
}
