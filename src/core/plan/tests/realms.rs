//! What realms need of Proxmox VE.

use std::collections::BTreeMap;

use super::super::*;
use super::fixtures::{Reason, Refusal, empty, object, one};
use crate::core::claim::{Content, Thing, Wanted};
use crate::core::ids::RealmId;
use crate::core::realm::RealmContent;
use crate::core::snapshot::OptionValue;
use crate::core::version::PveVersion;

#[test]
fn an_older_proxmox_ve_is_not_asked_for_audiences() {
    let text = |text: &str| Some(OptionValue::Plain(text.to_owned()));
    for (version, audiences, refused) in
        [("9.1.4", text("a"), true), ("9.1.4", None, false), ("9.2.11", text("a"), false), ("10.0", text("a"), false)]
    {
        let options =
            BTreeMap::from([("issuer-url".to_owned(), text("https://id")), ("audiences".to_owned(), audiences)]);
        let content = Content::Realm(RealmContent { kind: "openid", options, check_connection: false });
        let wanted = vec![Wanted::new(Thing::Realm(RealmId::observed("id")), content)];
        let snapshot = Snapshot { version: PveVersion::observed(version), ..empty() };
        let plan = one(&[Object { wanted, ..object("realm", []) }], &snapshot);
        let refusal = plan.verdicts[0].claims.iter().find_map(|(_, state)| match state {
            ClaimState::Refused(refusal) => Some(refusal),
            _ => None,
        });
        assert_eq!(refusal.is_some(), refused, "{version}: {refusal:?}");
        assert_eq!(plan.steps.is_empty(), refused, "{version}");
        if let Some(Refusal { reason, message }) = refusal {
            assert_eq!(*reason, Reason::InvalidSpec);
            assert!(message.contains("Proxmox VE 9.2"), "{message}");
        }
    }
}
