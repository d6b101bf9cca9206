//! An evaluation as one page: tables, plots and the worst mistakes, with nothing to load from elsewhere.
//!
//! The page needs no script, follows the reader's light or dark colours and says in words what its
//! pictures show. Photos become small JPEGs inside it, so whoever gets the page gets them too.

mod cards;
mod markup;
mod pictures;
mod plots;
mod sections;
#[cfg(test)]
mod tests;

use super::breakdown::Breakdown;
use super::headline::Headline;
use super::labelled::BundleReport;
use super::mistakes::Mistake;
use super::reid::Reid;
use super::report::Report;
use super::scores::ScoreRow;
use super::stages::StageSeconds;
use crate::data::write_atomically;
use crate::{Error, Result};
use flukeprint_core::decision::DecisionParameters;
use std::path::Path;

/// What the page does not find in a report.
#[derive(Clone, Debug)]
pub struct About {
    /// What was measured, for people: a catalogue's title or a run's folder.
    pub title: String,
    /// The command that the page comes from.
    pub command: String,
    /// Day, `YYYY-MM-DD`.
    pub date: String,
}

/// Everything that stands on a page.
struct Page<'a> {
    title: &'a str,
    photos: usize,
    known_photos: usize,
    gallery: (usize, usize),
    /// What may be believed of it.
    note: &'static str,
    /// The parts of the decision, each with a word that is put before its name.
    rows: Vec<(&'static str, &'a ScoreRow)>,
    headline: &'a Headline,
    breakdown: &'a Breakdown,
    seconds: Option<&'a StageSeconds>,
    reid: Option<(&'static str, &'a Reid)>,
    mistakes: &'a [Mistake],
    facts: Vec<(&'static str, String)>,
}

/// Writes the report of a run.
///
/// # Errors
/// When the page cannot be drawn or written.
pub fn write_run(report: &Report, about: &About, path: &Path) -> Result<()> {
    let raw = report.raw_pixels.iter().map(|row| ("raw pixels, ", row));
    let page = Page {
        title: &about.title,
        photos: report.photos,
        known_photos: report.known_photos,
        gallery: (report.gallery_photos, report.individuals),
        note: "Nothing was chosen on these photos.",
        rows: raw.chain(report.rows.iter().map(|row| ("", row))).collect(),
        headline: &report.headline,
        breakdown: &report.breakdown,
        seconds: None,
        reid: report.reid.as_ref().map(|reid| {
            (
                "Whales that were kept out of training, their photos alone.",
                reid,
            )
        }),
        mistakes: &report.mistakes,
        facts: facts(
            about,
            &report.model_sha256,
            (report.gallery_photos, report.individuals),
            &report.parameters,
        ),
    };
    page.write(path)
}

/// Writes the report of a bundle.
///
/// # Errors
/// When the page cannot be drawn or written.
pub fn write_bundle(report: &BundleReport, about: &About, path: &Path) -> Result<()> {
    let page = Page {
        title: &about.title,
        photos: report.photos,
        known_photos: report.known_photos,
        gallery: (report.gallery_photos, report.individuals),
        note: "Photos that the bundle was trained or tuned on would flatter it.",
        rows: report.rows.iter().map(|row| ("", row)).collect(),
        headline: &report.headline,
        breakdown: &report.breakdown,
        seconds: Some(&report.seconds_by_stage),
        reid: report
            .reid
            .as_ref()
            .map(|reid| ("The photos given, without the bundle's gallery.", reid)),
        mistakes: &report.mistakes,
        facts: facts(
            about,
            &report.model_sha256,
            (report.gallery_photos, report.individuals),
            &report.parameters,
        ),
    };
    page.write(path)
}

fn facts(
    about: &About,
    model: &str,
    (photos, whales): (usize, usize),
    parameters: &DecisionParameters,
) -> Vec<(&'static str, String)> {
    let [c1, c2, c3] = parameters.weights;
    let of_new = parameters.new_first.map_or_else(String::new, |odds| {
        format!(
            "; where it says new {:.3}, {:+.3}, at least {:.2}",
            odds.slope, odds.offset, odds.floor
        )
    });
    let decision = format!(
        "T {}, p {:.3}, q {:.3}, weights {c1}, {c2}, {c3}, sharpness {:.3}, log odds of the first answer \
         times {:.3}, {:+.3}{of_new}",
        parameters.temperature,
        parameters.new_probability,
        parameters.new_similarity,
        parameters.sharpness,
        parameters.first_slope,
        parameters.first_offset
    );
    vec![
        ("Model (SHA-256 of the weights)", model.to_owned()),
        ("Gallery", format!("{photos} photos, {whales} known whales")),
        ("Decision", decision),
        (
            "Program",
            concat!("flukeprint ", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("Command", about.command.clone()),
        ("Date", about.date.clone()),
    ]
}

impl Page<'_> {
    fn write(&self, path: &Path) -> Result<()> {
        let html = sections::page(self).map_err(|error| Error::Write {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })?;
        write_atomically(path, html.as_bytes())
    }
}

/// `text` as it can stand in HTML, between tags or inside quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
