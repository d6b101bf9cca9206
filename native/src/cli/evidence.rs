//! The tables of what trailing edges and local features add, as people read them.

use super::out::say;
use super::table;
use crate::evaluate::evidence::{Again, ByKeypoints, Calibration, EvidenceReport, Gain};
use flukeprint_core::decision::EvidenceParameters;

/// Prints all of it.
pub fn print(report: &EvidenceReport) {
    let rows: Vec<_> = report.rows.iter().map(|row| ("", row)).collect();
    let photos = report.photos;
    let title = match report.crossed {
        true => format!("{photos} held-out photos, each part by parameters tuned on the others:"),
        false => format!("{photos} photos of the report half:"),
    };
    table::print(&title, &rows);
    for row in &report.rows {
        let map5 = row.intervals.map5;
        let known = row.intervals.top1_known;
        let known = known.map_or_else(String::new, |known| {
            format!(", known top-1 {:.3} to {:.3}", known.low, known.high)
        });
        say!(
            "  95 % of \"{}\": MAP@5 {:.3} to {:.3}{known}",
            row.name,
            map5.low,
            map5.high
        );
    }
    print_calibration(&report.calibration);
    print_gain("MAP@5", &report.map5_gain);
    print_gain("known top-1", &report.known_top1_gain);
    print_parameters("with trailing edges", &report.edges);
    report.by_keypoints.iter().for_each(print_matches);
    print_unseen(&report.unseen);
}

fn print_matches(matches: &ByKeypoints) {
    print_parameters("verifying the first whales", &matches.verify);
    print_parameters("with the catalogue's votes", &matches.search);
    let verified = &matches.verified;
    let inliers: Vec<String> = verified.inliers.iter().map(u32::to_string).collect();
    say!(
        "verified from {} inliers on: {} right, {} wrong, {} of new whales{}",
        inliers.join(" or "),
        verified.right,
        verified.wrong,
        verified.new,
        verified
            .precision
            .map_or_else(String::new, |share| format!("; precision {share:.3}"))
    );
    for one in &verified.contradictions {
        say!(
            "  {} is {} by the labels and matches {} with {} inliers",
            one.photo,
            one.labelled,
            one.matches,
            one.inliers
        );
    }
}

/// Prints how whales that training never saw are found again.
fn print_unseen(unseen: &[Again]) {
    let Some(first) = unseen.first() else {
        return;
    };
    say!(
        "whales that training left out, {} photos of {}, each looked up among the others:",
        first.reid.queries,
        first.reid.whales
    );
    for Again { name, reid } in unseen {
        let [top1, top5] = [reid.intervals.top1, reid.intervals.top5];
        say!(
            "  {name}: top-1 {:.3} ({:.3} to {:.3}), top-5 {:.3} ({:.3} to {:.3})",
            reid.top1,
            top1.low,
            top1.high,
            reid.top5,
            top5.low,
            top5.high
        );
    }
}

fn print_gain(measure: &str, gain: &Gain) {
    say!(
        "all together less the best one alone, {measure}: {:+.3} (95 %: {:+.3} to {:+.3})",
        gain.value,
        gain.interval.low,
        gain.interval.high
    );
}

/// Prints how evidence counts.
pub fn print_parameters(how: &str, evidence: &EvidenceParameters) {
    say!(
        "{how}: {} whales, {} photos of each; weight {:.3} a factor e of the odds, of votes {:.2}, of edges {:.2} and {:.2}; new {:+.2} and -{:.2}",
        evidence.whales,
        evidence.photos,
        evidence.odds_weight,
        evidence.votes_weight,
        evidence.edge_weight,
        evidence.clear_edge_weight,
        evidence.new_raise,
        evidence.new_fall
    );
}

fn print_calibration(calibration: &[Calibration]) {
    for one in calibration {
        say!(
            "  calibration error of \"{}\": {:.3}, {:.3} by chance alone, {:.3} beyond it",
            one.name,
            one.ece,
            one.ece_by_chance,
            one.ece_beyond_chance
        );
    }
}
