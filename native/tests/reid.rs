//! Photos found again among others: of a bundle, and of whales that a run kept out.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, flukeprint, run_folder, succeed};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

/// Photo and whale of each row of the catalogue's table.
fn rows() -> Vec<(String, String)> {
    let table = fs::read_to_string(catalogue().join("train.csv")).unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_once(',').unwrap());
    rows.map(|(photo, whale)| (photo.to_owned(), whale.to_owned()))
        .collect()
}

fn write_table(path: &Path, rows: &[(String, String)]) {
    let lines: String = rows
        .iter()
        .map(|(photo, whale)| format!("{photo},{whale}\n"))
        .collect();
    fs::write(path, format!("Image,Id\n{lines}")).unwrap();
}

/// `evaluate --bundle --reid` on photos of the catalogue, by the labels in a table.
fn reid(bundle: &Path, labels: &Path) -> Command {
    let mut command = flukeprint(&["evaluate", "--reid", "--bundle"]);
    command.arg(bundle).arg("--labels").arg(labels);
    command.arg("--photos").arg(catalogue().join("train"));
    command
        .arg("--boxes")
        .arg(catalogue().join("bounding_boxes.csv"));
    command
}

/// Photos and whales that can be looked up.
fn wanted(rows: &[(String, String)]) -> (usize, usize) {
    let mut photos: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, whale) in rows.iter().filter(|(_, whale)| whale != "new_whale") {
        *photos.entry(whale).or_default() += 1;
    }
    photos.retain(|_, count| *count >= 2);
    (photos.values().sum(), photos.len())
}

#[test]
fn a_bundle_is_measured_on_whales_by_their_labels_alone() {
    let place = tempfile::tempdir().unwrap();
    let labels = place.path().join("labels.csv");
    let (queries, whales) = wanted(&rows());
    write_table(&labels, &rows());
    let known = json(reid(bundle(), &labels).arg("--json"));
    assert_eq!(known["photos"], rows().len());
    let reid_of = &known["reid"];
    assert_eq!(reid_of["photos"], rows().len());
    assert_eq!(
        (&reid_of["queries"], &reid_of["whales"]),
        (&queries.into(), &whales.into())
    );
    let numbers = [
        "map5",
        "top1",
        "top5",
        "known_top1",
        "known_top5",
        "auc_new",
        "ece",
        "eer_new",
        "reid_top1",
        "reid_top5",
    ];
    for name in numbers {
        let (value, interval) = (known[name].as_f64().unwrap(), &known["intervals"][name]);
        let [low, high] = ["low", "high"].map(|end| interval[end].as_f64().unwrap());
        assert!(
            0.0 <= low && low <= value && value <= high && high <= 1.0,
            "{name}"
        );
    }
    assert!(known["seconds_per_photo"].as_f64().unwrap() > 0.0);
    assert_eq!(known["map5"], known["rows"][5]["map5"]);
    assert_eq!(known["reid_top1"], reid_of["top1"]);
    let shares = ["reid_top1", "reid_top5"].map(|name| known[name].as_f64().unwrap());
    assert!(0.0 < shares[1] && shares[0] <= shares[1], "{shares:?}");

    // Under names that the bundle does not know, all are new to it, and as easily found again.
    let strange = rows()
        .into_iter()
        .map(|(photo, whale)| match whale.as_str() {
            "new_whale" => (photo, whale),
            _ => (photo, format!("strange_{whale}")),
        });
    write_table(&labels, &strange.collect::<Vec<_>>());
    let unknown = json(reid(bundle(), &labels).arg("--json"));
    assert_eq!(unknown["known_photos"], 0);
    assert_eq!(unknown["known_top1"], Value::Null);
    assert_eq!(unknown["eer_new"], Value::Null);
    assert!(unknown["ece_by_chance"].as_f64().unwrap() > 0.0);
    assert_eq!(unknown["reid"], known["reid"]);

    let text = succeed(&mut reid(bundle(), &labels)).stdout;
    let text = String::from_utf8(text).unwrap();
    let words = format!("{queries} photos of the {whales} whales");
    for words in [
        &words,
        "95 % of \"all\" from",
        "seed 7",
        "calibration error",
        "top-5",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
}

#[test]
fn photos_of_which_no_two_show_a_whale_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let labels = place.path().join("labels.csv");
    let mut whales = BTreeSet::new();
    let single: Vec<_> = rows()
        .into_iter()
        .filter(|(_, whale)| whale == "new_whale" || whales.insert(whale.clone()))
        .collect();
    write_table(&labels, &single);
    let output = reid(bundle(), &labels).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = message
        .lines()
        .filter(|line| line.starts_with("flukeprint: "))
        .collect();
    assert_eq!(lines.len(), 1, "{message}");
    assert!(lines[0].contains("second photo"), "{message}");
}

