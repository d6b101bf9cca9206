//! A catalogue: the individuals and their photos, as tables and a folder give them.

use super::boxes::Boxes;
use super::check::{Size, check_photos};
use super::problem::{BadRows, RowProblem, report};
use super::table::{Row, read_columns};
use crate::{Error, Result};
use flukeprint_core::gallery::{Label, NEW_WHALE};
use flukeprint_core::photo::Region;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

/// Where a catalogue's tables and photos are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Table `Image,Id`.
    pub labels: PathBuf,
    /// Folder in which the files named by `Image` are.
    pub photos: PathBuf,
    /// Table `Image,x0,y0,x1,y1`: boxes in pixels of the upright photo, `x1` and `y1` exclusive.
    pub boxes: Option<PathBuf>,
}

impl Source {
    /// Kaggle's layout: `train.csv`, `train/` and, where it is there, `bounding_boxes.csv`.
    pub fn kaggle(root: &Path) -> Self {
        let boxes = root.join("bounding_boxes.csv");
        Self {
            labels: root.join("train.csv"),
            photos: root.join("train"),
            boxes: boxes.exists().then_some(boxes),
        }
    }
}

/// How to read a catalogue.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The individuals that count as known, in their order; every other Id is then a new whale.
    /// Without them every Id in the table is an individual.
    pub known: Option<&'a [String]>,
    /// Whether a table in which nobody has a name will do.
    pub nameless: bool,
    /// An existing folder for the list of bad rows; without it, the system's temporary folder.
    pub list_folder: Option<&'a Path>,
    /// Is told how many of how many photos are checked, from several threads.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            known: None,
            nameless: false,
            list_folder: None,
            progress: &|_, _| (),
        }
    }
}

/// A photo of a catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoEntry {
    /// Its file as the table names it, unique in the catalogue, with `/` between folders.
    pub file: String,
    /// Where the file is.
    pub path: PathBuf,
    /// Whose fluke it shows.
    pub label: Label,
    /// Where the fluke is in the upright photo, inside it; none where no box is given.
    pub region: Option<Region>,
    /// The size of the upright photo.
    pub size: Size,
}

/// Individuals and photos, all of them usable.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// The folder of photos.
    pub root: PathBuf,
    /// The known individuals: sorted by name, or as [`Reading::known`] gives them.
    pub individuals: Vec<String>,
    /// The photos in the table's order. A label [`Label::Individual`] counts in `individuals`.
    pub photos: Vec<PhotoEntry>,
}

impl Catalogue {
    /// Reads the tables and checks every photo, in parallel.
    ///
    /// # Errors
    /// One error for all that is wrong: a missing folder or table, missing columns, rows that cannot
    /// be used ([`Error::Row`], [`Error::Rows`]), no photo at all ([`Error::NoPhotos`]), and, unless
    /// the known individuals are given or none will do, no individual at all
    /// ([`Error::OnlyNewWhales`]).
    pub fn read(source: &Source, reading: &Reading<'_>) -> Result<Self> {
        if !source.photos.is_dir() {
            let wanted = "the folder of photos is expected there";
            return Err(Error::MissingFolder {
                path: source.photos.clone(),
                wanted,
            });
        }
        let mut labels = Labels::read(&source.labels)?;
        let mut boxes = source
            .boxes
            .as_deref()
            .map(Boxes::read_usable)
            .transpose()?;
        let photos = labels.check(&source.photos, boxes.as_mut(), reading.progress);
        labels.mark_bereft(&photos);
        let tables = [(labels.bad, labels.rows)].into_iter();
        let tables = tables
            .chain(boxes.map(|boxes| (boxes.bad, boxes.rows)))
            .collect();
        report(tables, reading.list_folder)?;
        if photos.is_empty() {
            return Err(Error::NoPhotos {
                path: source.labels.clone(),
            });
        }
        let individuals = match reading.known {
            Some(known) => known.to_vec(),
            None => individuals_of(&photos, &source.labels, reading.nameless)?,
        };
        Ok(Self {
            root: source.photos.clone(),
            photos: entries(photos, &individuals),
            individuals,
        })
    }

    /// The places in `photos` of every individual's photos, by individual.
    pub fn photos_by_individual(&self) -> Vec<Vec<usize>> {
        let mut by_individual = vec![Vec::new(); self.individuals.len()];
        for (place, photo) in self.photos.iter().enumerate() {
            if let Label::Individual(individual) = photo.label {
                by_individual[individual as usize].push(place);
            }
        }
        by_individual
    }

    /// The places in `photos` of the photos of unknown whales.
    pub fn new_whale_photos(&self) -> Vec<usize> {
        let is_new = |&place: &usize| self.photos[place].label == Label::New;
        (0..self.photos.len()).filter(is_new).collect()
    }

