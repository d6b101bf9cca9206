//! The page's plots, as SVG without a background: the page's style sheet gives them its colours.

use super::super::breakdown::{PhotoTable, TopK};
use flukeprint_core::metrics::{PHOTO_GROUP_NAMES, ReliabilityBin, RocPoint};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::error::Error;
use std::f64::consts::FRAC_2_PI;
use std::ops::Range;

/// Pixels; the page scales it.
const SIZE: (u32, u32) = (480, 360);
// The style sheet knows these two by their value.
const FIRST: RGBColor = RGBColor(0, 95, 160);
const SECOND: RGBColor = RGBColor(190, 80, 0);
/// Standard deviations to each side that hold 95 % of a normal distribution.
const DEVIATIONS: f64 = 1.96;

pub(super) type Drawn<T> = Result<T, Box<dyn Error>>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// How the horizontal axis is told.
struct Across<'a> {
    range: Range<f64>,
    title: &'a str,
    /// About how many marks.
    marks: usize,
    format: &'a dyn Fn(&f64) -> String,
    /// Without lines at the marks.
    plain: bool,
}

/// Of 0…1.
fn share(title: &str) -> Across<'_> {
    Across {
        range: 0.0..1.0,
        title,
        marks: 6,
        format: &|value| format!("{value:.1}"),
        plain: false,
    }
}

/// A chart whose vertical axis is a share, 0…1.
fn chart(
    across: &Across<'_>,
    up: &str,
    legend: Option<SeriesLabelPosition>,
    fill: impl FnOnce(&mut Chart<'_, '_>) -> Drawn<()>,
) -> Drawn<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d(across.range.clone(), 0.0..1.0)?;
        let mut mesh = chart.configure_mesh();
        if across.plain {
            mesh.disable_x_mesh();
        }
        mesh.max_light_lines(0)
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 15))
            .x_desc(across.title)
            .y_desc(up)
            .x_labels(across.marks)
            .y_labels(6)
            .x_label_formatter(across.format)
            .y_label_formatter(&|value| format!("{value:.1}"))
            .draw()?;
        fill(&mut chart)?;
        if let Some(position) = legend {
            chart
                .configure_series_labels()
                .position(position)
                .label_font(("sans-serif", 14))
                .background_style(WHITE.filled())
                .border_style(BLACK.mix(0.3))
                .draw()?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// Draws a line through points.
fn line(chart: &mut Chart<'_, '_>, points: Vec<(f64, f64)>, style: ShapeStyle) -> Drawn<()> {
    chart.draw_series(std::iter::once(PathElement::new(points, style)))?;
    Ok(())
}

fn dots(chart: &mut Chart<'_, '_>, points: &[(f64, f64)], color: RGBColor) -> Drawn<()> {
    let dots = points
        .iter()
        .map(|&point| Circle::new(point, 4, color.filled()));
    chart.draw_series(dots)?;
    Ok(())
}

/// Dots under a name in the legend.
fn named_dots(
    chart: &mut Chart<'_, '_>,
    name: &str,
    points: &[(f64, f64)],
    color: RGBColor,
) -> Drawn<()> {
    let dots = points
        .iter()
        .map(|&point| Circle::new(point, 4, color.filled()));
    chart
        .draw_series(dots)?
        .label(name)
        .legend(move |(x, y)| Circle::new((x + 8, y), 4, color.filled()));
    Ok(())
}

fn diagonal(chart: &mut Chart<'_, '_>) -> Drawn<()> {
    line(
        chart,
        vec![(0.0, 0.0), (1.0, 1.0)],
        BLACK.mix(0.4).stroke_width(1),
    )
}

/// The ROC curve of new against known.
pub(super) fn roc(points: &[RocPoint]) -> Drawn<String> {
    let across = share("known whales taken for new ones");
    chart(&across, "new whales found", None, |chart| {
        diagonal(chart)?;
        let points = points.iter().map(|point| (point.taken, point.found));
        line(chart, points.collect(), FIRST.stroke_width(2))
    })
}

/// How often answers are right, over how often they claim to be.
pub(super) fn reliability(bins: &[ReliabilityBin]) -> Drawn<String> {
    chart(
        &share("probability of the first answer"),
        "share that is right",
        None,
        |chart| {
            diagonal(chart)?;
            for bin in bins {
                // The mean distance of a normal distribution is √(2/π) deviations.
                let reach = DEVIATIONS * bin.by_chance / FRAC_2_PI.sqrt();
                let ends = [-reach, reach].map(|way| (bin.accuracy + way).clamp(0.0, 1.0));
                let bar = ends.map(|end| (bin.confidence, end));
                line(chart, bar.to_vec(), FIRST.mix(0.6).stroke_width(2))?;
            }
            let points: Vec<_> = bins
                .iter()
                .map(|bin| (bin.confidence, bin.accuracy))
                .collect();
            dots(chart, &points, FIRST)
        },
    )
}

/// MAP@5 and top-1 of known whales by how many photos the gallery has of them.
pub(super) fn by_photos(table: &PhotoTable) -> Drawn<String> {
    let name = |place: &f64| match (place.round() as usize, (place - place.round()).abs() < 0.01) {
        (group, true) if *place > -0.1 => PHOTO_GROUP_NAMES.get(group).copied().unwrap_or(""),
        _ => "",
    };
    let across = Across {
        range: -0.5..PHOTO_GROUP_NAMES.len() as f64 - 0.5,
        title: "photos of the whale in the gallery",
        marks: 2 * PHOTO_GROUP_NAMES.len() + 1,
        format: &|place| name(place).to_owned(),
        plain: true,
    };
    let place = |photos: &str| PHOTO_GROUP_NAMES.iter().position(|&name| name == photos);
    chart(
        &across,
        "score",
        Some(SeriesLabelPosition::UpperLeft),
        |chart| {
            for (name, color, aside) in [("MAP@5", FIRST, -0.07), ("top-1", SECOND, 0.07)] {
                let mut points = Vec::new();
                for group in &table.groups {
                    let at = place(group.photos).unwrap_or_default() as f64 + aside;
                    let (value, interval) = match name {
                        "MAP@5" => (group.map5, group.intervals.map5),
                        _ => (group.top1, group.intervals.top1),
                    };
                    let bar = vec![(at, interval.low), (at, interval.high)];
                    line(chart, bar, color.mix(0.6).stroke_width(2))?;
                    points.push((at, value));
                }
                named_dots(chart, name, &points, color)?;
            }
            Ok(())
        },
    )
}

/// The share of true labels among the first k.
pub(super) fn top_k(curves: &TopK) -> Drawn<String> {
    let across = Across {
        range: 0.0..curves.all.len().max(1) as f64 + 0.5,
        title: "places looked at",
        marks: 6,
        format: &|place| format!("{place:.0}"),
        plain: false,
    };
    let points = |curve: &[f64]| -> Vec<(f64, f64)> {
        let places = (1..).map(f64::from);
        places.zip(curve.iter().copied()).collect()
    };
    chart(
        &across,
        "share found",
        Some(SeriesLabelPosition::LowerRight),
        |chart| {
            let curves = [
                ("all photos, new being a label", &curves.all, FIRST),
                ("known whales among the known", &curves.known, SECOND),
            ];
            for (name, curve, color) in curves {
                if curve.is_empty() {
                    continue;
                }
                line(chart, points(curve), color.stroke_width(2))?;
                named_dots(chart, name, &points(curve), color)?;
            }
            Ok(())
        },
    )
}
