//! What a server answers as Proxmox VE does.

use super::CLUSTER;
pub(super) use crate::https::tests::server::{Identity, Received, Reply, Server, answer, proxy};

/// A success of Proxmox VE.
pub(super) fn ok(data: &str) -> Reply {
    answer("200 OK", "application/json;charset=UTF-8", &format!(r#"{{"data":{data}}}"#))
}

/// A failure of Proxmox VE.
pub(super) fn failed(status: u16, text: &str) -> Reply {
    let body = serde_json::json!({ "data": null, "message": format!("{text}\n") }).to_string();
    answer(&format!("{status} {text}"), "application/json;charset=UTF-8", &body)
}

/// What is asked on connecting, as Proxmox VE answers it; `None` for everything else.
pub(super) fn on_connecting(request: &Received) -> Option<Reply> {
    match request.line() {
        "GET /api2/json/version" => Some(ok(r#"{"release":"9.2","repoid":"abc","version":"9.2.11"}"#)),
        "GET /api2/json/nodes/localhost/certificates/info" => Some(ok(&format!(
            r#"[{{"filename":"pve-ssl.pem","fingerprint":"00"}},
                {{"filename":"pve-root-ca.pem","fingerprint":"{CLUSTER}","san":[]}}]"#
        ))),
        _ => None,
    }
}
