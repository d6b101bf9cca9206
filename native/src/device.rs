//! Devices: what a network is trained, measured and asked on.
//!
//! The CPU is in every build. Cargo features add GPUs: `cuda` for NVIDIA's cards, `wgpu` for any through
//! Vulkan, Metal or Direct3D 12. A device is chosen in words, [`DeviceChoice`], and opened once, with a
//! calculation whose result is known, so that an absent driver or a compiler that fails is one line and
//! no panic halfway.

#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod kernels;

use crate::{Error, Result};
use burn::tensor::{Device, Tensor};
use flukeprint_core::model::Precision;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::str::FromStr;
use std::sync::{Arc, Mutex};

/// How a device is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceKind {
    /// This machine's processor.
    #[default]
    Cpu,
    /// An NVIDIA card through CUDA.
    Cuda,
    /// Any GPU through the system's graphics interface.
    Wgpu,
}

impl DeviceKind {
    /// All there are, whether this build has them or not.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::Wgpu];

    /// The word that chooses it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Wgpu => "wgpu",
        }
    }

    /// What it is, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Cpu => "this machine's processor",
            Self::Cuda => "NVIDIA cards through CUDA",
            Self::Wgpu => "GPUs through Vulkan, Metal or Direct3D 12",
        }
    }

    /// The cargo feature that adds it; the CPU needs none.
    pub fn feature(self) -> Option<&'static str> {
        (self != Self::Cpu).then(|| self.name())
    }

    /// Whether this build has it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Wgpu => cfg!(feature = "wgpu"),
        }
    }

    /// What this machine has of it, not opened yet; nothing where the build has no such kind.
    fn enumerate(self) -> Vec<Device> {
        #[cfg(any(feature = "cuda", feature = "wgpu"))]
        kernels::keep();
        match self {
            Self::Cpu => vec![Device::flex()],
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
            #[cfg(not(all(feature = "cuda", feature = "wgpu")))]
            _ => Vec::new(),
        }
    }

    /// How many devices of this kind the machine has that this build reaches.
    ///
    /// # Errors
    /// [`Error::Device`] when a driver fails as it is asked.
    pub fn count(self) -> Result<usize> {
        match self {
            Self::Cpu => Ok(1),
            _ => quietly(|| self.enumerate().len()).map_err(|reason| refuse(self.name(), reason)),
        }
    }
}

/// A device as a person names it: `cpu`, `cuda`, `cuda:1`, `wgpu`, `wgpu:1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceChoice {
    /// How it is reached.
    pub kind: DeviceKind,
    /// Which one, from 0 in the order of `flukeprint devices`; the kind's own choice without it.
    pub number: Option<usize>,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{}:{number}", self.kind.name()),
            None => f.write_str(self.kind.name()),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (word, number) = match text.split_once(':') {
            Some((word, number)) => (word, Some(number)),
            None => (text, None),
        };
        let kind = DeviceKind::ALL.into_iter().find(|kind| kind.name() == word);
        let number = number.map(str::parse).transpose();
        match (kind, number) {
            (Some(DeviceKind::Cpu), Ok(Some(_))) => {
                Err("there is one `cpu`; write it without a number".to_owned())
            }
            (Some(kind), Ok(number)) => Ok(Self { kind, number }),
            (Some(kind), Err(_)) => {
                let name = kind.name();
                Err(format!(
                    "after `{name}:` comes the number of a device, as in `{name}:0`"
                ))
            }
            (None, _) => Err(format!(
                "this build has {}, and `flukeprint devices` says what a machine has",
                built()
            )),
        }
    }
}

impl DeviceChoice {
    /// Opens the device and has it calculate something known.
    ///
    /// # Errors
    /// [`Error::Device`] when this build or this machine lacks it, or it does not calculate.
    pub fn open(self) -> Result<Device> {
        let refuse = |reason| refuse(&self.to_string(), reason);
        let kind = self.kind;
        if let (false, Some(feature)) = (kind.is_built(), kind.feature()) {
            return Err(refuse(format!(
                "this build has only {}; build it with `cargo build --release -p flukeprint --features {feature}`",
                built()
            )));
        }
        if kind == DeviceKind::Cpu {
            return Ok(Device::flex());
        }
        let found = quietly(|| kind.enumerate()).map_err(refuse)?;
        let count = found.len();
        let mut found = found.into_iter();
        let chosen = match self.number {
            Some(number) => found.nth(number),
            None => found.next().map(|first| preferred(kind, first)),
        };
        let device = chosen.ok_or_else(|| refuse(absent(kind, count)))?;
        quietly(|| prove(&device))
            .and_then(|proved| proved)
            .map_err(refuse)?;
        Ok(device)
    }
}

fn refuse(device: &str, reason: String) -> Error {
    Error::Device {
        device: device.to_owned(),
        reason,
    }
}

