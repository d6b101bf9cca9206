//! What `evaluate` measures, as text, as JSON and as a page, and what it refuses.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, copy, flukeprint, refusal, run_folder, succeed};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// `evaluate --bundle` on the catalogue's photos by the labels in a table.
fn evaluate(labels: &Path) -> Command {
    let mut command = flukeprint(&["evaluate", "--bundle"]);
    command.arg(bundle()).arg("--labels").arg(labels);
    command.arg("--photos").arg(catalogue().join("train"));
    command
        .arg("--boxes")
        .arg(catalogue().join("bounding_boxes.csv"));
    command
}

fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn sum(values: &Value, name: &str) -> f64 {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| number(&value[name]))
        .sum()
}

#[test]
fn a_bundle_is_taken_apart_by_photos_probability_places_and_stages() {
    let report = json(evaluate(&catalogue().join("train.csv")).arg("--json"));
    let (photos, known) = (number(&report["photos"]), number(&report["known_photos"]));
    let table = &report["by_photos"];
    assert_eq!(sum(&table["groups"], "queries"), known);
    assert_eq!(
        sum(&table["groups"], "whales"),
        number(&report["individuals"])
    );
    for group in table["groups"].as_array().unwrap() {
        let interval = &group["intervals"]["map5"];
        let map5 = number(&group["map5"]);
        assert!(
            number(&interval["low"]) <= map5 && map5 <= number(&interval["high"]),
            "{group}"
        );
    }
    assert!(table["balanced_map5"].is_number());
    assert_eq!(sum(&report["reliability"], "answers"), photos);
    let top_k = report["top_k"]["all"].as_array().unwrap();
    assert_eq!((&top_k[0], &top_k[4]), (&report["top1"], &report["top5"]));
    let known_top_k = &report["top_k"]["known"];
    assert_eq!(
        (&known_top_k[0], &known_top_k[4]),
        (&report["known_top1"], &report["known_top5"])
    );
    let stages = &report["seconds_by_stage"];
    let stage = |name: &str| number(&stages[name]);
    let total: f64 = ["decode", "find", "prepare", "embed", "decide"]
        .map(stage)
        .iter()
        .sum();
    assert!(stage("embed") > 0.0 && stage("decode") > 0.0 && stage("decide") > 0.0);
    assert!((total - number(&report["seconds_per_photo"])).abs() < 1e-9);
    assert_eq!(report["model_sha256"].as_str().unwrap().len(), 64);

    let text = succeed(&mut evaluate(&catalogue().join("train.csv"))).stdout;
    let text = String::from_utf8(text).unwrap();
    for words in [
        "mean of the groups",
        "by their probability",
        "embed",
        "6 or more",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[test]
fn a_page_shows_a_bundles_mistakes_with_pictures_and_nothing_from_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    let (labels, page) = (
        place.path().join("labels.csv"),
        place.path().join("page.html"),
    );
    // Under a name that the bundle does not know each whale is new to it, and taken for what it is.
    let table = fs::read_to_string(catalogue().join("train.csv")).unwrap();
    let strange = table.replace(",w_", ",<b>&\"w_");
    assert_ne!(table, strange);
    fs::write(&labels, strange).unwrap();
    let report = json(evaluate(&labels).arg("--json").arg("--html").arg(&page));
    assert_eq!(report["known_photos"], 0);
    let mistakes = report["mistakes"].as_array().unwrap();
    assert!(!mistakes.is_empty() && mistakes.len() <= 12);
    let sure: Vec<f64> = mistakes
        .iter()
        .map(|one| number(&one["probability"]))
        .collect();
    assert!(sure.is_sorted_by(|a, b| a >= b), "{sure:?}");
    let html = fs::read_to_string(&page).unwrap();
    // The photo, and the bundle's own small picture of what it was taken for.
    let like = mistakes.iter().filter(|one| !one["like"].is_null()).count();
    let pictures = html.matches("<img src=\"data:image/jpeg;base64,").count();
    assert_eq!(pictures, mistakes.len() + like);
    for mistake in mistakes {
        assert!(html.contains(mistake["photo"]["file"].as_str().unwrap()));
    }
    assert!(html.contains("flukeprint evaluate") || html.contains("/flukeprint evaluate"));
    assert!(!html.contains("<script") && !html.contains("<b>"));
}

#[test]
fn a_page_of_a_run_has_every_part_of_the_table() {
    let place = tempfile::tempdir().unwrap();
    let page = place.path().join("page.html");
    let mut command = flukeprint(&["evaluate", "--json", "--run"]);
    let report = json(command.arg(run_folder()).arg("--html").arg(&page));
    let html = fs::read_to_string(&page).unwrap();
    for row in report["rows"].as_array().unwrap() {
        assert!(html.contains(row["name"].as_str().unwrap()), "{row}");
    }
    assert!(html.contains("raw pixels, nearest photo"));
    assert!(html.contains(&format!("{:.3}", number(&report["map5"]))));
    assert!(html.contains(report["model_sha256"].as_str().unwrap()));
    assert_eq!(html.matches("<svg").count(), 4);
}

#[test]
fn crossed_halves_answer_every_held_out_photo_with_parameters_of_the_other() {
    let run = |words: &[&str]| {
        let mut command = flukeprint(&["evaluate", "--json", "--run"]);
        json(command.arg(run_folder()).args(words))
    };
    let (crossed, report) = (run(&["--crossed"]), run(&[]));
    assert!(crossed["photos"].as_u64() > report["photos"].as_u64());
    assert_eq!(crossed["gallery_photos"], report["gallery_photos"]);
    // The report half is answered by what was tuned on the tuning half, as always.
    assert_eq!(crossed["parameters"][1], report["parameters"]);
    let tuned = &crossed["parameters"][0];
    assert_ne!(tuned["sharpness"], report["parameters"]["sharpness"]);
    let [all, half] = [&crossed, &report].map(|report| number(&report["ece_by_chance"]));
    assert!(all < half, "{all} {half}");
    let text = succeed(flukeprint(&["evaluate", "--crossed", "--run"]).arg(run_folder())).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("beyond chance off by"), "{text}");
}

