//! Pools.

use serde_json::{Value, json};

use super::nodes::{has_guest, has_storage, members, pool_of};
use super::{Call, Outcome, object, shown};
use crate::core::ids::PoolId;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::guard::privileges_to_modify;
use crate::sim::pve::user_cfg::{PoolEntry, UserCfg};

fn missing(id: &str) -> Failure {
    Failure::die(format!("pool '{id}' does not exist"))
}

/// With `poolid` one pool with its members, for anyone who asks (FACTS 80).
pub fn list(call: &Call<'_>) -> Outcome {
    if call.get("poolid").is_some() {
        return Ok(json!([read(call)?]));
    }
    let caller = call.caller()?;
    let pools = call.files.users.pools.iter();
    let visible = pools.filter(|(id, _)| caller.holds_any(&format!("/pool/{id}"), &["Pool.Audit"]));
    Ok(visible
        .map(|(id, pool)| Value::Object(object([("poolid", Some(json!(id))), ("comment", shown(&pool.comment))])))
        .collect())
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("poolid");
    let pool = call.files.users.pools.get(id).ok_or_else(|| missing(id))?;
    Ok(Value::Object(object([
        ("poolid", Some(json!(id))),
        ("comment", shown(&pool.comment)),
        ("members", Some(members(pool, call.get("type")))),
    ])))
}

pub async fn create(call: &Call<'_>) -> Outcome {
    let id = call.text("poolid");
    let change = call.server.change_users("create pool failed: ", |cfg| {
        let name = id.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(Failure::die("pool name must start with a letter"));
        }
        if cfg.pools.contains_key(id) {
            return Err(Failure::die(format!("pool '{id}' already exists")));
        }
        if let Some((parent, _)) = id.rsplit_once('/').filter(|(parent, _)| !cfg.pools.contains_key(*parent)) {
            return Err(Failure::die(format!("parent '{parent}' of pool '{id}' does not exist")));
        }
        let comment = call.text("comment").to_owned();
        cfg.pools.insert(id.to_owned(), PoolEntry { comment, ..PoolEntry::default() });
        Ok(Value::Null)
    });
    change.await
}

pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("poolid");
    let change = call.server.change_users("update pools failed: ", |cfg| {
        let pool = cfg.pools.get_mut(id).ok_or_else(|| missing(id))?;
        if let Some(comment) = call.get("comment") {
            comment.clone_into(&mut pool.comment);
        }
        for guest in call.parameters.list("vms") {
            move_guest(call, cfg, id, guest.parse().unwrap_or_default())?;
        }
        for storage in call.parameters.list("storage") {
            move_storage(call, cfg, id, &storage)?;
        }
        Ok(Value::Null)
    });
    change.await
}

fn require_member(call: &Call<'_>, path: &str) -> Result<(), Failure> {
    call.caller()?.require_any(path, privileges_to_modify(path))
}

/// Adds or removes a guest; it is in one pool only.
fn move_guest(call: &Call<'_>, cfg: &mut UserCfg, id: &str, guest: u64) -> Result<(), Failure> {
    require_member(call, &format!("/vms/{guest}"))?;
    let current = pool_of(cfg, guest).map(str::to_owned);
    let of = |cfg: &'_ mut UserCfg, pool: &str, add: bool| {
        if let Some(pool) = cfg.pools.get_mut(pool) {
            if add {
                pool.vms.insert(guest)
            } else {
                pool.vms.remove(&guest)
            };
        }
    };
    if call.parameters.flag("delete") {
        if current.as_deref() != Some(id) {
            return Err(Failure::die(format!("VM {guest} is not a pool member")));
        }
        of(cfg, id, false);
        return Ok(());
    }
    if let Some(other) = current {
        if other == id {
            return Err(Failure::die(format!("VM {guest} is already a pool member")));
        }
        if !call.parameters.flag("allow-move") {
            let error = format!("VM {guest} belongs already to pool '{other}' and 'allow-move' is not set");
            return Err(Failure::die(error));
        }
        call.caller()?.require_any(&format!("/pool/{other}"), &["Pool.Allocate"])?;
        of(cfg, &other, false);
    }
    of(cfg, id, true);
    Ok(())
}

/// Adds or removes a storage; it may be in many pools.
fn move_storage(call: &Call<'_>, cfg: &mut UserCfg, id: &str, storage: &str) -> Result<(), Failure> {
    require_member(call, &format!("/storage/{storage}"))?;
    let Some(pool) = cfg.pools.get_mut(id) else { return Err(missing(id)) };
    if call.parameters.flag("delete") {
        if !pool.storage.remove(storage) {
            return Err(Failure::die(format!("Storage '{storage}' is not a pool member")));
        }
    } else if !pool.storage.insert(storage.to_owned()) {
        return Err(Failure::die(format!("Storage '{storage}' is already a pool member")));
    }
    Ok(())
}

/// Members that do not exist do not count. The entries on a pool and below go with it, those on a nested pool stay
/// (recording `pools-delete`).
pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("poolid");
    let change = call.server.change_users("delete pool failed: ", |cfg| {
        let pool = cfg.pools.get(id).ok_or_else(|| missing(id))?;
        let contains = |what: String| Err(Failure::die(format!("pool '{id}' is not empty (contains {what})")));
        let below = format!("{id}/");
        if let Some(nested) = cfg.pools.keys().find(|other| other.starts_with(&below)) {
            return contains(format!("pool '{nested}'"));
        }
        if let Some(guest) = pool.vms.iter().find(|guest| has_guest(**guest)) {
            return contains(format!("VM {guest}"));
        }
        if let Some(storage) = pool.storage.iter().find(|storage| has_storage(storage)) {
            return contains(format!("storage '{storage}'"));
        }
        cfg.pools.remove(id);
        if !id.contains('/') {
            let path = PoolId::observed(id).acl_path();
            cfg.acl.retain(|key, _| !key.path.is_within(&path));
        }
        Ok(Value::Null)
    });
    change.await
}