    /// Makes sure that every individual has a photo among `photos`, which `place` describes in the
    /// message ("training photos").
    ///
    /// # Errors
    /// [`Error::WhaleWithoutPhoto`] with the first that has none.
    pub fn require_each_individual(&self, photos: &[usize], place: &str) -> Result<()> {
        let mut has_photo = vec![false; self.individuals.len()];
        for &photo in photos {
            if let Label::Individual(individual) = self.photos[photo].label {
                has_photo[individual as usize] = true;
            }
        }
        match self
            .individuals
            .iter()
            .zip(has_photo)
            .find(|&(_, has_photo)| !has_photo)
        {
            Some((name, _)) => Err(Error::WhaleWithoutPhoto {
                name: name.clone(),
                place: place.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// A row of the table of labels that can be used so far.
struct Labelled {
    line: u64,
    file: String,
    id: String,
}

/// A labelled photo that is usable.
struct Usable {
    labelled: Labelled,
    path: PathBuf,
    size: Size,
    region: Option<Region>,
}

/// The table of labels.
struct Labels {
    /// The rows that can be used so far.
    usable: Vec<Labelled>,
    /// The Ids of rows that cannot be used, by line.
    lost: BTreeMap<u64, String>,
    rows: usize,
    bad: BadRows,
}

impl Labels {
    fn read(path: &Path) -> Result<Self> {
        let rows = read_columns(path, ["Image", "Id"])?;
        let mut labels = Self {
            usable: Vec::new(),
            lost: BTreeMap::new(),
            rows: rows.len(),
            bad: BadRows::of(path),
        };
        let mut first_rows = HashMap::new();
        for row in rows {
            labels.insert(row, &mut first_rows);
        }
        Ok(labels)
    }

    fn insert(&mut self, row: Row<2>, first_rows: &mut HashMap<String, (u64, String)>) {
        let Row {
            line,
            cells: [image, id],
        } = row;
        let file = inside(&image);
        let first = file.as_ref().and_then(|file| first_rows.get(file));
        let problem = match (file, first) {
            _ if image.is_empty() => RowProblem::NoImage,
            (None, _) => RowProblem::LeavesFolder { image },
            (_, Some((first, label))) => RowProblem::Repeated {
                image,
                first: *first,
                label: label.clone(),
            },
            (Some(file), None) => {
                first_rows.insert(file.clone(), (line, id.clone()));
                if !id.is_empty() {
                    self.usable.push(Labelled { line, file, id });
                    return;
                }
                RowProblem::NoLabel { image }
            }
        };
        self.lose(line, id, problem);
    }

    fn lose(&mut self, line: u64, id: String, problem: RowProblem) {
        self.bad.push(line, problem);
        self.lost.insert(line, id);
    }

    /// The rows whose photos are usable, with their boxes; the others become bad rows.
    fn check(
        &mut self,
        folder: &Path,
        mut boxes: Option<&mut Boxes>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Vec<Usable> {
        let labelled = std::mem::take(&mut self.usable);
        let paths: Vec<PathBuf> = labelled.iter().map(|row| folder.join(&row.file)).collect();
        let checked = check_photos(&paths, progress);
        let mut usable = Vec::with_capacity(labelled.len());
        for ((labelled, path), checked) in labelled.into_iter().zip(paths).zip(checked) {
            match checked {
                Ok(size) => {
                    let region = boxes
                        .as_mut()
                        .and_then(|boxes| boxes.take(&labelled.file, size));
                    usable.push(Usable {
                        labelled,
                        path,
                        size,
                        region,
                    });
                }
                Err(problem) => {
                    let Labelled {
                        line,
                        file: image,
                        id,
                    } = labelled;
                    self.lose(line, id, RowProblem::Photo { image, problem });
                }
            }
        }
        usable
    }

    /// Notes on the last lost row of every individual that has no usable one.
    fn mark_bereft(&mut self, usable: &[Usable]) {
        let alive: BTreeSet<&str> = usable
            .iter()
            .map(|photo| photo.labelled.id.as_str())
            .collect();
        let whales = self
            .lost
            .iter()
            .filter(|(_, id)| !id.is_empty() && *id != NEW_WHALE);
        let bereft = whales.filter(|(_, id)| !alive.contains(id.as_str()));
        let last_rows: BTreeMap<&String, u64> = bereft.map(|(line, id)| (id, *line)).collect();
        for (id, line) in last_rows {
            self.bad.mark_bereft(line, id);
        }
    }
}

/// `image` as a path inside the folder of photos, with `.` and doubled separators gone; none where
/// it would leave the folder.
fn inside(image: &str) -> Option<String> {
    if image.contains(['\\', '\0']) {
        return None; // a separator on some systems and not on others
    }
    let mut parts = Vec::new();
    for component in Path::new(image).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => (),
            _ => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn individuals_of(photos: &[Usable], labels: &Path, nameless: bool) -> Result<Vec<String>> {
    let ids = photos.iter().map(|photo| photo.labelled.id.as_str());
    let individuals: BTreeSet<&str> = ids.filter(|&id| id != NEW_WHALE).collect();
    if individuals.is_empty() && !nameless {
        return Err(Error::OnlyNewWhales {
            path: labels.to_owned(),
        });
    }
    Ok(individuals.into_iter().map(str::to_owned).collect())
}

fn entries(photos: Vec<Usable>, individuals: &[String]) -> Vec<PhotoEntry> {
    let known = individuals.iter().map(String::as_str).zip(0..);
    let numbers: HashMap<&str, u32> = known.filter(|&(id, _)| id != NEW_WHALE).collect();
    let label = |id: &str| {
        numbers
            .get(id)
            .map_or(Label::New, |&number| Label::Individual(number))
    };
    let entry = |Usable {
                     labelled,
                     path,
                     size,
                     region,
                 }| PhotoEntry {
        label: label(&labelled.id),
        file: labelled.file,
        path,
        region,
        size,
    };
    photos.into_iter().map(entry).collect()
}
