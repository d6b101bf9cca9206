//! The page, section by section.

use super::super::breakdown::PhotoGroup;
use super::super::scores::{ALL, ScoreRow};
use super::markup::{beside, plot, range, section, share, table, with_range};
use super::plots::{self, Drawn};
use super::{Page, cards, escape};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(page: &Page<'_>) -> Drawn<String> {
    let title = escape(page.title);
    let sections = [
        summary(page),
        parts(page),
        by_photos(page)?,
        beside(&[top_k(page)?, new_against_known(page)?]),
        reliability(page)?,
        seconds(page),
        reid(page),
        cards::mistakes(page.mistakes),
        facts(page),
    ];
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: evaluation</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<h1>{title}</h1>\n{}</main>\n</body>\n</html>\n",
        sections.concat()
    ))
}

fn summary(page: &Page<'_>) -> String {
    let (gallery, whales) = page.gallery;
    let lead = format!(
        "<p>{} photos, {} of them of known whales, against a gallery of {gallery} photos of {whales} known \
         whales and of new ones. {}</p>\n",
        page.photos, page.known_photos, page.note
    );
    let headline = page.headline;
    let measures = [
        ("MAP@5", "map5", Some(headline.map5)),
        ("top-1", "top1", Some(headline.top1)),
        ("top-5", "top5", Some(headline.top5)),
        (
            "known whales, top-1 among the known",
            "known_top1",
            headline.known_top1,
        ),
        (
            "known whales, top-5 among the known",
            "known_top5",
            headline.known_top5,
        ),
        (
            "new against known, area under the ROC curve",
            "auc_new",
            headline.auc_new,
        ),
        (
            "new against known, equal-error rate",
            "eer_new",
            headline.eer_new,
        ),
        ("calibration error", "ece", Some(headline.ece)),
        ("found again, top-1", "reid_top1", headline.reid_top1),
        ("found again, top-5", "reid_top5", headline.reid_top5),
    ];
    let rows: Vec<_> = measures
        .into_iter()
        .filter_map(|(name, key, value)| {
            let interval = headline.intervals.get(key).copied();
            Some((
                key == "map5",
                vec![name.to_owned(), share(value?), range(interval)],
            ))
        })
        .collect();
    let bootstrap = headline.bootstrap;
    let interval = format!("{} % lie in", bootstrap.percent);
    let caption = format!(
        "The whole decision. The range is where {} % of {} draws of the whales lie, each whale with all its \
         photos (seed {}).",
        bootstrap.percent, bootstrap.resamples, bootstrap.seed
    );
    lead + &table("", &caption, &["measure", "score", &interval], &rows)
}

fn parts(page: &Page<'_>) -> String {
    let cells = |prefix: &str, row: &ScoreRow| {
        let intervals = row.intervals;
        vec![
            escape(&format!("{prefix}{}", row.name)),
            with_range(Some(row.map5), Some(intervals.map5)),
            with_range(Some(row.top1), Some(intervals.top1)),
            with_range(Some(row.top5), Some(intervals.top5)),
            with_range(row.top1_known, intervals.top1_known),
            with_range(row.auc_new, intervals.auc_new),
        ]
    };
    let rows: Vec<_> = page
        .rows
        .iter()
        .map(|(prefix, row)| (row.name == ALL, cells(prefix, row)))
        .collect();
    let header = ["part", "MAP@5", "top-1", "top-5", "known top-1", "AUC new"];
    let caption = "Known top-1 leaves new aside: the share of known whales' photos whose whale comes first \
                   among the known ones. Below each score, where 95 % lie.";
    section(
        "Each part alone, and all together",
        &table("", caption, &header, &rows),
    )
}

fn by_photos(page: &Page<'_>) -> Drawn<String> {
    let found = &page.breakdown.by_photos;
    let title = "By photos of the whale";
    let [Some(map5), Some(top1), Some(top5)] = [
        found.balanced_map5,
        found.balanced_top1,
        found.balanced_top5,
    ] else {
        return Ok(section(
            title,
            "<p>None of the photos shows a known whale.</p>\n",
        ));
    };
    let cells = |group: &PhotoGroup| {
        vec![
            group.photos.to_owned(),
            group.whales.to_string(),
            group.queries.to_string(),
            with_range(Some(group.map5), Some(group.intervals.map5)),
            with_range(Some(group.top1), Some(group.intervals.top1)),
            with_range(Some(group.top5), Some(group.intervals.top5)),
        ]
    };
    let mut rows: Vec<_> = found
        .groups
        .iter()
        .map(|group| (false, cells(group)))
        .collect();
    let mean = [map5, top1, top5].map(share);
    let name = ["mean of the groups", "", ""].map(str::to_owned);
    rows.push((true, name.into_iter().chain(mean).collect()));
    let header = [
        "in the gallery",
        "whales",
        "photos",
        "MAP@5",
        "top-1",
        "top-5",
    ];
    let caption = "Photos of known whales, by how many photos the gallery has of the whale.";
    let groups: Vec<String> = found
        .groups
        .iter()
        .map(|group| {
            format!(
                "{}: MAP@5 {:.2}, top-1 {:.2}",
                group.photos, group.map5, group.top1
            )
        })
        .collect();
    let alt = format!("Scores by photos in the gallery. {}.", groups.join("; "));
    let caption_of_plot = "Bars: where 95 % of draws of the whales lie.";
    let plot = plot(&plots::by_photos(found)?, &alt, caption_of_plot);
    Ok(section(
        title,
        &(table("", caption, &header, &rows) + &plot),
    ))
}