/// The kinds of this build: "cpu, cuda".
fn built() -> String {
    let kinds = DeviceKind::ALL.into_iter().filter(|kind| kind.is_built());
    kinds.map(DeviceKind::name).collect::<Vec<_>>().join(", ")
}

fn absent(kind: DeviceKind, count: usize) -> String {
    match (count, kind) {
        (0, DeviceKind::Cuda) => {
            "this machine has no NVIDIA card with a driver; `nvidia-smi` should list \
                                  one, or choose another --device"
                .to_owned()
        }
        (0, _) => {
            "no graphics driver of this machine offers a GPU; install one (Vulkan on Linux), or \
                   choose another --device"
                .to_owned()
        }
        _ => format!(
            "this machine has {count} of them, counted from 0; `flukeprint devices` lists them"
        ),
    }
}

/// What is meant by a kind without a number: CUDA's first card; of the graphics interface's, the one that
/// it holds to be the fastest, or what `CUBECL_WGPU_DEFAULT_DEVICE` says.
fn preferred(kind: DeviceKind, first: Device) -> Device {
    match kind {
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        _ => first,
    }
}

/// A calculation with a known result: drivers and kernel compilers fail here or not at all.
fn prove(device: &Device) -> std::result::Result<(), String> {
    let doubled = Tensor::<1>::from_data([1.5f32, -2.0], device) * 2.0;
    let values = doubled.into_data().try_into_vec::<f32>();
    match values {
        Ok(values) if values == [3.0, -4.0] => Ok(()),
        Ok(values) => Err(format!("says that (1.5, -2) · 2 is {values:?}")),
        Err(error) => Err(format!("does not calculate: {error:?}")),
    }
}

/// Makes sure that a device computes in a precision.
///
/// # Errors
/// [`Error::Device`] when it does not.
pub fn offers(device: &Device, precision: Precision) -> Result<()> {
    match device.supports_dtype(precision.dtype()) {
        true => Ok(()),
        false => {
            let (device, name) = (describe(&device.clone().inner()), precision.name());
            let reason = format!(
                "it does not compute in {name}; let the precision be f32, or choose another --device"
            );
            Err(Error::Device { device, reason })
        }
    }
}

/// Whether a device is the CPU.
pub fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

/// What a device calls itself. Opens it.
pub fn describe(device: &Device) -> String {
    if is_cpu(device) {
        return format!("{}, {} threads", processor(), rayon::current_num_threads());
    }
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    if let Some(identity) = device.identity() {
        return identity.name;
    }
    format!("{device:?}")
}

/// The processor's name, where Linux tells it, or its kind.
fn processor() -> String {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = facts
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name");
    name.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}

/// Runs `work`, which may panic where a driver is missing, and gives the panic's first line instead of
/// printing it. Panics of other threads meanwhile are not printed either: drivers have their own.
fn quietly<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    let first = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&first);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if let Ok(mut first) = heard.lock() {
            first.get_or_insert_with(|| line_of(panic));
        }
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(before);
    result.map_err(|_| {
        let said = first.lock().ok().and_then(|mut first| first.take());
        said.unwrap_or_else(|| "the driver failed without a word".to_owned())
    })
}

/// The first line of what a panic says.
fn line_of(panic: &panic::PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().unwrap_or_default();
    let first = said.lines().find(|line| !line.trim().is_empty());
    format!(
        "the driver fails: {}",
        first.unwrap_or("no reason given").trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        for (text, kind, number) in [
            ("cpu", DeviceKind::Cpu, None),
            ("cuda", DeviceKind::Cuda, None),
            ("cuda:1", DeviceKind::Cuda, Some(1)),
            ("wgpu", DeviceKind::Wgpu, None),
            ("wgpu:12", DeviceKind::Wgpu, Some(12)),
        ] {
            let choice: DeviceChoice = text.parse().unwrap();
            assert_eq!(choice, DeviceChoice { kind, number });
            assert_eq!(choice.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_choice_is_refused_with_what_to_write() {
        for (text, says) in [
            ("gpu", "this build has cpu"),
            ("", "this build has cpu"),
            ("CUDA", "this build has cpu"),
            ("cuda:", "`cuda:0`"),
            ("cuda:x", "`cuda:0`"),
            ("wgpu:-1", "`wgpu:0`"),
            ("cpu:0", "without a number"),
        ] {
            let refusal = text.parse::<DeviceChoice>().unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }

    #[test]
    fn the_processor_opens_and_proves_itself() {
        let device = DeviceChoice::default().open().unwrap();
        assert!(is_cpu(&device));
        assert!(is_cpu(&device.clone().autodiff()));
        prove(&device).unwrap();
        assert!(describe(&device).ends_with("threads"));
    }

    #[test]
    fn a_panic_becomes_its_first_line() {
        let said = quietly(|| panic!("\nno libcuda.so\n  at line 7")).unwrap_err();
        assert_eq!(said, "the driver fails: no libcuda.so");
        assert_eq!(quietly(|| 5), Ok(5));
    }
}
