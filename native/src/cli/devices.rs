//! `flukeprint devices`, and the word with which other verbs choose one.

use super::out::say;
use crate::Result;
use crate::device::{DeviceChoice, DeviceKind, describe};
use burn::tensor::Device;
use clap::Args;
use serde::Serialize;

/// The device of a verb that computes.
#[derive(Clone, Copy, Debug, Args)]
pub struct DeviceArgs {
    /// What computes: cpu, cuda, cuda:1, wgpu, wgpu:1. `flukeprint devices` lists those there are.
    #[arg(long = "device", value_name = "DEVICE", default_value_t)]
    choice: DeviceChoice,
}

impl DeviceArgs {
    /// Opens the device.
    pub fn open(self) -> Result<Device> {
        self.choice.open()
    }

    /// The word that chose it.
    pub fn name(self) -> String {
        self.choice.to_string()
    }
}

/// List what can compute, and what this build leaves out.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint devices --json")]
pub struct Devices {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct List {
    kinds: Vec<Kind>,
}

#[derive(Debug, Serialize)]
struct Kind {
    kind: &'static str,
    meaning: &'static str,
    /// Whether this build has it.
    built: bool,
    /// The cargo feature that adds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'static str>,
    /// Those of this machine; none where the build does not have the kind.
    devices: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    /// What to write after `--device`.
    device: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Devices {
    pub fn run(&self) -> Result<()> {
        let list = List {
            kinds: DeviceKind::ALL.into_iter().map(Kind::new).collect(),
        };
        if self.json {
            return super::print_json(&list);
        }
        list.kinds.iter().for_each(Kind::print);
        Ok(())
    }
}

impl Kind {
    fn new(kind: DeviceKind) -> Self {
        let devices = match kind.count() {
            Ok(count) => (0..count)
                .map(|number| Found::new(choice(kind, number)))
                .collect(),
            Err(error) => vec![Found {
                device: kind.name().to_owned(),
                name: None,
                error: Some(error.to_string()),
            }],
        };
        Self {
            kind: kind.name(),
            meaning: kind.meaning(),
            built: kind.is_built(),
            feature: kind.feature(),
            devices,
        }
    }

    fn print(&self) {
        let (kind, meaning) = (self.kind, self.meaning);
        for found in &self.devices {
            let what = found.name.as_ref().or(found.error.as_ref());
            let what = what.map_or("", String::as_str);
            say!("{:<8}{what}", found.device);
        }
        match (self.feature, self.built, self.devices.is_empty()) {
            (Some(feature), false, _) => say!(
                "{kind:<8}{meaning}: not in this build; cargo build --release -p flukeprint --features {feature}"
            ),
            (_, true, true) => say!("{kind:<8}{meaning}: none on this machine"),
            _ => {}
        }
    }
}

fn choice(kind: DeviceKind, number: usize) -> DeviceChoice {
    let number = (kind != DeviceKind::Cpu).then_some(number);
    DeviceChoice { kind, number }
}

impl Found {
    fn new(choice: DeviceChoice) -> Self {
        let opened = choice.open();
        Self {
            device: choice.to_string(),
            name: opened.as_ref().ok().map(describe),
            error: opened.err().map(|error| error.to_string()),
        }
    }
}
