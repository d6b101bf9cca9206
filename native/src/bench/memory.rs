//! What is occupied while a step is measured.

use burn::tensor::Device;
use serde::Serialize;

/// Bytes, each where somebody tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The most that the device's allocator had given out, of the looks after each part of a step. What
    /// a part takes and gives back in between is not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_in_use: Option<u64>,
    /// The most that it held, to be used again included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_reserved: Option<u64>,
    /// The most that this process had resident in the machine's own memory (Linux).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<u64>,
}

impl Memory {
    /// Takes in what is occupied now.
    pub(super) fn look(&mut self, device: &Device) {
        if let Some(usage) = device.memory_pool_usage() {
            self.device_in_use = self.device_in_use.max(Some(usage.bytes_in_use));
            self.device_reserved = self.device_reserved.max(Some(usage.bytes_reserved));
        }
        self.process = self.process.max(most_resident());
    }
}

/// Linux's `VmHWM`, in kibibytes there.
fn most_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
