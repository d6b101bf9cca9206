//! What enrolling is worth, as people read it.

use super::out::say;
use crate::evaluate::enrolling::{After, Enrolling, Found, Old, Share};

/// Prints the whole report.
pub fn print(report: &Enrolling) {
    say!(
        "{} whales that training never saw, enrolled by one photo each (seed {}) among {} old ones:",
        report.whales,
        report.seed,
        report.old_whales
    );
    say!(
        "  {:<44}{:>8}  {:<26}{:<26}",
        "",
        "photos",
        "top-1",
        "top-5"
    );
    let ways = [
        ("known by their photo alone", &report.by_photo),
        ("with a column in the classifier", &report.imprinted),
    ];
    for (name, after) in ways {
        found(name, &after.enrolled);
        for (half, name) in after
            .halves
            .iter()
            .zip(["  every second of them", "  the others"])
        {
            found(name, half);
        }
        if let Some(two) = &after.with_two_photos {
            found("  those with one other photo", two);
        }
    }
    found(
        "old whales with one photo, before",
        &report.old_with_one_photo,
    );
    say!("The {} photos of the report half:", report.old_queries);
    say!(
        "  {:<44}{:<26}{:<26}{:<26}",
        "",
        "MAP@5",
        "top-1",
        "known top-1"
    );
    old("before", &report.before);
    after("by photo alone", &report.by_photo);
    after("with columns", &report.imprinted);
    say!("  (in brackets 95 % of 1000 draws of the whales; a cost below 0 is a gain)");
}

fn after(name: &str, after: &After) {
    old(&format!("after, {name}"), &after.old);
    old("  cost", &after.cost);
    say!(
        "    {:.1} % of known whales' photos are given to an enrolled one, {:.1} % if it were by chance",
        after.taken * 100.0,
        after.taken_by_chance * 100.0
    );
}

fn found(name: &str, found: &Found) {
    say!(
        "  {name:<44}{:>8}  {:<26}{:<26}",
        found.queries,
        share(found.top1),
        share(found.top5)
    );
}

fn old(name: &str, old: &Old) {
    say!(
        "  {name:<44}{:<26}{:<26}{:<26}",
        share(old.map5),
        share(old.top1),
        share(old.known_top1)
    );
}

fn share(Share { value, interval }: Share) -> String {
    format!("{value:.3} ({:.3} to {:.3})", interval.low, interval.high)
}