/// The parameters of a run tuned by `tune` and more words, and what it says of its operating points.
fn tuned(run: &Path, more: &[&str]) -> [Value; 2] {
    succeed(flukeprint(&["tune", "--run"]).arg(run).args(more));
    ["decision.json", "operating.json"]
        .map(|file| serde_json::from_slice(&fs::read(run.join(file)).unwrap()).unwrap())
}

#[test]
fn what_was_tuned_on_all_photos_is_measured_crossed_or_not_at_all() {
    let run = copy(run_folder());
    let run = run.path();
    let evaluate = |words: &[&str]| {
        let mut command = flukeprint(&["evaluate", "--json", "--run"]);
        command.arg(run).args(words);
        command
    };
    let [half, half_points] = tuned(run, &[]);
    let crossed = json(&mut evaluate(&["--crossed", "5"]));
    assert_eq!(crossed["parameters"].as_array().unwrap().len(), 5);
    assert_eq!(
        crossed["photos"],
        json(&mut evaluate(&["--crossed"]))["photos"]
    );
    let [all, all_points] = tuned(run, &["--all"]);
    assert_ne!(all["sharpness"], half["sharpness"]);
    // What its operating points cost was not measured on what they were chosen on: it is close to the halves'.
    assert_ne!(all_points, half_points);
    assert_eq!(
        all_points.as_array().unwrap().len(),
        half_points.as_array().unwrap().len()
    );
    let share = |decision: &Value| number(&decision["new_share"]);
    let held_out = number(&crossed["photos"]) - number(&crossed["known_photos"]);
    assert!((share(&all) - held_out / number(&crossed["photos"])).abs() < 1e-6);

    for words in [&[][..], &["--evidence"], &["--encounters"]] {
        let line = refusal(&evaluate(words).output().unwrap());
        assert!(
            line.contains("--crossed 10") && line.contains("--all"),
            "{line}"
        );
    }
    // Measuring crossed tunes anew, whatever the run was tuned on.
    assert_eq!(json(&mut evaluate(&["--crossed", "5"])), crossed);
    // And back again.
    assert_eq!(tuned(run, &[]), [half, half_points]);
    assert!(number(&json(&mut evaluate(&[]))["photos"]) > 0.0);
}

