//! Devices and how fast they are, through the real command. What a GPU does needs a GPU; what this build
//! refuses does not.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, flukeprint, run_folder, succeed};
use serde_json::Value;
use std::process::{Command, Output};

fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

/// What the command said as it refused: exit code 2 and no panic.
fn refusal(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty());
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn the_processor_is_listed_and_what_is_left_out_says_how_to_get_it() {
    let list = json(&mut flukeprint(&["devices", "--json"]));
    let kinds = list["kinds"].as_array().unwrap();
    let names: Vec<&str> = kinds
        .iter()
        .map(|kind| kind["kind"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["cpu", "cuda", "wgpu"]);
    assert_eq!(kinds[0]["devices"][0]["device"], "cpu");
    let name = kinds[0]["devices"][0]["name"].as_str().unwrap();
    assert!(name.contains("threads"), "{name}");

    let table = succeed(&mut flukeprint(&["devices"])).stdout;
    let table = String::from_utf8_lossy(&table).into_owned();
    for kind in &kinds[1..] {
        assert_eq!(kind["feature"], kind["kind"]);
        if kind["built"] == false {
            assert_eq!(kind["devices"], serde_json::json!([]));
            let get = format!("--features {}", kind["feature"].as_str().unwrap());
            assert!(table.contains(&get), "{table}");
        }
    }
}

/// On every machine: no build has a hundred cards, and most builds no GPU at all.
#[test]
fn a_device_that_is_not_there_is_one_line_at_every_verb() {
    let run = run_folder().to_str().unwrap();
    let bundle = bundle().to_str().unwrap();
    for verb in [
        vec!["tune", "--run", run],
        vec!["evaluate", "--run", run],
        vec!["export", "--run", run, "--out", "never"],
        vec!["identify", "--bundle", bundle, "photo.jpg"],
        vec!["bench"],
    ] {
        for device in ["cuda:99", "wgpu:99"] {
            let output = flukeprint(&verb).args(["--device", device]).output();
            let text = refusal(&output.unwrap());
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 1, "{text}");
            assert!(
                lines[0].starts_with(&format!("flukeprint: device `{device}`: ")),
                "{text}"
            );
        }
    }
}

#[test]
fn a_word_that_is_no_device_is_refused_with_those_there_are() {
    let output = flukeprint(&["bench", "--device", "gpu"]).output().unwrap();
    let text = refusal(&output);
    assert!(
        text.contains("'gpu'") && text.contains("this build has cpu"),
        "{text}"
    );
}

#[test]
fn the_processor_named_gives_what_it_gives_unnamed() {
    let report = |device: &[&str]| {
        let mut command = flukeprint(&["evaluate", "--json", "--run"]);
        json(command.arg(run_folder()).args(device))
    };
    assert_eq!(report(&[]), report(&["--device", "cpu"]));
}

/// A step of the smallest backbone; how long it takes is nobody's business.
fn measured(arguments: &[&str]) -> Value {
    let small =
        "bench --json --backbone compact --size 64x80 --batch 2 --individuals 7 --warm-up 1";
    let words: Vec<&str> = small.split(' ').collect();
    json(flukeprint(&words).args(arguments))
}

#[test]
fn bench_measures_asking_and_training() {
    let asked = measured(&["--steps", "2"]);
    assert_eq!(asked["mode"], "inference");
    assert_eq!(asked["input"], serde_json::json!([64, 80]));
    let trained = measured(&["--steps", "2", "--train"]);
    assert_eq!(trained["mode"], "training");
    for (report, parts) in [
        (asked, vec!["forward"]),
        (trained, vec!["forward", "backward", "optimizer"]),
    ] {
        assert_eq!(report["backbone"], "compact");
        assert_eq!((&report["batch"], &report["steps"]), (&2.into(), &2.into()));
        let found: Vec<&str> = report["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, parts);
        // Images a second times seconds a step are the batch.
        let of = |what: &str| report[what]["median"].as_f64().unwrap();
        let batch = of("images_per_second") * of("milliseconds") / 1e3;
        let (least, most) = (
            report["milliseconds"]["least"].as_f64().unwrap(),
            report["milliseconds"]["most"].as_f64().unwrap(),
        );
        assert!((2.0 * least / most - 1e-9..=2.0 * most / least + 1e-9).contains(&batch));
        assert!(least > 0.0 && least <= of("milliseconds") && of("milliseconds") <= most);
    }
}

#[test]
fn bench_measures_in_the_precision_that_is_asked_for() {
    assert_eq!(measured(&["--steps", "1"])["precision"], "f32");
    for mode in [&["--steps", "1"][..], &["--steps", "1", "--train"]] {
        let arguments = [mode, &["--precision", "bf16"]].concat();
        assert_eq!(measured(&arguments)["precision"], "bf16");
    }
}

#[test]
fn bench_refuses_what_cannot_be_measured() {
    for (arguments, says) in [
        (vec!["--batch", "1", "--train"], "--batch"),
        (vec!["--steps", "0"], "--steps"),
        (vec!["--size", "16"], "make it wider"),
        (vec!["--backbone", "resnet51"], "`resnet51`"),
        (vec!["--size", "large"], "192x384"),
        (vec!["--precision", "f16"], "write f32 or bf16"),
    ] {
        let output = flukeprint(&["bench"]).args(&arguments).output().unwrap();
        let text = refusal(&output);
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
}
