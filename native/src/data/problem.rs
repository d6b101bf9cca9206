//! Rows that cannot be used, and how they are reported: one alone in one line, many in one line and
//! a list.

use super::check::PhotoProblem;
use super::write::write_atomically;
use crate::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// The name of the list in the folder that the caller gives.
const LIST: &str = "bad-rows.txt";

/// A row of a table that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// The table's file name.
    pub table: String,
    /// Line in the file, from 1.
    pub line: u64,
    /// Why.
    pub problem: RowProblem,
    /// The individual that has no photo left because of it.
    pub bereft: Option<String>,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: {}", self.table, self.line, self.problem)?;
        match &self.bereft {
            Some(name) => write!(f, "; whale `{name}` is left with no photo"),
            None => Ok(()),
        }
    }
}

/// Why a row cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// No file is named.
    #[error("the column Image is empty; name the photo's file or remove the row")]
    NoImage,
    /// No individual is named.
    #[error("photo `{image}` has no Id; name the individual, or `new_whale`")]
    NoLabel {
        /// The photo.
        image: String,
    },
    /// The file would lie outside the folder.
    #[error("photo `{image}` lies outside the folder of photos; name a file inside it")]
    LeavesFolder {
        /// The photo.
        image: String,
    },
    /// The photo is listed already.
    #[error("photo `{image}` is listed already on line {first} as `{label}`; keep one of the rows")]
    Repeated {
        /// The photo.
        image: String,
        /// The line that lists it first.
        first: u64,
        /// Its label there.
        label: String,
    },
    /// The photo has a box already.
    #[error("photo `{image}` has a box already on line {first}; keep one of the rows")]
    RepeatedBox {
        /// The photo.
        image: String,
        /// The line with its first box.
        first: u64,
    },
    /// The photo's file cannot be used.
    #[error("photo `{image}` {problem}")]
    Photo {
        /// The photo.
        image: String,
        /// What is wrong with it.
        problem: PhotoProblem,
    },
    /// A side of the box is not a number.
    #[error("the box of photo `{image}` has {column} = `{value}`, which is not a number of pixels")]
    NotANumber {
        /// The photo.
        image: String,
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// The box is empty or its corners are swapped.
    #[error(
        "the box of photo `{image}`, {sides}, is inside out; x0 must be below x1 and y0 below y1"
    )]
    InsideOut {
        /// The photo.
        image: String,
        /// The box.
        sides: String,
    },
    /// The box reaches outside the photo.
    #[error(
        "the box of photo `{image}`, {sides}, reaches outside the photo of {width} x {height} pixels"
    )]
    Outside {
        /// The photo.
        image: String,
        /// The box.
        sides: String,
        /// Width of the upright photo.
        width: u32,
        /// Height of the upright photo.
        height: u32,
    },
}

/// The bad rows of one table.
#[derive(Debug)]
pub struct BadRows {
    table: String,
    rows: Vec<BadRow>,
}

impl BadRows {
    /// None yet, of the table at `path`.
    pub fn of(path: &Path) -> Self {
        let table = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Self {
            table,
            rows: Vec::new(),
        }
    }

    /// One more.
    pub fn push(&mut self, line: u64, problem: RowProblem) {
        self.rows.push(BadRow {
            table: self.table.clone(),
            line,
            problem,
            bereft: None,
        });
    }

    /// Notes on the row at `line` that it leaves an individual without a photo.
    pub fn mark_bereft(&mut self, line: u64, name: &str) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.line == line) {
            row.bereft = Some(name.to_owned());
        }
    }

    /// The lines that cannot be used.
    #[cfg(test)]
    pub fn lines(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|row| row.line)
    }
}

/// Nothing when no table has a bad row; otherwise the error that names the one, or the first of
/// many with a list of all.
///
/// `tables` pairs the bad rows of each table with its number of rows. The list goes to
/// `list_folder`, or to the system's temporary folder where none is given or it does not exist.
pub fn report(tables: Vec<(BadRows, usize)>, list_folder: Option<&Path>) -> Result<(), Error> {
    let concerned = tables.into_iter().filter(|(bad, _)| !bad.rows.is_empty());
    let (mut all, mut total) = (Vec::new(), 0);
    for (mut bad, rows) in concerned {
        bad.rows.sort_by_key(|row| row.line);
        all.append(&mut bad.rows);
        total += rows;
    }
    let Some(first) = all.first().cloned().map(Box::new) else {
        return Ok(());
    };
    if all.len() == 1 {
        return Err(Error::Row(first));
    }
    let list = write_list(&all, list_folder);
    Err(Error::Rows {
        bad: all.len(),
        total,
        first,
        list,
    })
}

/// Where the list is, or nothing where it could not be written: the rows are the news, and a full
/// disk must not hide them.
fn write_list(rows: &[BadRow], folder: Option<&Path>) -> Option<PathBuf> {
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let path = match folder.filter(|folder| folder.is_dir()) {
        Some(folder) => folder.join(LIST),
        None => std::env::temp_dir().join(format!("flukeprint-{}-{LIST}", std::process::id())),
    };
    write_atomically(&path, text.as_bytes()).ok().map(|()| path)
}