#[test]
fn held_out_photos_are_not_cut_into_more_parts_than_there_are() {
    for parts in ["1", "0", "100000"] {
        let mut command = flukeprint(&["evaluate", "--crossed", parts, "--run"]);
        let line = refusal(&command.arg(run_folder()).output().unwrap());
        assert!(line.contains(parts) && line.contains("parts"), "{line}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_is_computed() {
    let mut command = evaluate(&catalogue().join("train.csv"));
    let line = refusal(
        &command
            .arg("--html")
            .arg("/no/such/place/page.html")
            .output()
            .unwrap(),
    );
    assert!(line.contains("/no/such/place"), "{line}");
}

#[test]
fn a_table_that_names_none_of_the_photos_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let labels = place.path().join("labels.csv");
    fs::write(
        &labels,
        "Image,Id\nelsewhere1.jpg,w_1\nelsewhere2.jpg,new_whale\n",
    )
    .unwrap();
    let line = refusal(&evaluate(&labels).output().unwrap());
    assert!(
        line.contains("2 of") && line.contains("elsewhere1.jpg"),
        "{line}"
    );
    fs::write(&labels, "Image,Id\n").unwrap();
    let line = refusal(&evaluate(&labels).output().unwrap());
    assert!(line.contains("lists no photo"), "{line}");
}

/// A catalogue with some of its rows, trained and tuned on.
fn tune_refuses(keep: impl Fn(&str) -> bool) -> String {
    let data = copy(catalogue());
    let table = data.path().join("train.csv");
    let text = fs::read_to_string(&table).unwrap();
    let rows = text
        .lines()
        .enumerate()
        .filter(|(line, row)| *line == 0 || keep(row));
    fs::write(
        &table,
        rows.map(|(_, row)| format!("{row}\n")).collect::<String>(),
    )
    .unwrap();
    // Boxes of photos that are in no table are no mistake.
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let mut train = flukeprint(&["train", "--recipe", "tiny", "--data"]);
    let trained = train
        .arg(data.path())
        .arg("--out")
        .arg(&run)
        .output()
        .unwrap();
    if !trained.status.success() {
        return refusal(&trained);
    }
    refusal(&flukeprint(&["tune", "--run"]).arg(&run).output().unwrap())
}

#[test]
fn validation_photos_of_known_whales_alone_cannot_be_tuned_on() {
    let line = tune_refuses(|row| !row.ends_with("new_whale"));
    assert!(
        line.contains("show known whales") && line.contains("new whales too"),
        "{line}"
    );
}

#[test]
fn validation_photos_of_new_whales_alone_cannot_be_tuned_on() {
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let line = tune_refuses(|row| {
        let whale = row.split(',').nth(1).unwrap().to_owned();
        whale == "new_whale" || seen.borrow_mut().insert(whale)
    });
    assert!(
        line.contains("show new whales") && line.contains("known whales too"),
        "{line}"
    );
}

#[test]
fn a_catalogue_of_one_whale_is_refused() {
    let table = fs::read_to_string(catalogue().join("train.csv")).unwrap();
    let whale = table
        .lines()
        .skip(1)
        .find(|row| !row.ends_with("new_whale"))
        .unwrap();
    let whale = whale.split(',').nth(1).unwrap().to_owned();
    let line = tune_refuses(|row| row.ends_with(&format!(",{whale}")));
    assert!(line.contains("one whale"), "{line}");
}
