//! What a reader of the page relies on.

use super::super::answered::Answered;
use super::super::confidence::Confidence;
use super::super::mistakes::Shown;
use super::super::scores::score_rows;
use super::*;
use crate::tune::LabelledQueries;
use flukeprint_core::gallery::Label::{Individual as Whale, New};

/// A name that would be markup, and one that would end an attribute.
const NAMES: [&str; 2] = ["<script>alert(1)</script> & co", "\" onload='x"];

/// Four photos, two of them taken for the wrong whale.
fn report(mistakes: Vec<Mistake>) -> BundleReport {
    let parameters = DecisionParameters::default();
    let queries = LabelledQueries::new(
        2,
        vec![Whale(0), Whale(1), New, Whale(1)],
        vec![0.0; 8],
        vec![0.9, 0.2, 0.0, 0.1, 0.8, 0.0, 0.6, 0.2, 0.0, 0.8, 0.1, 0.0],
    );
    let queries = queries.unwrap();
    let rows = score_rows(&queries, &parameters).unwrap();
    let answers = Answered::all(&queries, &parameters).unwrap();
    let confidence = Confidence::of_answers(&answers).unwrap();
    BundleReport {
        photos: 4,
        known_photos: 3,
        gallery_photos: 9,
        individuals: 2,
        parameters,
        model_sha256: "abc".into(),
        headline: Headline::new(&rows, &confidence, None).unwrap(),
        rows,
        seconds_per_photo: 0.005,
        seconds_by_stage: StageSeconds {
            embed: 0.005,
            ..StageSeconds::default()
        },
        breakdown: Breakdown::of(&answers, &[1, 8]).unwrap(),
        mistakes,
        reid: None,
        encounters: None,
    }
}

fn shown(file: &str) -> Shown {
    Shown {
        file: file.into(),
        path: None,
        region: None,
    }
}

fn mistake() -> Mistake {
    Mistake {
        photo: shown("a<b>.jpg"),
        shows: Some(NAMES[0].into()),
        taken_for: Some(NAMES[1].into()),
        probability: 0.934,
        rank: 3,
        like: Some(shown("'c'.jpg")),
        right: None,
    }
}

fn written(report: &BundleReport) -> String {
    let about = About {
        title: "Whales < 5 & \"others\"".into(),
        command: "flukeprint evaluate --labels 'a&b.csv'".into(),
        date: "2026-11-24".into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    write_bundle(report, &about, &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn whatever_a_user_names_is_text_and_no_markup() {
    let html = written(&report(vec![mistake()]));
    for wanted in [
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co",
        "&quot; onload=&#39;x",
        "a&lt;b&gt;.jpg",
        "Whales &lt; 5 &amp; &quot;others&quot;",
        "&#39;a&amp;b.csv&#39;",
    ] {
        assert!(html.contains(wanted), "{wanted} is not there");
    }
    assert!(!html.contains("<script") && !html.contains("<b>"));
    assert!(!html.contains("\" onload"));
}

#[test]
fn everything_that_was_measured_stands_there() {
    let html = written(&report(vec![mistake()]));
    let report = report(Vec::new());
    let sections = [
        "Each part alone",
        "By photos of the whale",
        "How far down",
        "Known or new",
        "believed",
        "Time",
        "The worst mistakes",
        "Facts",
    ];
    for title in sections {
        assert!(html.contains(title), "{title}");
    }
    for row in &report.rows {
        assert!(html.contains(row.name), "{}", row.name);
    }
    assert!(html.contains("with 93 %; the right answer came at place 3"));
    assert!(html.contains("abc") && html.contains(env!("CARGO_PKG_VERSION")));
    let svg = html.matches("<svg").count();
    assert_eq!(
        (svg, html.matches("role=\"img\" aria-label=\"").count()),
        (4, 4)
    );
    // Plots take the page's colours by their values.
    for color in ["#005FA0", "#BE5000", "#000000"] {
        assert!(html.contains(&format!("\"{color}\" ")), "{color}");
    }
    // Nothing is fetched.
    for outside in ["http:", "https:", "src=\"/", "@import", "url("] {
        let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains(outside), "{outside}");
    }
}

#[test]
fn photos_are_small_pictures_inside_the_page_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tail.png");
    image::RgbImage::from_pixel(900, 450, image::Rgb([40, 80, 120]))
        .save(&path)
        .unwrap();
    let with_picture = Mistake {
        photo: Shown {
            file: "tail.png".into(),
            path: Some(path),
            region: None,
        },
        ..mistake()
    };
    let html = written(&report(vec![with_picture]));
    assert_eq!(
        html.matches("<img src=\"data:image/jpeg;base64,").count(),
        1
    );
    assert!(html.contains("alt=\"Photo tail.png; the photo: whale &lt;script"));
    assert_eq!(html.matches("this photo is not on this disk").count(), 1);
    assert_eq!(html.matches("no photo to show").count(), 1);
    assert!(html.len() < 100_000, "{}", html.len());
}

#[test]
fn a_run_without_mistakes_says_so() {
    assert!(written(&report(Vec::new())).contains("Every first answer is right."));
}
