//! The one node, and the guests and storages of the recordings: listed, nothing more.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::sim::pve::user_cfg::{PoolEntry, UserCfg};

const NODE: &str = "pve1";

pub fn list() -> Value {
    json!([{
        "node": NODE, "id": format!("node/{NODE}"), "type": "node", "status": "online", "level": "",
        "ssl_fingerprint": "AA:BB", "cpu": 0.01, "maxcpu": 4, "mem": 1_073_741_824_u64, "maxmem": 8_589_934_592_u64,
        "disk": 1_073_741_824_u64, "maxdisk": 34_359_738_368_u64, "uptime": 1000,
    }])
}

/// A guest of the recorded cluster: 100–119 are virtual machines, 200–209 containers.
fn guest(id: u64) -> Option<Value> {
    let (kind, name, cpus, memory, disk) = match id {
        100..=119 => ("qemu", "vm", 2, 2_147_483_648_u64, 34_359_738_368_u64),
        200..=209 => ("lxc", "ct", 1, 536_870_912, 8_589_934_592),
        _ => return None,
    };
    Some(json!({
        "id": format!("{kind}/{id}"), "vmid": id, "type": kind, "name": format!("{name}{id}"), "node": NODE,
        "status": "stopped", "template": 0, "cpu": 0, "maxcpu": cpus, "mem": 0, "memhost": 0, "maxmem": memory,
        "disk": 0, "maxdisk": disk, "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0, "uptime": 0,
    }))
}

/// A storage of the recorded cluster.
fn storage(id: &str) -> Option<Value> {
    let (plugin, content, shared) = match id {
        "local" => ("dir", "vztmpl,iso,backup", 0),
        "local-lvm" => ("lvmthin", "images,rootdir", 0),
        "ceph1" => ("rbd", "images,rootdir", 1),
        _ => return None,
    };
    Some(json!({
        "id": format!("storage/{NODE}/{id}"), "storage": id, "type": "storage", "node": NODE, "plugintype": plugin,
        "content": content, "shared": shared, "status": "available", "disk": 10_737_418_240_u64,
        "maxdisk": 107_374_182_400_u64,
    }))
}

/// The members of a pool that exist, of one type if wanted (recording `pools-members`).
pub fn members(pool: &PoolEntry, kind: Option<&str>) -> Value {
    let guests = pool.vms.iter().filter_map(|id| guest(*id));
    let members = guests.chain(pool.storage.iter().filter_map(|id| storage(id)));
    members.filter(|member| kind.is_none_or(|kind| member["type"] == kind)).collect()
}

/// Whether a guest is there.
pub fn has_guest(id: u64) -> bool {
    guest(id).is_some()
}

/// Whether a storage is there.
pub fn has_storage(id: &str) -> bool {
    storage(id).is_some()
}

/// What is there and may be seen (FACTS 95).
pub fn resources(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let wanted = |kind: &str| call.get("type").is_none_or(|asked| asked == kind);
    let mut found = Vec::new();
    if wanted("vm") {
        let visible = (100..=209).filter(|id| caller.holds_any(&format!("/vms/{id}"), &["VM.Audit"]));
        found.extend(visible.filter_map(|id| {
            let mut guest = guest(id)?;
            if let Some(pool) = pool_of(&call.files.users, id) {
                guest["pool"] = json!(pool);
            }
            Some(guest)
        }));
    }
    if wanted("storage") {
        let visible = ["local", "local-lvm", "ceph1"].into_iter();
        let visible = visible.filter(|id| caller.holds_any(&format!("/storage/{id}"), &["Datastore.Audit"]));
        found.extend(visible.filter_map(storage));
    }
    if wanted("node") && caller.holds_any(&format!("/nodes/{NODE}"), &["Sys.Audit"]) {
        found.extend(list().as_array().cloned().unwrap_or_default());
    }
    Ok(Value::Array(found))
}

/// The pool a guest is in.
pub fn pool_of(cfg: &UserCfg, guest: u64) -> Option<&str> {
    cfg.pools.iter().find(|(_, pool)| pool.vms.contains(&guest)).map(|(id, _)| id.as_str())
}
