//! Everything is listed anew while objects own sets exactly: what an object claims that is not listed yet is no surplus.

use std::fmt::Write as _;

use crate::proxy::watching::Fate;
use crate::proxy::{Asked, Deed, Forged, Proxy};
use crate::world::{World, manifest};

/// More than a page of a list.
const ENTRIES: usize = 520;

/// What owns sets exactly, and others that claim something in them.
const OBJECTS: [(&str, &str, &str); 7] = [
    ("ProxmoxGroup", "team", "membershipPolicy: Exact, members: [{user: ann@pve}]"),
    ("ProxmoxUser", "ann", "realm: pve"),
    ("ProxmoxUser", "bob", "realm: pve, groups: [{group: team}]"),
    ("ProxmoxPool", "lab", "membershipPolicy: Exact, members: {guests: [100]}"),
    ("ProxmoxPool", "more", "poolId: lab/more, membershipPolicy: Exact, members: {guests: [101]}"),
    ("ProxmoxAcl", "a-exact", "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: team}]"),
    ("ProxmoxAcl", "z-added", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{user: bob@pve}]"),
];

async fn world() -> (World, Proxy, String) {
    let world = World::new().await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    for (kind, name, spec) in OBJECTS {
        world.object(kind, name, spec).await;
    }
    all_ready(&world).await;
    (world, proxy, through)
}

async fn all_ready(world: &World) {
    for (kind, name, _) in OBJECTS {
        world.ready(kind, name).await;
    }
}

/// What is in the sets.
async fn sets(world: &World) -> String {
    let (acl, pool) = (world.acl().await, world.pve_get("/pools?poolid=lab").await);
    let members = world.pve_get("/access/groups/team").await["members"].to_string();
    format!("{} {members} {}", acl.join("; "), pool[0]["members"][0]["vmid"])
}

fn lists(asked: &Asked) -> bool {
    asked.method == "GET" && !asked.is_watch() && asked.path.contains("/proxmox-identity.dev/")
}

#[tokio::test]
async fn a_list_that_breaks_off_between_its_pages_removes_nothing() {
    let (world, proxy, _) = world().await;
    let mut entries = String::new();
    for number in 0..ENTRIES {
        let spec = format!("path: /vms/{}, roles: [{{role: PVEVMUser}}], subjects: [{{group: team}}]", number + 200);
        let _ = write!(entries, "---\n{}", manifest("ProxmoxAcl", &format!("m-{number}"), &spec));
    }
    world.apply(&entries).await;
    world.ready("ProxmoxAcl", &format!("m-{}", ENTRIES - 1)).await;
    world.until("all stand", async || (world.acl().await.len() == ENTRIES + 2).then_some(())).await;
    all_ready(&world).await;
    let (before, writes) = (sets(&world).await, world.pve_writes());
    // The first page comes; of the others none does, for several passes.
    proxy.take_seen();
    proxy.rule(|asked| {
        if lists(asked) && asked.query.contains("continue=") {
            Deed::Answer(Forged::status(410, "Expired"))
        } else {
            Deed::Pass
        }
    });
    proxy.watching().judge(|_, _| Fate::Expire);
    proxy.end_connections();
    // Each change wakes the watches, which then say that they are too old; they wait longer each time before they list.
    let mut begun_anew = 0;
    let (kind, name, spec) = OBJECTS[6];
    for number in 0.. {
        world.object(kind, name, &format!("{spec}, suspend: {}", number % 2 == 0)).await;
        world.passes(1).await;
        begun_anew += proxy.take_seen().iter().filter(|asked| asked.query.contains("continue=")).count();
        if number >= 3 && begun_anew > 1 {
            break;
        }
        assert!(number < 200, "a second page was not asked for again and again");
    }
    assert_eq!((sets(&world).await, world.pve_writes()), (before.clone(), writes));
    proxy.heal();
    proxy.watching().judge(|_, _| Fate::Show);
    world.object(kind, name, &format!("{spec}, suspend: false")).await;
    all_ready(&world).await;
    world.object("ProxmoxGroup", "another", "").await;
    world.ready("ProxmoxGroup", "another").await;
    assert_eq!((sets(&world).await, world.pve_writes()), (before, writes + 1));
}

#[tokio::test]
async fn while_any_list_is_missing_at_the_start_nothing_is_written() {
    let (world, proxy, through) = world().await;
    let (before, writes) = (sets(&world).await, world.pve_writes());
    let missing = [
        Deed::Answer(Forged::page(404)),
        Deed::Answer(Forged::status(404, "NotFound")),
        Deed::Answer(Forged::of(404, "text/plain; charset=utf-8", "404 page not found\n")),
        Deed::Answer(Forged::status(403, "Forbidden")),
        Deed::Answer(Forged::status(500, "InternalError")),
        Deed::Answer(Forged::page(200)),
        Deed::Reset,
        Deed::Silence,
    ];
    let others = ["groups", "roles", "realms", "tokens", "pools", "accesschecks"];
    let lists_of = ["users", "acls"].into_iter().flat_map(|kind| missing.iter().map(move |deed| (kind, deed)));
    world.kill_operator();
    // So that there is something to be written.
    world.object("ProxmoxRole", "waits", "privileges: [VM.Audit]").await;
    for (kind, deed) in lists_of.chain(others.into_iter().zip(missing.iter().cycle())) {
        world.kill_operator();
        let (deed, about) = (deed.clone(), format!("{kind}: {deed:?}"));
        let is_missing = move |asked: &Asked| lists(asked) && asked.path.ends_with(&format!("/proxmox{kind}"));
        proxy.rule(move |asked| if is_missing(asked) { deed.clone() } else { Deed::Pass });
        world.start_operator_with(&[&through], &[]);
        proxy.take_seen();
        world.until("the list was asked for", async || proxy.take_seen().iter().any(is_missing).then_some(())).await;
        // Long enough for whatever would be done at once.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert_eq!((sets(&world).await, world.pve_writes()), (before.clone(), writes), "{about}");
    }
    proxy.heal();
    world.start_operator_with(&[&through], &[]);
    world.ready("ProxmoxRole", "waits").await;
    world.passes(2).await;
    all_ready(&world).await;
    assert_eq!((sets(&world).await, world.pve_writes()), (before, writes + 1));
}
