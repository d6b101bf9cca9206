//! Score tables, as people read them.

use crate::evaluate::scores::ScoreRow;

/// Prints `rows` under a header, shares with three digits.
pub fn print(title: &str, rows: &[(&str, &ScoreRow)]) {
    println!("{title}");
    println!(
        "  {:<32}{:>8}{:>8}{:>8}{:>13}{:>9}",
        "", "MAP@5", "top-1", "top-5", "known top-1", "AUC new"
    );
    let share =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    for (prefix, row) in rows {
        let name = format!("{prefix}{}", row.name);
        println!(
            "  {name:<32}{:>8.3}{:>8.3}{:>8.3}{:>13}{:>9}",
            row.map5,
            row.top1,
            row.top5,
            share(row.top1_known),
            share(row.auc_new)
        );
    }
}