fn top_k(page: &Page<'_>) -> Drawn<String> {
    let curves = &page.breakdown.top_k;
    let at = |k: usize| curves.all.get(k - 1).copied().unwrap_or_default();
    let alt = format!(
        "Share of photos whose true label is among the first places: {:.2} at 1, {:.2} at 5, {:.2} at 10, \
         {:.2} at 20.",
        at(1),
        at(5),
        at(10),
        at(20)
    );
    let caption = "How often the right whale is among the first so many places of the answer.";
    Ok(section(
        "How far down one must look",
        &plot(&plots::top_k(curves)?, &alt, caption),
    ))
}

fn new_against_known(page: &Page<'_>) -> Drawn<String> {
    let title = "Known or new";
    let Some(area) = page.headline.auc_new else {
        let words =
            "<p>The photos show only known whales, or only new ones, so there is no curve.</p>\n";
        return Ok(section(title, words));
    };
    let alt = format!("ROC curve of new against known; the area under it is {area:.3}.");
    let caption = format!(
        "ROC curve by the lead of new over the best known whale; area {area:.3}. The thin line is chance."
    );
    Ok(section(
        title,
        &plot(&plots::roc(&page.breakdown.roc)?, &alt, &caption),
    ))
}

fn reliability(page: &Page<'_>) -> Drawn<String> {
    let bins = &page.breakdown.reliability;
    let rows: Vec<_> = bins
        .iter()
        .map(|bin| {
            let cells = vec![
                format!("{:.3} to {:.3}", bin.lowest, bin.highest),
                bin.answers.to_string(),
                share(bin.confidence),
                share(bin.accuracy),
            ];
            (false, cells)
        })
        .collect();
    let header = ["probability", "answers", "on average", "right"];
    let (ece, by_chance) = (page.headline.ece, page.headline.ece_by_chance);
    let beyond = page.headline.ece_beyond_chance;
    let alt = format!(
        "Reliability diagram of {} groups of answers; calibration error {ece:.3}.",
        bins.len()
    );
    let caption = format!(
        "A dot for about equally many answers each. On the thin line the answers are right as often as they \
         say; within the bars the distance may be chance (95 %). Calibration error {ece:.3}; right \
         probabilities would give {by_chance:.3} by chance alone, and the distance beyond chance is {beyond:.3}."
    );
    let plot = plot(&plots::reliability(bins)?, &alt, &caption);
    let table = table("", "First answers by their probability.", &header, &rows);
    Ok(section(
        "Can the probabilities be believed?",
        &beside(&[plot, table]),
    ))
}

fn seconds(page: &Page<'_>) -> String {
    let Some(seconds) = page.seconds else {
        return String::new();
    };
    let milliseconds = |seconds: f64| format!("{:.1}", 1e3 * seconds);
    let mut rows: Vec<_> = seconds
        .named()
        .into_iter()
        .map(|(stage, seconds)| (false, vec![stage.name().to_owned(), milliseconds(seconds)]))
        .collect();
    rows.push((true, vec!["all".to_owned(), milliseconds(seconds.total())]));
    let caption = "Milliseconds a photo, on average, from its bytes to its answer.";
    section("Time", &table("", caption, &["stage", "ms"], &rows))
}

fn reid(page: &Page<'_>) -> String {
    let Some((which, reid)) = page.reid else {
        return String::new();
    };
    let words = format!(
        "<p>{which} {} photos of the {} whales with two or more, each looked up among the other {} photos: the \
         nearest shows the same whale for {:.3} ({}), and the whale is among the five nearest for {:.3} ({}).</p>\n",
        reid.queries,
        reid.whales,
        reid.photos - 1,
        reid.top1,
        range(Some(reid.intervals.top1)),
        reid.top5,
        range(Some(reid.intervals.top5))
    );
    section("Found again without a catalogue", &words)
}

fn facts(page: &Page<'_>) -> String {
    let rows: Vec<_> = page
        .facts
        .iter()
        .map(|(name, value)| (false, vec![escape(name), escape(value)]))
        .collect();
    section(
        "Facts",
        &table("facts", "How to get the same again.", &[], &rows),
    )
}
