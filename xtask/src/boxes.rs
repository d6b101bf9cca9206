//! Photos that were squashed to a square, with boxes in the pixels of the originals, as a catalogue that
//! a fluke finder can be trained on.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::site;

/// The side that all photos were squashed to, pixels.
const SIDE: f64 = 100.0;
/// A box of less than this share of a side is a slip of the mouse or a broken row.
const LEAST: f64 = 0.05;
/// They show somebody, but nobody says whom.
const SOMEBODY: &str = "somebody";

/// Writes the catalogue `out` from `photos/` and `boxes.csv` (`Image,width,height,x0,y0,x1,y1`) in
/// `source`. Boxes are cut off at the edge of their photo; of a photo with a broken box the whole is
/// left out.
pub fn catalogue(source: &Path, out: &Path) -> Result<()> {
    let table = source.join("boxes.csv");
    let text =
        fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let (labels, boxes) =
        tables(&text).with_context(|| format!("{} is no table of boxes", table.display()))?;
    let photos = out.join("train");
    if !photos.exists() {
        site::copy(&source.join("photos"), &photos)?;
    }
    for (name, text) in [("train.csv", labels), ("bounding_boxes.csv", boxes)] {
        let path = out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// `train.csv` and `bounding_boxes.csv` of the squashed photos.
fn tables(text: &str) -> Result<(String, String)> {
    let mut labels = "Image,Id\n".to_owned();
    let mut boxes = "Image,x0,y0,x1,y1\n".to_owned();
    for row in text.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let [image, numbers @ ..] = cells.as_slice() else {
            continue;
        };
        let numbers: Vec<f64> = numbers
            .iter()
            .map(|number| number.parse())
            .collect::<Result<_, _>>()
            .with_context(|| format!("`{row}` has a cell that is no number"))?;
        let &[width, height, x0, y0, x1, y1] = numbers.as_slice() else {
            anyhow::bail!("`{row}` has not seven cells");
        };
        let squashed = |value: f64, side: f64| (value / side).clamp(0.0, 1.0);
        let (x0, x1) = (squashed(x0, width), squashed(x1, width));
        let (y0, y1) = (squashed(y0, height), squashed(y1, height));
        if x1 - x0 < LEAST || y1 - y0 < LEAST {
            continue;
        }
        writeln!(labels, "{image},{SOMEBODY}")?;
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|share| share * SIDE);
        writeln!(boxes, "{image},{x0:.3},{y0:.3},{x1:.3},{y1:.3}")?;
    }
    Ok((labels, boxes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_shrink_with_their_photos_and_end_at_their_edge() {
        let text = "Image,width,height,x0,y0,x1,y1\n\
                    a.jpg,1000,500,100,50,900,450\n\
                    b.jpg,200,100,-4,10,204,90\n\
                    broken.jpg,1050,603,5251091043,-1,15079685277,4931476911\n";
        let (labels, boxes) = tables(text).unwrap();
        assert_eq!(labels, "Image,Id\na.jpg,somebody\nb.jpg,somebody\n");
        assert_eq!(
            boxes,
            "Image,x0,y0,x1,y1\n\
             a.jpg,10.000,10.000,90.000,90.000\n\
             b.jpg,0.000,10.000,100.000,90.000\n"
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let error = tables("Image,width\na.jpg,1000,500,x,50,900,450\n").unwrap_err();
        assert!(format!("{error:#}").contains("a.jpg"));
        tables("Image,width\na.jpg,1000\n").unwrap_err();
    }
}
