//! The table of encounters, as people read it.

use super::out::say;
use crate::evaluate::encounters::{EncounterReport, EncounterScores, Estimate, Scores};

/// Prints what several photos are worth together, of known and of new whales.
pub fn print(report: &EncounterReport) {
    say!("Encounters ({}; {} draws):", report.protocol, report.draws);
    say!(
        "  {:<36}{:>7}{:>9}{:>9}{:>9}{:>26}{:>10}",
        "",
        "whales",
        "alone",
        "certain",
        "together",
        "gain (95 %)",
        "intruder"
    );
    for row in &report.rows {
        for (kind, scores) in [("known", &row.known), ("new", &row.new)] {
            if let Some(scores) = scores {
                print_scores(&format!("{} photos, {kind}", row.photos), scores);
            }
        }
    }
}

fn print_scores(name: &str, scores: &EncounterScores) {
    type Of = fn(&Scores) -> Option<Estimate>;
    let measures: [(&str, Of); 3] = [
        ("top-1", |scores| Some(scores.top1)),
        ("MAP@5", |scores| Some(scores.map5)),
        ("top-1 without new", |scores| scores.known_top1),
    ];
    for (measure, of) in measures {
        let value = |scores: &Scores| of(scores).map(|estimate| estimate.value);
        let Some(gain) = of(&scores.gain) else {
            continue;
        };
        let shown = |scores: &Scores| value(scores).unwrap_or_default();
        let gained = format!(
            "{:+.3} ({:+.3} to {:+.3})",
            gain.value, gain.interval.low, gain.interval.high
        );
        say!(
            "  {:<36}{:>7}{:>9.3}{:>9.3}{:>9.3}{gained:>26}{:>10.3}",
            format!("{name}, {measure}"),
            scores.whales,
            shown(&scores.alone),
            shown(&scores.most_certain),
            shown(&scores.together),
            shown(&scores.with_intruder),
        );
    }
}
