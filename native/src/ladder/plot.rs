//! The ladder as a picture: the published scores and ours, a row a rung.

use super::{LadderReport, RungReport};
use crate::data::write_atomically;
use crate::{Error, Result};
use plotters::prelude::*;
use std::path::Path;

/// Pixels of a row, of the rest of the height, and of the width.
const SIZE: (u32, u32, u32) = (26, 110, 900);
const PUBLISHED: RGBColor = RGBColor(150, 150, 150);
const OURS: RGBColor = RGBColor(0, 95, 160);

/// Writes the plot as SVG.
///
/// # Errors
/// When it cannot be drawn or written.
pub fn draw(report: &LadderReport, path: &Path) -> Result<()> {
    let mut svg = String::new();
    picture(report, &mut svg).map_err(|error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    write_atomically(path, svg.as_bytes())
}

fn picture(
    report: &LadderReport,
    svg: &mut String,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let rows = report.rungs.len() as i32;
    let size = (SIZE.2, SIZE.0 * rows as u32 + SIZE.1);
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("MAP@5, rung by rung", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(330)
        // The first rung stands on top.
        .build_cartesian_2d(0.0..1.0, -1..rows)?;
    let of_row = |row: i32| usize::try_from(rows - 1 - row).unwrap_or_default();
    let step = |row: &i32| match (0..rows).contains(row) {
        true => report.rungs[of_row(*row)].step.clone(),
        false => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_labels(10)
        .max_light_lines(1)
        .y_labels(rows as usize + 2)
        .y_label_formatter(&step)
        .draw()?;
    for (name, color, scores) in [
        (
            "published, the competition's photos",
            PUBLISHED,
            scores(report, |rung| rung.published),
        ),
        (
            "ours, held-out photos",
            OURS,
            scores(report, |rung| rung.ours.map5),
        ),
    ] {
        let points = (0..rows).map(|row| {
            let place = (scores[of_row(row)], row);
            Circle::new(place, 5, color.filled())
        });
        chart
            .draw_series(points)?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 5, color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    drop(chart);
    Ok(())
}

fn scores(report: &LadderReport, of: impl Fn(&RungReport) -> f64) -> Vec<f64> {
    report.rungs.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::scores::{ScoreRow, row_of_columns};
    use crate::ladder::Scale;
    use flukeprint_core::gallery::Label;

    #[test]
    fn every_rung_has_its_row() {
        let answer = (&[1.0, 0.0][..], Label::Individual(0));
        let row = row_of_columns("all", std::iter::once(answer)).unwrap();
        let rung = |number: usize| RungReport {
            name: format!("rung-{number}"),
            step: format!("step {number} < next"),
            published: 0.9,
            ours: ScoreRow {
                map5: 0.1 * number as f64,
                ..row.clone()
            },
            seconds: 1.0,
        };
        for rungs in [1, 5] {
            let report = LadderReport {
                scale: Scale::Tiny,
                photos: 10,
                known_photos: 5,
                rungs: (0..rungs).map(rung).collect(),
            };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ladder.svg");
            draw(&report, &path).unwrap();
            let svg = std::fs::read_to_string(&path).unwrap();
            for number in 0..rungs {
                assert!(svg.contains(&format!("step {number} &lt; next")), "{svg}");
            }
            // Two points a rung, and the legend's.
            assert_eq!(svg.matches("<circle").count(), 2 * rungs + 2);
        }
    }
}
