//! What people do in Proxmox VE by hand.

use serde_json::{Value, json};

use crate::names;
use crate::random::Random;
use crate::script::Operation;

/// One change by hand.
pub fn edit(random: &mut Random) -> Operation {
    let group = *random.pick(names::GROUPS);
    let user = *random.pick(names::USERS);
    let role = *random.pick(names::ROLES);
    let pool = *random.pick(names::POOLS);
    let token = random.pick(names::TOKENS).replace('!', "/token/");
    let comment = *random.pick(names::COMMENTS);
    let privilege = *random.pick(&names::PRIVILEGES[..5]);
    let realm = *random.pick(&["corp", "dir", "by-hand"]);
    let (method, path, form): (_, String, Value) = match random.below(22) {
        0 => ("POST", "/access/groups".into(), json!({"groupid": group, "comment": comment})),
        1 => ("PUT", format!("/access/groups/{group}"), json!({"comment": comment})),
        2 => ("DELETE", format!("/access/groups/{group}"), Value::Null),
        3 => ("POST", "/access/users".into(), json!({"userid": user, "groups": group})),
        4 => ("PUT", format!("/access/users/{user}"), json!({"comment": comment, "enable": random.below(2)})),
        5 => ("PUT", format!("/access/users/{user}"), json!({"groups": group, "append": 1})),
        6 => ("PUT", format!("/access/users/{user}"), json!({"groups": group})),
        7 => ("DELETE", format!("/access/users/{user}"), Value::Null),
        8 => ("POST", format!("/access/users/{token}"), json!({"comment": comment})),
        9 => ("PUT", format!("/access/users/{token}"), json!({"privsep": random.below(2)})),
        10 => ("DELETE", format!("/access/users/{token}"), Value::Null),
        11 => ("POST", "/access/roles".into(), json!({"roleid": role, "privs": privilege})),
        12 => ("PUT", format!("/access/roles/{role}"), json!({"privs": privilege})),
        13 => ("DELETE", format!("/access/roles/{role}"), Value::Null),
        14 => ("POST", "/pools".into(), json!({"poolid": pool, "comment": comment})),
        15 => ("PUT", format!("/pools?poolid={pool}"), json!({"vms": random.pick(names::GUESTS), "allow-move": 1})),
        16 => ("PUT", format!("/pools?poolid={pool}"), json!({"vms": random.pick(names::GUESTS), "delete": 1})),
        17 => ("DELETE", format!("/pools?poolid={pool}"), Value::Null),
        18 => {
            let realm =
                json!({"realm": realm, "type": "openid", "issuer-url": "https://id.example.com", "client-id": "c"});
            ("POST", "/access/domains".into(), realm)
        }
        19 => ("DELETE", format!("/access/domains/{realm}"), Value::Null),
        _ => {
            let mut entry = json!({"path": random.pick(names::PATHS), "roles": role, "propagate": random.below(2)});
            match random.below(3) {
                0 => entry["users"] = json!(user),
                1 => entry["tokens"] = json!(random.pick(names::TOKENS)),
                _ => entry["groups"] = json!(group),
            }
            if random.chance(40) {
                entry["delete"] = json!(1);
            }
            ("PUT", "/access/acl".into(), entry)
        }
    };
    Operation::Edit { method: method.to_owned(), path, form }
}
