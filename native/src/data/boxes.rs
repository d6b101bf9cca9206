//! Fluke boxes: a table `Image,x0,y0,x1,y1` in pixels of the upright photo, `x1` and `y1` exclusive.

use super::check::Size;
use super::problem::{BadRows, RowProblem, report};
use super::table::{Row, read_columns};
use crate::Result;
use flukeprint_core::photo::Region;
use std::collections::HashMap;
use std::path::Path;

/// How far a box may reach outside its photo, in pixels: public box tables are rounded, and some
/// count the last pixel in. What is beyond is clipped.
const ROUNDING: f32 = 1.0;

const SIDES: [&str; 4] = ["x0", "y0", "x1", "y1"];

/// The boxes of a table by photo.
pub struct Boxes {
    by_image: HashMap<String, (u64, Region)>,
    /// Rows of the table.
    pub(super) rows: usize,
    /// The rows that cannot be used so far.
    pub(super) bad: BadRows,
}

impl Boxes {
    /// Reads the table. Boxes of photos that are in no catalogue are kept: Kaggle's table covers
    /// both its train and its test photos.
    ///
    /// # Errors
    /// When the table cannot be read, or a row of it cannot be used.
    pub fn read(path: &Path) -> Result<Self> {
        let mut boxes = Self::read_usable(path)?;
        let bad = std::mem::replace(&mut boxes.bad, BadRows::of(path));
        report(vec![(bad, boxes.rows)], None)?;
        Ok(boxes)
    }

    /// The same, but rows that cannot be used go to `bad`, to be reported with those found later.
    pub(super) fn read_usable(path: &Path) -> Result<Self> {
        let rows = read_columns(path, ["Image", SIDES[0], SIDES[1], SIDES[2], SIDES[3]])?;
        let mut boxes = Self {
            by_image: HashMap::new(),
            rows: rows.len(),
            bad: BadRows::of(path),
        };
        for row in rows {
            boxes.insert(row);
        }
        Ok(boxes)
    }

    fn insert(&mut self, row: Row<5>) {
        let [image, sides @ ..] = row.cells;
        let first = self.by_image.get(&image).map(|&(line, _)| line);
        let problem = match (first, parse(&image, &sides)) {
            _ if image.is_empty() => RowProblem::NoImage,
            (Some(first), _) => RowProblem::RepeatedBox { image, first },
            (None, Err(problem)) => problem,
            (None, Ok(region)) => {
                self.by_image.insert(image, (row.line, region));
                return;
            }
        };
        self.bad.push(row.line, problem);
    }

    /// The box of `image` as the table has it, which need not lie in the photo.
    pub fn region(&self, image: &str) -> Option<Region> {
        self.by_image.get(image).map(|&(_, region)| region)
    }

    /// The box of `image`, whose upright photo has `size`; none where the table has none or one
    /// that is refused.
    pub(super) fn take(&mut self, image: &str, size: Size) -> Option<Region> {
        let &(line, region) = self.by_image.get(image)?;
        let (width, height) = (size.width as f32, size.height as f32);
        let clipped = Region {
            x0: region.x0.max(0.0),
            y0: region.y0.max(0.0),
            x1: region.x1.min(width),
            y1: region.y1.min(height),
        };
        let moved = [
            clipped.x0 - region.x0,
            clipped.y0 - region.y0,
            region.x1 - clipped.x1,
            region.y1 - clipped.y1,
        ];
        let empty = clipped.x0 >= clipped.x1 || clipped.y0 >= clipped.y1;
        if empty || moved.iter().any(|&by| by > ROUNDING) {
            let Size { width, height } = size;
            let sides = shown(region);
            self.bad.push(
                line,
                RowProblem::Outside {
                    image: image.to_owned(),
                    sides,
                    width,
                    height,
                },
            );
            return None;
        }
        Some(clipped)
    }
}

fn parse(image: &str, sides: &[String; 4]) -> std::result::Result<Region, RowProblem> {
    let mut numbers = [0.0_f32; 4];
    for ((number, cell), column) in numbers.iter_mut().zip(sides).zip(SIDES) {
        let parsed = cell.parse().ok().filter(|value: &f32| value.is_finite());
        *number = parsed.ok_or_else(|| RowProblem::NotANumber {
            image: image.to_owned(),
            column,
            value: cell.clone(),
        })?;
    }
    let [x0, y0, x1, y1] = numbers;
    let region = Region { x0, y0, x1, y1 };
    if x0 < x1 && y0 < y1 {
        Ok(region)
    } else {
        Err(RowProblem::InsideOut {
            image: image.to_owned(),
            sides: shown(region),
        })
    }
}

