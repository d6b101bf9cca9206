//! Score tables, as people read them.

use super::out::say;
use crate::evaluate::intervals::{Bootstrap, Interval};
use crate::evaluate::reid::Reid;
use crate::evaluate::scores::{ALL, ScoreIntervals, ScoreRow};
use crate::evaluate::{Breakdown, Headline, StageSeconds};

/// Prints `rows` under a header, shares with three digits.
pub fn print(title: &str, rows: &[(&str, &ScoreRow)]) {
    say!("{title}");
    say!(
        "  {:<32}{:>8}{:>8}{:>8}{:>13}{:>9}",
        "",
        "MAP@5",
        "top-1",
        "top-5",
        "known top-1",
        "AUC new"
    );
    for (prefix, row) in rows {
        let name = format!("{prefix}{}", row.name);
        let known = [row.top1_known, row.auc_new];
        print_row(&name, [row.map5, row.top1, row.top5], known);
    }
}

fn print_row(name: &str, [map5, top1, top5]: [f64; 3], [known, new]: [Option<f64>; 2]) {
    let share =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    say!(
        "  {name:<32}{map5:>8.3}{top1:>8.3}{top5:>8.3}{:>13}{:>9}",
        share(known),
        share(new)
    );
}

/// Prints, below a table, where the scores of its row "all" lie, and by what.
pub fn print_intervals(rows: &[ScoreRow]) {
    let Some(row) = rows.iter().find(|row| row.name == ALL) else {
        return;
    };
    type End = fn(Interval) -> f64;
    let ends: [(&str, End); 2] = [("from", |i| i.low), ("to", |i| i.high)];
    let bootstrap = Bootstrap::default();
    let ScoreIntervals {
        map5,
        top1,
        top5,
        top1_known,
        auc_new,
        ..
    } = row.intervals;
    for (word, end) in ends {
        let name = format!("  {} % of \"{ALL}\" {word}", bootstrap.percent);
        let known = [top1_known, auc_new].map(|interval| interval.map(end));
        print_row(&name, [map5, top1, top5].map(end), known);
    }
    say!(
        "  (whales drawn again {} times with all their photos, seed {})",
        bootstrap.resamples,
        bootstrap.seed
    );
}

/// Prints, below a table, how far the answers' probabilities are from the truth and how well new
/// whales are told from known ones by a threshold.
pub fn print_confidence(headline: &Headline) {
    let with_ends = |name: &str, value: f64| match headline.intervals.get(name) {
        Some(Interval { low, high }) => {
            let percent = headline.bootstrap.percent;
            format!("{value:.3} ({percent} %: {low:.3} to {high:.3})")
        }
        None => format!("{value:.3}"),
    };
    say!(
        "  calibration error {}, {:.3} by chance alone",
        with_ends("ece", headline.ece),
        headline.ece_by_chance
    );
    say!(
        "  probabilities beyond chance off by {}",
        with_ends("ece_beyond_chance", headline.ece_beyond_chance)
    );
    if let Some(rate) = headline.eer_new {
        say!("  equal-error rate of new {}", with_ends("eer_new", rate));
    }
}

/// Prints the final answer's scores by photos of the whale, and how often its probabilities are right.
pub fn print_breakdown(breakdown: &Breakdown) {
    let table = &breakdown.by_photos;
    if !table.groups.is_empty() {
        say!("  known whales by their photos in the gallery:");
        say!(
            "  {:>12}{:>8}{:>8}{:>8}{:>8}{:>8}{:>18}",
            "photos",
            "whales",
            "queries",
            "MAP@5",
            "top-1",
            "top-5",
            "top-1, 95 %"
        );
    }
    for group in &table.groups {
        let Interval { low, high } = group.intervals.top1;
        say!(
            "  {:>12}{:>8}{:>8}{:>8.3}{:>8.3}{:>8.3}{:>18}",
            group.photos,
            group.whales,
            group.queries,
            group.map5,
            group.top1,
            group.top5,
            format!("{low:.3} to {high:.3}")
        );
    }
    if let (Some(map5), Some(top1), Some(top5)) = (
        table.balanced_map5,
        table.balanced_top1,
        table.balanced_top5,
    ) {
        say!(
            "  {:<28}{map5:>8.3}{top1:>8.3}{top5:>8.3}",
            "  mean of the groups"
        );
    }
    say!("  first answers by their probability:");
    say!(
        "  {:>20}{:>9}{:>12}{:>8}",
        "probability",
        "answers",
        "on average",
        "right"
    );
    for bin in &breakdown.reliability {
        let range = format!("{:.3} to {:.3}", bin.lowest, bin.highest);
        say!(
            "  {range:>20}{:>9}{:>12.3}{:>8.3}",
            bin.answers,
            bin.confidence,
            bin.accuracy
        );
    }
}

/// Prints where the time of an answer goes.
pub fn print_seconds(seconds: &StageSeconds) {
    let stages = seconds
        .named()
        .map(|(stage, seconds)| format!("{} {seconds:.4}", stage.name()));
    say!("  seconds a photo: {}", stages.join(", "));
}

/// Prints how often photos found their whale, with a line on which photos those are.
pub fn print_reid(which: &str, reid: &Reid) {
    say!("{which}");
    say!(
        "  {} photos of the {} whales with two or more, each looked up among the other {} photos:",
        reid.queries,
        reid.whales,
        reid.photos - 1
    );
    let percent = Bootstrap::default().percent;
    let (top1, top5) = (reid.intervals.top1, reid.intervals.top5);
    say!(
        "  top-1 {:.3} ({percent} %: {:.3} to {:.3}), top-5 {:.3} ({percent} %: {:.3} to {:.3})",
        reid.top1,
        top1.low,
        top1.high,
        reid.top5,
        top5.low,
        top5.high
    );
}
