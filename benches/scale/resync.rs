//! What it costs that nothing has changed: a resync, memory, and a restart.

use std::time::Instant;

use crate::Scale;
use crate::apiserver::Writes;
use crate::figures::{Figures, whole};
use crate::fleet::{Fleet, Layout, recorded};
use crate::process;

/// How many objects.
pub const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

/// Measures all sizes, in a world that grows; answers with that world.
pub async fn measure(scale: Scale, figures: &mut Figures) -> Fleet {
    let sizes = if scale == Scale::Smoke { &SIZES[..1] } else { &SIZES };
    let passes = if scale == Scale::Smoke { 2 } else { 10 };
    let mut fleet = Fleet::new(recorded(), Layout::Standing).await;
    fleet.start_operator().await;
    fleet.world.ready("ProxmoxConnection", "pve").await;
    fleet.world.passes(2).await;
    figures.set("idle.resident_mib", process::memory(fleet.world.process()).resident);
    let program = std::fs::metadata(format!("/proc/{}/exe", fleet.world.process())).expect("the program");
    figures.set("binary_mib", whole(program.len()) / 1024.0 / 1024.0);
    for &objects in sizes {
        fleet.grow_to(objects).await;
        fleet.all_ready().await;
        resync(&fleet, objects, passes, figures).await;
    }
    restart(&mut fleet, figures).await;
    fleet
}

/// Some passes over what stands.
async fn resync(fleet: &Fleet, objects: usize, passes: u64, figures: &mut Figures) {
    let (world, process) = (&fleet.world, fleet.world.process());
    world.passes(2).await;
    let writes = Writes::settled(&world.client).await;
    world.pve.clear_requests();
    let (begun, cpu) = (Instant::now(), process::cpu(process));
    world.passes(passes).await;
    let (took, cpu) = (begun.elapsed(), process::cpu(process).saturating_sub(cpu));
    let (requests, written) = (world.pve.requests(), world.pve_writes());
    let writes = writes.since(&world.client).await;
    let memory = process::memory(process);
    // A pass begins with the certificates, so that all but the last one under way are whole.
    let made = whole(requests.count("GET", "/nodes/localhost/certificates/info"));
    let asked: u64 = requests.counts.iter().map(|it| it.count).sum();
    for (name, value) in [
        ("requests", whole(asked) / made),
        ("bytes", whole(requests.bytes()) / made),
        ("pve_writes", whole(written)),
        ("status_writes", writes.patches),
        ("cpu_ms", cpu.as_secs_f64() * 1000.0 / made),
        ("every_s", took.as_secs_f64() / made),
        ("resident_mib", memory.resident),
        ("peak_mib", memory.peak),
    ] {
        figures.set(format!("{objects}.{name}"), value);
    }
    assert_eq!(written, 0, "nothing has changed");
    assert!(writes.patches < 1.0, "no status says anything new: {writes:?}");
}

/// A new process that finds everything as it should be.
async fn restart(fleet: &mut Fleet, figures: &mut Figures) {
    fleet.world.kill_operator();
    let writes = Writes::until_now(&fleet.world.client).await;
    fleet.world.pve.clear_requests();
    let begun = Instant::now();
    fleet.start_operator().await;
    let world = &fleet.world;
    world.until("the operator is ready", async || (world.get("/readyz").await.0 == 200).then_some(())).await;
    figures.set("restart.ready_s", begun.elapsed().as_secs_f64());
    fleet.all_ready().await;
    figures.set("restart.judged_s", begun.elapsed().as_secs_f64());
    fleet.world.passes(2).await;
    let (written, writes) = (fleet.world.pve_writes(), writes.since(&fleet.world.client).await);
    figures.set("restart.pve_writes", whole(written));
    figures.set("restart.status_writes", writes.patches);
    let memory = process::memory(fleet.world.process());
    figures.set("restart.resident_mib", memory.resident);
    figures.set("restart.peak_mib", memory.peak);
    assert_eq!(written, 0, "all stands");
    assert!(writes.patches < 1.0, "all is said: {writes:?}");
}