fn shown(Region { x0, y0, x1, y1 }: Region) -> String {
    format!("({x0}, {y0}) to ({x1}, {y1})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size {
        width: 40,
        height: 20,
    };

    fn boxes(rows: &str) -> Boxes {
        Boxes::read_usable(table(rows).path()).unwrap()
    }

    fn table(rows: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("Image,x0,y0,x1,y1\n{rows}")).unwrap();
        file
    }

    #[test]
    fn a_table_read_by_itself_is_refused_with_the_row_that_cannot_be_used() {
        let boxes = Boxes::read(table("a.jpg,1,2,30,20\n").path()).unwrap();
        assert_eq!(
            boxes.region("a.jpg"),
            Some(Region {
                x0: 1.0,
                y0: 2.0,
                x1: 30.0,
                y1: 20.0
            })
        );
        let error = Boxes::read(table("a.jpg,1,2,30,20\nb.jpg,9,0,3,9\n").path())
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .contains("line 3: the box of photo `b.jpg`"),
            "{error}"
        );
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_box_is_read_as_it_stands() {
        let region = boxes("a.jpg,1,2,40,19.5\n").take("a.jpg", SIZE);
        assert_eq!(
            region,
            Some(Region {
                x0: 1.0,
                y0: 2.0,
                x1: 40.0,
                y1: 19.5
            })
        );
    }

    #[test]
    fn a_photo_without_a_box_has_none() {
        let mut boxes = boxes("a.jpg,1,2,40,20\n");
        assert_eq!(boxes.take("b.jpg", SIZE), None);
        assert_eq!(boxes.bad.lines().count(), 0);
    }

    #[test]
    fn one_pixel_of_rounding_is_clipped() {
        let region = boxes("a.jpg,-1,-0.5,41,20.9\n").take("a.jpg", SIZE);
        assert_eq!(
            region,
            Some(Region {
                x0: 0.0,
                y0: 0.0,
                x1: 40.0,
                y1: 20.0
            })
        );
    }

    #[test]
    fn a_box_outside_the_photo_is_refused_with_its_line() {
        for row in [
            "-2,0,9,9",
            "0,-2,9,9",
            "0,0,42,9",
            "0,0,9,22",
            "40.2,0,40.8,9",
        ] {
            let mut boxes = boxes(&format!("z.jpg,0,0,1,1\na.jpg,{row}\n"));
            assert_eq!(boxes.take("a.jpg", SIZE), None, "{row}");
            assert_eq!(boxes.bad.lines().collect::<Vec<_>>(), [3], "{row}");
        }
    }

    #[test]
    fn rows_that_are_no_box_are_refused() {
        for row in [
            "a.jpg,9,0,3,9",
            "a.jpg,0,5,3,5",
            "a.jpg,x,0,3,9",
            "a.jpg,0,0,NaN,9",
            "a.jpg,0,0,3",
            ",0,0,3,3",
        ] {
            let mut boxes = boxes(&format!("{row}\n"));
            assert_eq!(boxes.bad.lines().collect::<Vec<_>>(), [2], "{row}");
            assert_eq!(boxes.take("a.jpg", SIZE), None, "{row}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_lies_in_the_photo(sides in prop::array::uniform4(-5f32..50.0)) {
            let [x0, y0, x1, y1] = sides;
            let mut boxes = boxes(&format!("a.jpg,{x0},{y0},{x1},{y1}\n"));
            if let Some(region) = boxes.take("a.jpg", SIZE) {
                prop_assert!(0.0 <= region.x0 && region.x0 < region.x1 && region.x1 <= 40.0);
                prop_assert!(0.0 <= region.y0 && region.y0 < region.y1 && region.y1 <= 20.0);
                prop_assert!((region.x0 - x0).abs() <= 1.0 && (region.y1 - y1).abs() <= 1.0);
            } else {
                prop_assert_eq!(boxes.bad.lines().count(), 1);
            }
        }
    }
}
