//! Answers for which all photos of the gallery vote, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::evidence::{export, individuals, json, known_photo, right, with_keypoints};
use common::{catalogue, copy, file_name, flukeprint, photos_of, refused, succeed, table};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The gallery's photos were looked at in these boxes too.
fn identify(how: &str, bundle: &Path, photos: &[PathBuf]) -> Command {
    let mut command = flukeprint(&["identify", how, "--boxes"]);
    command.arg(catalogue().join("bounding_boxes.csv"));
    command.arg("--bundle").arg(bundle).args(photos);
    command
}

/// The answers but for what a clock says, and what was told beside them.
fn answers(command: &mut Command) -> (Value, String) {
    let output = succeed(command.arg("--json"));
    let mut answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    answers["time"] = Value::Null;
    for photo in answers["photos"].as_array_mut().unwrap() {
        photo["stages"] = Value::Null;
    }
    (answers, String::from_utf8(output.stderr).unwrap())
}

fn some_photos() -> Vec<PathBuf> {
    let mut photos = photos_of(&catalogue().join("test"));
    photos.truncate(2);
    photos.push(known_photo());
    photos
}

/// The run's bundle without the photos that it held out, and those that it reports on.
fn of_training_photos() -> (TempDir, Vec<PathBuf>) {
    let bundle = copy(with_keypoints());
    let split = json(&with_keypoints().parent().unwrap().join("split.json"));
    let names = |half: &str| -> Vec<String> {
        let names = split[half].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let report = names("report");
    for name in names("tune").iter().chain(&report) {
        let mut remove = flukeprint(&["remove", "--date", "2026-01-02", "--photo", name]);
        succeed(remove.arg("--bundle").arg(bundle.path()));
    }
    let left = individuals(bundle.path())["photos"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(left, split["train"].as_array().unwrap().len());
    let train = catalogue().join("train");
    (bundle, report.iter().map(|name| train.join(name)).collect())
}

/// Who is in which photo, by the catalogue's table.
fn labels() -> HashMap<String, String> {
    table(&catalogue().join("train.csv"))
        .into_iter()
        .map(|mut row| (row.remove("Image").unwrap(), row.remove("Id").unwrap()))
        .collect()
}

/// MAP@5 by the catalogue's table.
fn map5(answers: &Value) -> f64 {
    let labels = labels();
    let photos = answers["photos"].as_array().unwrap();
    let worth = photos.iter().map(|photo| {
        let file = file_name(Path::new(photo["photo"].as_str().unwrap()));
        let candidates = photo["candidates"].as_array().unwrap();
        let place = candidates
            .iter()
            .position(|one| one["name"] == labels[&file].as_str());
        place.map_or(0.0, |place| 1.0 / (place + 1) as f64)
    });
    worth.sum::<f64>() / photos.len() as f64
}

#[test]
fn what_is_measured_is_what_is_answered_and_a_search_finds_more() {
    let mut evaluate = flukeprint(&["evaluate", "--evidence", "--json", "--run"]);
    let run = with_keypoints().parent().unwrap();
    let report = succeed(evaluate.arg(run)).stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    let score = |name: &str, score: &str| {
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row[score].as_f64().unwrap()
    };
    let measured = |name| score(name, "map5");
    let (bundle, photos) = of_training_photos();
    let answered = |how: &str| map5(&answers(&mut identify(how, bundle.path(), &photos)).0);
    for (how, name) in [
        ("--count=5", "network and edges"),
        ("--verify", "network and edges, first whales verified"),
        ("--search", "network, edges and votes, verified"),
    ] {
        let (answered, measured) = (answered(how), measured(name));
        assert!((answered - measured).abs() < 1e-9, "{answered} {measured}");
    }
    assert!(measured("network, edges and votes, verified") > measured("network") + 0.05);

    let manifest = json(&bundle.path().join("bundle.json"));
    let top1 = score("network and edges", "top1");
    assert!(
        (right(&manifest, &photos, &labels()) - top1).abs() < 1e-6,
        "{top1}"
    );
    assert_eq!(manifest["evidence"]["parameters"], report["verify"]);
    assert_eq!(
        manifest["evidence"]["search"]["parameters"],
        report["search"]
    );
}

#[test]
fn crossed_halves_are_all_held_out_photos() {
    let run = with_keypoints().parent().unwrap();
    let evaluate = |more: &[&str]| -> Value {
        let mut command = flukeprint(&["evaluate", "--evidence", "--json", "--run"]);
        serde_json::from_slice(&succeed(command.arg(run).args(more)).stdout).unwrap()
    };
    let (half, both) = (evaluate(&[]), evaluate(&["--crossed"]));
    assert_eq!(
        (&half["crossed"], &both["crossed"]),
        (&false.into(), &true.into())
    );
    let split = json(&run.join("split.json"));
    let photos = |name: &str| split[name].as_array().unwrap().len();
    assert_eq!(half["photos"], photos("report"));
    assert_eq!(both["photos"], photos("tune") + photos("report"));
    // What the run ships is what its tuning half says, however it is measured.
    assert_eq!(
        (&half["verify"], &half["search"]),
        (&both["verify"], &both["search"])
    );

    // The report half is answered as without: its verified matches are among all.
    let (one, all) = (&half["verified"], &both["verified"]);
    assert_eq!(one["inliers"].as_array().unwrap().len(), 1);
    assert_eq!(all["inliers"][0], one["inliers"][0]);
    assert_eq!(all["inliers"].as_array().unwrap().len(), 2);
    let right = |verified: &Value| verified["right"].as_u64().unwrap();
    assert!(right(all) >= right(one));
    for contradiction in one["contradictions"].as_array().unwrap() {
        assert!(
            all["contradictions"]
                .as_array()
                .unwrap()
                .contains(contradiction)
        );
    }
    let (rows, few) = (&both["rows"], &half["rows"]);
    for (row, few) in rows.as_array().unwrap().iter().zip(few.as_array().unwrap()) {
        // A mean over all lies no further from the half's than the other half can pull it.
        let of = |row: &Value| row["map5"].as_f64().unwrap();
        let share = photos("report") as f64 / (photos("tune") + photos("report")) as f64;
        let other = (of(row) - share * of(few)) / (1.0 - share);
        assert!((0.0..=1.0 + 1e-9).contains(&other), "{row} {few}");
    }

    let mut command = flukeprint(&["evaluate", "--evidence", "--crossed", "--run"]);
    let text = String::from_utf8(succeed(command.arg(run)).stdout).unwrap();
    assert!(
        text.contains("each part by parameters tuned on the others"),
        "{text}"
    );
}

#[test]
fn evidence_tuned_on_all_held_out_photos_is_measured_in_parts() {
    let run = copy(with_keypoints().parent().unwrap());
    let run = run.path();
    let kept = || json(&run.join("evidence.json"));
    let evaluate = |more: &[&str]| -> Value {
        let mut command = flukeprint(&["evaluate", "--evidence", "--json", "--run"]);
        serde_json::from_slice(&succeed(command.arg(run).args(more)).stdout).unwrap()
    };
    let half = kept();
    let parts = evaluate(&["--crossed", "4"]);
    assert_eq!(parts["photos"], evaluate(&["--crossed"])["photos"]);
    assert_eq!(parts["verified"]["inliers"].as_array().unwrap().len(), 4);

    succeed(flukeprint(&["tune", "--all", "--evidence", "--run"]).arg(run));
    let all = kept();
    assert_ne!(all["evidence"], half["evidence"]);
    assert_eq!(all["decision"], json(&run.join("decision.json")));
    assert_eq!(evaluate(&["--crossed", "4"]), parts);
    let mut command = flukeprint(&["evaluate", "--evidence", "--run"]);
    let line = refused(command.arg(run));
    assert!(line.contains("--crossed"), "{line}");
    // It is what ships.
    let out = run.join("all");
    succeed(&mut export(run, &out));
    let manifest = json(&out.join("bundle.json"));
    assert_eq!(
        manifest["evidence"]["parameters"],
        all["evidence"]["verify"]
    );
}

#[test]
fn the_same_photos_get_the_same_answers_again_and_on_one_thread() {
    let bundle = copy(with_keypoints());
    let photos = some_photos();
    let search = |threads: &str| {
        let mut command = identify("--search", bundle.path(), &photos);
        answers(command.env("RAYON_NUM_THREADS", threads))
    };
    let kept = || -> Vec<PathBuf> {
        let entries = fs::read_dir(bundle.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| file_name(path).starts_with("search."))
            .collect()
    };
    let (first, told) = search("2");
    assert!(!told.contains("cannot"), "{told}");
    let gallery = individuals(bundle.path())["photos"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(first["search"]["voting"], gallery);
    assert_eq!(first["search"]["not_voting"], Value::Array(Vec::new()));
    let [sorted] = &kept()[..] else {
        unreachable!("one file keeps how keypoints are sorted: {:?}", kept());
    };
    let sorted_by_two = fs::read(sorted).unwrap();
    assert_eq!(search("1").0, first);

    // Without what was kept, and with a damaged one, it is found out anew.
    fs::remove_file(sorted).unwrap();
    assert_eq!(search("1").0, first);
    assert!(fs::read(sorted).unwrap() == sorted_by_two);
    let mut damaged = sorted_by_two.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(sorted, damaged).unwrap();
    assert_eq!(search("2").0, first);
    assert!(fs::read(sorted).unwrap() == sorted_by_two);

    // Another gallery has no use for it.
    let photo = file_name(&known_photo());
    let mut remove = flukeprint(&["remove", "--date", "2026-01-02", "--photo", &photo]);
    succeed(remove.arg("--bundle").arg(bundle.path()));
    assert!(kept().is_empty());
}

#[test]
fn photos_whose_files_are_damaged_or_missing_cannot_vote_and_are_said() {
    let spoilt = copy(with_keypoints());
    let photos = [known_photo()];
    let search = || answers(&mut identify("--search", spoilt.path(), &photos));
    let (before, _) = search();
    let rows = individuals(spoilt.path());
    let path = |row: usize| {
        let path = rows["photos"][row]["keypoints"]["path"].as_str().unwrap();
        spoilt.path().join(path)
    };
    let mut bytes = fs::read(path(3)).unwrap();
    bytes[30] ^= 1;
    fs::write(path(3), bytes).unwrap();
    fs::remove_file(path(5)).unwrap();
    let (after, told) = search();
    assert!(told.contains("2 of "), "{told}");
    assert!(told.contains("photos of the gallery cannot vote"), "{told}");
    let not_voting = after["search"]["not_voting"].as_array().unwrap();
    let names: Vec<&Value> = not_voting.iter().map(|one| &one["photo"]).collect();
    assert_eq!(
        names,
        [&rows["photos"][3]["file"], &rows["photos"][5]["file"]]
    );
    assert!(
        not_voting[0]["reason"]
            .as_str()
            .unwrap()
            .contains("SHA-256")
    );
    let count = |answers: &Value| answers["photos"][0]["candidates"].as_array().unwrap().len();
    assert_eq!(count(&after), count(&before));

    // Without any of them the answer is that of the network.
    fs::remove_dir_all(spoilt.path().join("keypoints")).unwrap();
    let (after, _) = search();
    let (plain, _) = answers(&mut identify("--count=5", spoilt.path(), &photos));
    let candidates = |answers: &Value| {
        let mut candidates = answers["photos"][0]["candidates"].clone();
        for candidate in candidates.as_array_mut().unwrap() {
            let votes = candidate.as_object_mut().unwrap().remove("votes");
            assert!(votes.is_none_or(|votes| votes == 0.0));
        }
        candidates
    };
    assert_eq!(candidates(&after), candidates(&plain));
}

#[test]
fn the_table_has_columns_of_evidence_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.csv");
    let bundle = copy(with_keypoints());
    let photo = known_photo();
    let row = |how: &str| {
        let mut command = identify(how, bundle.path(), std::slice::from_ref(&photo));
        succeed(command.arg("--csv").arg(&path));
        table(&path).remove(0)
    };
    let row_of_search = row("--search");
    let (answers, _) = answers(&mut identify(
        "--search",
        bundle.path(),
        std::slice::from_ref(&photo),
    ));
    for (place, candidate) in (1..).zip(answers["photos"][0]["candidates"].as_array().unwrap()) {
        let cell = |name: &str| row_of_search[&format!("{name}_{place}")].clone();
        let evidence = &candidate["evidence"];
        assert_eq!(cell("name"), candidate["name"].as_str().unwrap());
        assert_eq!(
            cell("evidence_photo"),
            evidence["photo"].as_str().unwrap_or("")
        );
        for (column, part) in [
            ("matches", "matches"),
            ("inliers", "inliers"),
            ("evidence_probability", "probability"),
        ] {
            assert_eq!(
                cell(column).parse().ok(),
                evidence[part].as_f64(),
                "{column}"
            );
        }
        let votes = f64::from(cell("votes").parse::<f32>().unwrap());
        assert!((votes - candidate["votes"].as_f64().unwrap()).abs() < 1e-5);
    }
    assert_eq!(row_of_search["evidence_1"], "duplicate");
    assert_eq!(row_of_search["not_compared"], "0");
    assert_eq!(row_of_search["not_voting"], "0");

    let verified = row("--verify");
    assert_eq!(verified["evidence_1"], "duplicate");
    assert!(verified.contains_key("not_compared") && !verified.contains_key("votes_1"));
    let plain = row("--count=5");
    assert!(
        plain
            .keys()
            .all(|column| !column.contains("evidence") && !column.starts_with("not_"))
    );
}

#[test]
fn kaggles_file_can_be_answered_by_a_search() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("submission.csv");
    let bundle = copy(with_keypoints());
    let mut submission = flukeprint(&["submission", "--search", "--photos"]);
    submission
        .arg(catalogue().join("test"))
        .arg("--out")
        .arg(&out);
    succeed(submission.arg("--bundle").arg(bundle.path()));
    let photos = photos_of(&catalogue().join("test"));
    let mut command = flukeprint(&["identify", "--search", "--bundle"]);
    let (answers, _) = answers(command.arg(bundle.path()).args(&photos));
    let rows = table(&out);
    assert_eq!(rows.len(), photos.len());
    for (row, photo) in rows.iter().zip(answers["photos"].as_array().unwrap()) {
        let names: Vec<&str> = photo["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(row["Id"], names.join(" "));
    }
}

#[test]
fn a_bundle_whose_vote_was_not_tuned_says_what_to_do_and_can_be_verified() {
    let older = copy(with_keypoints());
    let path = older.path().join("bundle.json");
    let mut manifest = json(&path);
    let evidence = manifest["evidence"].as_object_mut().unwrap();
    evidence.remove("search").unwrap();
    fs::write(&path, manifest.to_string()).unwrap();
    let photos = [known_photo()];
    let refusal = refused(&mut identify("--search", older.path(), &photos));
    assert!(refusal.contains("tune --evidence"), "{refusal}");
    let of = |bundle: &Path| answers(&mut identify("--verify", bundle, &photos)).0;
    assert_eq!(of(older.path())["photos"], of(with_keypoints())["photos"]);
}
