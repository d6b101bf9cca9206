//! CSV tables whose columns are found by name.

use crate::{Error, Result};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::io;
use std::path::Path;

/// The cells of one row in the order in which the columns were asked for, trimmed; a cell that the
/// row lacks is empty.
pub struct Row<const N: usize> {
    /// Line in the file, from 1; the header is on line 1.
    pub line: u64,
    /// The cells.
    pub cells: [String; N],
}

/// Reads the columns `wanted` of a table: any order, other columns ignored, with or without a byte
/// order mark, any line ends.
///
/// # Errors
/// [`Error::MissingFile`], [`Error::Read`], [`Error::NotText`], [`Error::Csv`] and
/// [`Error::MissingColumns`].
pub fn read_columns<const N: usize>(path: &Path, wanted: [&'static str; N]) -> Result<Vec<Row<N>>> {
    let text = read_text(path)?;
    let broken = |source| Error::Csv {
        path: path.to_owned(),
        source,
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(broken)?.clone();
    let columns = find_columns(path, &header, wanted)?;
    let mut lines = Lines::of(&text);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = lines.at(record
            .position()
            .map_or(0, |position| position.byte() as usize));
        let cells = columns.map(|column| record.get(column).unwrap_or_default().to_owned());
        rows.push(Row { line, cells });
    }
    Ok(rows)
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::MissingFile {
            path: path.to_owned(),
            wanted: "a table in CSV is expected there",
        },
        _ => Error::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Error::NotText {
            path: path.to_owned(),
            line: newlines(before) + 1,
        }
    })
}

/// Line numbers as an editor shows them. The reader's own are those of the line end before a row.
struct Lines<'a> {
    text: &'a [u8],
    line: u64,
    counted: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            line: 1,
            counted: 0,
        }
    }

    /// The line of the row that the reader says starts at `byte`, which may be at the line ends
    /// before it. Rows are asked for in order.
    fn at(&mut self, byte: usize) -> u64 {
        let is_row = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        let ahead = self.text.get(byte..).unwrap_or_default();
        let start = byte + ahead.iter().position(is_row).unwrap_or(0);
        self.line += newlines(self.text.get(self.counted..start).unwrap_or_default());
        self.counted = start;
        self.line
    }
}

fn newlines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn find_columns<const N: usize>(
    path: &Path,
    header: &StringRecord,
    wanted: [&'static str; N],
) -> Result<[usize; N]> {
    let places = wanted.map(|name| header.iter().position(|found| found == name));
    if places.contains(&None) {
        return Err(Error::MissingColumns {
            path: path.to_owned(),
            found: header.iter().map(str::to_owned).collect(),
            wanted: wanted.to_vec(),
        });
    }
    Ok(places.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, [String; 2])>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let rows = read_columns(file.path(), ["Image", "Id"])?;
        Ok(rows.into_iter().map(|row| (row.line, row.cells)).collect())
    }

    fn cells(image: &str, id: &str) -> [String; 2] {
        [image.to_owned(), id.to_owned()]
    }

    #[test]
    fn columns_are_found_by_name() {
        let rows = read("Site,Id,Image\nBay,w_1,a.jpg\nCape, w_2 ,b.jpg\n").unwrap();
        assert_eq!(
            rows,
            [(2, cells("a.jpg", "w_1")), (3, cells("b.jpg", "w_2"))]
        );
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
        let rows = read("\u{feff}Image,Id\r\na.jpg,w_1\r\n\r\nb.jpg,w_2\r\n").unwrap();
        assert_eq!(
            rows,
            [(2, cells("a.jpg", "w_1")), (4, cells("b.jpg", "w_2"))]
        );
    }

    #[test]
    fn a_cell_of_several_lines_does_not_shift_the_numbers_after_it() {
        let rows = read("Note,Image,Id\n\"two\nlines\",a.jpg,w_1\n,b.jpg,w_2\n").unwrap();
        assert_eq!(
            rows,
            [(2, cells("a.jpg", "w_1")), (4, cells("b.jpg", "w_2"))]
        );
    }

    #[test]
    fn a_short_row_has_empty_cells() {
        assert_eq!(
            read("Image,Id\na.jpg\n").unwrap(),
            [(2, cells("a.jpg", ""))]
        );
    }

    #[test]
    fn missing_columns_are_named_with_those_found() {
        let error = read("Photo;Id\na.jpg;w_1\n").unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("[Photo;Id]") && message.contains("[Image, Id]"),
            "{message}"
        );
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn an_empty_file_lacks_its_columns() {
        assert!(matches!(read(""), Err(Error::MissingColumns { found, .. }) if found.is_empty()));
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"Image,Id\r\na.jpg,w_1\r\nb.jpg,w_\xff\r\n").unwrap();
        let error = read_columns(file.path(), ["Image", "Id"]).err().unwrap();
        assert!(matches!(error, Error::NotText { line: 3, .. }), "{error}");
    }

    #[test]
    fn a_missing_table_is_named() {
        let error = read_columns(Path::new("no/such.csv"), ["Image"])
            .err()
            .unwrap();
        assert!(error.to_string().contains("no/such.csv"), "{error}");
        assert!(matches!(error, Error::MissingFile { .. }));
    }

    #[test]
    fn a_folder_is_no_table() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            read_columns(folder.path(), ["Image"]),
            Err(Error::Read { .. })
        ));
    }
}
