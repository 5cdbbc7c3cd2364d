//! What the system says of a process, and of itself.

use std::fs;
use std::time::Duration;

/// The unit of times in `/proc`, the same on all of Linux that users see.
const TICKS: f64 = 100.0;

/// Memory of a process in MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Now.
    pub resident: f64,
    /// The most that it ever was.
    pub peak: f64,
}

/// How much memory a process has.
pub fn memory(process: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let mib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    };
    Memory { resident: mib("VmRSS"), peak: mib("VmHWM") }
}

/// How long a process was on a CPU, for itself and in the kernel.
pub fn cpu(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS)
}

/// How many processes have lately wanted a CPU: measured beside others, figures mean little.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").expect("the load");
    text.split_whitespace().next().and_then(|it| it.parse().ok()).expect("a number")
}
