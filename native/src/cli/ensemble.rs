//! `flukeprint ensemble`.

use super::devices::DeviceArgs;
use super::out::say;
use super::table;
use crate::Result;
use crate::ensemble::{self, EnsembleReport, Fuse, How, StepReport};
use crate::progress::Progress;
use crate::train::Run;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Let several runs of one catalogue and split answer together, those of them that help.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint ensemble --runs resnet50 densenet121 vgg16 --out ensemble\n  \
    flukeprint export --ensemble ensemble --out site/models/mine\n\nThe best run comes first, then the \
    one that raises MAP@5 most on the half of the held-out photos that parameters are chosen on, until \
    none does."
)]
pub struct Ensemble {
    /// Folders of two runs or more.
    #[arg(long, num_args = 2.., required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Folder of the ensemble; an ensemble that is there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// How the runs' features become one; logits are averaged. Averaging needs features of one width.
    #[arg(long, value_enum, default_value = "concatenate")]
    fuse: HowToFuse,
    /// Take all runs, whether they help or not.
    #[arg(long)]
    all: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HowToFuse {
    /// One after another: the similarity rests on the mean of the runs' cosines.
    Concatenate,
    /// Their mean.
    Average,
}

impl From<HowToFuse> for Fuse {
    fn from(how: HowToFuse) -> Self {
        match how {
            HowToFuse::Concatenate => Self::Concatenate,
            HowToFuse::Average => Self::Average,
        }
    }
}

impl Ensemble {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        ensemble::Ensemble::check_place(&self.out)?;
        let device = self.device.open()?;
        let runs = self.runs.iter().map(|folder| Run::open(folder));
        let how = How {
            fuse: self.fuse.into(),
            all: self.all,
        };
        let (chosen, report) =
            ensemble::ensemble(runs.collect::<Result<_>>()?, how, &device, progress)?;
        chosen.save(&self.out)?;
        if self.json {
            return super::print_json(&report);
        }
        print(&report, self.all);
        Ok(())
    }
}

fn print(report: &EnsembleReport, all: bool) {
    say!("Runs, and MAP@5 on the photos that each was tuned on (flattering):");
    for one in &report.runs {
        let run = one.run.display();
        say!(
            "  {:>2}  {:.3}  {run} ({})",
            one.number,
            one.tuned_map5,
            one.recipe
        );
    }
    if !all {
        say!("Step by step, on the same photos:");
        for step in &report.steps {
            say!("  {:.3}  {}", step.tuned_map5, together(&step.members));
        }
    }
    say!("{}", verdict(report, all));
    let singles = report
        .runs
        .iter()
        .map(|one| format!("run {}, ", one.number));
    let steps = report.steps.iter().filter(|step| step.members.len() > 1);
    let steps: Vec<&StepReport> = steps.collect();
    let names = singles.chain(
        steps
            .iter()
            .map(|step| format!("{}, ", together(&step.members))),
    );
    let names: Vec<String> = names.collect();
    let rows = report.runs.iter().map(|one| &one.row);
    let rows = rows.chain(steps.iter().map(|step| &step.row));
    let mut rows: Vec<_> = names.iter().map(String::as_str).zip(rows).collect();
    rows.extend(report.rows.iter().map(|row| ("final, ", row)));
    let title = format!(
        "{} held-out photos that nothing was chosen on:",
        report.photos
    );
    table::print(&title, &rows);
}

/// What was chosen and why, in a sentence.
fn verdict(report: &EnsembleReport, all: bool) -> String {
    let chosen = together(&report.members);
    let tuned = report.steps.last().map_or(0.0, |step| step.tuned_map5);
    if all {
        let others = if report.helps {
            "better than each alone"
        } else {
            "no better than the best of them alone"
        };
        return format!("All runs were asked for: MAP@5 {tuned:.3}, {others}.");
    }
    let next = report.refused.as_ref().map_or_else(String::new, |step| {
        let (members, map5) = (together(&step.members), step.tuned_map5);
        format!(", {members} have {map5:.3}")
    });
    match report.members.len() {
        1 => format!(
            "Nothing helps: {chosen} alone has MAP@5 {tuned:.3}{next}. The ensemble is {chosen} alone."
        ),
        _ => format!("Chosen: {chosen}; together they have MAP@5 {tuned:.3}{next}."),
    }
}

fn together(members: &[usize]) -> String {
    let numbers: Vec<String> = members.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("run {one}"),
        several => format!("runs {}", several.join(" + ")),
    }
}
