//! A training as a picture: panels of curves over the epochs, one below another.

use crate::data::write_atomically;
use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// Pixels.
const SIZE: (u32, u32) = (900, 720);
const COLORS: [RGBColor; 4] = [
    RGBColor(0, 95, 160),
    RGBColor(190, 80, 0),
    RGBColor(0, 130, 90),
    RGBColor(150, 60, 150),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

/// Curves that share their axes.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) curves: Vec<Curve>,
}

/// A curve: its name, and its value at each epoch (from 1) that has one.
pub(super) type Curve = (&'static str, Vec<(f64, f64)>);

/// The curve of a value over the epochs.
pub(super) fn curve<E>(
    name: &'static str,
    epochs: &[E],
    value: impl Fn(&E) -> Option<f64>,
) -> Curve {
    let numbered = epochs.iter().zip(1u32..);
    let points = numbered.filter_map(|(epoch, number)| Some((f64::from(number), value(epoch)?)));
    (name, points.collect())
}

/// Writes the panels of so many epochs as SVG, one below another.
///
/// # Errors
/// When it cannot be drawn or written.
pub(super) fn draw(epochs: usize, panels: &[Panel], path: &Path) -> Result<()> {
    let mut svg = String::new();
    picture(epochs, panels, &mut svg).map_err(|error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    write_atomically(path, svg.as_bytes())
}

fn picture(epochs: usize, panels: &[Panel], svg: &mut String) -> Drawn {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let areas = area.split_evenly((panels.len().max(1), 1));
    for (area, panel) in areas.iter().zip(panels) {
        draw_panel(area, panel.title, epochs, &panel.curves)?;
    }
    area.present()?;
    Ok(())
}

fn draw_panel(panel: &Area<'_>, title: &str, epochs: usize, curves: &[Curve]) -> Drawn {
    let values = curves.iter().flat_map(|(_, points)| points);
    let highest = values.map(|point| point.1).fold(0.0, f64::max);
    let top = if highest > 0.0 { 1.05 * highest } else { 1.0 };
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(70)
        .build_cartesian_2d(0.5..epochs as f64 + 0.5, 0.0..top)?;
    chart
        .configure_mesh()
        .max_light_lines(1)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|value| match *value != 0.0 && value.abs() < 0.01 {
            true => format!("{value:.0e}"),
            false => format!("{value:.2}"),
        })
        .draw()?;
    for ((name, points), color) in curves.iter().zip(COLORS) {
        let style = color.stroke_width(2);
        let line = std::iter::once(PathElement::new(points.clone(), style));
        chart
            .draw_series(line)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 14, y)], style));
        let dots = points
            .iter()
            .map(|&point| Circle::new(point, 2, color.filled()));
        chart.draw_series(dots)?;
    }
    if curves.len() > 1 {
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
    }
    Ok(())
}