#[test]
fn a_run_without_unseen_whales_says_nothing_of_them() {
    let report = json(flukeprint(&["evaluate", "--json", "--run"]).arg(run_folder()));
    assert!(report.get("reid").is_none() && report.get("reid_top1").is_none());
    assert!(report["intervals"]["map5"]["low"].is_number());
}

#[test]
fn whales_that_a_run_kept_out_are_in_no_other_list_and_are_measured_alone() {
    const UNSEEN: usize = 8;
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    // Margins by the number of photos, of which these whales have none to train on.
    let recipe = format!(
        "base = \"tiny\"\nname = \"unseen\"\n[validation]\nunseen_whales = {UNSEEN}\n\
         [classifier]\nkind = \"subcenter-arcface\"\n"
    );
    fs::write(at("recipe.toml"), recipe).unwrap();
    let mut train = flukeprint(&["train", "--recipe"]);
    train.arg(at("recipe.toml")).arg("--data").arg(catalogue());
    succeed(train.arg("--out").arg(at("run")));
    succeed(flukeprint(&["tune", "--run"]).arg(at("run")));

    let split: Value = serde_json::from_slice(&fs::read(at("run/split.json")).unwrap()).unwrap();
    let whales_of: BTreeMap<String, String> = rows().into_iter().collect();
    let list = |name: &str| -> Vec<String> {
        let files = split[name].as_array().unwrap().iter();
        files
            .map(|file| file.as_str().unwrap().to_owned())
            .collect()
    };
    let whales = |name: &str| -> BTreeSet<String> {
        list(name)
            .iter()
            .map(|file| whales_of[file].clone())
            .collect()
    };
    let unseen = whales("unseen");
    assert_eq!(unseen.len(), UNSEEN);
    for other in ["train", "tune", "report"] {
        assert!(unseen.is_disjoint(&whales(other)), "{other}");
    }

    let report = json(flukeprint(&["evaluate", "--json", "--run"]).arg(at("run")));
    let all: BTreeSet<&String> = whales_of
        .values()
        .filter(|whale| *whale != "new_whale")
        .collect();
    assert_eq!(report["gallery_photos"], list("train").len());
    assert_eq!(report["individuals"], all.len() - UNSEEN);
    let photos = list("unseen").len();
    let reid_of = &report["reid"];
    for (name, wanted) in [("photos", photos), ("queries", photos), ("whales", UNSEEN)] {
        assert_eq!(reid_of[name], wanted, "{name}");
    }
    let table = succeed(flukeprint(&["evaluate", "--run"]).arg(at("run"))).stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("no training photo among them"), "{table}");

    // The bundle knows them, and says the same of their photos.
    let mut export = flukeprint(&["export", "--date", "2026-01-01", "--run"]);
    succeed(export.arg(at("run")).arg("--out").arg(at("bundle")));
    let of_unseen: Vec<_> = list("unseen")
        .into_iter()
        .map(|file| (file.clone(), whales_of[&file].clone()))
        .collect();
    write_table(&at("labels.csv"), &of_unseen);
    let exported = json(reid(&at("bundle"), &at("labels.csv")).arg("--json"));
    assert_eq!(exported["known_photos"], photos);
    assert_eq!(&exported["reid"], reid_of);

    // By local features too: drawn scars are found again, whoever drew the network's attention.
    succeed(flukeprint(&["tune", "--evidence", "--run"]).arg(at("run")));
    let mut evidence = flukeprint(&["evaluate", "--evidence", "--run"]);
    let evidence = evidence.arg(at("run"));
    let measured = json(
        Command::new(evidence.get_program())
            .args(evidence.get_args())
            .arg("--json"),
    );
    let ways = measured["unseen"].as_array().unwrap();
    let top1 = |name: &str| {
        let way = ways.iter().find(|way| way["name"] == name).unwrap();
        for (name, wanted) in [("photos", photos), ("queries", photos), ("whales", UNSEEN)] {
            assert_eq!(way[name], wanted, "{name}");
        }
        way["top1"].as_f64().unwrap()
    };
    assert!(top1("votes") > top1("network"), "{ways:?}");
    assert!(
        top1("network, edges and votes, verified") > top1("network"),
        "{ways:?}"
    );
    let text = String::from_utf8(succeed(evidence).stdout).unwrap();
    assert!(text.contains("each looked up among the others"), "{text}");

    // By edges alone the same is said of edges and the network, and nothing of what was not compared.
    let edges = json(flukeprint(&["evaluate", "--edges", "--json", "--run"]).arg(at("run")));
    let named = |report: &Value, name: &str, key: &str| {
        let rows = report[key].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).cloned()
    };
    for key in ["rows", "unseen"] {
        for name in ["network", "trailing edge", "network and edges"] {
            let expected = named(&measured, name, key);
            assert!(expected.is_some(), "{name} of {key}");
            assert_eq!(named(&edges, name, key), expected, "{name} of {key}");
        }
        assert_eq!(edges[key].as_array().unwrap().len(), 3, "{key}");
    }
    assert_eq!(edges["edges"], measured["edges"]);
    assert_eq!(edges["verified"], Value::Null);
    let text = String::from_utf8(succeed(flukeprint(&["evaluate", "--run"]).arg(at("run"))).stdout);
    assert!(text.unwrap().contains("evaluate --edges"));

    // And several photos of one of them, half of them enrolled by one photo, find more with matches.
    let encounters = |more: &[&str]| {
        let mut command = flukeprint(&["evaluate", "--encounters", "--json", "--run"]);
        json(command.arg(at("run")).args(more))
    };
    let rows = |report: &Value| report["rows"].as_array().unwrap().clone();
    let searched = encounters(&["--evidence"]);
    let networks = &encounters(&[])["encounters"];
    assert_eq!(searched["protocol"], networks["protocol"]);
    let known_top1 = |report: &Value, way: &str| {
        let known = &rows(report)[0]["known"];
        known[way]["known_top1"]["value"].as_f64().unwrap()
    };
    assert_eq!(
        known_top1(&searched, "alone"),
        known_top1(&searched, "together")
    );
    assert!(known_top1(&searched, "together") > known_top1(networks, "together"));
    let laid = encounters(&["--edges"]);
    assert_eq!(laid["protocol"], networks["protocol"]);
    assert_eq!(known_top1(&laid, "alone"), known_top1(&laid, "together"));
    assert_ne!(
        rows(&laid)[0]["known"],
        rows(networks)[0]["known"],
        "edges count"
    );

    // Enrolled by one photo each, their other photos ask for them.
    let enroll = |whales: usize| {
        let mut command = flukeprint(&["evaluate", "--enroll", &whales.to_string(), "--run"]);
        command.arg(at("run"));
        command
    };
    let enrolled = json(enroll(UNSEEN).arg("--json"));
    for (name, wanted) in [
        ("whales", UNSEEN),
        ("queries", photos - UNSEEN),
        ("old_whales", all.len() - UNSEEN),
        ("old_queries", list("report").len()),
    ] {
        assert_eq!(enrolled[name], wanted, "{name}");
    }
    let number = |path: &str| enrolled.pointer(path).unwrap().as_f64().unwrap();
    for after in ["by_photo", "imprinted"] {
        let lost = number(&format!("/{after}/cost/map5/value"));
        let apart = number("/before/map5/value") - number(&format!("/{after}/old/map5/value"));
        assert!((lost - apart).abs() < 1e-9, "{lost} {apart}");
        let [top1, top5] =
            ["top1", "top5"].map(|share| number(&format!("/{after}/enrolled/{share}/value")));
        assert!(top1 <= top5 && top5 <= 1.0, "{top1} {top5}");
    }
    assert_eq!(enrolled, json(enroll(UNSEEN).arg("--json")));
    let text = String::from_utf8(succeed(&mut enroll(UNSEEN)).stdout).unwrap();
    assert!(text.contains("old whales with one photo"), "{text}");
    let output = enroll(UNSEEN + 1).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("validation.unseen_whales = 9"),
        "{message}"
    );
}
