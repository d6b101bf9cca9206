//! `flukeprint models`.

use super::out::say;
use burn::tensor::Device;
use clap::Args;
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use serde::Serialize;

/// Sides of the input that multiply-adds are counted for, pixels.
const SIDE: usize = 384;

/// List the backbones with their sizes and what they cost.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint models --json > models.json")]
pub struct Models {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct List {
    /// Height and width of the input that multiply-adds are counted for.
    input: [usize; 2],
    backbones: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// Trainable, without a classifier.
    parameters: u64,
    /// Of all convolutions.
    multiply_adds: u64,
    /// Input pixels from one column of the map to the next.
    stride: usize,
    /// Channels of the map.
    feature_width: usize,
    /// Of the inputs that published weights were trained on; red, green, blue in 0…1.
    mean: [f32; 3],
    deviation: [f32; 3],
}

impl Models {
    pub fn run(&self) -> crate::Result<()> {
        let list = List {
            input: [SIDE; 2],
            backbones: BackboneName::ALL.iter().copied().map(Row::new).collect(),
        };
        if self.json {
            return super::print_json(&list);
        }
        print(&list);
        Ok(())
    }
}

impl Row {
    fn new(name: BackboneName) -> Self {
        let facts = name.facts();
        let backbone = Backbone::new(name, &Device::flex());
        Self {
            name: name.name(),
            parameters: backbone.parameters(),
            multiply_adds: backbone.multiply_adds(SIDE, SIDE),
            stride: facts.stride,
            feature_width: facts.channels,
            mean: facts.mean,
            deviation: facts.deviation,
        }
    }
}

fn print(list: &List) {
    say!("Multiply-adds for an input of {SIDE} x {SIDE}; mean and deviation of red, green, blue.");
    say!(
        "  {:<20}{:>12}{:>16}{:>8}{:>7}  {:<22}deviation",
        "",
        "parameters",
        "multiply-adds",
        "stride",
        "width",
        "mean"
    );
    for row in &list.backbones {
        let colours = |values: [f32; 3]| values.map(|value| format!("{value:.3}")).join(" ");
        say!(
            "  {:<20}{:>10.2} M{:>14.2} G{:>8}{:>7}  {:<22}{}",
            row.name,
            row.parameters as f64 / 1e6,
            row.multiply_adds as f64 / 1e9,
            row.stride,
            row.feature_width,
            colours(row.mean),
            colours(row.deviation)
        );
    }
}
